/**
 * What was accepted and not yet told, and what became of what was: in one SQLite file, so that an accepted alert
 * survives the process. A delivery is removed only after it was sent, so one may be sent twice, but none is lost.
 *
 * Memory: only alerts of the deliveries that are being worked on are read.
 */
import Database from 'libsql'
import { type Alert } from '../message/alerts.js'

export interface Delivery {
  id: number
  receiver: string
  channel: string
  tenant: string
  alerts: Alert[]
  attempts: number
  /** Milliseconds. */
  createdAt: number
}

export interface HistoryEntry {
  time: string
  alert: string
  alertname: string
  namespace: string
  status: string
  /** "" when nobody was chosen. */
  receiver: string
  channel: string
  tenant: string
  outcome: 'delivered' | 'failed' | 'silenced' | 'filtered' | 'nobody'
  reason: string
}

export interface HistoryQuery {
  alert?: string | undefined
  alertname?: string | undefined
  namespace?: string | undefined
  receiver?: string | undefined
  tenant?: string | undefined
  outcome?: string | undefined
  limit: number
}

const SCHEMA = `
PRAGMA journal_mode = WAL;
PRAGMA synchronous = FULL;
CREATE TABLE IF NOT EXISTS inbox (seq INTEGER PRIMARY KEY AUTOINCREMENT, share TEXT NOT NULL, alert TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS deliveries (
  id INTEGER PRIMARY KEY AUTOINCREMENT, receiver TEXT NOT NULL, channel TEXT NOT NULL, tenant TEXT NOT NULL,
  alerts TEXT NOT NULL, attempts INTEGER NOT NULL DEFAULT 0, due INTEGER NOT NULL, created INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS deliveries_of ON deliveries (receiver, channel, id);
CREATE TABLE IF NOT EXISTS told (key TEXT PRIMARY KEY, at INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS history (
  seq INTEGER PRIMARY KEY AUTOINCREMENT, time INTEGER NOT NULL, alert TEXT NOT NULL, alertname TEXT NOT NULL,
  namespace TEXT NOT NULL, status TEXT NOT NULL, receiver TEXT NOT NULL, channel TEXT NOT NULL, tenant TEXT NOT NULL,
  outcome TEXT NOT NULL, reason TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS history_of_alert ON history (alert);
`

/** Entries beyond these go, oldest first. */
const MOST_HISTORY = 200_000

export class Journal {
  readonly #db: InstanceType<typeof Database>
  /** Alerts waiting in the inbox, by tenant's share. */
  readonly #waiting = new Map<string, number>()
  #total = 0

