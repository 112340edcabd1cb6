import { describe, expect, it } from 'vitest'
import { type Exchange } from '../http/exchange.js'
import { Stream, WINDOW } from './stream.js'

const PIECE = 16 * 1024
/** A sink that is never full would be sent to for ever. */
const UP_TO = 64 * 1024 * 1024

/** A peer that sends whatever it may, to a sink that takes so many pieces whenever it is asked again. */
function streamTo(room: () => number) {
  const seen = { sent: 0, taken: 0, credit: WINDOW, widest: 0 }
  let left = room()
  const exchange: Exchange = {
    request: { method: 'GET', path: '/', headers: {} },
    sink: {
      head: () => undefined,
      data: ({ length }) => {
        seen.taken += length
        return --left > 0
      },
      end: () => undefined,
      fail: (error) => expect.unreachable(error.message),
    },
    fields: [],
    framing: { kind: 'none' },
    repeats: 0,
    aborted: false,
    carrier: undefined,
  }
  const stream = new Stream(
    1,
    exchange,
    { widen: (_, bytes) => void (seen.credit += bytes), over: () => undefined },
    0,
  )
  stream.head(200, {})
  return {
    seen,
    /** The peer sends until it has to wait; then the sink can take more. */
    round: () => {
      while (seen.credit >= PIECE) {
        seen.credit -= PIECE
        seen.sent += PIECE
        stream.data(Buffer.alloc(PIECE))
        seen.widest = Math.max(seen.widest, seen.credit)
        if (seen.sent > UP_TO && seen.sent === seen.taken) return
      }
      left = room()
      stream.resume()
    },
  }
}

describe('the window of a stream', () => {
  it('widens by and by to two megabytes for a sink that takes what comes', () => {
    const { seen, round } = streamTo(() => Infinity)
    round()

    expect(seen.widest).toBeGreaterThan(1024 * 1024)
    expect(seen.widest).toBeLessThanOrEqual(2 * 1024 * 1024)
  })

  it('is what it began with once the sink was full, so that little is kept for whoever reads slowly', () => {
    let rounds = 0
    const { seen, round } = streamTo(() => (rounds === 0 ? 500 : 3))
    for (; rounds < 200; rounds++) round()
    const before = seen.sent
    for (; rounds < 400; rounds++) {
      round()
      expect(seen.sent - seen.taken).toBeLessThanOrEqual(WINDOW)
    }

    expect(seen.sent).toBeGreaterThan(before)
  })
})
