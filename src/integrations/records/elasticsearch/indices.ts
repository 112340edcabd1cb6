/** Daily indices, `<prefix>-2026.03.05` in UTC. They only narrow the search: the time of a record is its own. */

const DAY = 86_400_000
const MOST_DAYS = 30

export function indexOf(prefix: string, time: number): string {
  return `${prefix}-${new Date(time).toISOString().slice(0, 10).replaceAll('-', '.')}`
}

/** The newest first; all of them, when no beginning is known or it is long ago. */
export function indicesFor(
  prefix: string,
  from: Date | undefined,
  to: Date | undefined,
  now: number,
): string {
  const end = to?.getTime() ?? now
  if (!from || end - from.getTime() > MOST_DAYS * DAY) return `${prefix}*`
  const last = Math.floor(end / DAY)
  const first = Math.min(Math.floor(from.getTime() / DAY), last)
  return Array.from({ length: last - first + 1 }, (_, i) => indexOf(prefix, (last - i) * DAY)).join(',')
}
