/** Bodies of requests, as fast as the peer's windows and the socket take them. */
import { type Framing } from '../http/fields.js'
import { type Output } from './output.js'
import { type Stream } from './stream.js'

/** What a connection lets its streams send. */
export interface SendWindow {
  /** Bytes, for all streams together. */
  bytes: number
  /** Of one frame. */
  frameSize: number
  /** Settles when there may be more room, or the connection is gone. */
  changed(): Promise<void>
}

/** @returns whether it went out as a whole at once */
export function sendAtOnce(stream: Stream, body: Uint8Array, window: SendWindow, output: Output): boolean {
  const { length } = body
  if (length > window.bytes || length > stream.sendWindow || length > window.frameSize) return false
  window.bytes -= length
  stream.sendWindow -= length
  output.data(stream.id, body, true)
  return true
}

/** @throws Error of the source, or when the source is not as long as announced */
export async function sendBody(
  stream: Stream,
  framing: Exclude<Framing, { kind: 'none' }>,
  window: SendWindow,
  output: Output,
): Promise<void> {
  if (framing.kind === 'whole') return sendChunk(stream, framing.body, true, window, output)
  const { chunks, length } = framing
  let sent = 0
  for await (const chunk of chunks) {
    // Leaving the loop ends the source as well.
    if (stream.isOver) return
    sent += chunk.length
    if (length !== undefined && sent > length) throw new Error('the request body is longer than announced')
    if (chunk.length > 0) await sendChunk(stream, chunk, false, window, output)
  }
  if (length !== undefined && sent < length) throw new Error('the request body is shorter than announced')
  if (!stream.isOver) output.data(stream.id, new Uint8Array(0), true)
}

async function sendChunk(
  stream: Stream,
  chunk: Uint8Array,
  isLast: boolean,
  window: SendWindow,
  output: Output,
): Promise<void> {
  for (let at = 0; at < chunk.length;) {
    if (stream.isOver) return
    const bytes = Math.min(chunk.length - at, window.bytes, stream.sendWindow, window.frameSize)
    if (bytes <= 0) {
      await window.changed()
      continue
    }
    window.bytes -= bytes
    stream.sendWindow -= bytes
    const piece = chunk.subarray(at, at + bytes)
    at += bytes
    if (!output.data(stream.id, piece, isLast && at === chunk.length)) await window.changed()
  }
}
