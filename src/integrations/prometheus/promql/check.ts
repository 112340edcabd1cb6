/**
 * Checks what the grammar alone does not: that a rule says something Prometheus can evaluate, so that it does not
 * refuse the file of it, and with it the rules of everybody.
 *
 * What came after Prometheus 2.42 is refused as well, since the ruler may be as old.
 */
import { type SyntaxNode } from '@lezer/common'
import { RE2JS } from 're2js'
import { durationMs } from '../durations.js'
import { PromqlError } from './errors.js'
import { AGGREGATIONS, FUNCTIONS, type Signature, type ValueType } from './functions.js'
import { childrenOf, parsed } from './tree.js'
import { unquote } from './unquote.js'

const SET_OPERATORS: ReadonlySet<string> = new Set(['and', 'or', 'unless'])
const COMPARISONS: ReadonlySet<string> = new Set(['==', '!=', '<', '<=', '>', '>='])
const NUMBER = /^[+-]?(?:0x[0-9a-f]+|(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?|inf|nan)$/i
const NAMES: Readonly<Record<ValueType, string>> = {
  scalar: 'scalar',
  vector: 'instant vector',
  matrix: 'range vector',
  string: 'string',
}

/** @throws PromqlError with the position of what cannot be evaluated */
export function typeOf(expression: string): ValueType {
  return new Checker(expression).type(parsed(expression))
}

/** @throws PromqlError, also for a result that no rule can have */
export function checkRule(expression: string): void {
  const type = typeOf(expression)
  if (type !== 'vector' && type !== 'scalar')
    throw PromqlError.at(expression, 0, `a rule cannot have a ${NAMES[type]} as its result`)
}

class Checker {
  constructor(private readonly source: string) {}

  type(node: SyntaxNode): ValueType {
    const children = childrenOf(node)
    const [first, second] = children
    switch (node.name) {
      case 'PromQL':
      case 'ParenExpr':
        return first ? this.type(first) : 'scalar'
      case 'NumberDurationLiteral':
        this.#demand(NUMBER.test(this.#text(node)), node, `bad number: ${JSON.stringify(this.#text(node))}`)
        return 'scalar'
      case 'StringLiteral':
        return 'string'
      case 'UnaryExpr':
        return this.#unary(node, second)
      case 'BinaryExpr':
        return this.#binary(node, children)
      case 'AggregateExpr':
        return this.#aggregation(node, children)
      case 'FunctionCall':
        return this.#call(node, children)
      case 'VectorSelector':
        this.#selector(node)
        return 'vector'
      case 'MatrixSelector':
        this.#demand(first?.name === 'VectorSelector', node, 'ranges only allowed for vector selectors')
        return this.#range(children, 'matrix')
      case 'SubqueryExpr':
        return this.#range(children, 'matrix')
      case 'OffsetExpr':
      case 'StepInvariantExpr':
        return this.#modified(node, children)
      default:
        throw PromqlError.at(this.source, node.from, `${node.name} is not supported in rules`)
    }
  }

  #unary(node: SyntaxNode, operand: SyntaxNode | undefined): ValueType {
    const type = operand ? this.type(operand) : 'scalar'
    const message = `unary expression only allowed on expressions of type scalar or instant vector, got "${NAMES[type]}"`
    this.#demand(type === 'scalar' || type === 'vector', node, message)
    return type
  }

  #binary(node: SyntaxNode, children: SyntaxNode[]): ValueType {
    const [left, operation, right] = [children[0], children[1], children.at(-1)]
    if (!left || !operation || !right) return 'scalar'
    const operator = this.#text(operation).toLowerCase()
    const types = [this.type(left), this.type(right)]
    for (const [index, side] of [left, right].entries())
      this.#demand(
        types[index] === 'scalar' || types[index] === 'vector',
        side,
        'binary expression must contain only scalar and instant vector types',
      )
    const isScalar = types.every((type) => type === 'scalar')
    const isBool = children.some(({ name }) => name === 'BoolModifier')
    const isComparison = COMPARISONS.has(operator)
    this.#demand(!isBool || isComparison, operation, 'bool modifier can only be used on comparison operators')
    this.#demand(
      !(isScalar && isComparison) || isBool,
      operation,
      'comparisons between scalars must use BOOL modifier',
    )
    const hasScalar = types.includes('scalar')
    if (SET_OPERATORS.has(operator))
      this.#demand(
        !hasScalar,
        operation,
        `set operator ${JSON.stringify(operator)} not allowed in binary scalar expression`,
      )
    const matching = children.find(({ name }) => name === 'MatchingModifierClause')
    if (matching) this.#matching(matching, operator, hasScalar)
    return isScalar ? 'scalar' : 'vector'
  }

  #matching(node: SyntaxNode, operator: string, hasScalar: boolean): void {
    const children = childrenOf(node)
    const labels = children.filter(({ name }) => name === 'GroupingLabels')
    for (const list of labels) this.#labels(list)
    const grouping = children.findIndex(({ name }) => name === 'GroupLeft' || name === 'GroupRight')
    if (grouping >= 0)
      this.#demand(
        !SET_OPERATORS.has(operator),
        node,
        `no grouping allowed for ${JSON.stringify(operator)} operation`,
      )
    this.#demand(!hasScalar, node, 'vector matching only allowed between instant vectors')
    const isOn = children[0]?.name === 'On'
    const [on, included] = labels.map((list) => childrenOf(list).map((label) => this.#text(label)))
    const both = isOn ? included?.find((label) => on?.includes(label)) : undefined
    const message = `label ${JSON.stringify(both)} must not occur in ON and GROUP clause at once`
    this.#demand(both === undefined, node, message)
  }

  #aggregation(node: SyntaxNode, children: SyntaxNode[]): ValueType {
    const [operation] = children
    const name = operation ? this.#text(operation).toLowerCase() : ''
    this.#demand(AGGREGATIONS.has(name), node, `unknown aggregation ${JSON.stringify(name)}`)
    for (const modifier of children)
      if (modifier.name === 'AggregateModifier')
        for (const list of childrenOf(modifier)) if (list.name === 'GroupingLabels') this.#labels(list)
    const body = children.find((child) => child.name === 'FunctionCallBody')
    const given = body ? childrenOf(body) : []
    const parameter = AGGREGATIONS.get(name)
    const wanted: ValueType[] = parameter === undefined ? ['vector'] : [parameter, 'vector']
    this.#demand(
      given.length === wanted.length,
      node,
      `wrong number of arguments for aggregate expression provided, expected ${wanted.length}, got ${given.length}`,
    )
    for (const [index, argument] of given.entries())
      this.#expect(argument, wanted[index] ?? 'vector', `in aggregation ${JSON.stringify(name)}`)
    return 'vector'
  }

  #call(node: SyntaxNode, children: SyntaxNode[]): ValueType {
    const [identifier, body] = children
    const name = identifier ? this.#text(identifier) : ''
    const known = FUNCTIONS.get(name)
    if (!known)
      throw PromqlError.at(this.source, node.from, `unknown function with name ${JSON.stringify(name)}`)
    const given = body ? childrenOf(body) : []
    this.#count(node, name, known, given.length)
    for (const [index, argument] of given.entries())
      this.#expect(
        argument,
        known.takes[index] ?? known.takes.at(-1) ?? 'vector',
        `in call to function "${name}"`,
      )
    return known.gives
  }

  #count(node: SyntaxNode, name: string, { takes, least, isOpen }: Signature, given: number): void {
    const message = (which: string, count: number): string =>
      `expected ${which}${count} argument(s) in call to ${JSON.stringify(name)}, got ${given}`
    this.#demand(given >= least, node, message(least < takes.length || isOpen ? 'at least ' : '', least))
    const most = isOpen ? Infinity : takes.length
    this.#demand(given <= most, node, message(least < takes.length ? 'at most ' : '', most))
  }

  #expect(node: SyntaxNode, wanted: ValueType, where: string): void {
    const type = this.type(node)
    this.#demand(type === wanted, node, `expected type ${NAMES[wanted]} ${where}, got ${NAMES[type]}`)
  }

  #selector(node: SyntaxNode): void {
    const children = childrenOf(node)
    const isNamed = children[0]?.name === 'Identifier'
    let isSelective = isNamed
    const matchers = children.find(({ name }) => name === 'LabelMatchers')
    for (const matcher of matchers ? childrenOf(matchers) : []) {
      const [label, operation, quoted] = childrenOf(matcher)
      if (matcher.name !== 'UnquotedLabelMatcher' || !label || !operation || !quoted)
        throw PromqlError.at(this.source, matcher.from, 'names in quotes are not supported in rules')
      const [operator, value] = [this.#text(operation), unquote(this.#text(quoted)) ?? '']
      if (this.#text(label) === '__name__' && operator === '=')
        this.#demand(!isNamed, matcher, 'metric name must not be set twice')
      if (!this.#matchesEmpty(quoted, operator, value)) isSelective = true
    }
    this.#demand(isSelective, node, 'vector selector must contain at least one non-empty matcher')
  }

  #matchesEmpty(node: SyntaxNode, operator: string, value: string): boolean {
    if (operator === '=') return value === ''
    if (operator === '!=') return value !== ''
    let pattern: RE2JS
    try {
      pattern = RE2JS.compile(`^(?:${value})$`)
    } catch {
      throw PromqlError.at(this.source, node.from, `error parsing regexp: ${JSON.stringify(value)}`)
    }
    return pattern.matches('') === (operator === '=~')
  }

  #range([inner, ...durations]: SyntaxNode[], gives: ValueType): ValueType {
    if (inner) {
      const type = this.type(inner)
      const message = `subquery is only allowed on instant vector, got ${NAMES[type]} instead`
      this.#demand(type === 'vector', inner, message)
    }
    for (const duration of durations) this.#duration(duration)
    return gives
  }

  #modified(node: SyntaxNode, [inner, , ...values]: SyntaxNode[]): ValueType {
    let about = inner
    const kinds = new Set([node.name])
    while (about && (about.name === 'OffsetExpr' || about.name === 'StepInvariantExpr')) {
      const what = about.name === 'OffsetExpr' ? 'offset' : '@ <timestamp>'
      this.#demand(!kinds.has(about.name), node, `${what} may not be set multiple times`)
      kinds.add(about.name)
      about = childrenOf(about)[0]
    }
    const [modifier, isWhere] = [
      node.name === 'OffsetExpr' ? 'offset' : '@',
      ['VectorSelector', 'MatrixSelector', 'SubqueryExpr'].includes(about?.name ?? ''),
    ]
    const where = 'an instant vector selector or range vector selector or a subquery'
    this.#demand(isWhere, node, `${modifier} modifier must be preceded by ${where}`)
    if (node.name === 'OffsetExpr') for (const value of values) this.#duration(value)
    return inner ? this.type(inner) : 'vector'
  }

  #duration(node: SyntaxNode): void {
    const text = this.#text(node).replace(/^[+-]\s*/, '')
    const ms = durationMs(text)
    this.#demand(ms !== undefined && text !== '0', node, `bad duration syntax: ${JSON.stringify(text)}`)
    this.#demand(ms !== 0, node, 'duration must be greater than 0')
  }

  #labels(list: SyntaxNode): void {
    for (const label of childrenOf(list))
      this.#demand(label.name === 'LabelName', label, 'names in quotes are not supported in rules')
  }

  #demand(holds: boolean, node: SyntaxNode, what: string): void {
    if (!holds) throw PromqlError.at(this.source, node.from, what)
  }

  #text(node: SyntaxNode): string {
    return this.source.slice(node.from, node.to)
  }
}
