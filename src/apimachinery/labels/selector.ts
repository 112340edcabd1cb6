/**
 * A label selector: requirements that must all hold.
 *
 * `!=` and `notin` also hold for objects that lack the key. Requirements are kept sorted by key, as the
 * original does, so that equal selectors print alike.
 */
import { quoted } from '../errors/faults.js'
import { labelValueFaults, qualifiedNameFaults } from '../meta/names.js'

export type Operator = '=' | '==' | '!=' | 'in' | 'notin' | 'exists' | '!' | 'gt' | 'lt'

export interface Requirement {
  readonly key: string
  readonly operator: Operator
  /** Sorted, without duplicates; one for the exact operators, none for `exists` and `!`. */
  readonly values: readonly string[]
}

type Labels = Readonly<Record<string, string>>

export class Selector {
  readonly requirements: readonly Requirement[]
  readonly #tests: readonly ((labels: Labels) => boolean)[]

  /** @param never a selector that matches no object, as a nil LabelSelector does */
  constructor(
    requirements: readonly Requirement[],
    private readonly never = false,
  ) {
    this.requirements = [...requirements].sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0))
    this.#tests = this.requirements.map(test)
  }

  /** True when every object matches. */
  get isEmpty(): boolean {
    return !this.never && this.requirements.length === 0
  }

  get matchesNothing(): boolean {
    return this.never
  }

  matches(labels: Labels | undefined): boolean {
    if (this.never) return false
    const given = labels ?? {}
    for (const holds of this.#tests) if (!holds(given)) return false
    return true
  }

  toString(): string {
    return this.requirements.map(formatRequirement).join(',')
  }
}

function test({ key, operator, values }: Requirement): (labels: Labels) => boolean {
  const wanted = new Set(values)
  const [only = ''] = values
  const has = (labels: Labels): boolean => Object.hasOwn(labels, key)
  switch (operator) {
    case '=':
    case '==':
      return (labels) => has(labels) && labels[key] === only
    case '!=':
      return (labels) => !has(labels) || labels[key] !== only
    case 'in':
      return (labels) => has(labels) && wanted.has(labels[key] ?? '')
    case 'notin':
      return (labels) => !has(labels) || !wanted.has(labels[key] ?? '')
    case 'exists':
      return has
    case '!':
      return (labels) => !has(labels)
    case 'gt':
    case 'lt': {
      const bound = BigInt(only)
      return (labels) => {
        const value = has(labels) ? wholeNumber(labels[key] ?? '') : undefined
        return value !== undefined && (operator === 'gt' ? value > bound : value < bound)
      }
    }
  }
}

function wholeNumber(text: string): bigint | undefined {
  return /^[+-]?\d+$/.test(text) ? BigInt(text.replace(/^\+/, '')) : undefined
}

function formatRequirement({ key, operator, values }: Requirement): string {
  switch (operator) {
    case '!':
      return `!${key}`
    case 'exists':
      return key
    case 'in':
    case 'notin':
      // The empty value alone needs a comma: `()` is no list.
      return `${key} ${operator} (${values.length === 1 && values[0] === '' ? ',' : values.join(',')})`
    case 'gt':
      return `${key}>${values[0] ?? ''}`
    case 'lt':
      return `${key}<${values[0] ?? ''}`
    default:
      return `${key}${operator}${values[0] ?? ''}`
  }
}

/** What is wrong with a requirement, in the words of Kubernetes; undefined when nothing is. */
export function requirementFault({ key, operator, values }: Requirement): string | undefined {
  const keyFaults = qualifiedNameFaults(key)
  if (keyFaults.length > 0) return `invalid label key ${quoted(key)}: ${keyFaults.join('; ')}`
  switch (operator) {
    case 'in':
    case 'notin':
      if (values.length === 0) return "for 'in', 'notin' operators, values set can't be empty"
      break
    case 'exists':
    case '!':
      if (values.length > 0) return 'values set must be empty for exists and does not exist'
      break
    case 'gt':
    case 'lt':
      if (values.length !== 1) return "for 'Gt', 'Lt' operators, exactly one value is required"
      if (wholeNumber(values[0] ?? '') === undefined) {
        return "for 'Gt', 'Lt' operators, the value must be an integer"
      }
      break
    default:
      if (values.length !== 1) return 'exact-match compatibility requires one single value'
  }
  for (const value of values) {
    const faults = labelValueFaults(value)
    if (faults.length > 0) {
      return `invalid label value: ${quoted(value)}: at key: ${quoted(key)}: ${faults.join('; ')}`
    }
  }
  return undefined
}
