/**
 * The notification manager: accepts alerts, finds who is to be told, and tells them.
 *
 *     accept -> journal -> route -> group -> deliveries -> a lane for each target -> channel -> history
 *
 * A lane sends one message after the other and waits by itself after a failure, so a dead target delays nobody else.
 */
import { setMaxListeners } from 'node:events'
import { badRequest, StatusError } from '../apimachinery/errors/index.js'
import { isObject } from '../apimachinery/json/index.js'
import { type Logger } from '../serving/log.js'
import { type Directory, type Target, targetsOf } from './directory.js'
import { RetryableError } from './http.js'
import { type Alert, alertOf, type Data, dataOf, groups, NO_TIME } from './message/alerts.js'
import { demandValid } from './objects/validation.js'
import { type Delivery, type Journal } from './queue/journal.js'
import { type Routed, type Router } from './routing.js'
import { type Sender } from './sender.js'

export interface ManagerDeps {
  directory: Directory
  router: Router
  sender: Sender
  journal: Journal
  logger: Logger
  clusterName: string
}

/** What one group of alerts of Alertmanager may repeat, and is told once. */
const REPEAT_MS = 240_000
/** Alerts that come close together are told together. */
const GATHER_MS = 300
const MOST_WAITING = 100_000
const MOST_SENDING = 256
const FIRST_PAUSE_MS = 1_000
const LONGEST_PAUSE_MS = 60_000
const GIVE_UP_MS = 3_600_000
const MOST_ATTEMPTS = 30

export class NotificationManager {
  readonly #deps: ManagerDeps
  readonly #stop = new AbortController()
  readonly #lanes = new Map<string, Promise<void>>()
  readonly counts = { accepted: 0, refused: 0, delivered: 0, failed: 0, retried: 0 }
  #gathering: NodeJS.Timeout | undefined
  #dispatching: Promise<void> | undefined
  #sending = 0
  readonly #turns: (() => void)[] = []

