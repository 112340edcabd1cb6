/**
 * Confines an expression to the series that carry a label.
 *
 * The expression is parsed, and written anew from its tree: selectors from their parts, strings from their values,
 * everything else word by word. What the tree does not account for is refused, so that Prometheus reads what was
 * checked here even where its lexer differs.
 */
import { type SyntaxNode } from '@lezer/common'
import { PromqlError } from './errors.js'
import { type Matcher, matcherText, quote } from './text.js'
import { childrenOf, DEPTH, parsed } from './tree.js'
import { unquote } from './unquote.js'

/** Only these stand between words without being one. */
const BETWEEN = /^[\s(),[\]:]*$/
const METRIC = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/
const LABEL = /^[a-zA-Z_][a-zA-Z0-9_]*$/
const OPERATORS: ReadonlySet<string> = new Set(['=', '!=', '=~', '!~'])
/** Joins series that the expression does not select. */
const REACHES_BEYOND: ReadonlySet<string> = new Set(['info'])

/**
 * @param matcher replaces all that the expression says of its label, in every selector
 * @throws PromqlError
 */
export function confine(expression: string, matcher: Matcher): string {
  return new Confinement(expression, matcher).write(parsed(expression), 0).trim()
}

class Confinement {
  constructor(
    private readonly source: string,
    private readonly matcher: Matcher,
  ) {}

  write(node: SyntaxNode, depth: number): string {
    if (depth > DEPTH) throw this.#refused(node, 'the expression is nested too deeply')
    switch (node.name) {
      case 'VectorSelector':
        return this.#selector(node)
      case 'StringLiteral':
        return quote(this.#string(node))
      case 'LineComment':
        return ' '
      case 'FunctionIdentifier':
        if (REACHES_BEYOND.has(this.#text(node)))
          throw this.#refused(node, `the function ${this.#text(node)} is not allowed here`)
        return this.#text(node)
      default:
        return this.#words(node, depth)
    }
  }

  #words(node: SyntaxNode, depth: number): string {
    if (!node.firstChild) return this.#text(node)
    let written = ''
    let at = node.from
    for (let child: SyntaxNode | null = node.firstChild; child; child = child.nextSibling) {
      written += this.#between(node, at, child.from) + this.write(child, depth + 1)
      at = child.to
    }
    return written + this.#between(node, at, node.to)
  }

  #between(node: SyntaxNode, from: number, to: number): string {
    const text = this.source.slice(from, to)
    if (!BETWEEN.test(text)) throw this.#refused(node, `unexpected ${JSON.stringify(text.trim())}`)
    return text.replace(/\s+/g, ' ')
  }

  #selector(node: SyntaxNode): string {
    let metric = ''
    const matchers: string[] = []
    for (const child of childrenOf(node)) {
      if (child.name === 'Identifier' && METRIC.test(this.#text(child))) metric = this.#text(child)
      else if (child.name === 'LabelMatchers')
        matchers.push(...childrenOf(child).flatMap((one) => this.#matcher(one)))
      else throw this.#refused(child, `unexpected ${child.name}`)
    }
    return `${metric}{${[...matchers, matcherText(this.matcher)].join(',')}}`
  }

  #matcher(node: SyntaxNode): string[] {
    // A metric name in quotes, alone between braces.
    if (node.name === 'QuotedLabelName') return [quote(this.#string(node.firstChild ?? node))]
    const [name, operator, value] = childrenOf(node)
    if (!name || !operator || !value || !OPERATORS.has(this.#text(operator)))
      throw this.#refused(node, `unexpected ${JSON.stringify(this.#text(node))}`)
    const isQuoted = name.name === 'QuotedLabelName'
    const label = isQuoted ? this.#string(name.firstChild ?? name) : this.#text(name)
    if (label === this.matcher.label) return []
    if (!isQuoted && !LABEL.test(label)) throw this.#refused(name, `unexpected ${JSON.stringify(label)}`)
    return [`${isQuoted ? quote(label) : label}${this.#text(operator)}${quote(this.#string(value))}`]
  }

  #string(node: SyntaxNode): string {
    const value = unquote(this.#text(node))
    if (value === undefined) throw this.#refused(node, 'a string cannot be read')
    return value
  }

  #text(node: SyntaxNode): string {
    return this.source.slice(node.from, node.to)
  }

  #refused(node: SyntaxNode, what: string): PromqlError {
    return PromqlError.at(this.source, node.from, what)
  }
}
