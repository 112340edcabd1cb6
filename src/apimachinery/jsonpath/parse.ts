/**
 * The JSONPath of Kubernetes, as printer columns and scale paths use it: fields, `['quoted keys']`, positions,
 * ranges, `[*]`, recursive `..name`, and filters `[?(@.type=="Ready")]`.
 */

export type Step =
  | { is: 'field'; name: string }
  | { is: 'wildcard' }
  | { is: 'recursive' }
  | { is: 'slice'; start: number | undefined; end: number | undefined; step: number }
  | { is: 'filter'; left: Operand; operator: Comparison; right: Operand }

/** A path from the item (`@`), or a literal. */
export type Operand = { path: readonly Step[] } | { literal: string | number | boolean | null }

export type Comparison = '==' | '!=' | '<' | '<=' | '>' | '>=' | 'exists'

export class JsonPathSyntax extends Error {
  override readonly name = 'JsonPathSyntax'
}

/**
 * @param text with or without the braces of templates: `.spec.replicas`, `{.spec.replicas}`, `$.spec`
 * @throws JsonPathSyntax
 */
export function parseSteps(text: string): Step[] {
  const trimmed = text.trim()
  const bare = trimmed.startsWith('{') && trimmed.endsWith('}') ? trimmed.slice(1, -1).trim() : trimmed
  const scanner = new Scanner(bare)
  scanner.skip('$')
  if (!scanner.done && !scanner.at('.') && !scanner.at('[')) return [scanner.bareField(), ...scanner.steps()]
  return scanner.steps()
}

class Scanner {
  #at = 0
  constructor(private readonly text: string) {}

  get done(): boolean {
    return this.#at >= this.text.length
  }

  at(mark: string): boolean {
    return this.text.startsWith(mark, this.#at)
  }

  skip(mark: string): boolean {
    if (!this.at(mark)) return false
    this.#at += mark.length
    return true
  }

  steps(): Step[] {
    const steps: Step[] = []
    while (!this.done) {
      if (this.skip('..')) {
        steps.push({ is: 'recursive' })
        if (!this.at('[')) steps.push(this.bareField())
      } else if (this.skip('.')) {
        if (this.done) return steps
        if (!this.at('[')) steps.push(this.bareField())
      } else if (this.skip('[')) steps.push(...this.bracket())
      else throw this.fault()
    }
    return steps
  }

  /** A key up to the next `.` or `[`; a backslash takes the next character as it is. */
  bareField(): Step {
    let name = ''
    while (!this.done && !this.at('.') && !this.at('[')) {
      if (this.at('\\')) this.#at++
      name += this.text.charAt(this.#at++)
    }
    if (name === '') throw this.fault()
    return name === '*' ? { is: 'wildcard' } : { is: 'field', name }
  }

  private bracket(): Step[] {
    if (this.skip('?(')) return [this.filter()]
    if (this.at("'") || this.at('"')) {
      const name = this.quoted()
      this.expect(']')
      return [{ is: 'field', name }]
    }
    const end = this.text.indexOf(']', this.#at)
    if (end < 0) throw new JsonPathSyntax(`unterminated array in ${this.text}`)
    const inside = this.text.slice(this.#at, end).trim()
    this.#at = end + 1
    if (inside === '*') return [{ is: 'wildcard' }]
    const match = /^(-?\d+)?(?:(:)(-?\d+)?(?::(-?\d+)?)?)?$/.exec(inside)
    if (match === null || inside === '') throw new JsonPathSyntax(`invalid array index ${inside}`)
    const [, first, colon, last, step] = match
    const start = first === undefined ? undefined : Number(first)
    if (colon === undefined && start !== undefined) {
      return [{ is: 'slice', start, end: start === -1 ? undefined : start + 1, step: 1 }]
    }
    const stride = step === undefined ? 1 : Number(step)
    if (stride <= 0) throw new JsonPathSyntax(`step must be > 0`)
    return [{ is: 'slice', start, end: last === undefined ? undefined : Number(last), step: stride }]
  }

  private filter(): Step {
    const left = this.operand()
    this.blanks()
    const operator = (['==', '!=', '<=', '>=', '<', '>'] as const).find((each) => this.skip(each))
    if (operator === undefined) {
      this.expect(')]')
      return { is: 'filter', left, operator: 'exists', right: { literal: null } }
    }
    const right = this.operand()
    this.blanks()
    this.expect(')]')
    return { is: 'filter', left, operator, right }
  }

  private operand(): Operand {
    this.blanks()
    if (this.skip('@')) {
      const start = this.#at
      let depth = 0
      while (!this.done) {
        const char = this.text.charAt(this.#at)
        if (char === "'" || char === '"') {
          this.quoted()
          continue
        }
        if (depth === 0 && /[\s=!<>)]/.test(char)) break
        if (char === '[') depth++
        if (char === ']') depth--
        this.#at++
      }
      return { path: new Scanner(this.text.slice(start, this.#at)).steps() }
    }
    if (this.at("'") || this.at('"')) return { literal: this.quoted() }
    const word = /^[^\s=!<>)]+/.exec(this.text.slice(this.#at))?.[0] ?? ''
    this.#at += word.length
    if (word === 'true' || word === 'false') return { literal: word === 'true' }
    if (word === '' || Number.isNaN(Number(word))) throw this.fault()
    return { literal: Number(word) }
  }

  private quoted(): string {
    const quote = this.text.charAt(this.#at++)
    let text = ''
    while (!this.done && !this.at(quote)) {
      if (this.at('\\')) this.#at++
      text += this.text.charAt(this.#at++)
    }
    this.expect(quote)
    return text
  }

  private blanks(): void {
    while (this.at(' ')) this.#at++
  }

  private expect(mark: string): void {
    if (!this.skip(mark)) throw this.fault()
  }

  private fault(): JsonPathSyntax {
    const rest = this.text.slice(this.#at)
    return new JsonPathSyntax(
      rest === '' ? `unexpected end of ${this.text}` : `unrecognized character in ${this.text} at ${rest}`,
    )
  }
}
