import { createServer, get, type Server } from 'node:http'
import { type AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import * as fc from '../../test/fixtures/properties.js'
import { PassedAnswer } from './passedanswer.js'

interface Piece {
  size: number
  isLent: boolean
  /** Comes in a turn of its own. */
  isLater: boolean
}

const piece: fc.Arbitrary<Piece> = fc.record({
  size: fc.oneof(fc.integer({ min: 0, max: 3_000 }), fc.integer({ min: 3_000, max: 100_000 })),
  isLent: fc.boolean(),
  isLater: fc.boolean(),
})

let server: Server
let pieces: readonly Piece[] = []
let hasLength = false
/** The body comes when this settles. */
let bodyWaits: Promise<void> = Promise.resolve()

/** Writes the pieces at the client's pace, and overwrites what was lent at once. */
async function answer(passed: PassedAnswer, drained: () => Promise<void>): Promise<void> {
  const length = pieces.reduce((sum, { size }) => sum + size, 0)
  passed.begin(200, hasLength ? { 'content-length': String(length) } : {}, {
    isLookedAt: false,
    isLongRunning: false,
  })
  await bodyWaits
  let n = 0
  for (const { size, isLent, isLater } of pieces) {
    if (isLater) await new Promise((resolve) => setImmediate(resolve))
    const bytes = Buffer.from(Uint8Array.from({ length: size }, () => n++ % 251))
    const goesOn = passed.write(bytes, isLent)
    if (isLent) bytes.fill(0xff)
    if (!goesOn) await drained()
  }
  passed.end()
}

beforeEach(async () => {
  server = createServer((_, response) => {
    let resume = (): void => undefined
    const drained = (): Promise<void> => new Promise((resolve) => (resume = resolve))
    void answer(new PassedAnswer(response, () => resume()), drained)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
})

afterEach(() => {
  server.closeAllConnections()
  server.close()
})

/** @param slow the client rests between what it reads */
function read(slow: boolean): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const { port } = server.address() as AddressInfo
    get({ port, host: '127.0.0.1', agent: false }, (response) => {
      const got: Buffer[] = []
      response.on('data', (chunk: Buffer) => {
        got.push(chunk)
        if (!slow) return
        response.pause()
        setImmediate(() => response.resume())
      })
      response.on('end', () => resolve(Buffer.concat(got)))
      response.on('error', reject)
    }).on('error', reject)
  })
}

describe('a passed answer', () => {
  it('arrives as it was sent, though what was lent is overwritten at once', async () => {
    const answers = fc.record({
      sent: fc.array(piece, { maxLength: 40 }),
      length: fc.boolean(),
      slow: fc.boolean(),
    })
    await fc.assert(
      fc.asyncProperty(answers, async ({ sent, length, slow }) => {
        pieces = sent
        hasLength = length
        const got = await read(slow)
        const total = sent.reduce((sum, { size }) => sum + size, 0)
        expect(got.length).toBe(total)
        expect(got.every((byte, i) => byte === i % 251)).toBe(true)
      }),
      { numRuns: 60 },
    )
  })

  it('arrives whole at several slow readers at once', async () => {
    pieces = Array.from({ length: 400 }, () => ({ size: 16_000, isLent: true, isLater: false }))
    hasLength = false
    const all = await Promise.all(Array.from({ length: 6 }, (_, i) => read(i % 2 === 0)))
    for (const got of all) {
      expect(got.length).toBe(6_400_000)
      expect(got.every((byte, i) => byte === i % 251)).toBe(true)
    }
  })

  it('shows its head to a client whose body is long in coming', async () => {
    let go = (): void => undefined
    bodyWaits = new Promise((resolve) => (go = resolve))
    pieces = [{ size: 5, isLent: true, isLater: false }]
    hasLength = true
    const { port } = server.address() as AddressInfo
    const status = await new Promise((resolve, reject) => {
      get({ port, host: '127.0.0.1', agent: false }, ({ statusCode }) => resolve(statusCode)).on(
        'error',
        reject,
      )
    })
    expect(status).toBe(200)
    go()
    bodyWaits = Promise.resolve()
    expect((await read(false)).length).toBe(5)
  })
})
