/**
 * Runs parsed templates. Users write them, so steps, depth and output are bounded; only own fields of plain data and
 * the methods that values offer can be reached.
 */
import { TemplateError } from './lex.js'
import { type Command, type Expression, type Node, type Pipeline, type Templates } from './parse.js'

/** What templates may call by name on a value, and how fields of it are found. */
export const FIELDS = Symbol('fields')

/** A value with fields and methods of its own. */
export interface TemplateValue {
  /** @returns undefined when there is no such field; a function is a method */
  [FIELDS](name: string): unknown
}

/** Text that is HTML already. */
export class SafeHtml {
  constructor(readonly text: string) {}
}

export type Functions = Readonly<Record<string, (...values: never[]) => unknown>>

export interface Run {
  templates: Templates
  functions: Functions
  /** Of what actions print; text of the template is never changed. */
  escape?: ((text: string) => string) | undefined
}

const MOST_STEPS = 500_000
const DEEPEST = 100
const LONGEST = 1_000_000

class Break extends Error {}
class Continue extends Error {}

/** @throws TemplateError */
export function run(nodes: readonly Node[], data: unknown, { templates, functions, escape }: Run): string {
  let steps = 0
  let out = ''
  const write = (text: string): void => {
    out += text
    if (out.length > LONGEST) throw new TemplateError('the message is too long')
  }
  walk(nodes, data, new Map([['$', data]]), 0)
  return out

  function walk(list: readonly Node[], dot: unknown, outer: Map<string, unknown>, depth: number): void {
    if (depth > DEEPEST) throw new TemplateError('templates call each other too deeply')
    const scope = outer
    for (const node of list) {
      if (++steps > MOST_STEPS) throw new TemplateError('the template does not come to an end')
      switch (node.is) {
        case 'text':
          write(node.text)
          break
        case 'output': {
          const value = evaluate(node.pipe, dot, scope)
          if (node.pipe.variables.length > 0) break
          if (value instanceof SafeHtml) write(value.text)
          else write(escape ? escape(printed(value)) : printed(value))
          break
        }
        case 'template': {
          const body = templates.get(node.name)
          if (!body) throw new TemplateError(`template "${node.name}" not defined`)
          const value = node.pipe ? evaluate(node.pipe, dot, scope) : undefined
          walk(body, value, new Map([['$', value]]), depth + 1)
          break
        }
        case 'if':
        case 'with': {
          const inner = new Map(scope)
          const value = evaluate(node.pipe, dot, inner)
          const chosen = isTrue(value)
          walk(
            chosen ? node.then : node.otherwise,
            chosen && node.is === 'with' ? value : dot,
            inner,
            depth + 1,
          )
          copyBack(inner, scope)
          break
        }
        case 'range':
          range(node, dot, scope, depth)
          break
        case 'break':
          throw new Break()
        case 'continue':
          throw new Continue()
      }
    }
  }

  function range(
    node: Extract<Node, { is: 'if' | 'with' | 'range' }>,
    dot: unknown,
    scope: Map<string, unknown>,
    depth: number,
  ): void {
    const inner = new Map(scope)
    const { variables } = node.pipe
    const value = evaluate({ ...node.pipe, variables: [] }, dot, inner)
    const entries = entriesOf(value)
    if (entries.length === 0) return walk(node.otherwise, dot, inner, depth + 1)
    for (const [key, item] of entries) {
      const [first, second] = variables
      if (second !== undefined) {
        inner.set(first ?? '', key)
        inner.set(second, item)
      } else if (first !== undefined) inner.set(first, item)
      try {
        walk(node.then, item, inner, depth + 1)
      } catch (error) {
        if (error instanceof Break) break
        if (!(error instanceof Continue)) throw error
      }
      copyBack(inner, scope)
    }
  }

  function evaluate(pipe: Pipeline, dot: unknown, scope: Map<string, unknown>): unknown {
    let value: unknown
    pipe.commands.forEach((command, position) => {
      value = execute(command, dot, scope, position === 0 ? [] : [value])
    })
    for (const name of pipe.variables) {
      if (!pipe.declares && !scope.has(name)) throw new TemplateError(`undefined variable ${name}`)
      scope.set(name, value)
    }
    return value
  }

  function execute(
    [first, ...others]: Command,
    dot: unknown,
    scope: Map<string, unknown>,
    piped: unknown[],
  ): unknown {
    if (++steps > MOST_STEPS) throw new TemplateError('the template does not come to an end')
    if (first === undefined) return undefined
    if (first.is === 'call') {
      // Arguments of these are only looked at as far as needed.
      if (first.name === 'and' || first.name === 'or') {
        let value: unknown
        for (const argument of [
          ...others.map((other) => () => operand(other, dot, scope)),
          ...piped.map((p) => () => p),
        ]) {
          value = argument()
          if (isTrue(value) === (first.name === 'or')) return value
        }
        return value
      }
      const called = Object.hasOwn(functions, first.name) ? functions[first.name] : undefined
      if (!called) throw new TemplateError(`function "${first.name}" not defined`)
      return (called as (...values: unknown[]) => unknown)(
        ...others.map((other) => operand(other, dot, scope)),
        ...piped,
      )
    }
    const values = [...others.map((other) => operand(other, dot, scope)), ...piped]
    if (first.is === 'fields') return fields(operand(first.of, dot, scope), first.names, values)
    if (values.length > 0) throw new TemplateError("can't give argument to non-function")
    return operand(first, dot, scope)
  }

  function operand(expression: Expression, dot: unknown, scope: Map<string, unknown>): unknown {
    switch (expression.is) {
      case 'dot':
        return dot
      case 'literal':
        return expression.value
      case 'variable':
        if (!scope.has(expression.name)) throw new TemplateError(`undefined variable ${expression.name}`)
        return scope.get(expression.name)
      case 'fields':
        return fields(operand(expression.of, dot, scope), expression.names, [])
      case 'call':
        return execute([expression], dot, scope, [])
      case 'pipe':
        return evaluate(expression.pipe, dot, scope)
    }
  }
}

