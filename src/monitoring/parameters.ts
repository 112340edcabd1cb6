/** The parameters of a question, with the messages that clients of the original know. */
import { badRequest } from '../apimachinery/errors/index.js'
import { parseDuration } from '../configuration/duration.js'
import { type Range } from '../integrations/prometheus/types.js'

export const ANYTHING = '.*'
const STEP = '10m'
const LIMIT = 5

export type Times = { kind: 'instant'; time: number } | ({ kind: 'range' } & Range)

export interface Sorting {
  metric: string
  ascending: boolean
  page: number
  limit: number
}

/** @throws StatusError 400 */
export function timesOf(query: URLSearchParams, now: Date): Times {
  const [start, end] = [query.get('start') ?? '', query.get('end') ?? '']
  if (start !== '' && end !== '') {
    const range = { start: unixSeconds(start), end: unixSeconds(end), step: stepOf(query) }
    if (range.start > range.end) throw badRequest("'start' must be before 'end'.")
    return { kind: 'range', ...range }
  }
  if (start !== '' || end !== '')
    throw badRequest("'time' and the combination of 'start' and 'end' are mutually exclusive.")
  const time = query.get('time') ?? ''
  return { kind: 'instant', time: time === '' ? now.getTime() / 1_000 : unixSeconds(time) }
}

/** Undefined without a metric to sort by; then page and limit are not even looked at. */
export function sortingOf(query: URLSearchParams): Sorting | undefined {
  const metric = query.get('sort_metric') ?? ''
  if (metric === '') return undefined
  return {
    metric,
    ascending: query.get('sort_type') === 'asc',
    page: positive(query.get('page') ?? '', 1, 'page'),
    limit: positive(query.get('limit') ?? '', LIMIT, 'limit'),
  }
}

/** An empty filter is none. */
export function filterOf(query: URLSearchParams, name: string): string {
  return query.get(name) || ANYTHING
}

function stepOf(query: URLSearchParams): number {
  const text = query.get('step') || STEP
  const ms = goDuration(text)
  if (ms <= 0) throw badRequest(`time: the step must be longer than nothing: "${text}"`)
  return ms / 1_000
}

/** Milliseconds. Unlike in the configuration, a bare number has no unit and is refused. */
export function goDuration(text: string): number {
  const unitless = /^[+-]?(\d+\.?\d*|\.\d+)$/.test(text) && Number(text) !== 0
  if (unitless) throw badRequest(`time: missing unit in duration "${text}"`)
  const ms = parseDuration(text === text.trim() ? text : '?')
  if (ms !== undefined && Number.isFinite(ms)) return ms
  const unit = /^[+-]?[\d.]+([^\d.]+)/.exec(text)?.[1]
  throw badRequest(
    unit !== undefined && /\d/.test(text[0] ?? '')
      ? `time: unknown unit "${unit}" in duration "${text}"`
      : `time: invalid duration "${text}"`,
  )
}

const [LEAST, MOST] = [-(2n ** 63n), 2n ** 63n - 1n]

export function unixSeconds(text: string): number {
  if (!/^[+-]?\d+$/.test(text)) throw badRequest(`strconv.ParseInt: parsing "${text}": invalid syntax`)
  const value = BigInt(text.replace(/^\+/, ''))
  if (value < LEAST || value > MOST)
    throw badRequest(`strconv.ParseInt: parsing "${text}": value out of range`)
  return Number(value)
}

function positive(text: string, absent: number, name: string): number {
  if (text === '') return absent
  const value = /^\+?\d+$/.test(text) ? Number(text) : NaN
  if (!Number.isSafeInteger(value) || value < 1) throw badRequest(`Invalid parameter '${name}'.`)
  return value
}
