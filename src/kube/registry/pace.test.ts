import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Pace } from './pace.js'

describe('frames of watches', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'setImmediate', 'performance'] }))
  afterEach(() => void vi.useRealTimers())

  /** A round to so many watchers that takes so long. */
  const round = (pace: Pace, watchers: number, tookMs: number): void => {
    for (let i = 0; i < watchers; i++) expect(pace.admits(() => undefined)).toBe(true)
    vi.advanceTimersByTime(tookMs)
  }

  it('go out at once to few', () => {
    const pace = new Pace()
    for (let i = 0; i < 50; i++) round(pace, 10, 5)
    expect(pace.admits(() => undefined)).toBe(true)
  })

  it('wait after a round to many, and go out together', () => {
    const pace = new Pace()
    for (let i = 0; i < 1_000; i++) pace.admits(() => undefined)
    const resumed: number[] = []
    vi.advanceTimersToNextTimer() // The end of the turn.
    expect(pace.admits(() => resumed.push(1))).toBe(false)
    expect(pace.admits(() => resumed.push(2))).toBe(false)
    expect(resumed).toEqual([])

    vi.advanceTimersToNextTimer()

    expect(resumed).toEqual([1, 2])
    expect(pace.admits(() => undefined)).toBe(true)
  })
})
