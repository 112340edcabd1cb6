/** The templates and languages that messages are made with: read and compiled once for all messages of some seconds. */
import { parse } from 'yaml'
import { isObject } from '../apimachinery/json/index.js'
import { type Logger } from '../serving/log.js'
import { type Directory, type Target } from './directory.js'
import { type Language, Renderer } from './message/renderer.js'
import { durationOf } from './objects/duration.js'
import { type ConfigMapKeyRef } from './objects/types.js'

/** Shorter than the original's minute, which it does not keep: who changes a template wants to see it. */
const FRESH_MS = 5_000
const MOST_RENDERERS = 500

interface Kept<T> {
  value: Promise<T>
  until: number
}

export class Texts {
  readonly #renderers = new Map<string, Kept<Renderer>>()

  constructor(private readonly deps: { directory: Directory; logger: Logger }) {}

  /** @param isFresh reads everything again @throws Error when the receiver's own templates cannot be read */
  async renderer({ spec: { tmplText }, tenant }: Target, isFresh: boolean): Promise<Renderer> {
    const { template = {} } = this.deps.directory.manager()
    const key = JSON.stringify([tmplText && [tenant, tmplText], template])
    const known = this.#renderers.get(key)
    if (known && !isFresh && known.until > Date.now()) return known.value
    const value = this.#made(tmplText, tenant)
    // The oldest goes.
    const [oldest] = this.#renderers.keys()
    if (oldest !== undefined && this.#renderers.size >= MOST_RENDERERS) this.#renderers.delete(oldest)
    const cycleMs = durationOf(template.reloadCycle ?? '') ?? FRESH_MS
    this.#renderers.set(key, { value, until: Date.now() + Math.min(cycleMs, FRESH_MS) })
    value.catch(() => this.#renderers.delete(key))
    return value
  }

  async #made(tmplText: ConfigMapKeyRef | undefined, tenant: string): Promise<Renderer> {
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
    if (tmplText) sources.push(...(await directory.configMap(tmplText, tenant)))
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
