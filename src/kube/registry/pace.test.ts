import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Pace } from './pace.js'

describe('news for watchers', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'setImmediate', 'performance'] }))
  afterEach(() => void vi.useRealTimers())

  /** Watchers that ask again when they are told to, and note when they may write. */
  const ask = (pace: Pace, from: number, to: number, written: number[]): void => {
    for (let i = from; i < to; i++) {
      const write = (): void => {
        if (pace.admits(write)) written.push(i)
      }
      write()
    }
  }
  const upTo = (end: number): number[] => Array.from({ length: end }, (_, i) => i)

  it('go out at once to few', () => {
    const pace = new Pace()
    for (let i = 0; i < 50; i++) {
      const written: number[] = []
      ask(pace, 0, 99, written)
      expect(written).toEqual(upTo(99))
      vi.advanceTimersToNextTimer() // The end of the turn.
    }
  })

  it('go out to a crowd in turns of a hundred, then wait for a rest', () => {
    const pace = new Pace()
    const written: number[] = []
    ask(pace, 0, 350, written)
    expect(written).toEqual(upTo(100))

    for (const end of [200, 300, 350]) {
      vi.advanceTimersToNextTimer() // The end of the turn.
      expect(written).toEqual(upTo(end))
    }
    vi.advanceTimersToNextTimer() // The end of the round.
    ask(pace, 350, 351, written)
    expect(written).toEqual(upTo(350))

    vi.advanceTimersToNextTimer() // The end of the rest.
    expect(written).toEqual(upTo(351))
    vi.runAllTimers()
    ask(pace, 351, 352, written)
    expect(written).toEqual(upTo(352))
  })

  it('that come to one who waits bring no second turn', () => {
    const pace = new Pace()
    let turns = 0
    ask(pace, 0, 100, [])
    const write = (): void => {
      if (pace.admits(write)) turns++
    }
    write()
    write()

    vi.runAllTimers()

    expect(turns).toBe(1)
  })

  it('do not overtake those who wait', () => {
    const pace = new Pace()
    const written: number[] = []
    ask(pace, 0, 150, written)

    ask(pace, 150, 160, written)
    expect(written).toHaveLength(100)
    vi.runAllTimers()

    expect(written).toEqual(upTo(160))
  })

  it('go on when all whose turn it was have left', () => {
    const pace = new Pace()
    const written: number[] = []
    ask(pace, 0, 100, written)
    for (let i = 0; i < 100; i++) pace.admits(() => undefined)
    ask(pace, 100, 150, written)

    vi.runAllTimers()

    expect(written).toEqual(upTo(150))
  })
})
