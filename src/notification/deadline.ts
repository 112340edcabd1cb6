/**
 * The time that somebody else has for an answer. While this process is busy it cannot hear, and what it did not hear is
 * not held against the other: an answer that lies in the socket is read before the time is up, and nobody is told twice
 * for our slowness.
 */
export interface Deadline {
  signal: AbortSignal
  isOver: boolean
  cancel(): void
}

const STEPS = 10
/** A step that took longer than this many was ours, not theirs. */
const LATE = 1.5
/** All patience has an end. */
const MOST_STEPS = 4 * STEPS

/** @param stop ends it early */
export function deadline(milliseconds: number, stop: AbortSignal): Deadline {
  const controller = new AbortController()
  const stepMs = milliseconds / STEPS
  let counted = 0
  let all = 0
  let timer: NodeJS.Timeout
  const next = (): void => {
    const start = performance.now()
    timer = setTimeout(() => {
      all++
      if (performance.now() - start < stepMs * LATE) counted++
      if (counted < STEPS && all < MOST_STEPS) return next()
      made.isOver = true
      controller.abort()
    }, stepMs)
  }
  const stopped = (): void => controller.abort()
  const made: Deadline = {
    signal: controller.signal,
    isOver: false,
    cancel() {
      clearTimeout(timer)
      stop.removeEventListener('abort', stopped)
    },
  }
  next()
  if (stop.aborted) controller.abort()
  else stop.addEventListener('abort', stopped, { once: true })
  return made
}
