import { describe, expect, it } from 'vitest'
import * as fc from '../../../test/fixtures/properties.js'
import { ConnectionError, Flag, FrameReader, Type } from './frames.js'

interface Frame {
  type: number
  flags: number
  stream: number
  payload: Uint8Array
}

const streamId = fc.integer({ min: 1, max: 3 })
const payload = fc.uint8Array({ maxLength: 60 })
const data: fc.Arbitrary<Frame> = fc.record({
  type: fc.constant(Type.data),
  flags: fc.constantFrom(0, 0, 0, Flag.endStream),
  stream: streamId,
  payload,
})
const padded: fc.Arbitrary<Frame> = fc
  .record({ stream: streamId, payload, padding: fc.nat(9) })
  .map(({ stream, payload, padding }) => ({
    type: Type.data,
    flags: Flag.padded,
    stream,
    payload: Uint8Array.from([padding, ...payload, ...new Uint8Array(padding)]),
  }))
const other: fc.Arbitrary<Frame> = fc.record({
  type: fc.constantFrom(Type.headers, Type.settings, Type.ping, 0x55),
  flags: fc.nat(255),
  stream: fc.nat(3),
  payload,
})

function bytesOf({ type, flags, stream, payload }: Frame): Buffer {
  const head = Buffer.alloc(9)
  head.writeUIntBE(payload.length, 0, 3)
  head[3] = type
  head[4] = flags
  head.writeUInt32BE(stream, 5)
  return Buffer.concat([head, payload])
}

/** What a reader says of the bytes, data of one stream in a row taken together. */
function told(pieces: readonly Buffer[]): string[] {
  const events: string[] = []
  let run: { stream: number; text: string } | undefined
  const flush = (): void => {
    if (run) events.push(`data ${run.stream} ${run.text}`)
    run = undefined
  }
  const say = (event: string): void => {
    flush()
    events.push(event)
  }
  const reader = new FrameReader(
    {
      data(stream, chunk) {
        if (run?.stream !== stream) flush()
        run = { stream, text: (run?.text ?? '') + chunk.toString('hex') }
      },
      padding: (stream, bytes) => say(`padding ${stream} ${bytes}`),
      end: (stream) => say(`end ${stream}`),
      frame: (type, flags, stream, payload) =>
        say(`frame ${type} ${flags} ${stream} ${payload.toString('hex')}`),
    },
    64,
  )
  for (const piece of pieces) {
    const lent = Buffer.from(piece)
    reader.push(lent)
    // Its memory is used for the next piece.
    lent.fill(0xee)
  }
  flush()
  return events
}

describe('frames', () => {
  it('are the same however the bytes are cut', () => {
    const frames = fc.array(fc.oneof(data, data, padded, other), { maxLength: 12 })
    fc.assert(
      fc.property(frames, fc.array(fc.nat(), { maxLength: 20 }), (sent, cuts) => {
        const bytes = Buffer.concat(sent.map(bytesOf))
        const places = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].sort((a, b) => a - b)
        const pieces = [0, ...places].map((from, i) => bytes.subarray(from, places[i] ?? bytes.length))
        const oneByOne = Array.from(bytes, (_, i) => bytes.subarray(i, i + 1))

        const whole = told([bytes])
        expect(told(pieces)).toEqual(whole)
        expect(told(oneByOne)).toEqual(whole)
        const isData = ({ type, flags }: Frame): boolean => type === Type.data && (flags & Flag.padded) === 0
        const dataBytes = sent.filter(isData).reduce((sum, { payload }) => sum + payload.length, 0)
        const paddedBytes = sent
          .filter((frame) => frame.type === Type.data && !isData(frame))
          .reduce((sum, { payload }) => sum + payload.length - 1 - (payload[0] ?? 0), 0)
        const seen = whole
          .filter((event) => event.startsWith('data'))
          .map((event) => event.split(' ')[2] ?? '')
        expect(seen.join('').length / 2).toBe(dataBytes + paddedBytes)
      }),
      { numRuns: 300 },
    )
  })

  it('may not be larger than announced', () => {
    const reader = new FrameReader(
      { data: () => undefined, padding: () => undefined, end: () => undefined, frame: () => undefined },
      64,
    )
    const large = bytesOf({ type: Type.data, flags: 0, stream: 1, payload: new Uint8Array(65) })
    expect(() => reader.push(large)).toThrow(ConnectionError)
  })
})
