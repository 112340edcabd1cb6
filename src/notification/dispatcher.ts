/** Turns accepted alerts into messages that wait: routed, grouped, and without what a receiver has been told. */
import { type Logger } from '../serving/log.js'
import { type Directory, type Target } from './directory.js'
import { type Alert, groups } from './message/alerts.js'
import { type Dispatch, type Journal, type Taken } from './queue/journal.js'
import { type Routed, type Router } from './routing.js'

export interface DispatcherDeps {
  directory: Directory
  router: Router
  journal: Journal
  logger: Logger
  /** Something waits for this receiver. */
  opened: (receiver: string, channel: string) => void
}

/** What one group of alerts of Alertmanager may repeat, and is told once. */
const REPEAT_MS = 240_000
/** Alerts that come close together are told together. */
const GATHER_MS = 300
/** From here on, nothing is gained by waiting for more. */
const BACKLOG = 250
const PAUSE_MS = 1_000
const NOBODY = { receiver: '', channel: '', tenant: '' }

export class Dispatcher {
  readonly #deps: DispatcherDeps
  #isStopped = false
  #timer: NodeJS.Timeout | undefined
  #running: Promise<void> | undefined

  constructor(deps: DispatcherDeps) {
    this.#deps = deps
  }

  /** Soon. */
  gather(waitMs = GATHER_MS): void {
    if (this.#isStopped) return
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined
      this.#running ??= this.#run().then((isDone) => {
        this.#running = undefined
        if (this.#deps.journal.waiting() > 0) this.gather(isDone ? GATHER_MS : PAUSE_MS)
      })
    }, waitMs)
  }

  async close(): Promise<void> {
    this.#isStopped = true
    clearTimeout(this.#timer)
    await this.#running
  }

  /** @returns false when it has to be tried again */
  async #run(): Promise<boolean> {
    const { journal, directory, logger } = this.#deps
    try {
      while (!this.#isStopped) {
        const taken = journal.take(Math.max(1, directory.manager().batchMaxSize ?? 100))
        if (taken.length === 0) return true
        const dispatch = await this.#routed(taken)
        const now = Date.now()
        await journal.dispatch(taken, dispatch, now, now - REPEAT_MS)
        for (const { receiver, channel } of dispatch.deliveries) this.#deps.opened(receiver, channel)
        // What is left came in the meantime: more may come that belongs to it.
        if (taken.length < BACKLOG) return true
      }
    } catch (error) {
      // They stay in the journal.
      logger.error({ err: error }, 'alerts cannot be routed now')
      return false
    }
    return true
  }

  async #routed(taken: readonly Taken[]): Promise<Dispatch> {
    const { router, directory } = this.#deps
    const byTarget = new Map<string, { target: Target; alerts: Alert[] }>()
    const untold: Dispatch['untold'][number][] = []
    for (const { alert } of taken) {
      const { silenced, to } = await router.route(alert)
      untold.push(...untoldOf(alert, silenced, to))
      for (const { target, muted } of to) {
        if (muted) continue
        const key = `${target.receiver}/${target.channel}`
        const entry = byTarget.get(key)
        if (entry) entry.alerts.push(alert)
        else byTarget.set(key, { target, alerts: [alert] })
      }
    }
    const { groupLabels } = directory.manager()
    const deliveries = [...byTarget.values()].flatMap(({ target, alerts }) => {
      const { receiver, channel, tenant } = target
      return [...groups(alerts, groupLabels)].map(([group, members]) => ({
        receiver,
        channel,
        tenant,
        group,
        alerts: members,
      }))
    })
    return { deliveries, untold }
  }
}

function untoldOf(alert: Alert, silenced: boolean, to: readonly Routed[]): Dispatch['untold'][number][] {
  if (silenced) return [{ alert, recipient: NOBODY, outcome: 'silenced', reason: 'a silence for everybody' }]
  if (to.length === 0) return [{ alert, recipient: NOBODY, outcome: 'nobody', reason: 'no receiver' }]
  return to.flatMap(({ target, muted }) => {
    if (muted === undefined) return []
    const isSilence = muted === 'silence'
    const outcome = isSilence ? 'silenced' : 'filtered'
    const reason = isSilence ? `a silence of ${target.tenant}` : 'the selector of the receiver'
    return [{ alert, recipient: target, outcome, reason } as const]
  })
}
