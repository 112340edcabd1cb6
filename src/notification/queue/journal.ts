/**
 * What was accepted and not yet told, and what became of what was: in one SQLite file, so that an accepted alert
 * survives the process. A delivery is removed only after it was sent, so one may be sent twice after a crash, but none
 * is lost; without a crash none is told twice.
 *
 * Memory: only alerts of the deliveries that are being worked on are read.
 */
import { type Alert } from '../message/alerts.js'
import { GroupCommit } from './commit.js'
import { StatusError } from '../../apimachinery/errors/index.js'
import { History, HISTORY_SCHEMA, type Recipient } from './history.js'
import { type Told, Unreported, UNREPORTED_SCHEMA } from './unreported.js'
import { Store } from './store.js'

export interface Delivery extends Recipient {
  id: number
  alerts: Alert[]
  attempts: number
  /** Those of the receiver's own targets that need no further attempt, and what went wrong with them, or "". */
  done: Record<string, string>
  /** Milliseconds. */
  createdAt: number
}

/** Of alerts that belong together. */
export interface Message extends Recipient {
  group: string
  alerts: readonly Alert[]
}

/** To be written in one step: who is told of which alerts, and what becomes of the others. */
export interface Dispatch {
  deliveries: readonly Message[]
  untold: readonly {
    alert: Alert
    recipient: Recipient
    outcome: 'silenced' | 'filtered' | 'nobody'
    reason: string
  }[]
}

export interface Taken {
  seq: number
  share: string
  alert: Alert
}

interface Row extends Recipient {
  id: number
  alerts: string
  attempts: number
  done: string
  due: number
  created: number
}

export const SCHEMA = `
CREATE TABLE IF NOT EXISTS inbox (seq INTEGER PRIMARY KEY AUTOINCREMENT, share TEXT NOT NULL, alert TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS inbox_of ON inbox (share, seq);
CREATE TABLE IF NOT EXISTS deliveries (
  id INTEGER PRIMARY KEY AUTOINCREMENT, receiver TEXT NOT NULL, channel TEXT NOT NULL, tenant TEXT NOT NULL,
  grp TEXT NOT NULL DEFAULT '', alerts TEXT NOT NULL, attempts INTEGER NOT NULL DEFAULT 0, done TEXT NOT NULL DEFAULT '{}', due INTEGER NOT NULL,
  created INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS deliveries_of ON deliveries (receiver, channel, id);
CREATE INDEX IF NOT EXISTS deliveries_of_group ON deliveries (receiver, channel, grp);
CREATE TABLE IF NOT EXISTS told (key TEXT PRIMARY KEY, at INTEGER NOT NULL) WITHOUT ROWID;
${HISTORY_SCHEMA}${UNREPORTED_SCHEMA}`

/** The time of what has yet to be told: never over. */
const WAITING = Number.MAX_SAFE_INTEGER
/** Alerts of one message. */
const MOST_TOGETHER = 100
/** How often what is over is looked for. */
const TIDY_MS = 10_000
/** Of one receiver that does not take them; then the oldest go. */
const MOST_OF_ONE = 10_000
/** Alerts that are routed at a time: few, as nothing else is done meanwhile. */
const MOST_AT_A_TIME = 500
/** Of one share, when there are many: enough for alerts that belong together to be told together. */
const FEWEST_OF_ONE = 25

export class Journal {
  readonly history: History
  readonly unreported: Unreported
  readonly #store: Store
  readonly #commit: GroupCommit
  /** Alerts waiting in the inbox, by share. */
  readonly #waiting = new Map<string, number>()
  #total = 0
  #tidyAt = 0

  constructor(store: Store) {
    this.#store = store
    this.#commit = new GroupCommit(store)
    this.history = new History(store)
    this.unreported = new Unreported(store)
    for (const { share, n } of store.all<{ share: string; n: number }>(
      'SELECT share, count(*) AS n FROM inbox GROUP BY share',
    ))
      this.#count(share, n)
  }

  /** @param file `:memory:` for one that does not outlive the process @throws Error when it is damaged */
  static open(file: string): Journal {
    return new Journal(new Store(file, SCHEMA))
  }

  waiting(share?: string): number {
    return share === undefined ? this.#total : (this.#waiting.get(share) ?? 0)
  }

