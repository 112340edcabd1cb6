/**
 * What answers were last made of, by what it depends on. A console asks for the same page every few seconds, and a page of
 * unchanged objects needs neither its pieces put together nor its tag computed again. Bounded by bytes; the oldest go first.
 */

/** All together; and of one, so that a large one does not drive out all others. */
const MOST_BYTES = 4 << 20
const LARGEST = 256 << 10

export class RecentlyMade<Value> {
  readonly #kept = new Map<string, { value: Value; bytes: number }>()
  #bytes = 0

  get(key: string): Value | undefined {
    return this.#kept.get(key)?.value
  }

  /** @param bytes of the value; the key counts as well */
  keep(key: string, value: Value, bytes: number): Value {
    const size = bytes + key.length
    if (size > LARGEST) return value
    this.#bytes -= this.#kept.get(key)?.bytes ?? 0
    this.#kept.set(key, { value, bytes: size })
    this.#bytes += size
    for (const [oldest, { bytes: freed }] of this.#kept) {
      if (this.#bytes <= MOST_BYTES) break
      this.#kept.delete(oldest)
      this.#bytes -= freed
    }
    return value
  }
}
