/** The two spellings of time on the wire: Time with whole seconds, MicroTime with exactly six digits. */

const RFC3339 = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d+)?(Z|[+-]\d\d:\d\d)$/

/** @returns the time in UTC with whole seconds, or undefined when it is not RFC 3339 */
export function wholeSeconds(text: string): string | undefined {
  const match = RFC3339.exec(text)
  if (match === null) return undefined
  const at = Date.parse(`${match[1]}${match[3]}`)
  return Number.isNaN(at) ? undefined : formatTime(new Date(at))
}

/** @returns the time in UTC with six digits, or undefined when it has another number of digits */
export function microTime(text: string): string | undefined {
  const match = RFC3339.exec(text)
  const fraction = match?.[2]
  if (match === null || fraction?.length !== 7) return undefined
  const at = Date.parse(`${match[1]}${match[3]}`)
  return Number.isNaN(at) ? undefined : formatTime(new Date(at)).replace('Z', `${fraction}Z`)
}

/** `2026-01-02T03:04:05Z` */
export function formatTime(date: Date): string {
  return `${date.toISOString().slice(0, 19)}Z`
}
