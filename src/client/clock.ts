/** Time, as something that tests can drive. */

export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number
  /** Must not keep the process alive. */
  setTimeout(callback: () => void, ms: number): unknown
  clearTimeout(handle: unknown): void
}

export const systemClock: Clock = {
  now: () => Date.now(),
  setTimeout: (callback, ms) => setTimeout(callback, ms).unref(),
  clearTimeout: (handle) => clearTimeout(handle as NodeJS.Timeout),
}

/** Settles after `ms`, or at once when the signal aborts; never rejects. */
export function pause(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) {
      resolve()
      return
    }
    const done = (): void => {
      clock.clearTimeout(timer)
      signal.removeEventListener('abort', done)
      resolve()
    }
    const timer = clock.setTimeout(done, ms)
    signal.addEventListener('abort', done, { once: true })
  })
}

export interface BackoffOptions {
  firstMs: number
  limitMs: number
  /** 0 to 1, as Math.random. */
  random: () => number
}

/** Doubles with each failure in a row; between half and the whole of it, so that many do not come at once. */
export function backoffMs(failures: number, { firstMs, limitMs, random }: BackoffOptions): number {
  const whole = Math.min(limitMs, firstMs * 2 ** Math.min(30, Math.max(0, failures - 1)))
  return whole / 2 + (whole / 2) * random()
}