  constructor(deps: ManagerDeps) {
    this.#deps = deps
    // One for each target that waits.
    setMaxListeners(0, this.#stop.signal)
  }

  /** Goes on with what an earlier process has accepted. */
  async start(): Promise<void> {
    await this.#deps.directory.ready()
    for (const { receiver, channel } of this.#deps.journal.lanes()) this.#open(receiver, channel)
    this.#gather()
  }

  /**
   * Returns when the alerts are on disk.
   * @param payload the body of a webhook of Alertmanager
   * @throws StatusError 400, 429 when a tenant, or everybody, has too many waiting
   */
  accept(payload: unknown): void {
    const alerts = this.#alertsIn(payload)
    const { journal } = this.#deps
    const taken = alerts
      .map((alert) => ({ share: alert.labels['namespace'] ?? '', alert }))
      .filter(({ share }) => this.#hasRoom(share))
    if (taken.length > 0) journal.accept(taken)
    this.counts.accepted += taken.length
    this.counts.refused += alerts.length - taken.length
    this.#gather()
    if (taken.length < alerts.length)
      throw new StatusError({
        code: 429,
        reason: 'TooManyRequests',
        message: `${alerts.length - taken.length} of ${alerts.length} alerts were not accepted: too many are waiting`,
      })
  }

  /** Who would be told, and who not and why; nobody is. @throws StatusError 400 */
  async rehearse(payload: unknown): Promise<object[]> {
    return Promise.all(
      this.#alertsIn(payload).map(async (alert) => {
        const { silenced, to } = await this.#deps.router.route(alert)
        const receivers = to.map(({ target: { receiver, channel, tenant }, muted }) => ({
          receiver,
          channel,
          ...(tenant !== '' && { tenant }),
          told: muted === undefined,
          ...(muted && { reason: muted }),
        }))
        return { alert: alert.id, labels: alert.labels, silenced, receivers }
      }),
    )
  }

  /** Sends a test message, or given alerts, past silences and selectors. @throws StatusError 400 with all that failed */
  async notify(body: unknown, alerts: readonly Alert[], signal: AbortSignal): Promise<void> {
    const receiver = isObject(body) ? body['receiver'] : undefined
    if (!isObject(receiver)) throw badRequest('Receiver is nil')
    const spec = isObject(receiver['spec']) ? receiver['spec'] : {}
    const metadata = isObject(receiver['metadata']) ? receiver['metadata'] : {}
    const object = { metadata: { name: 'verify', ...metadata }, spec } as Parameters<typeof targetsOf>[0]
    const tenant = this.#deps.directory.ownerOf(object)
    if (tenant === undefined) throw badRequest('unknown tenant')
    demandValid('Receiver', '', spec)
    const targets = targetsOf(object, tenant)
    if (targets.length === 0) throw badRequest('no receivers provided')
    const config = isObject(body) && isObject(body['config']) ? body['config']['spec'] : undefined
    const failures: string[] = []
    for (const target of targets) {
      // Whatever its labels say, an account that came with the request is the receiver's own.
      const given: unknown = isObject(config) ? config[target.channel] : undefined
      const own = isObject(given) ? { ...given, owned: true } : undefined
      const needs: Record<string, unknown> | undefined = isObject(config) && !own ? {} : own
      try {
        await this.#deps.sender.send(target, dataOf(alerts, []), signal, needs)
      } catch (error) {
        failures.push((error as Error).message)
      }
    }
    if (failures.length > 0) throw badRequest(failures.join(','))
  }

  testAlert(): Alert {
    const startsAt = new Date().toISOString()
    return {
      id: 'verify',
      status: '',
      labels: { alertname: 'verify', alerttype: 'verify', alerttime: startsAt },
      annotations: { message: 'Congratulations, your notification configuration is correct!' },
      startsAt,
      endsAt: NO_TIME,
    }
  }

  async close(): Promise<void> {
    clearTimeout(this.#gathering)
    this.#stop.abort()
    for (const turn of this.#turns.splice(0)) turn()
    await this.#dispatching
    await Promise.allSettled(this.#lanes.values())
    this.#deps.journal.close()
  }

  #alertsIn(payload: unknown): Alert[] {
    if (!isObject(payload) || Array.isArray(payload))
      throw badRequest('the body must be an object with alerts')
    const { alerts = [] } = payload
    if (!Array.isArray(alerts)) throw badRequest('alerts must be a list')
    return alerts.map((value) => {
      const alert = alertOf(value, this.#deps.clusterName)
      if (!alert) throw badRequest('an alert must be an object')
      return alert
    })
  }

  /** All may be used by one while there is plenty; when half is gone, each has a share. */
  #hasRoom(share: string): boolean {
    const { journal } = this.#deps
    const total = journal.waiting()
    if (total >= MOST_WAITING) return false
    return total < MOST_WAITING / 2 || journal.waiting(share) < MOST_WAITING / (journal.shares + 1)
  }

  #gather(): void {
    if (this.#stop.signal.aborted) return
    this.#gathering ??= setTimeout(() => {
      this.#gathering = undefined
      this.#dispatching ??= this.#dispatch().finally(() => {
        this.#dispatching = undefined
        if (this.#deps.journal.waiting() > 0 && !this.#stop.signal.aborted) this.#gather()
      })
    }, GATHER_MS)
  }

