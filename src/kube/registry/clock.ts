/** Time as the API server sees it: passed in, so that tests can move it. */

export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number
  /** Calls `action` once after `ms`. @returns cancel */
  after(ms: number, action: () => void): () => void
}

/** Timers of more would fire at once. */
const LONGEST_MS = 2 ** 31 - 1
/** Lists of shorter durations go soon enough by themselves. */
const SHORT_MS = 60_000

export const systemClock: Clock = {
  now: () => Date.now(),
  after(ms, action) {
    const timer = setTimeout(action, Math.min(ms, LONGEST_MS))
    // A waiting watch or timeout alone keeps no process alive.
    timer.unref()
    return () => {
      // Node.js keeps a list for each duration, and with its last timer drops only that of one which keeps the process alive. The
      // others stay as long as they were to last: watches that came and went, each with a duration of its own, left thousands.
      if (ms > SHORT_MS) timer.ref()
      clearTimeout(timer)
    }
  },
}

/** A clock that stands still until it is moved. Due actions run in the order of their times. */
export class ManualClock implements Clock {
  #now: number
  #due: { at: number; action: () => void }[] = []

  constructor(start = Date.UTC(2026, 0, 1)) {
    this.#now = start
  }

  now(): number {
    return this.#now
  }

  after(ms: number, action: () => void): () => void {
    const entry = { at: this.#now + ms, action }
    this.#due.push(entry)
    return () => {
      this.#due = this.#due.filter((other) => other !== entry)
    }
  }

  /** When the next action is due. */
  get nextAt(): number | undefined {
    return this.#due.reduce<number | undefined>(
      (first, { at }) => (first === undefined || at < first ? at : first),
      undefined,
    )
  }

  advance(ms: number): void {
    const until = this.#now + ms
    for (;;) {
      const next = this.#due.reduce<{ at: number; action: () => void } | undefined>(
        (first, entry) => (entry.at <= until && (!first || entry.at < first.at) ? entry : first),
        undefined,
      )
      if (!next) break
      this.#due = this.#due.filter((entry) => entry !== next)
      this.#now = next.at
      next.action()
    }
    this.#now = until
  }
}

/** RFC 3339 UTC with whole seconds, as `metadata.creationTimestamp` is written. */
export function wireTime(ms: number): string {
  const second = Math.floor(ms / 1_000)
  if (second !== last.second) last = { second, text: `${new Date(ms).toISOString().slice(0, 19)}Z` }
  return last.text
}

/** Many objects are made within one second. */
let last = { second: NaN, text: '' }
