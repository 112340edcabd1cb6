/**
 * Times as the API writes and reads them: RFC 3339 in UTC.
 *
 * A Time has whole seconds, a MicroTime (renewTime of Leases, eventTime) exactly six digits; `...00.500Z`,
 * which `toISOString` writes, is no MicroTime.
 */

/** `2026-01-01T00:00:00Z` */
export function formatTime(date: Date): string {
  return `${date.toISOString().slice(0, 19)}Z`
}

/** `2026-01-01T00:00:00.123000Z` */
export function formatMicroTime(date: Date, microseconds = 0): string {
  const digits = String(microseconds % 1000).padStart(3, '0')
  return `${date.toISOString().slice(0, 23)}${digits}Z`
}

const RFC_3339 = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:[.,](\d+))?(Z|[+-]\d\d:\d\d)$/

/** @returns undefined for what is no RFC 3339 time: no zone, month 13, 30th of February */
export function parseTime(text: string): Date | undefined {
  const match = RFC_3339.exec(text)
  if (match === null) return undefined
  const [, year, month, day, hour, minute, second, fraction = '', zone = 'Z'] = match
  const milliseconds = Number(fraction.padEnd(3, '0').slice(0, 3))
  const parts = [year, month, day, hour, minute, second].map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ]
  const [y, mo, d, h, mi, s] = parts
  if (mo < 1 || mo > 12 || d < 1 || d > daysIn(y, mo) || h > 23 || mi > 59 || s > 59) return undefined
  const local = new Date(0)
  local.setUTCFullYear(y, mo - 1, d)
  local.setUTCHours(h, mi, s, milliseconds)
  return new Date(local.getTime() - offsetMs(zone))
}

function daysIn(year: number, month: number): number {
  const date = new Date(0)
  date.setUTCFullYear(year, month, 0)
  return date.getUTCDate()
}

function offsetMs(zone: string): number {
  if (zone === 'Z') return 0
  const minutes = Number(zone.slice(1, 3)) * 60 + Number(zone.slice(4, 6))
  return (zone.startsWith('-') ? -minutes : minutes) * 60_000
}

/** A Time in the form it is written; fractions are dropped. @returns undefined when it is no time */
export function canonicalTime(text: string): string | undefined {
  const date = parseTime(text)
  return date === undefined ? undefined : formatTime(date)
}

/** A MicroTime in the form it is written. @returns undefined unless there are exactly six digits */
export function canonicalMicroTime(text: string): string | undefined {
  const match = /\.(\d{6})(?:Z|[+-]\d\d:\d\d)$/.exec(text)
  const date = parseTime(text)
  if (match === null || date === undefined) return undefined
  return `${date.toISOString().slice(0, 19)}.${match[1] ?? ''}Z`
}
