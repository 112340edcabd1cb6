/** Widths of histogram buckets, written as Elasticsearch has them: `90s`, `15m`, `1h`, `2d`, `day`, `1M`, `year`. */
import { badRequest } from '../../apimachinery/errors/index.js'

export type Interval = { fixedMs: number } | { calendar: 'week' | 'month' | 'quarter' | 'year' }

const DAY = 86_400_000
const UNITS: Record<string, number> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: DAY }
const WORDS: Record<string, Interval> = {
  second: { fixedMs: 1_000 },
  '1s': { fixedMs: 1_000 },
  minute: { fixedMs: 60_000 },
  hour: { fixedMs: 3_600_000 },
  day: { fixedMs: DAY },
  week: { calendar: 'week' },
  '1w': { calendar: 'week' },
  month: { calendar: 'month' },
  '1M': { calendar: 'month' },
  quarter: { calendar: 'quarter' },
  '1q': { calendar: 'quarter' },
  year: { calendar: 'year' },
  '1y': { calendar: 'year' },
}

/** @throws StatusError 400 */
export function parseInterval(text: string): Interval {
  if (Object.hasOwn(WORDS, text)) return WORDS[text] as Interval
  const [, digits, unit = ''] = /^(\d{1,9})(ms|s|m|h|d)$/.exec(text) ?? []
  const fixedMs = Number(digits) * (UNITS[unit] ?? NaN)
  if (!(fixedMs > 0))
    throw badRequest(`the interval ${JSON.stringify(text)} is none: use for example 15m, 1h or 1d`)
  return { fixedMs }
}

/** The width to count with: whole days make weeks, months and years. */
export function countedMs(interval: Interval): number {
  return 'fixedMs' in interval ? interval.fixedMs : DAY
}

/** The start of the bucket that a time is in, in UTC. */
export function bucketOf(time: number, interval: Interval): number {
  if ('fixedMs' in interval) return Math.floor(time / interval.fixedMs) * interval.fixedMs
  const date = new Date(time)
  const [year, month] = [date.getUTCFullYear(), date.getUTCMonth()]
  switch (interval.calendar) {
    case 'week': // The first day of 1970 was a Thursday; weeks begin on Mondays.
      return Math.floor((time + 3 * DAY) / (7 * DAY)) * 7 * DAY - 3 * DAY
    case 'month':
      return Date.UTC(year, month)
    case 'quarter':
      return Date.UTC(year, month - (month % 3))
    case 'year':
      return Date.UTC(year, 0)
  }
}

/** The start of the next bucket. */
export function bucketAfter(start: number, interval: Interval): number {
  if ('fixedMs' in interval) return start + interval.fixedMs
  const daysBeyond = { week: 7, month: 31, quarter: 93, year: 366 }[interval.calendar]
  return bucketOf(start + daysBeyond * DAY, interval)
}
