import { describe, expect, it } from 'vitest'
import * as fc from '../../test/fixtures/properties.js'
import { FairShare, type FairShareOptions } from './fairshare.js'

/** Stands still until it is moved. */
function standingClock() {
  const timers = new Map<number, { at: number; callback: () => void }>()
  let now = 0
  let serial = 0
  return {
    now: () => now,
    setTimeout(callback: () => void, ms: number): number {
      timers.set(++serial, { at: now + ms, callback })
      return serial
    },
    clearTimeout: (handle: unknown) => void timers.delete(handle as number),
    get waiting() {
      return timers.size
    },
    move(ms: number): void {
      now += ms
      for (const [id, { at, callback }] of timers) {
        if (at > now) continue
        timers.delete(id)
        callback()
      }
    },
  }
}

function shares(options: Partial<FairShareOptions> = {}) {
  const clock = standingClock()
  const fair = new FairShare({
    clock,
    slots: 4,
    shareOfOne: 0.75,
    waiting: 8,
    waitingOfOne: 4,
    patienceMs: 1_000,
    ...options,
  })
  const order: string[] = []
  const { signal } = new AbortController()
  const enter = (who: string): void => {
    const waits = fair.enter(who, () => signal)
    if (!waits) order.push(who)
    else
      void waits.then(
        () => order.push(who),
        (error: Error) => order.push(`${who}: ${error.message}`),
      )
  }
  return { clock, fair, order, enter }
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

describe('fair shares', () => {
  it('let everybody in below the limit, but one client never has all of it', () => {
    const { fair, order, enter } = shares()

    for (let i = 0; i < 4; i++) enter('greedy')
    enter('ann')

    expect(order).toEqual(['greedy', 'greedy', 'greedy', 'ann'])
    expect(fair.waiting).toBe(1)
  })

  it('give a free slot to whoever holds the fewest', async () => {
    const { fair, order, enter } = shares()
    for (const who of ['greedy', 'greedy', 'greedy', 'ann', 'greedy', 'ben']) enter(who)
    order.length = 0

    fair.leave('ann')
    await settled()
    fair.leave('greedy')
    await settled()

    expect(order).toEqual(['ben', 'greedy'])
  })

  it('refuse what would wait behind too many, and what has waited too long', async () => {
    const { clock, order, enter } = shares({ slots: 1, waitingOfOne: 1 })
    enter('ann')
    enter('ann')

    expect(() => enter('ann')).toThrow('too many requests')
    clock.move(1_000)
    await settled()
    expect(order).toEqual(['ann', 'ann: the server is busy, please try again later'])
  })

  it('forget those who leave while they wait', async () => {
    const { clock, fair } = shares({ slots: 1 })
    void fair.enter('ann', () => new AbortController().signal)
    const client = new AbortController()
    const waits = fair.enter('ben', () => client.signal)

    client.abort(new Error('gone'))

    await expect(waits).rejects.toThrow('gone')
    expect([fair.waiting, clock.waiting]).toEqual([0, 0])
  })

  it('never hold more than the slots, and let all through in the end', async () => {
    const step = fc.record({ who: fc.constantFrom('a', 'b', 'c'), isEntry: fc.boolean() })
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const { fair, order, enter } = shares({ waiting: 100, waitingOfOne: 100 })
        let entered = 0
        let left = 0
        /** In the order they came in, which is any order of leaving as far as shares are concerned. */
        const leaveOne = async (): Promise<void> => {
          const who = order[left]
          if (who === undefined) return
          left++
          fair.leave(who)
          await settled()
        }
        for (const { who, isEntry } of steps) {
          if (isEntry) {
            enter(who)
            entered++
          } else await leaveOne()
          expect(fair.running).toBeLessThanOrEqual(4)
        }
        while (left < order.length) await leaveOne()

        expect(left).toBe(entered)
        expect([fair.running, fair.waiting]).toEqual([0, 0])
      }),
      { numRuns: 30 },
    )
  })
})