/** Assignments with `=` inside a block change the variable outside. */
function copyBack(inner: Map<string, unknown>, outer: Map<string, unknown>): void {
  for (const name of outer.keys()) outer.set(name, inner.get(name))
}

function fields(of: unknown, names: readonly string[], values: unknown[]): unknown {
  let value = of
  names.forEach((name, position) => {
    const found = fieldOf(value, name)
    const given = position === names.length - 1 ? values : []
    value = typeof found === 'function' ? (found as (...v: unknown[]) => unknown)(...given) : found
  })
  return value
}

export function fieldOf(value: unknown, name: string): unknown {
  if (value === null || value === undefined) return undefined
  if (typeof value !== 'object') throw new TemplateError(`can't evaluate field ${name} in a simple value`)
  if (FIELDS in value) return (value as TemplateValue)[FIELDS](name)
  return Object.hasOwn(value, name) ? (value as Record<string, unknown>)[name] : undefined
}

export function entriesOf(value: unknown): [unknown, unknown][] {
  if (value === null || value === undefined) return []
  if (typeof value === 'number') return Array.from({ length: Math.min(value, 10_000) }, (_, i) => [i, i])
  if (Array.isArray(value)) return value.map((item, position) => [position, item])
  if (typeof value === 'object') {
    if (Symbol.iterator in value) return [...(value as Iterable<unknown>)].map((item, i) => [i, item])
    const map = FIELDS in value ? ((value as TemplateValue)[FIELDS]('') as object) : value
    return Object.entries(map ?? {}).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
  }
  throw new TemplateError("range can't iterate over a simple value")
}

export function isTrue(value: unknown): boolean {
  if (value === null || value === undefined || value === '' || value === 0 || value === false) return false
  if (Array.isArray(value)) return value.length > 0
  if (value instanceof Date) return true
  if (typeof value === 'object' && Object.getPrototypeOf(value) === Object.prototype)
    return Object.keys(value).length > 0
  return true
}

export function printed(value: unknown): string {
  if (value === null || value === undefined) return '<no value>'
  if (typeof value === 'string') return value
  if (typeof value === 'number' || typeof value === 'boolean') return String(value)
  if (value instanceof SafeHtml) return value.text
  if (Array.isArray(value)) return `[${value.map(printed).join(' ')}]`
  if (typeof value === 'object') {
    if (Object.hasOwn(Object.getPrototypeOf(value) as object, 'toString'))
      if (Object.getPrototypeOf(value) !== Object.prototype)
        return (value as { toString(): string }).toString()
    const entries = entriesOf(value).map(([key, item]) => `${printed(key)}:${printed(item)}`)
    return `map[${entries.join(' ')}]`
  }
  throw new TemplateError('a function cannot be printed')
}
