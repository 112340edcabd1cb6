/**
 * The notification manager: accepts alerts, finds who is to be told, and tells them.
 *
 *     accept -> journal -> route -> group -> deliveries -> a lane for each receiver -> channel -> history
 */
import { badRequest, StatusError } from '../apimachinery/errors/index.js'
import { isObject } from '../apimachinery/json/index.js'
import { type Logger } from '../serving/log.js'
import { type Directory, targetsOf } from './directory.js'
import { Dispatcher } from './dispatcher.js'
import { Lanes } from './lanes.js'
import { type Alert, alertOf, dataOf, NO_TIME } from './message/alerts.js'
import { demandValid } from './objects/validation.js'
import { type Journal } from './queue/journal.js'
import { Reports } from './reports.js'
import { type Router } from './routing.js'
import { type Sender } from './sender.js'

export interface ManagerDeps {
  directory: Directory
  router: Router
  sender: Sender
  journal: Journal
  logger: Logger
  /** In place of `default`, when the manager's own options name none. */
  clusterName: string
}

const MOST_WAITING = 100_000

export class NotificationManager {
  readonly #deps: ManagerDeps
  readonly #lanes: Lanes
  readonly #dispatcher: Dispatcher
  readonly #reports: Reports
  readonly #counts = { accepted: 0, refused: 0 }

  constructor(deps: ManagerDeps) {
    this.#deps = deps
    this.#lanes = new Lanes(deps)
    this.#reports = new Reports(deps)
    const opened = (receiver: string, channel: string): void => this.#lanes.open(receiver, channel)
    this.#dispatcher = new Dispatcher({ ...deps, opened })
  }

  get counts(): Readonly<Record<'accepted' | 'refused' | 'delivered' | 'failed' | 'retried', number>> {
    return { ...this.#counts, ...this.#lanes.counts }
  }

  /** Goes on with what an earlier process has accepted. */
  async start(): Promise<void> {
    await this.#deps.directory.ready()
    for (const { receiver, channel } of this.#deps.journal.lanes()) this.#lanes.open(receiver, channel)
    this.#dispatcher.gather()
    this.#reports.start()
  }

  /**
   * Settles when the alerts are on disk.
   * @param payload the body of a webhook of Alertmanager
   * @throws StatusError 400, 429 when a tenant, or everybody, has too many waiting
   */
  async accept(payload: unknown): Promise<void> {
    const alerts = this.#alertsIn(payload)
    const { journal } = this.#deps
    const taken = alerts
      .map((alert) => ({ share: alert.labels['namespace'] ?? '', alert }))
      .filter(({ share }) => this.#hasRoom(share))
    if (taken.length > 0) await journal.accept(taken)
    this.#counts.accepted += taken.length
    this.#counts.refused += alerts.length - taken.length
    this.#dispatcher.gather()
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
        await this.#deps.sender.send(target, dataOf(alerts, []), signal, { given: { config: needs } })
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
    await this.#dispatcher.close()
    await this.#lanes.close()
    await this.#reports.close()
    this.#deps.journal.close()
  }

  #alertsIn(payload: unknown): Alert[] {
    if (!isObject(payload) || Array.isArray(payload))
      throw badRequest('the body must be an object with alerts')
    const { alerts = [] } = payload
    if (!Array.isArray(alerts)) throw badRequest('alerts must be a list')
    const cluster = this.#deps.directory.clusterName() || this.#deps.clusterName || 'default'
    return alerts.map((value) => {
      const alert = alertOf(value, cluster)
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
}
