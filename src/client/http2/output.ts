/** Frames on their way to the peer: those of one turn of the event loop go out in one write. */
import { type Socket } from 'node:net'
import { atEndOfTurn } from '../turn.js'
import { Flag, Type } from './frames.js'

const HEAD = 9
const SLAB = 16 * 1024
/** Larger payloads are not copied. */
const COPY_LIMIT = 4 * 1024

export class Output {
  readonly #socket: Socket
  #slab = Buffer.alloc(0)
  /** What of the slab is filled and not written lies at from..to. */
  #from = 0
  #to = 0
  #scheduled = false

  constructor(socket: Socket) {
    this.#socket = socket
  }

  /** @param payload copied */
  frame(type: number, flags: number, stream: number, payload: Uint8Array): void {
    this.#head(payload.length, type, flags, stream)
    this.raw(payload)
  }

  /** A frame with one number of 32 bits, such as an increment of a window. */
  number(type: number, stream: number, value: number): void {
    this.#head(4, type, 0, stream)
    this.#room(4)
    this.#to = this.#slab.writeUInt32BE(value >>> 0, this.#to)
    this.#later()
  }

  /** @returns false when the socket is full: it will drain */
  data(stream: number, chunk: Uint8Array, isLast: boolean): boolean {
    this.#head(chunk.length, Type.data, isLast ? Flag.endStream : 0, stream)
    if (chunk.length <= COPY_LIMIT) this.raw(chunk)
    else {
      this.flush()
      this.#socket.write(chunk)
    }
    return !this.#socket.writableNeedDrain
  }

  /** Bytes as they are. */
  raw(bytes: Uint8Array): void {
    if (bytes.length > COPY_LIMIT) {
      this.flush()
      this.#socket.write(Buffer.from(bytes))
      return
    }
    this.#room(bytes.length)
    this.#slab.set(bytes, this.#to)
    this.#to += bytes.length
    this.#later()
  }

  flush(): void {
    if (this.#to === this.#from) return
    const due = this.#slab.subarray(this.#from, this.#to)
    this.#from = this.#to
    if (!this.#socket.destroyed) this.#socket.write(due)
  }

  #head(length: number, type: number, flags: number, stream: number): void {
    this.#room(HEAD)
    this.#to = this.#slab.writeUIntBE(length, this.#to, 3)
    this.#slab[this.#to++] = type
    this.#slab[this.#to++] = flags
    this.#to = this.#slab.writeUInt32BE(stream, this.#to)
    this.#later()
  }

  #room(bytes: number): void {
    if (this.#slab.length - this.#to >= bytes) return
    this.flush()
    // What was written may still be read by the socket: it is left to that.
    this.#slab = Buffer.allocUnsafeSlow(SLAB)
    this.#from = this.#to = 0
  }

  #later(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    atEndOfTurn(() => {
      this.#scheduled = false
      this.flush()
    })
  }
}
