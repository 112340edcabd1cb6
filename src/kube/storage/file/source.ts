/** Byte sources for frames: a file read in large pieces, and a stream. */
import { type File } from './filesystem.js'
import { type ByteSource } from './frame.js'

const PIECE_BYTES = 1024 * 1024

export function fileSource(file: File, start = 0): ByteSource {
  let position = start
  let pieceStart = start
  let buffer = Buffer.allocUnsafeSlow(PIECE_BYTES)
  let piece = buffer.subarray(0, 0)
  return {
    get offset() {
      return position
    },
    async read(length) {
      const at = position - pieceStart
      if (at + length > piece.length) {
        if (length > buffer.length) buffer = Buffer.allocUnsafeSlow(length + PIECE_BYTES)
        pieceStart = position
        piece = buffer.subarray(0, await file.read(buffer, position))
      }
      const from = position - pieceStart
      const out = piece.subarray(from, from + length)
      position += out.length
      return out
    },
  }
}

export function streamSource(stream: AsyncIterable<Buffer>): ByteSource {
  const chunks = stream[Symbol.asyncIterator]()
  let position = 0
  let rest: Buffer = Buffer.alloc(0)
  return {
    get offset() {
      return position
    },
    async read(length) {
      const parts = [rest]
      let have = rest.length
      while (have < length) {
        const next = await chunks.next()
        if (next.done) break
        parts.push(next.value)
        have += next.value.length
      }
      const all = parts.length === 1 ? rest : Buffer.concat(parts, have)
      const out = all.subarray(0, length)
      rest = all.subarray(out.length)
      position += out.length
      return out
    },
  }
}
