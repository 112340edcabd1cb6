import { expect, it } from 'vitest'
import { deadline } from './deadline.js'

it('ends when the time is up, or when it is stopped', async () => {
  const stop = new AbortController()
  const short = deadline(20, stop.signal)
  const long = deadline(600_000, stop.signal)

  await new Promise((resolve) => short.signal.addEventListener('abort', resolve))
  stop.abort()

  expect([short.isOver, long.isOver, long.signal.aborted]).toEqual([true, false, true])
  long.cancel()
})

it('does not count the time in which this process could not have heard an answer', async () => {
  const { signal } = new AbortController()
  const time = deadline(100, signal)
  const end = performance.now() + 300
  while (performance.now() < end);

  // What was in the socket would be read now.
  await new Promise((resolve) => setImmediate(resolve))

  expect(time.isOver).toBe(false)
  time.cancel()
})