  async #dispatch(): Promise<void> {
    const { journal, router, directory, logger } = this.#deps
    const { batchMaxSize = 100, groupLabels } = directory.manager()
    for (;;) {
      const batch = this.#stop.signal.aborted ? [] : journal.batch(Math.max(1, batchMaxSize))
      if (batch.length === 0) return
      try {
        const now = Date.now()
        const byTarget = new Map<string, { target: Target; alerts: Alert[] }>()
        for (const { alert } of batch) {
          const { silenced, to } = await router.route(alert)
          this.#recordUntold(alert, silenced, to, now)
          for (const { target, muted } of to) {
            if (muted) continue
            const key = `${target.receiver}/${target.channel}`
            const entry = byTarget.get(key)
            if (entry) entry.alerts.push(alert)
            else byTarget.set(key, { target, alerts: [alert] })
          }
        }
        const deliveries = [...byTarget.values()].flatMap(
          ({ target: { receiver, channel, tenant }, alerts }) =>
            groups(alerts, groupLabels).map((group) => ({
              receiver,
              channel,
              tenant,
              alerts: [...group.alerts],
            })),
        )
        journal.dispatch(batch, deliveries, keyOf, now, now - REPEAT_MS)
        for (const { receiver, channel } of deliveries) this.#open(receiver, channel)
      } catch (error) {
        // They stay in the journal.
        logger.error({ err: error }, 'alerts cannot be routed now')
        await this.#pause(FIRST_PAUSE_MS)
      }
    }
  }

  #recordUntold(alert: Alert, silenced: boolean, to: readonly Routed[], now: number): void {
    const { journal } = this.#deps
    const nobody = { receiver: '', channel: '', tenant: '' }
    if (silenced) journal.record(alert, nobody, 'silenced', 'a silence for everybody', now)
    else if (to.length === 0) journal.record(alert, nobody, 'nobody', 'no receiver', now)
    for (const { target, muted } of to) {
      if (muted === 'silence') journal.record(alert, target, 'silenced', `a silence of ${target.tenant}`, now)
      if (muted === 'selector') journal.record(alert, target, 'filtered', 'the selector of the receiver', now)
    }
  }

  #open(receiver: string, channel: string): void {
    const key = `${receiver}/${channel}`
    if (this.#lanes.has(key) || this.#stop.signal.aborted) return
    const lane = this.#work(receiver, channel)
      .catch((error: unknown) => this.#deps.logger.error({ err: error, receiver, channel }, 'a lane broke'))
      .finally(() => this.#lanes.delete(key))
    this.#lanes.set(key, lane)
  }

  async #work(receiver: string, channel: string): Promise<void> {
    const { journal } = this.#deps
    for (;;) {
      await this.#turn()
      let waitMs: number | undefined
      try {
        const delivery = this.#stop.signal.aborted ? undefined : journal.next(receiver, channel)
        if (!delivery) return
        waitMs = delivery.due - Date.now()
        if (waitMs <= 0) {
          await this.#deliver(delivery)
          waitMs = undefined
        }
      } finally {
        this.#sending--
        this.#turns.shift()?.()
      }
      if (waitMs !== undefined) await this.#pause(waitMs)
    }
  }

  async #deliver(delivery: Delivery): Promise<void> {
    const { journal, sender, directory, logger } = this.#deps
    const { receiver, channel, tenant } = delivery
    const target = directory.target(receiver, channel)
    // It may be gone, or somebody else's, by now.
    if (target?.tenant !== tenant)
      return journal.finish(delivery, 'failed', 'the receiver is gone', Date.now())
    const data: Data = dataOf(delivery.alerts, directory.manager().groupLabels)
    try {
      await sender.send(target, data, this.#stop.signal)
      this.counts.delivered += delivery.alerts.length
      journal.finish(delivery, 'delivered', '', Date.now())
    } catch (error) {
      if (this.#stop.signal.aborted) return
      const { message } = error as Error
      const attempts = delivery.attempts + 1
      const isOver = attempts >= MOST_ATTEMPTS || Date.now() - delivery.createdAt > GIVE_UP_MS
      if (error instanceof RetryableError && !isOver) {
        this.counts.retried++
        const ceiling = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** delivery.attempts)
        const pauseMs = error.retryAfterMs ?? ceiling * (0.5 + Math.random() / 2)
        journal.postpone(delivery.id, attempts, Date.now() + pauseMs)
        logger.debug({ receiver, channel, pauseMs, err: error }, 'a message is tried again later')
        return
      }
      this.counts.failed += delivery.alerts.length
      logger.warn({ receiver, channel, err: error }, 'a message could not be sent')
      journal.finish(delivery, 'failed', message, Date.now())
      journal.forget()
    }
  }

  /** Of those that send at the same time. */
  async #turn(): Promise<void> {
    if (this.#sending >= MOST_SENDING) await new Promise<void>((resolve) => this.#turns.push(resolve))
    this.#sending++
  }

  async #pause(milliseconds: number): Promise<void> {
    const { signal } = this.#stop
    if (signal.aborted) return
    await new Promise<void>((resolve) => {
      const end = (): void => {
        clearTimeout(timer)
        signal.removeEventListener('abort', end)
        resolve()
      }
      const timer = setTimeout(end, milliseconds)
      signal.addEventListener('abort', end, { once: true })
    })
  }
}

function keyOf({ receiver, channel }: Pick<Delivery, 'receiver' | 'channel'>, { id }: Alert): string {
  return `${receiver}/${channel}/${id}`
}
