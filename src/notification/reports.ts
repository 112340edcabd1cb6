/** Posts what somebody was told of to the webhook for the history, when the manager's object names one: each alert once. */
import { type Logger } from '../serving/log.js'
import { type Directory, type Target } from './directory.js'
import { type Alert, dataOf } from './message/alerts.js'
import { type ChannelSpec } from './objects/types.js'
import { type Journal } from './queue/journal.js'
import { type Told } from './queue/unreported.js'
import { type Sender } from './sender.js'

export interface ReportsDeps {
  directory: Directory
  sender: Sender
  journal: Journal
  logger: Logger
}

const LOOK_MS = 500
/** Receivers that are told within this time are in one report. */
const GATHER_MS = 2_000
const MOST_TOGETHER = 500
const MOST_ATTEMPTS = 4
const PAUSE_MS = 5_000

export class Reports {
  readonly #stop = new AbortController()
  #timer: NodeJS.Timeout | undefined
  #running: Promise<void> | undefined
  #failures = 0
  #notBefore = 0

  constructor(
    private readonly deps: ReportsDeps,
    private readonly times = { gatherMs: GATHER_MS, pauseMs: PAUSE_MS },
  ) {}

  start(): void {
    this.#timer = setInterval(() => {
      if (Date.now() < this.#notBefore) return
      this.#running ??= this.#report()
        .catch((error: unknown) =>
          this.deps.logger.error({ err: error }, 'the history cannot be reported now'),
        )
        .finally(() => (this.#running = undefined))
    }, LOOK_MS)
    this.#timer.unref()
  }

  async close(): Promise<void> {
    clearInterval(this.#timer)
    this.#stop.abort()
    await this.#running
  }

  async #report(): Promise<void> {
    const { directory, journal, sender, logger } = this.deps
    const webhook = directory.manager().history?.webhook
    if (!webhook || webhook.enabled === false) return
    const told = journal.unreported.before(Date.now() - this.times.gatherMs, MOST_TOGETHER)
    if (told.length === 0) return
    try {
      await sender.send(targetOf(webhook), dataOf(told.map(reported), []), this.#stop.signal)
    } catch (error) {
      if (this.#stop.signal.aborted) return
      this.#failures++
      if (this.#failures < MOST_ATTEMPTS) {
        this.#notBefore = Date.now() + this.times.pauseMs
        return
      }
      logger.warn({ err: error, alerts: told.length }, 'the webhook for the history does not take alerts')
    }
    this.#failures = 0
    await journal.reported(told, Date.now())
  }
}

function targetOf(spec: ChannelSpec): Target {
  const template = spec.template || 'nm.default.history'
  return { receiver: '', channel: 'webhook', spec: { ...spec, template }, tenant: '', labels: {} }
}

function reported({ alert, first, receivers }: Told): Alert {
  const more = { notificationTime: new Date(first).toISOString(), receiver: receivers }
  return { ...alert, ...more }
}
