/** JSONPath: compiled once, evaluated on many objects. */
import { equal, isObject, own } from '../json/value.js'
import { type Operand, parseSteps, type Step } from './parse.js'

export { JsonPathSyntax } from './parse.js'

export interface JsonPath {
  readonly text: string
  /** All values found, in document order. */
  all(object: unknown): unknown[]
  /** The first value found; what printer columns show. */
  first(object: unknown): unknown
}

/** @throws JsonPathSyntax */
export function compileJsonPath(text: string): JsonPath {
  const steps = parseSteps(text)
  const plain = plainFields(steps)
  const all = (object: unknown): unknown[] => walk([object], steps)
  return {
    text,
    all,
    first: plain === undefined ? (object) => all(object)[0] : (object) => follow(object, plain),
  }
}

/**
 * The keys of a path that is fields only, as scale paths must be.
 *
 * @returns undefined when the path has other steps
 * @throws JsonPathSyntax
 */
export function fieldsOfPath(text: string): string[] | undefined {
  return plainFields(parseSteps(text))
}

function plainFields(steps: readonly Step[]): string[] | undefined {
  const names: string[] = []
  for (const step of steps) {
    if (step.is !== 'field') return undefined
    names.push(step.name)
  }
  return names
}

function follow(object: unknown, names: readonly string[]): unknown {
  let value = object
  for (const name of names) {
    if (!isObject(value)) return undefined
    value = own(value, name)
  }
  return value
}

function walk(values: unknown[], steps: readonly Step[]): unknown[] {
  let current = values
  for (const step of steps) {
    const next: unknown[] = []
    for (const value of current) take(value, step, next)
    current = next
  }
  return current
}

function take(value: unknown, step: Step, into: unknown[]): void {
  switch (step.is) {
    case 'field':
      if (isObject(value) && Object.hasOwn(value, step.name)) into.push(value[step.name])
      return
    case 'wildcard':
      if (Array.isArray(value)) into.push(...(value as unknown[]))
      else if (isObject(value)) into.push(...Object.values(value))
      return
    case 'recursive':
      descend(value, into)
      return
    case 'slice': {
      if (!Array.isArray(value)) return
      const list = value as unknown[]
      const at = (position: number): number => (position < 0 ? list.length + position : position)
      const end = Math.min(step.end === undefined ? list.length : at(step.end), list.length)
      const start = at(step.start ?? 0)
      if (start < 0) return
      for (let i = start; i < end; i += step.step) into.push(list[i])
      return
    }
    case 'filter':
      if (!Array.isArray(value)) return
      for (const item of value as unknown[]) if (holds(item, step)) into.push(item)
  }
}

function descend(value: unknown, into: unknown[]): void {
  into.push(value)
  const children = Array.isArray(value) ? (value as unknown[]) : isObject(value) ? Object.values(value) : []
  for (const child of children) descend(child, into)
}

function holds(item: unknown, { left, operator, right }: Extract<Step, { is: 'filter' }>): boolean {
  const lefts = evaluate(left, item)
  if (operator === 'exists') return lefts.length > 0
  const rights = evaluate(right, item)
  if (lefts.length === 0 || rights.length === 0) return false
  const [a, b] = [lefts[0], rights[0]]
  if (operator === '==') return equal(a, b)
  if (operator === '!=') return !equal(a, b)
  if (typeof a !== typeof b || (typeof a !== 'number' && typeof a !== 'string')) return false
  const [x, y] = [a, b as typeof a]
  switch (operator) {
    case '<':
      return x < y
    case '<=':
      return x <= y
    case '>':
      return x > y
    case '>=':
      return x >= y
  }
}

function evaluate(operand: Operand, item: unknown): unknown[] {
  return 'path' in operand ? walk([item], operand.path) : [operand.literal]
}
