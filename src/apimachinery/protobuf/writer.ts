/**
 * Writes protocol buffers into one growing buffer.
 *
 * A message inside another is written behind a gap for its length; most are shorter than 128 bytes, where the gap
 * fits, and the rest are moved by the few bytes that their length takes more.
 */

export class ProtobufWriter {
  #buffer = Buffer.allocUnsafe(1024)
  #length = 0

  /** What was written, in memory of its own. */
  finish(): Buffer {
    return Buffer.from(this.#buffer.subarray(0, this.#length))
  }

  tag(field: number, wireType: number): void {
    this.#varint(field * 8 + wireType)
  }

  integer(value: number): void {
    if (value >= 0) return this.#varint(value)
    this.#reserve(10)
    let rest = BigInt.asUintN(64, BigInt(value))
    while (rest >= 0x80n) {
      this.#buffer[this.#length++] = Number(rest & 0x7fn) | 0x80
      rest >>= 7n
    }
    this.#buffer[this.#length++] = Number(rest)
  }

  double(value: number): void {
    this.#reserve(8)
    this.#length = this.#buffer.writeDoubleLE(value, this.#length)
  }

  /** With its length in front. */
  text(value: string): void {
    const size = Buffer.byteLength(value)
    this.#varint(size)
    this.#reserve(size)
    this.#length += this.#buffer.write(value, this.#length, 'utf8')
  }

  /** With its length in front. */
  chunk(value: Uint8Array): void {
    this.#varint(value.length)
    this.raw(value)
  }

  raw(value: Uint8Array): void {
    this.#reserve(value.length)
    this.#buffer.set(value, this.#length)
    this.#length += value.length
  }

  /** What `write` writes, with its length in front. */
  nested(write: () => void): void {
    this.#reserve(1)
    const start = this.#length++
    write()
    const size = this.#length - start - 1
    if (size >= 0x80) {
      let width = 1
      for (let rest = size; rest >= 0x80; rest = Math.floor(rest / 128)) width++
      this.#reserve(width)
      this.#buffer.copyWithin(start + width, start + 1, this.#length)
      this.#length = start
      this.#varint(size)
      this.#length += size
    } else this.#buffer[start] = size
  }

  #varint(value: number): void {
    this.#reserve(10)
    let rest = value
    while (rest >= 0x80) {
      this.#buffer[this.#length++] = (rest % 128) | 0x80
      rest = Math.floor(rest / 128)
    }
    this.#buffer[this.#length++] = rest
  }

  #reserve(more: number): void {
    const needed = this.#length + more
    if (needed <= this.#buffer.length) return
    const larger = Buffer.allocUnsafe(Math.max(needed, this.#buffer.length * 2))
    this.#buffer.copy(larger, 0, 0, this.#length)
    this.#buffer = larger
  }
}
