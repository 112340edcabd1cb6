import { getPriority } from 'node:os'
import { describe, expect, it } from 'vitest'
import { HashThread } from './hashthread.js'

const thread = (body: string): URL =>
  new URL(
    `data:text/javascript,${encodeURIComponent(`import { parentPort, threadId } from 'node:worker_threads';${body}`)}`,
  )
const ANSWERING = thread(
  `parentPort.on('message', ({ id, question }) => parentPort.postMessage({ id, value: threadId + ' ' + question.password }))`,
)
const DYING = thread(`parentPort.on('message', () => process.exit(1))`)
const FAILING = thread(
  `parentPort.on('message', ({ id }) => parentPort.postMessage({ id, error: 'not a hash' }))`,
)

describe('the thread that hashes', () => {
  // The compiled program loaded it in its main thread, and answered every request at the priority of a hash.
  it('leaves the priority of who answers requests alone', async () => {
    const before = getPriority()
    await import('./hashing.js')
    expect(getPriority()).toBe(before)
  })

  it('answers whoever asked', async () => {
    const hasher = new HashThread(ANSWERING)

    const [one = '', two = ''] = await Promise.all([hasher.hash('one', 4), hasher.hash('two', 4)])
    expect([one.split(' ')[1], two.split(' ')[1]]).toEqual(['one', 'two'])
  })

  it('says what is wrong with a hash', async () => {
    await expect(new HashThread(FAILING).compare('a', 'b')).rejects.toThrow('not a hash')
  })

  it('ends when nobody asks, and starts again', async () => {
    const hasher = new HashThread(ANSWERING, { idleMs: 0 })
    const threads = new Set<string>()
    await expect
      .poll(async () => {
        threads.add((await hasher.hash('x', 4)).split(' ')[0] ?? '')
        await new Promise((resolve) => setTimeout(resolve, 20))
        return threads.size
      })
      .toBeGreaterThan(1)
  })

  it('that dies fails who waited, and the next question starts another', async () => {
    const hasher = new HashThread(DYING)

    await expect(hasher.hash('one', 4)).rejects.toThrow('has ended')
    await expect(hasher.hash('two', 4)).rejects.toThrow('has ended')
  })
})
