/**
 * What answers were last made of, by what it depends on. A console asks for the same page every few seconds, and a page of
 * unchanged objects needs neither its pieces put together nor its tag computed again. Bounded by bytes; the oldest go first.
 */
import { Pool } from '../apimachinery/packing/index.js'

/** All together; and of one, so that a large one does not drive out all others. */
const MOST_BYTES = 4 << 20
const LARGEST = 256 << 10

interface Kept<Value> {
  value: Value
  /** With those of the key. */
  size: number
}

export class RecentlyMade<Value> {
  readonly #kept = new Map<string, Kept<Value>>()
  readonly #pool = new Pool()
  #size = 0

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
    const bytes = this.#pool.cut(length)
    let at = 0
    for (const part of parts) {
      bytes.set(part, at)
      at += part.length
    }
    const value = make(bytes)
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
}
