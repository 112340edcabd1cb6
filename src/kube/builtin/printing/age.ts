/** Spans of time as kubectl prints them: two units at most, coarser as they grow. */

const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR
const YEAR = 365 * DAY

/** @param since RFC 3339; `<unknown>` when absent */
export function age(since: string | null | undefined, now: Date): string {
  if (since === undefined || since === null || since === '') return '<unknown>'
  return humanDuration(now.getTime() - Date.parse(since))
}

export function humanDuration(ms: number): string {
  const whole = (unit: number) => Math.floor(ms / unit)
  const two = (first: number, a: string, second: number, b: string) => {
    const rest = Math.floor((ms % first) / second)
    return rest === 0 ? `${whole(first)}${a}` : `${whole(first)}${a}${rest}${b}`
  }
  if (ms < -1 * SECOND) return '<invalid>'
  if (ms < 0) return '0s'
  if (ms < 2 * MINUTE) return `${whole(SECOND)}s`
  if (ms < 10 * MINUTE) return two(MINUTE, 'm', SECOND, 's')
  if (ms < 3 * HOUR) return `${whole(MINUTE)}m`
  if (ms < 8 * HOUR) return two(HOUR, 'h', MINUTE, 'm')
  if (ms < 2 * DAY) return `${whole(HOUR)}h`
  if (ms < 8 * DAY) return two(DAY, 'd', HOUR, 'h')
  if (ms < 2 * YEAR) return `${whole(DAY)}d`
  if (ms < 8 * YEAR) return two(YEAR, 'y', DAY, 'd')
  return `${whole(YEAR)}y`
}
