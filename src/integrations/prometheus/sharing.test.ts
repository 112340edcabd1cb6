import { describe, expect, it } from 'vitest'
import { SharedPrometheus } from './sharing.js'
import { type CallOptions, type Prometheus, type QueryResult } from './types.js'

const RESULT: QueryResult = { resultType: 'matrix', result: [{ metric: { a: 'b' }, values: [[60, '1']] }] }

/** Answers when told to. */
class Slow {
  asked: { signal: AbortSignal; answer: (result: QueryResult) => void; fail: (error: Error) => void }[] = []

  readonly prometheus = {
    query: (_: string, __: number, options: CallOptions) => this.#ask(options),
    queryRange: (_: string, __: unknown, options: CallOptions) => this.#ask(options),
  } as unknown as Prometheus

  #ask({ signal }: CallOptions): Promise<QueryResult> {
    return new Promise((answer, fail) => {
      this.asked.push({ signal, answer, fail })
      signal.addEventListener('abort', () => fail(signal.reason as Error))
    })
  }
}

const never = new AbortController().signal

describe('the same question', () => {
  it('is asked once by all who ask it at once', async () => {
    const slow = new Slow()
    const shared = new SharedPrometheus(slow.prometheus)

    const answers = [1, 2, 3].map(() => shared.query('up', 60, { signal: never }))
    slow.asked[0]?.answer(RESULT)

    expect(await Promise.all(answers)).toEqual([RESULT, RESULT, RESULT])
    expect(slow.asked).toHaveLength(1)
  })

  it('goes on when one of two leaves, and is cancelled with the last', async () => {
    const slow = new Slow()
    const shared = new SharedPrometheus(slow.prometheus)
    const [first, second] = [new AbortController(), new AbortController()]
    const answers = [first, second].map(({ signal }) => shared.query('up', 60, { signal }))

    first.abort(new Error('left'))
    await expect(answers[0]).rejects.toThrow('left')
    expect(slow.asked[0]?.signal.aborted).toBe(false)
    second.abort(new Error('left too'))

    await expect(answers[1]).rejects.toThrow('left too')
    expect(slow.asked[0]?.signal.aborted).toBe(true)
  })

  it('is asked anew after a failure, and after it was cancelled', async () => {
    const slow = new Slow()
    const shared = new SharedPrometheus(slow.prometheus)

    const failed = shared.query('up', 60, { signal: never })
    slow.asked[0]?.fail(new Error('down'))
    await expect(failed).rejects.toThrow('down')
    const leaving = new AbortController()
    const left = shared.query('up', 60, { signal: leaving.signal })
    leaving.abort(new Error('left'))
    const third = shared.query('up', 60, { signal: never })
    slow.asked[2]?.answer(RESULT)

    await expect(left).rejects.toThrow('left')
    expect(await third).toEqual(RESULT)
  })
})

describe('a range', () => {
  const PAST = { start: 0, end: 600, step: 15 }

  it('in the past is remembered for one step', async () => {
    let now = 3_600_000
    const slow = new Slow()
    const shared = new SharedPrometheus(slow.prometheus, { now: () => now })
    const first = shared.queryRange('up', PAST, { signal: never })
    slow.asked[0]?.answer(RESULT)
    await first

    await shared.queryRange('up', PAST, { signal: never })
    expect(slow.asked).toHaveLength(1)
    now += 15_000
    void shared.queryRange('up', PAST, { signal: never })

    expect(slow.asked).toHaveLength(2)
  })

  it('that reaches to now is asked again', async () => {
    const slow = new Slow()
    const shared = new SharedPrometheus(slow.prometheus, { now: () => 605_000 })
    const first = shared.queryRange('up', PAST, { signal: never })
    slow.asked[0]?.answer(RESULT)
    await first

    void shared.queryRange('up', PAST, { signal: never })

    expect(slow.asked).toHaveLength(2)
  })

  it('gives way when too much is remembered', async () => {
    const slow = new Slow()
    const shared = new SharedPrometheus(slow.prometheus, { now: () => 3_600_000, limitBytes: 1_000 })
    const ask = async (name: string): Promise<void> => {
      const asked = slow.asked.length
      const answer = shared.queryRange(name, PAST, { signal: never })
      slow.asked[asked]?.answer(RESULT)
      await answer
    }

    for (let at = 0; at < 20; at++) await ask(`metric_${at}`)
    await ask('metric_19')
    await ask('metric_0')

    expect(slow.asked).toHaveLength(21)
  })
})
