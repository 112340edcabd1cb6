/**
 * Things that come and go with every request, in the order in which they came.
 *
 * A Set would do, but for what it leaves behind: from time to time V8 moves its members to a new table, and the old one
 * points at the new. Once a table has grown old, all that came after it, and the requests in them, count as alive until the
 * next full collection. A server that did nothing else kept a third of what its requests allocated, and spent three
 * times as long on collecting.
 */

/** Where something is, for taking it out again. */
export interface Place<Value> {
  readonly value: Value | undefined
}

interface Link<Value> extends Place<Value> {
  value: Value | undefined
  previous: Link<Value> | undefined
  next: Link<Value> | undefined
  isIn: boolean
}

export class InFlight<Value> implements Iterable<Value> {
  #first: Link<Value> | undefined
  #last: Link<Value> | undefined
  #size = 0

  get size(): number {
    return this.#size
  }

  /** The one that has been here longest. */
  get first(): Place<Value> | undefined {
    return this.#first
  }

  add(value: Value): Place<Value> {
    const link: Link<Value> = { value, previous: this.#last, next: undefined, isIn: true }
    if (this.#last) this.#last.next = link
    else this.#first = link
    this.#last = link
    this.#size++
    return link
  }

  /** @param place of this list; the second time, nothing happens */
  delete(place: Place<Value>): void {
    const link = place as Link<Value>
    if (!link.isIn) return
    const { previous, next } = link
    if (previous) previous.next = next
    else this.#first = next
    if (next) next.previous = previous
    else this.#last = previous
    // Whoever still holds the place holds nothing else.
    link.value = link.previous = link.next = undefined
    link.isIn = false
    this.#size--
  }

  /** Those that are here now, whatever comes and goes meanwhile. */
  [Symbol.iterator](): Iterator<Value> {
    const values: Value[] = []
    for (let link = this.#first; link; link = link.next) values.push(link.value as Value)
    return values.values()
  }
}
