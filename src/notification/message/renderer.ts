/** Renders messages of one language and set of templates, in parts no larger than a channel takes. */
import { escapeJson, fieldOf, functions, TemplateSet } from '../template/index.js'
import { type Data, dataOf, templateData } from './alerts.js'
import { DATA_TEMPLATES, DEFAULT_TEMPLATES, ENGLISH } from './defaults.js'

export interface Language {
  name: string
  dictionary: Readonly<Record<string, string>>
}

const DEFAULTS = new TemplateSet().add(DEFAULT_TEMPLATES)

export class Renderer {
  readonly #templates: TemplateSet
  readonly #functions: ReturnType<typeof functions>

  /**
   * @param sources templates of the platform, then of the receiver; later ones redefine earlier ones
   * @throws TemplateError
   */
  constructor(sources: readonly string[], language: Language) {
    this.#templates = new TemplateSet(DEFAULTS)
    for (const source of sources) this.#templates.add(source)
    const words = language.name === 'English' ? { ...language.dictionary, ...ENGLISH } : language.dictionary
    const translate = (key: string): string => words[key.toLowerCase()] ?? key
    this.#functions = { ...functions(translate), ...(language.name === 'zh-cn' && { message: CHINESE }) }
  }

  /**
   * @param template a name, or an action that includes one
   * @throws TemplateError
   */
  render(template: string, data: Data, form: 'text' | 'html' = 'text'): string {
    if (template.trim() === '') return ''
    if (DATA_TEMPLATES.has(template)) return JSON.stringify(data)
    const source = template.includes('{{') ? template : `{{ template ${JSON.stringify(template)} . }}`
    return this.#templates.render(source, templateData(data), this.#functions, form).trimEnd()
  }

  /** Parts in order. A single alert that is too long is left out, and counted. */
  parts(
    template: string,
    data: Data,
    limitBytes: number,
  ): { parts: { text: string; data: Data }[]; dropped: number } {
    const names = Object.keys(data.groupLabels)
    const fits = (text: string): boolean => Buffer.byteLength(escapeJson(text)) < limitBytes
    const whole = this.render(template, data)
    if (fits(whole)) return { parts: [{ text: whole, data }], dropped: 0 }
    const parts: { text: string; data: Data }[] = []
    let dropped = 0
    let open: { text: string; data: Data } | undefined
    for (const alert of data.alerts) {
      const grown = dataOf([...(open?.data.alerts ?? []), alert], names)
      const text = this.render(template, grown)
      if (fits(text)) {
        open = { text, data: grown }
        continue
      }
      if (open) parts.push(open)
      const alone = dataOf([alert], names)
      const single = this.render(template, alone)
      open = fits(single) ? { text: single, data: alone } : undefined
      if (!open) dropped++
    }
    if (open) parts.push(open)
    return { parts, dropped }
  }
}

const CHINESE = (alert: unknown): unknown => fieldOf(alert, 'MessageCN')
