/** Templates as Go's text/template and html/template have them, for data that comes as JavaScript values. */
import { type Functions, run } from './evaluate.js'
import { escapeHtml } from './functions.js'
import { parseTemplate, type Templates } from './parse.js'

export { fieldOf, FIELDS, type TemplateValue } from './evaluate.js'
export { escapeJson, functions, type Translate } from './functions.js'
export { TemplateError } from './lex.js'

/** Named templates, which later ones may redefine. */
export class TemplateSet {
  readonly #templates: Templates

  constructor(from?: TemplateSet) {
    this.#templates = new Map(from?.templates)
  }

  get templates(): ReadonlyMap<string, unknown> & Templates {
    return this.#templates
  }

  /** @throws TemplateError */
  add(source: string): this {
    parseTemplate(source, this.#templates)
    return this
  }

  /** @throws TemplateError */
  render(source: string, data: unknown, functions: Functions, form: 'text' | 'html' = 'text'): string {
    const templates: Templates = new Map(this.#templates)
    const nodes = parseTemplate(source, templates)
    return run(nodes, data, { templates, functions, escape: form === 'html' ? escapeHtml : undefined })
  }
}
