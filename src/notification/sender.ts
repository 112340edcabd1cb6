/** Sends one group of alerts to one target, with the account and the templates that are its. */
import { parse } from 'yaml'
import { isObject } from '../apimachinery/json/index.js'
import { type Logger } from '../serving/log.js'
import { SENDERS } from './channels/index.js'
import { type Directory, type Target } from './directory.js'
import { type Egress } from './egress.js'
import { HttpSender } from './http.js'
import { type Data } from './message/alerts.js'
import { type Language, Renderer } from './message/renderer.js'
import { Tokens, Windows } from './tokens.js'

export interface SenderDeps {
  directory: Directory
  egress: Egress
  logger: Logger
}

/** Of one message, unless the manager's options say otherwise. */
const TIMEOUT_MS = 5_000
const LONGEST_MS = 30_000

export class Sender {
  readonly #http: HttpSender
  readonly #tokens = new Tokens()
  readonly #limits = new Windows()

  constructor(private readonly deps: SenderDeps) {
    this.#http = new HttpSender(deps.egress)
  }

  /**
   * @param config in place of the stored ones
   * @throws Error for good, RetryableError for now
   */
  async send(
    target: Target,
    data: Data,
    signal: AbortSignal,
    config?: Record<string, unknown>,
  ): Promise<void> {
    const { directory, egress } = this.deps
    const { channel, tenant, spec } = target
    const all = directory.manager().receivers?.options ?? {}
    const options: Record<string, unknown> = { template: all['global']?.['template'], ...all[channel] }
    const seconds = Number(options['notificationTimeout'])
    await SENDERS[channel]({
      spec,
      config: config ?? directory.configFor(target),
      options,
      isTenant: tenant !== '',
      data: named(data, target.receiver),
      renderer: await this.#renderer(target),
      credential: (of) => directory.credential(of, tenant),
      http: this.#http,
      egress,
      tokens: this.#tokens,
      limits: this.#limits,
      timeoutMs: seconds > 0 ? Math.min(seconds * 1_000, LONGEST_MS) : TIMEOUT_MS,
      signal,
    })
  }

  async #renderer({ spec, tenant }: Target): Promise<Renderer> {
    const { directory, logger } = this.deps
    const { template = {} } = directory.manager()
    const sources: string[] = []
    try {
      sources.push(
        ...(await directory.configMap(template.text ?? { name: 'notification-manager-template' }, '')),
      )
    } catch (error) {
      if (template.text) logger.warn({ err: error }, 'the templates of notifications cannot be read')
    }
    if (spec.tmplText) sources.push(...(await directory.configMap(spec.tmplText, tenant)))
    return new Renderer(sources, await this.#language())
  }

  async #language(): Promise<Language> {
    const { directory, logger } = this.deps
    const { language = 'English', languagePack = [] } = directory.manager().template ?? {}
    const dictionary: Record<string, string> = {}
    for (const reference of languagePack) {
      try {
        for (const text of await directory.configMap(reference, ''))
          Object.assign(dictionary, wordsOf(text, language))
      } catch (error) {
        logger.warn({ err: error, name: reference.name }, 'a language pack cannot be read')
      }
    }
    return { name: language, dictionary }
  }
}

function wordsOf(text: string, language: string): Record<string, string> {
  const packs: unknown = parse(text, { maxAliasCount: 10 })
  const words: Record<string, string> = {}
  for (const pack of Array.isArray(packs) ? (packs as unknown[]) : []) {
    if (!isObject(pack) || pack['name'] !== language || !isObject(pack['dictionary'])) continue
    for (const [key, word] of Object.entries(pack['dictionary']))
      if (typeof word === 'string') words[key.toLowerCase()] = word
  }
  return words
}

/** Each alert says which receiver it was sent to. */
function named(data: Data, receiver: string): Data {
  const alerts = data.alerts.map((alert) => ({ ...alert, labels: { receiver, ...alert.labels } }))
  return { ...data, alerts }
}
