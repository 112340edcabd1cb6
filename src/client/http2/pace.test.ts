import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Pace } from './pace.js'

const REST_MS = 10
const SMALL = 300

describe('a connection of watches', () => {
  let rested: number
  let pace: Pace
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['performance', 'setTimeout', 'clearTimeout'] })
    rested = 0
    pace = new Pace(REST_MS, () => rested++)
  })
  afterEach(() => {
    vi.useRealTimers()
  })
  const readsOn = (bytes: number, afterMs: number): boolean => {
    vi.advanceTimersByTime(afterMs)
    return pace.read(bytes)
  }

  it('is read at once while little happens', () => {
    for (let i = 0; i < 5; i++) expect(readsOn(SMALL, 100)).toBe(true)
    expect(rested).toBe(0)
  })

  it('is left unread for a moment, again and again, while one event follows the other', () => {
    expect(readsOn(SMALL, 100)).toBe(true)
    for (let i = 0; i < 5; i++) {
      expect(readsOn(SMALL, 1)).toBe(false)
      // What was on its way up belongs to the same rest.
      expect(readsOn(SMALL, 0)).toBe(false)
      vi.advanceTimersByTime(REST_MS - 1)
      expect(rested).toBe(i)
      vi.advanceTimersByTime(1)
      expect(rested).toBe(i + 1)
    }
    expect(readsOn(SMALL, 100)).toBe(true)
  })

  it('is read on without a rest when much comes', () => {
    for (let i = 0; i < 5; i++) expect(readsOn(16 * 1024, 1)).toBe(true)
    expect(rested).toBe(0)
  })
})
