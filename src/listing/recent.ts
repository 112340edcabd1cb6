/**
 * What answers were last made of, by what it depends on. A console asks for the same page every few seconds, and a page of
 * unchanged objects needs neither its pieces put together nor its tag computed again. Bounded by bytes; the oldest go first.
 *
 * The bytes lie in slabs of their own. Node cuts small buffers from pools that all share, and one that is kept keeps its whole
 * pool: four megabytes of pages held 330.
 */

/** All together; and of one, so that a large one does not drive out all others. */
const MOST_BYTES = 4 << 20
const LARGEST = 256 << 10
/** A fraction of all, as what goes is rarely a whole slab; large, so that the C library maps it apart from its heap. */
const SLAB = 1 << 20

interface Kept<Value> {
  value: Value
  /** With those of the key. */
  size: number
}

export class RecentlyMade<Value> {
  readonly #kept = new Map<string, Kept<Value>>()
  #size = 0
  #slab = Buffer.alloc(0)
  #used = 0

  get(key: string): Value | undefined {
    return this.#kept.get(key)?.value
  }

  /**
   * @param parts of the value's bytes, which are copied
   * @param make the value, of the bytes in one piece
   */
  keep(key: string, parts: readonly Uint8Array[], make: (bytes: Buffer) => Value): Value {
    let length = 0
    for (const part of parts) length += part.length
    const size = length + key.length
    if (size > LARGEST) return make(Buffer.concat(parts, length))
    const value = make(this.#copied(parts, length))
    this.#size += size - (this.#kept.get(key)?.size ?? 0)
    // Last again if it was there: slabs go in the order in which they were filled.
    this.#kept.delete(key)
    this.#kept.set(key, { value, size })
    for (const [oldest, { size: freed }] of this.#kept) {
      if (this.#size <= MOST_BYTES) break
      this.#kept.delete(oldest)
      this.#size -= freed
    }
    return value
  }

  #copied(parts: readonly Uint8Array[], length: number): Buffer {
    if (this.#slab.length - this.#used < length) {
      this.#slab = Buffer.allocUnsafeSlow(SLAB)
      this.#used = 0
    }
    const start = this.#used
    for (const part of parts) {
      this.#slab.set(part, this.#used)
      this.#used += part.length
    }
    return this.#slab.subarray(start, this.#used)
  }
}
