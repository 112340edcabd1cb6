/** Durations as Prometheus reads and writes them: `1h30m`. */

const UNITS: readonly [string, number][] = [
  ['y', 365 * 86_400_000],
  ['w', 7 * 86_400_000],
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1_000],
  ['ms', 1],
]
const DURATION = /^(?:(\d+)y)?(?:(\d+)w)?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?(?:(\d+)ms)?$/

/** @returns milliseconds; undefined for what is no duration */
export function durationMs(text: string): number | undefined {
  if (text === '0') return 0
  const match = text === '' ? null : DURATION.exec(text)
  if (!match) return undefined
  const value = UNITS.reduce((sum, [, unit], position) => sum + Number(match[position + 1] ?? 0) * unit, 0)
  return value <= Number.MAX_SAFE_INTEGER / 1_000_000 ? value : undefined
}

/** In the largest units; years and weeks only where nothing is left, and zero is `0s`. */
export function durationText(ms: number): string {
  let left = Math.round(ms)
  if (left === 0) return '0s'
  let text = ''
  for (const [unit, size] of UNITS) {
    if ((unit === 'y' || unit === 'w') && left % size !== 0) continue
    const count = Math.floor(left / size)
    if (count > 0) text += `${count}${unit}`
    left -= count * size
  }
  return text
}