  get shares(): number {
    return this.#waiting.size
  }

  /** Settles when the alerts are on disk. */
  async accept(alerts: readonly { share: string; alert: Alert }[]): Promise<void> {
    for (const { share } of alerts) this.#count(share, 1)
    try {
      await this.#commit.write(() => {
        for (const { share, alert } of alerts)
          this.#store.run('INSERT INTO inbox (share, alert) VALUES (?, ?)', share, JSON.stringify(alert))
      })
    } catch (error) {
      for (const { share } of alerts) this.#count(share, -1)
      // Alertmanager tries again.
      throw new StatusError(
        { code: 503, reason: 'ServiceUnavailable', message: 'alerts cannot be kept now' },
        { cause: error },
      )
    }
  }

  /** The oldest of some shares, each in its turn: who sends many does not keep others waiting. */
  take(mostOfOne: number): Taken[] {
    const shares = [...this.#waiting.keys()]
    const fair = Math.max(FEWEST_OF_ONE, Math.ceil(MOST_AT_A_TIME / Math.max(1, shares.length)))
    const most = Math.min(mostOfOne, fair)
    const taken: Taken[] = []
    for (const share of shares) {
      const rows = this.#store.all<{ seq: number; share: string; alert: string }>(
        'SELECT seq, share, alert FROM inbox WHERE share = ? ORDER BY seq LIMIT ?',
        share,
        most,
      )
      for (const { seq, alert } of rows) taken.push({ seq, share, alert: JSON.parse(alert) as Alert })
      if (taken.length >= MOST_AT_A_TIME) break
    }
    return taken
  }

  /**
   * Turns accepted alerts into deliveries, without those that the receiver has been told of since, or is about to be.
   * @returns whom something waits for now
   */
  async dispatch(
    taken: readonly Taken[],
    { deliveries, untold }: Dispatch,
    now: number,
    since: number,
  ): Promise<void> {
    await this.#commit.write(() => {
      for (const message of deliveries) {
        const fresh = message.alerts.filter((alert) => this.#isNews(keyOf(message, alert), since))
        if (fresh.length > 0) this.#deliver({ ...message, alerts: fresh }, now)
      }
      for (const { alert, recipient, outcome, reason } of untold)
        this.history.record(alert, recipient, outcome, reason, now)
      for (const { seq } of taken) this.#store.run('DELETE FROM inbox WHERE seq = ?', seq)
      this.#tidy(now, since)
    })
    for (const { share } of taken) this.#count(share, -1)
  }

  /** Those that something waits for. */
  lanes(): { receiver: string; channel: string }[] {
    return this.#store.all('SELECT DISTINCT receiver, channel FROM deliveries')
  }

  /** The oldest delivery of a receiver, and when it is due. */
  next(receiver: string, channel: string): (Delivery & { due: number }) | undefined {
    const row = this.#store.first<Row>(
      'SELECT * FROM deliveries WHERE receiver = ? AND channel = ? ORDER BY id LIMIT 1',
      receiver,
      channel,
    )
    return row && deliveryOf(row)
  }

  /** Settles when it is on disk; so do the others. */
  async postpone({ id, attempts, done }: Delivery, due: number): Promise<void> {
    await this.#commit.write(() =>
      this.#store.run(
        'UPDATE deliveries SET attempts = ?, done = ?, due = ? WHERE id = ?',
        ...[attempts, JSON.stringify(done), due, id],
      ),
    )
  }

  /** After one of several targets of a receiver: should the process end now, that one is not told again. */
  async progress({ id, done }: Delivery): Promise<void> {
    await this.#commit.write(() =>
      this.#store.run('UPDATE deliveries SET done = ? WHERE id = ?', JSON.stringify(done), id),
    )
  }

  /** @param isReported whether the webhook for the history is to hear of it */
  async finish(
    delivery: Delivery,
    outcome: 'delivered' | 'failed',
    reason: string,
    now: number,
    isReported = false,
  ): Promise<void> {
    await this.#commit.write(() => {
      this.#finish(delivery, outcome, reason, now)
      const { receiver, channel, done, alerts } = delivery
      const targets = Object.keys(done).filter((name) => done[name] === '')
      if (!isReported || (outcome !== 'delivered' && targets.length === 0)) return
      for (const alert of alerts) this.unreported.add(alert, receiver, channel, targets, now)
    })
  }

  async reported(told: readonly Told[], now: number): Promise<void> {
    await this.#commit.write(() => this.unreported.done(told, now))
  }

  close(): void {
    this.#commit.close()
    this.#store.close()
  }

  #finish(delivery: Delivery, outcome: 'delivered' | 'failed', reason: string, now: number): void {
    const { id, done, alerts } = delivery
    this.#store.run('DELETE FROM deliveries WHERE id = ?', id)
    const isTold = outcome === 'delivered' || Object.values(done).includes('')
    for (const alert of alerts) {
      this.history.record(alert, delivery, outcome, reason, now)
      const key = keyOf(delivery, alert)
      // Nobody was told: the next repetition of Alertmanager is another chance.
      if (isTold) this.#store.run('UPDATE told SET at = ? WHERE key = ?', now, key)
      else this.#store.run('DELETE FROM told WHERE key = ?', key)
    }
  }

  /** What already waits for the receiver, and is not on its way, is told together with what belongs to it. */
  #deliver({ receiver, channel, tenant, group, alerts }: Message, now: number): void {
    const waiting = this.#store.first<{ id: number; alerts: string; isFirst: number }>(
      `SELECT id, alerts, id = (SELECT min(id) FROM deliveries WHERE receiver = ?1 AND channel = ?2) AS isFirst
       FROM deliveries WHERE receiver = ?1 AND channel = ?2 AND grp = ?3 AND tenant = ?4 ORDER BY id DESC LIMIT 1`,
      ...[receiver, channel, group, tenant],
    )
    const known = waiting && waiting.isFirst === 0 ? (JSON.parse(waiting.alerts) as Alert[]) : []
    if (waiting && known.length > 0 && known.length + alerts.length <= MOST_TOGETHER)
      this.#store.run(
        'UPDATE deliveries SET alerts = ? WHERE id = ?',
        JSON.stringify([...known, ...alerts]),
        waiting.id,
      )
    else
      this.#store.run(
        'INSERT INTO deliveries (receiver, channel, tenant, grp, alerts, due, created) VALUES (?, ?, ?, ?, ?, ?, ?)',
        ...[receiver, channel, tenant, group, JSON.stringify(alerts), now, now],
      )
  }

  #isNews(key: string, since: number): boolean {
    const told = this.#store.first('SELECT at FROM told WHERE key = ? AND at >= ?', key, since)
    if (told !== undefined) return false
    this.#store.run('INSERT OR REPLACE INTO told (key, at) VALUES (?, ?)', key, WAITING)
    return true
  }

  #tidy(now: number, since: number): void {
    if (now < this.#tidyAt) return
    this.#tidyAt = now + TIDY_MS
    this.#store.run('DELETE FROM told WHERE at < ?', since)
    this.history.forget()
    for (const { receiver, channel, n } of this.#store.all<Recipient & { n: number }>(
      'SELECT receiver, channel, count(*) AS n FROM deliveries GROUP BY receiver, channel HAVING n > ?',
      MOST_OF_ONE,
    )) {
      // Not the first, which may be on its way.
      const rows = this.#store.all<Row>(
        'SELECT * FROM deliveries WHERE receiver = ? AND channel = ? ORDER BY id LIMIT ? OFFSET 1',
        ...[receiver, channel, Math.min(n - MOST_OF_ONE, MOST_AT_A_TIME)],
      )
      for (const row of rows)
        this.#finish(deliveryOf(row), 'failed', 'too many messages wait for this receiver', now)
    }
  }

  #count(share: string, by: number): void {
    const left = (this.#waiting.get(share) ?? 0) + by
    // Who has had a turn is last in the order of the next.
    if (by < 0) this.#waiting.delete(share)
    if (left > 0) this.#waiting.set(share, left)
    this.#total += by
  }
}

function deliveryOf({ alerts, done, created, ...row }: Row): Delivery & { due: number } {
  return {
    ...row,
    alerts: JSON.parse(alerts) as Alert[],
    done: JSON.parse(done) as Record<string, string>,
    createdAt: created,
  }
}

function keyOf({ receiver, channel }: Pick<Recipient, 'receiver' | 'channel'>, { id }: Alert): string {
  return `${receiver}/${channel}/${id}`
}
