/** What the three searches read from their query strings. */
import { type Match, type PageOptions } from '../../../../integrations/records/interface.js'
import { unixSeconds } from '../../../../monitoring/parameters.js'

export type Operation = 'query' | 'statistics' | 'histogram' | 'export'

export const DEFAULT_INTERVAL = '15m'
const DEFAULT_SIZE = 10
/** The last that a Date can hold. */
const LAST_SECOND = 8_640_000_000_000

/** Any other word is a query. */
export function operationOf(query: URLSearchParams): Operation {
  const operation = query.get('operation')
  return operation === 'statistics' || operation === 'histogram' || operation === 'export'
    ? operation
    : 'query'
}

/** Separated by commas, blanks belong to the values. Undefined when the parameter is not given. */
export function listIn(query: URLSearchParams, name: string): string[] | undefined {
  const text = query.get(name) ?? ''
  return text === '' ? undefined : text.split(',')
}

/** Conditions of one parameter: any of its values. */
export function anyOf(
  query: URLSearchParams,
  name: string,
  match: (value: string) => Match | undefined,
): Match[][] {
  const values = listIn(query, name)
  return values === undefined ? [] : [values.flatMap((value) => match(value) ?? [])]
}

/** A pattern for values that contain the text, in which `*` and `?` stay what they are. */
export function containing(text: string): string {
  return `*${text}*`
}

/** @throws StatusError 400 */
export function timesIn(query: URLSearchParams): { from: Date | undefined; to: Date | undefined } {
  return { from: secondsIn(query, 'start_time'), to: secondsIn(query, 'end_time') }
}

/** Numbers that are none mean the default. */
export function pageIn(query: URLSearchParams): PageOptions {
  return {
    offset: countIn(query, 'from') ?? 0,
    limit: countIn(query, 'size') ?? DEFAULT_SIZE,
    order: query.get('sort') === 'asc' ? 'asc' : 'desc',
  }
}

function secondsIn(query: URLSearchParams, name: string): Date | undefined {
  const text = query.get(name) ?? ''
  if (text === '') return undefined
  const seconds = Math.min(Math.max(unixSeconds(text), -LAST_SECOND), LAST_SECOND)
  return new Date(seconds * 1000)
}

function countIn(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name) ?? ''
  return /^\d{1,9}$/.test(text) ? Number(text) : undefined
}
