/**
 * The last answers, by what they are made of. A console asks for the same page every few seconds, and a page of unchanged
 * objects needs neither its pieces put together nor its tag computed again. Bounded by bytes; the oldest go first.
 */
import { type Reply } from '../serving/route.js'

/** All together; and of one answer, so that a large one does not drive out all others. */
const MOST_BYTES = 4 << 20
const LARGEST = 256 << 10

export class RecentReplies {
  readonly #kept = new Map<string, { reply: Reply; bytes: number }>()
  #bytes = 0

  get(key: string): Reply | undefined {
    return this.#kept.get(key)?.reply
  }

  /** @param bytes of the body; the key counts as well */
  keep(key: string, reply: Reply, bytes: number): Reply {
    const size = bytes + key.length
    if (size > LARGEST) return reply
    this.#kept.set(key, { reply, bytes: size })
    this.#bytes += size
    for (const [oldest, { bytes: freed }] of this.#kept) {
      if (this.#bytes <= MOST_BYTES) break
      this.#kept.delete(oldest)
      this.#bytes -= freed
    }
    return reply
  }
}