  /** @param file `:memory:` for one that does not outlive the process */
  constructor(file: string) {
    this.#db = new Database(file)
    this.#db.exec(SCHEMA)
    for (const { share, n } of this.#all<{ share: string; n: number }>(
      'SELECT share, count(*) AS n FROM inbox GROUP BY share',
    ))
      this.#count(share, n)
  }

  waiting(share?: string): number {
    return share === undefined ? this.#total : (this.#waiting.get(share) ?? 0)
  }

  get shares(): number {
    return this.#waiting.size
  }

  /** Returns when the alerts are on disk. */
  accept(alerts: readonly { share: string; alert: Alert }[]): void {
    const insert = this.#db.prepare('INSERT INTO inbox (share, alert) VALUES (?, ?)')
    this.#atOnce(() => {
      for (const { share, alert } of alerts) insert.run(share, JSON.stringify(alert))
    })
    for (const { share } of alerts) this.#count(share, 1)
  }

  batch(most: number): { seq: number; share: string; alert: Alert }[] {
    return this.#all<{ seq: number; share: string; alert: string }>(
      'SELECT seq, share, alert FROM inbox ORDER BY seq LIMIT ?',
      most,
    ).map(({ alert, ...rest }) => ({ ...rest, alert: JSON.parse(alert) as Alert }))
  }

  /**
   * Turns accepted alerts into deliveries, in one step.
   * @param keyOf names what a target is told: it is not told the same twice after `since`
   */
  dispatch(
    taken: readonly { seq: number; share: string }[],
    deliveries: readonly Pick<Delivery, 'receiver' | 'channel' | 'tenant' | 'alerts'>[],
    keyOf: (delivery: Pick<Delivery, 'receiver' | 'channel'>, alert: Alert) => string,
    now: number,
    since: number,
  ): void {
    const remove = this.#db.prepare('DELETE FROM inbox WHERE seq = ?')
    const told = this.#db.prepare('SELECT at FROM told WHERE key = ? AND at >= ?')
    const tell = this.#db.prepare('INSERT OR REPLACE INTO told (key, at) VALUES (?, ?)')
    const insert = this.#db.prepare(
      'INSERT INTO deliveries (receiver, channel, tenant, alerts, due, created) VALUES (?, ?, ?, ?, ?, ?)',
    )
    this.#atOnce(() => {
      for (const delivery of deliveries) {
        const fresh = delivery.alerts.filter((alert) => told.get(keyOf(delivery, alert), since) === undefined)
        if (fresh.length === 0) continue
        for (const alert of fresh) tell.run(keyOf(delivery, alert), now)
        insert.run(delivery.receiver, delivery.channel, delivery.tenant, JSON.stringify(fresh), now, now)
      }
      for (const { seq } of taken) remove.run(seq)
      this.#db.prepare('DELETE FROM told WHERE at < ?').run(since)
    })
    for (const { share } of taken) this.#count(share, -1)
  }

  /** Targets that something waits for. */
  lanes(): { receiver: string; channel: string }[] {
    return this.#all('SELECT DISTINCT receiver, channel FROM deliveries')
  }

  /** The oldest delivery of a target, and when it is due. */
  next(receiver: string, channel: string): (Delivery & { due: number }) | undefined {
    const [row] = this.#all<
      Omit<Delivery, 'alerts' | 'createdAt'> & { alerts: string; due: number; created: number }
    >(
      'SELECT id, receiver, channel, tenant, alerts, attempts, due, created FROM deliveries WHERE receiver = ? AND channel = ? ORDER BY id LIMIT 1',
      receiver,
      channel,
    )
    return row && { ...row, alerts: JSON.parse(row.alerts) as Alert[], createdAt: row.created }
  }

  postpone(id: number, attempts: number, due: number): void {
    this.#db.prepare('UPDATE deliveries SET attempts = ?, due = ? WHERE id = ?').run(attempts, due, id)
  }

  finish(delivery: Delivery, outcome: 'delivered' | 'failed', reason: string, now: number): void {
    this.#atOnce(() => {
      this.#db.prepare('DELETE FROM deliveries WHERE id = ?').run(delivery.id)
      for (const alert of delivery.alerts) this.record(alert, delivery, outcome, reason, now)
    })
  }

  record(
    alert: Alert,
    { receiver, channel, tenant }: Pick<Delivery, 'receiver' | 'channel' | 'tenant'>,
    outcome: HistoryEntry['outcome'],
    reason: string,
    now: number,
  ): void {
    const { alertname = '', namespace = '' } = alert.labels
    this.#db
      .prepare(
        'INSERT INTO history (time, alert, alertname, namespace, status, receiver, channel, tenant, outcome, reason) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
      )
      .run(
        now,
        alert.id,
        alertname,
        namespace,
        alert.status,
        receiver,
        channel,
        tenant,
        outcome,
        reason.slice(0, 500),
      )
  }

  /** Newest first. */
  history({ limit, ...filters }: HistoryQuery): HistoryEntry[] {
    const given = Object.entries(filters).filter(([, value]) => value !== undefined)
    const where = given.map(([column]) => `${column} = ?`).join(' AND ') || '1'
    return this.#all<HistoryEntry & { time: unknown }>(
      `SELECT time, alert, alertname, namespace, status, receiver, channel, tenant, outcome, reason FROM history WHERE ${where} ORDER BY seq DESC LIMIT ?`,
      ...given.map(([, value]) => value),
      limit,
    ).map((entry) => ({ ...entry, time: new Date(Number(entry.time)).toISOString() }))
  }

  forget(): void {
    this.#db.prepare('DELETE FROM history WHERE seq <= (SELECT max(seq) FROM history) - ?').run(MOST_HISTORY)
  }

  close(): void {
    this.#db.close()
  }

  #count(share: string, by: number): void {
    const left = (this.#waiting.get(share) ?? 0) + by
    if (left > 0) this.#waiting.set(share, left)
    else this.#waiting.delete(share)
    this.#total += by
  }

  #all<T>(sql: string, ...values: unknown[]): T[] {
    return this.#db.prepare(sql).all(...values) as T[]
  }

  #atOnce(work: () => void): void {
    this.#db.exec('BEGIN IMMEDIATE')
    try {
      work()
      this.#db.exec('COMMIT')
    } catch (error) {
      this.#db.exec('ROLLBACK')
      throw error
    }
  }
}
