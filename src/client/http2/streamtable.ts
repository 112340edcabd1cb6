/**
 * The open streams of a connection by number.
 *
 * Not a Map: under load one moves to a new table now and then, to which the old one points, and what the old ones held
 * survives with them until the next full collection.
 */
import { type Stream } from './stream.js'

const BUCKETS = 256

export class StreamTable {
  readonly #buckets: (Stream | undefined)[] = new Array<Stream | undefined>(BUCKETS).fill(undefined)
  size = 0

  get(id: number): Stream | undefined {
    let stream = this.#buckets[bucketOf(id)]
    while (stream && stream.id !== id) stream = stream.next
    return stream
  }

  add(stream: Stream): void {
    const bucket = bucketOf(stream.id)
    stream.next = this.#buckets[bucket]
    this.#buckets[bucket] = stream
    this.size++
  }

  delete(id: number): void {
    const bucket = bucketOf(id)
    let before: Stream | undefined
    for (let stream = this.#buckets[bucket]; stream; before = stream, stream = stream.next) {
      if (stream.id !== id) continue
      if (before) before.next = stream.next
      else this.#buckets[bucket] = stream.next
      this.size--
      return
    }
  }

  /** A copy: they may leave while one goes through them. */
  all(): Stream[] {
    const all: Stream[] = []
    for (let stream of this.#buckets) for (; stream; stream = stream.next) all.push(stream)
    return all
  }
}

/** A client's are odd. */
function bucketOf(id: number): number {
  return (id >>> 1) % BUCKETS
}
