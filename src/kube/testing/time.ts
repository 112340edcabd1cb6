/** The time of a test's server: the real one, or one that the test moves. */
import { type ManualClock } from '../registry/clock.js'

export interface Time {
  now(): Date
  /**
   * Lets so much time pass, stopping wherever something is due, until the controllers have nothing to do.
   *
   * @throws Error when the time is the real one
   */
  advance(ms: number): Promise<void>
}

/** What is due in the same breath is done in one step. */
const STEP_MS = 20

export function timeOf(clock: ManualClock | undefined, settled: () => Promise<void>): Time {
  return {
    now: () => new Date(clock?.now() ?? Date.now()),
    async advance(ms) {
      if (!clock) throw new Error('this server runs on real time: start it with `time`')
      const until = clock.now() + ms
      await settled()
      while (clock.now() < until) {
        const next = clock.nextAt ?? until
        clock.advance(Math.max(1, Math.min(until, next + STEP_MS) - clock.now()))
        await settled()
      }
    },
  }
}
