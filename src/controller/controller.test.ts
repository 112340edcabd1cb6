import { describe, expect, it } from 'vitest'
import { type Clock, Manager, type Request, TerminalError, WorkQueue } from './index.js'

class StillClock implements Clock {
  #now = 0
  #due: { at: number; action: () => void }[] = []
  now = (): number => this.#now
  after(ms: number, action: () => void): () => void {
    const entry = { at: this.#now + ms, action }
    this.#due.push(entry)
    return () => (this.#due = this.#due.filter((other) => other !== entry))
  }
  advance(ms: number): void {
    this.#now += ms
    const due = this.#due.filter(({ at }) => at <= this.#now)
    this.#due = this.#due.filter(({ at }) => at > this.#now)
    for (const { action } of due) action()
  }
}

const silent = { debug() {}, info() {}, warn() {}, error() {} }
const request = (name: string): Request => ({ namespace: '', name })
/** Three turns: a controller may leave one to others. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve))
}

describe('the work queue', () => {
  it('holds a request once, and again when it comes while it is worked on', async () => {
    const queue = new WorkQueue({ clock: new StillClock() })
    queue.add(request('a'))
    queue.add(request('a'))
    queue.add(request('b'))

    const first = await queue.take()
    expect(first?.name).toBe('a')
    expect(queue.length).toBe(1)
    queue.add(request('a'))
    expect(queue.length).toBe(1)
    queue.done(request('a'))
    expect(queue.length).toBe(2)
  })

  it('delays failures longer each time, until one succeeds', () => {
    const clock = new StillClock()
    const queue = new WorkQueue({ clock, baseDelayMs: 10, maxDelayMs: 25 })

    expect([0, 1, 2].map(() => queue.addFailed(request('a')))).toEqual([10, 20, 25])
    clock.advance(10)
    expect(queue.length).toBe(1)
    queue.forget(request('a'))
    expect(queue.addFailed(request('a'))).toBe(10)
  })
})

describe('the manager', () => {
  it('reconciles what sources deliver, and tries again what failed', async () => {
    const clock = new StillClock()
    const manager = new Manager({ clock, logger: silent })
    const passes: string[] = []
    manager.start({
      name: 'test',
      sources: [
        (enqueue) => {
          enqueue(request('flaky'))
          enqueue(request('doomed'))
          return () => undefined
        },
      ],
      reconciler: {
        async reconcile({ name }) {
          passes.push(name)
          if (name === 'doomed') throw new TerminalError('no')
          if (passes.filter((pass) => pass === 'flaky').length < 2) throw new Error('not yet')
          return passes.length < 4 ? { requeueAfter: 1000 } : undefined
        },
      },
    })
    await settled()
    expect(passes).toEqual(['flaky', 'doomed'])

    clock.advance(10)
    await settled()
    clock.advance(1000)
    await settled()

    expect(passes).toEqual(['flaky', 'doomed', 'flaky', 'flaky'])
    expect(manager.idle).toBe(true)
    expect(manager.status()[0]).toMatchObject({ name: 'test', failures: 2, lastError: 'no' })
    await manager.close()
  })
})
