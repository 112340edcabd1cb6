/** Reads protocol buffers. Input is anybody's: every length is checked before it is believed. */

export class MalformedProtobuf extends Error {
  override readonly name = 'MalformedProtobuf'
}

export class ProtobufReader {
  #at = 0

  constructor(private readonly bytes: Uint8Array) {}

  get done(): boolean {
    return this.#at >= this.bytes.length
  }

  /** The next field: its number and how it is written. @throws MalformedProtobuf */
  tag(): { field: number; wireType: number } {
    const tag = this.#unsigned()
    const field = tag >>> 3
    if (field === 0) throw new MalformedProtobuf('illegal tag 0')
    return { field, wireType: tag & 7 }
  }

  /** A signed integer; beyond 2^53 the nearest number. @throws MalformedProtobuf */
  integer(): number {
    let value = 0
    let factor = 1
    const start = this.#at
    for (let i = 0; i < 7; i++) {
      const byte = this.#byte()
      value += (byte & 0x7f) * factor
      if (byte < 0x80) return value
      factor *= 128
    }
    // More than 49 bits, which also negative numbers have.
    this.#at = start
    let large = 0n
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.#byte()
      large |= BigInt(byte & 0x7f) << shift
      if (byte < 0x80) return Number(BigInt.asIntN(64, large))
    }
    throw new MalformedProtobuf('integer overflow')
  }

  double(): number {
    const slice = this.#take(8)
    return new DataView(slice.buffer, slice.byteOffset, 8).getFloat64(0, true)
  }

  /** A view of the input. @throws MalformedProtobuf */
  chunk(): Uint8Array {
    return this.#take(this.#unsigned())
  }

  text(): string {
    const { buffer, byteOffset, length } = this.chunk()
    return Buffer.from(buffer, byteOffset, length).toString('utf8')
  }

  /** Passes over a field that nobody knows. @throws MalformedProtobuf */
  skip(wireType: number): void {
    switch (wireType) {
      case 0:
        while (this.#byte() >= 0x80);
        return
      case 1:
        this.#take(8)
        return
      case 2:
        this.chunk()
        return
      case 5:
        this.#take(4)
        return
      default:
        throw new MalformedProtobuf(`illegal wireType ${wireType}`)
    }
  }

  #byte(): number {
    const byte = this.bytes[this.#at++]
    if (byte === undefined) throw new MalformedProtobuf('unexpected EOF')
    return byte
  }

  /** 32 bits at most: tags and lengths. */
  #unsigned(): number {
    let value = 0
    for (let factor = 1; factor <= 0x10000000; factor *= 128) {
      const byte = this.#byte()
      value += (byte & 0x7f) * factor
      if (byte < 0x80) return value
    }
    throw new MalformedProtobuf('integer overflow')
  }

  #take(length: number): Uint8Array {
    const end = this.#at + length
    if (end > this.bytes.length) throw new MalformedProtobuf('unexpected EOF')
    const slice = this.bytes.subarray(this.#at, end)
    this.#at = end
    return slice
  }
}
