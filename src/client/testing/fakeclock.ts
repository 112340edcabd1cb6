/** A clock that skips waiting: a timer fires on the next turn, with the time moved to when it was due. */
import { type Clock } from '../clock.js'

export class HastyClock implements Clock {
  #now = Date.UTC(2024, 0, 1)
  /** Every wait asked for, in milliseconds. */
  readonly waits: number[] = []
  /** Timers longer than this do not fire by themselves. */
  readonly limitMs: number

  constructor(limitMs = 100_000) {
    this.limitMs = limitMs
  }

  now(): number {
    return this.#now
  }

  advance(ms: number): void {
    this.#now += ms
  }

  setTimeout(callback: () => void, ms: number): unknown {
    this.waits.push(ms)
    if (ms > this.limitMs) return undefined
    return setImmediate(() => {
      this.#now += ms
      callback()
    })
  }

  clearTimeout(handle: unknown): void {
    clearImmediate(handle as NodeJS.Immediate)
  }
}
