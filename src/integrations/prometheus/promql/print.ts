/**
 * An expression in the one form that Prometheus prints it in: rules are compared by it, since a ruler answers with
 * what it has read and not with what was written.
 */
import { type SyntaxNode } from '@lezer/common'
import { quote } from './text.js'
import { childrenOf, parsed } from './tree.js'
import { unquote } from './unquote.js'

/** @throws PromqlError */
export function print(expression: string): string {
  return new Printer(expression).write(parsed(expression))
}

class Printer {
  constructor(private readonly source: string) {}

  write(node: SyntaxNode): string {
    const children = childrenOf(node)
    switch (node.name) {
      case 'PromQL':
        return this.#joined(children, '')
      case 'AggregateExpr':
        return this.#aggregate(children)
      case 'BinaryExpr':
        return this.#joined(children, ' ')
      case 'MatchingModifierClause':
        return this.#matching(children)
      case 'GroupingLabels':
        return `(${this.#joined(children, ', ')})`
      case 'FunctionCallBody':
        return `(${this.#joined(children, ', ')})`
      case 'ParenExpr':
        return `(${this.#joined(children, '')})`
      case 'MatrixSelector':
        return this.#range(children)
      case 'SubqueryExpr':
        return this.#range(children, children.length > 2 ? '' : ':')
      case 'OffsetExpr':
      case 'StepInvariantExpr':
        return this.#joined(children, ' ')
      case 'AtModifierPreprocessors':
        return `${this.#text(node).replace(/\W/g, '')}()`
      case 'VectorSelector':
        return this.#selector(children)
      case 'UnquotedLabelMatcher':
      case 'QuotedLabelMatcher':
        return this.#joined(children, '')
      case 'StringLiteral':
        return quote(unquote(this.#text(node)) ?? this.#text(node))
      case 'NumberDurationLiteral':
        return numberText(this.#text(node))
      default:
        return children.length > 0 ? this.#joined(children, '') : this.#word(node)
    }
  }

  #joined(nodes: readonly SyntaxNode[], separator: string): string {
    return nodes.map((node) => this.write(node)).join(separator)
  }

  /** The grouping stands before the argument, wherever it was written. */
  #aggregate(children: SyntaxNode[]): string {
    const [operation, ...rest] = children
    const modifier = rest.find(({ name }) => name === 'AggregateModifier')
    const body = rest.find(({ name }) => name === 'FunctionCallBody')
    const head = (operation ? this.#word(operation) : '') + (modifier ? ` ${this.write(modifier)} ` : '')
    return head + (body ? this.write(body) : '')
  }

  /** `on(a) group_left(b)` */
  #matching(children: SyntaxNode[]): string {
    return children
      .map((child) => (child.name === 'GroupingLabels' ? '' : ' ') + this.write(child))
      .join('')
      .trim()
  }

  #range([inner, ...durations]: SyntaxNode[], end = ''): string {
    return `${inner ? this.write(inner) : ''}[${this.#joined(durations, ':')}${end}]`
  }

  #selector(children: SyntaxNode[]): string {
    const name = children.find((child) => child.name === 'Identifier')
    const matchers = children.find((child) => child.name === 'LabelMatchers')
    const listed = matchers ? childrenOf(matchers).map((child) => this.write(child)) : []
    return (name ? this.#text(name) : '') + (listed.length > 0 || !name ? `{${listed.join(',')}}` : '')
  }

  /** Keywords are known in any case and printed in small letters. */
  #word(node: SyntaxNode): string {
    const text = this.#text(node)
    const isName = node.name === 'Identifier' || node.name === 'LabelName'
    return isName ? text : text.replace(/\s+/g, '').toLowerCase()
  }

  #text(node: SyntaxNode): string {
    return this.source.slice(node.from, node.to)
  }
}

function numberText(text: string): string {
  const plain = text.replace(/[_\s]/g, '').toLowerCase()
  const special = /^([+-]?)(inf|nan)$/.exec(plain)
  if (special) return special[2] === 'nan' ? 'NaN' : `${special[1] === '-' ? '-' : '+'}Inf`
  const value = Number(plain)
  if (!Number.isFinite(value)) return plain
  const written = String(value)
  return written.includes('e') ? plain : written
}
