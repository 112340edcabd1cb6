/** Questions about a namespace reach back to its creation, not to another one that had its name before. */
import { type Times } from './parameters.js'

/** @returns undefined when the question is all about the time before */
export function withinLife(times: Times, createdAt: Date): Times | undefined {
  const created = createdAt.getTime() / 1_000
  if (times.kind === 'instant') return times.time < created ? undefined : times
  const { start, end, step } = times
  if (end < created) return undefined
  if (start >= created) return times
  // The first of the points `end - k * step` that is later than the creation.
  const steps = Math.max(0, Math.ceil((end - created) / step) - 1)
  return { ...times, start: end - steps * step }
}
