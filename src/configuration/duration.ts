/**
 * Durations as the configuration file writes them: Go syntax (`10m0s`, `168h`, `1.5h`, `300ms`), or a bare
 * number, which the original reads as nanoseconds. Held as milliseconds.
 */

const UNIT_MS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  μs: 1e-3,
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
}

const TERM = /(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h)/y

/** @returns milliseconds, or undefined when the text is not a duration */
export function parseDuration(value: unknown): number | undefined {
  if (typeof value === 'number') return Number.isFinite(value) ? value * 1e-6 : undefined
  if (typeof value !== 'string') return undefined
  const text = value.trim()
  const sign = text.startsWith('-') ? -1 : 1
  const body = text.replace(/^[+-]/, '')
  if (body === '0') return 0
  if (/^\d+$/.test(body)) return sign * Number(body) * 1e-6
  let total = 0
  TERM.lastIndex = 0
  while (TERM.lastIndex < body.length) {
    const match = TERM.exec(body)
    if (!match) return undefined
    total += Number(match[1]) * (UNIT_MS[match[2] ?? ''] ?? 0)
  }
  return body === '' ? undefined : sign * total
}

/** `2h0m0s`, `10m0s`, `30s`, `250ms`, `0s`: the way Go prints a duration of whole milliseconds. */
export function formatDuration(ms: number): string {
  if (ms === 0) return '0s'
  const sign = ms < 0 ? '-' : ''
  const absolute = Math.abs(ms)
  if (absolute < 1_000) return `${sign}${absolute}ms`
  const hours = Math.floor(absolute / 3_600_000)
  const minutes = Math.floor((absolute % 3_600_000) / 60_000)
  const seconds = (absolute % 60_000) / 1_000
  if (hours > 0) return `${sign}${hours}h${minutes}m${seconds}s`
  if (minutes > 0) return `${sign}${minutes}m${seconds}s`
  return `${sign}${seconds}s`
}
