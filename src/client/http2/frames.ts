/** Frames of HTTP/2, RFC 9113 sections 4 and 6, from bytes as they come. */

export const Type = {
  data: 0x0,
  headers: 0x1,
  reset: 0x3,
  settings: 0x4,
  push: 0x5,
  ping: 0x6,
  goaway: 0x7,
  windowUpdate: 0x8,
  continuation: 0x9,
} as const

export const Flag = { ack: 0x1, endStream: 0x1, endHeaders: 0x4, padded: 0x8, priority: 0x20 } as const

export const Setting = {
  headerTableSize: 0x1,
  enablePush: 0x2,
  maxConcurrentStreams: 0x3,
  initialWindowSize: 0x4,
  maxFrameSize: 0x5,
  maxHeaderListSize: 0x6,
} as const

export const Code = {
  none: 0x0,
  protocol: 0x1,
  flowControl: 0x3,
  frameSize: 0x6,
  refusedStream: 0x7,
  cancel: 0x8,
  compression: 0x9,
} as const

/** The peer broke the protocol: the connection is lost. */
export class ConnectionError extends Error {
  override readonly name = 'ConnectionError'
  readonly code: number

  constructor(message: string, code: number = Code.protocol) {
    super(message)
    this.code = code
  }
}

export interface FrameHandler {
  /**
   * Payload of DATA frames, all that one piece of input has for a stream in one call where it can be.
   *
   * @param chunk good until the call returns
   */
  data(stream: number, chunk: Buffer): void
  /** Counts as data, and is none. */
  padding(stream: number, bytes: number): void
  /** The peer sends no more on the stream. */
  end(stream: number): void
  /** @param payload good until the call returns */
  frame(type: number, flags: number, stream: number, payload: Buffer): void
}

const HEAD = 9
/** Of frames that are kept until they are whole: those of headers are the largest. */
const WHOLE_LIMIT = 64 * 1024

export class FrameReader {
  readonly #handler: FrameHandler
  readonly #maxSize: number
  readonly #head = Buffer.alloc(HEAD)
  /** Bytes of the next head that have come. */
  #headLength = 0
  #inPayload = false
  #type = 0
  #flags = 0
  #stream = 0
  /** Bytes of the payload still to come. */
  #left = 0
  #whole: Buffer | undefined
  #wholeLength = 0
  // Data found so far in this input lies at from..to, moved together over the heads between.
  #of = 0
  #from = 0
  #to = 0

  /** @param maxSize of a payload, as it was announced to the peer */
  constructor(handler: FrameHandler, maxSize: number) {
    this.#handler = handler
    this.#maxSize = maxSize
  }

  /** @throws ConnectionError */
  push(input: Buffer): void {
    let at = 0
    this.#from = this.#to = 0
    while (at < input.length || (this.#inPayload && this.#left === 0)) {
      if (!this.#inPayload) {
        at = this.#readHead(input, at)
        if (!this.#inPayload) break
      }
      const take = Math.min(this.#left, input.length - at)
      this.#left -= take
      if (this.#isPlainData) this.#data(input, at, take)
      else this.#collect(input, at, take)
      at += take
    }
    this.#deliver(input)
  }

  get #isPlainData(): boolean {
    return this.#type === Type.data && (this.#flags & Flag.padded) === 0
  }

  /** @returns the position behind what was used */
  #readHead(input: Buffer, start: number): number {
    let head = input
    let at = start
    if (this.#headLength > 0 || input.length - start < HEAD) {
      const take = Math.min(HEAD - this.#headLength, input.length - start)
      input.copy(this.#head, this.#headLength, start, start + take)
      this.#headLength += take
      if (this.#headLength < HEAD) return start + take
      this.#headLength = 0
      head = this.#head
      at = 0
      start += take - HEAD
    }
    this.#left = head.readUIntBE(at, 3)
    this.#type = head[at + 3] as number
    this.#flags = head[at + 4] as number
    this.#stream = head.readUInt32BE(at + 5) & 0x7fffffff
    const limit = this.#isPlainData ? this.#maxSize : Math.min(this.#maxSize, WHOLE_LIMIT)
    if (this.#left > limit)
      throw new ConnectionError(`a frame of ${this.#left} bytes, ${limit} are the most`, Code.frameSize)
    this.#inPayload = true
    // Nothing may overtake the data before it.
    if (!this.#isPlainData || this.#stream !== this.#of) this.#deliver(input)
    return start + HEAD
  }

  #data(input: Buffer, at: number, length: number): void {
    if (this.#from === this.#to) {
      this.#of = this.#stream
      this.#from = this.#to = at
    }
    if (this.#to !== at) input.copyWithin(this.#to, at, at + length)
    this.#to += length
    if (this.#left > 0) return
    this.#inPayload = false
    if ((this.#flags & Flag.endStream) === 0) return
    this.#deliver(input)
    this.#handler.end(this.#stream)
  }

  #deliver(input: Buffer): void {
    const data = input.subarray(this.#from, this.#to)
    this.#from = this.#to = 0
    if (data.length > 0) this.#handler.data(this.#of, data)
  }

  #collect(input: Buffer, at: number, length: number): void {
    let payload = input.subarray(at, at + length)
    if (this.#left > 0 || this.#whole) {
      this.#whole ??= Buffer.allocUnsafe(length + this.#left)
      payload.copy(this.#whole, this.#wholeLength)
      this.#wholeLength += length
      if (this.#left > 0) return
      payload = this.#whole
      this.#whole = undefined
      this.#wholeLength = 0
    }
    this.#inPayload = false
    if (this.#type === Type.data) this.#padded(payload)
    else this.#handler.frame(this.#type, this.#flags, this.#stream, payload)
  }

  #padded(payload: Buffer): void {
    const length = payload.length - 1 - (payload[0] ?? 0)
    if (length < 0) throw new ConnectionError('more padding than there is frame')
    if (length > 0) this.#handler.data(this.#stream, payload.subarray(1, 1 + length))
    this.#handler.padding(this.#stream, payload.length - length)
    if ((this.#flags & Flag.endStream) !== 0) this.#handler.end(this.#stream)
  }
}
