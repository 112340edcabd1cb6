/** Sends one group of alerts to one target, with the account and the templates that are its. */
import { randomUUID } from 'node:crypto'
import { type Logger } from '../serving/log.js'
import { type Progress, SENDERS } from './channels/index.js'
import { type Directory, type Target } from './directory.js'
import { type Egress } from '../integrations/egress.js'
import { HttpSender } from './http.js'
import { type Data } from './message/alerts.js'
import { Texts } from './texts.js'
import { Tokens, Windows } from './tokens.js'

export interface SenderDeps {
  directory: Directory
  egress: Egress
  logger: Logger
}

export interface Sending {
  /** In place of what is stored. */
  given?: { config: Record<string, unknown> | undefined }
  /** Of earlier attempts; without, this is the only one. */
  progress?: Progress
}

/** Of one message, unless the manager's options say otherwise. */
const TIMEOUT_MS = 5_000
const LONGEST_MS = 30_000

export class Sender {
  readonly #http: HttpSender
  readonly #texts: Texts
  readonly #tokens = new Tokens()
  readonly #limits = new Windows()

  constructor(private readonly deps: SenderDeps) {
    this.#texts = new Texts(deps)
    this.#http = new HttpSender(deps.egress)
  }

  /** @throws Error for good, RetryableError for now */
  async send(
    target: Target,
    data: Data,
    signal: AbortSignal,
    { given, progress }: Sending = {},
  ): Promise<void> {
    const { directory, egress } = this.deps
    const { channel, tenant, spec } = target
    const all = directory.manager().receivers?.options ?? {}
    const options: Record<string, unknown> = { template: all['global']?.['template'], ...all[channel] }
    const seconds = Number(options['notificationTimeout'])
    await SENDERS[channel]({
      spec,
      config: given?.config ?? directory.configFor(target),
      options,
      isTenant: tenant !== '',
      data: named(data, target.receiver),
      renderer: await this.#texts.renderer(target, given !== undefined),
      credential: (of) => directory.credential(of, tenant),
      http: this.#http,
      egress,
      tokens: this.#tokens,
      limits: this.#limits,
      timeoutMs: seconds > 0 ? Math.min(seconds * 1_000, LONGEST_MS) : TIMEOUT_MS,
      signal,
      progress: progress ?? { key: randomUUID(), done: {}, save: () => Promise.resolve() },
    })
  }
}

/** Each alert says which receiver it was sent to. */
function named(data: Data, receiver: string): Data {
  if (receiver === '') return data
  const alerts = data.alerts.map((alert) => ({ ...alert, labels: { receiver, ...alert.labels } }))
  return { ...data, alerts }
}
