/** The functions of templates: those that come with Go, and those of notifications. */
import { RE2JS } from 're2js'
import { fieldOf, type Functions, isTrue, printed, SafeHtml } from './evaluate.js'
import { TemplateError } from './lex.js'

export type Translate = (key: string) => string

export function escapeHtml(text: string): string {
  const entities: Record<string, string> = {
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    '"': '&#34;',
    "'": '&#39;',
  }
  return text.replace(/[&<>"']/g, (c) => entities[c] ?? c)
}

/** The text inside a JSON string. */
export const escapeJson = (text: string): string => JSON.stringify(text).slice(1, -1)

export function functions(translate: Translate): Functions {
  const text = (value: unknown): string => (value === undefined || value === null ? '' : printed(value))
  return {
    not: (value: unknown) => !isTrue(value),
    eq: (first: unknown, ...others: unknown[]) => others.some((other) => compare(first, other) === 0),
    ne: (a: unknown, b: unknown) => compare(a, b) !== 0,
    lt: (a: unknown, b: unknown) => compare(a, b) < 0,
    le: (a: unknown, b: unknown) => compare(a, b) <= 0,
    gt: (a: unknown, b: unknown) => compare(a, b) > 0,
    ge: (a: unknown, b: unknown) => compare(a, b) >= 0,
    len: lengthOf,
    index: (value: unknown, ...keys: unknown[]) => keys.reduce(item, value),
    slice: (value: unknown, from: number = 0, to?: number) =>
      typeof value === 'string' || Array.isArray(value) ? value.slice(from, to) : undefined,
    print: (...values: unknown[]) => values.map(printed).join(''),
    println: (...values: unknown[]) => `${values.map(printed).join(' ')}\n`,
    printf: (format: unknown, ...values: unknown[]) => formatted(text(format), values),
    html: (...values: unknown[]) => new SafeHtml(escapeHtml(values.map(printed).join(''))),
    js: (...values: unknown[]) => escapeJson(values.map(printed).join('')),
    urlquery: (...values: unknown[]) =>
      encodeURIComponent(values.map(printed).join('')).replaceAll('%20', '+'),
    toUpper: (value: unknown) => text(value).toUpperCase(),
    toLower: (value: unknown) => text(value).toLowerCase(),
    title: (value: unknown) =>
      text(value).replace(/(^|\s)(\S)/g, (_, space: string, c: string) => space + c.toUpperCase()),
    join: (separator: unknown, list: unknown) =>
      (Array.isArray(list) ? (list as unknown[]) : []).map(text).join(text(separator)),
    match: (pattern: unknown, value: unknown) => expression(text(pattern)).matcher(text(value)).find(),
    reReplaceAll: (pattern: unknown, replacement: unknown, value: unknown) =>
      expression(text(pattern)).matcher(text(value)).replaceAll(text(replacement)),
    safeHtml: (value: unknown) => new SafeHtml(text(value)),
    stringSlice: (...values: unknown[]) => values.map(text),
    escape: (value: unknown) => escapeJson(text(value)),
    translate: (key: unknown) => translate(text(key)),
    message: (alert: unknown) => fieldOf(alert, 'Message'),
  }
}

/** Go's expressions, in linear time. @throws TemplateError */
function expression(pattern: string): RE2JS {
  try {
    return RE2JS.compile(pattern)
  } catch (error) {
    throw new TemplateError(`error parsing regexp: ${(error as Error).message}`, { cause: error })
  }
}

function compare(a: unknown, b: unknown): number {
  const [x, y] = [a ?? '', b ?? '']
  if (typeof x === 'number' && typeof y === 'number') return x - y
  if (typeof x === 'boolean' && typeof y === 'boolean') return Number(x) - Number(y)
  if (typeof x === 'string' && typeof y === 'string') return x < y ? -1 : x > y ? 1 : 0
  throw new TemplateError('incompatible types for comparison')
}

function lengthOf(value: unknown): number {
  if (typeof value === 'string') return Buffer.byteLength(value)
  if (Array.isArray(value)) return value.length
  if (typeof value === 'object' && value !== null)
    return Symbol.iterator in value ? [...(value as Iterable<unknown>)].length : Object.keys(value).length
  return 0
}

function item(value: unknown, key: unknown): unknown {
  if (Array.isArray(value)) {
    if (typeof key !== 'number' || key < 0 || key >= value.length)
      throw new TemplateError(`index out of range: ${printed(key)}`)
    return value[key]
  }
  return fieldOf(value, printed(key))
}

/** `%s`, `%d`, `%v`, `%q`, `%f` and their widths. */
function formatted(format: string, values: unknown[]): string {
  let used = 0
  return format.replace(
    /%([-0+]*)(\d*)(?:\.(\d+))?([a-zA-Z%])/g,
    (_, flags: string, width: string, precision: string | undefined, verb: string) => {
      if (verb === '%') return '%'
      const value = values[used++]
      let text = printed(value)
      if (verb === 'q') text = JSON.stringify(text)
      else if (verb === 'f') text = Number(value).toFixed(precision === undefined ? 6 : Number(precision))
      else if (verb === 'd') text = String(Math.trunc(Number(value)))
      else if (verb === 't') text = String(Boolean(value))
      const wide = Math.min(Number(width || 0), 1_000)
      if (flags.includes('-')) return text.padEnd(wide)
      return text.padStart(wide, flags.includes('0') ? '0' : ' ')
    },
  )
}
