/**
 * Orders of the objects that match something, kept while the same is asked for again and again.
 *
 * A filtered page costs a walk over all objects. Whoever shows such a page asks for it every few seconds, and so do
 * all others who look at it: from the second time on the matches are kept in order, and each change of the store is
 * held against them. Time does not matter here, changes do: an order that has seen many changes since it was last
 * asked for is dropped.
 */
import { type Compare, type ItemView, SortedList } from './sorted.js'

interface Named {
  readonly name: string
}

type Matches<Item> = (item: Item) => boolean

interface Kept<Item extends Named> {
  readonly matches: Matches<Item>
  readonly items: SortedList<Item>
  readonly compare: Compare<Item>
  /** The number of the change that it was last asked before. */
  asked: number
}

/** Orders kept of one resource; each costs a predicate with every change. */
const KEPT = 16
/** What was asked once is remembered, to be known the second time. */
const REMEMBERED = 64
/** Changes that an order outlives without being asked for. */
const PATIENCE = 20_000

export class NarrowedOrders<Item extends Named> {
  /** The least recently asked first. */
  readonly #kept = new Map<string, Kept<Item>>()
  readonly #once = new Map<string, number>()
  #changes = 0

  get size(): number {
    return this.#kept.size
  }

  /**
   * @param key names `matches`, which must depend on the item alone
   * @param whole all items, in the order of `compare`
   * @returns undefined the first time
   */
  find(
    key: string,
    matches: Matches<Item>,
    whole: Iterable<Item>,
    compare: Compare<Item>,
  ): ItemView<Item> | undefined {
    let kept = this.#kept.get(key)
    if (kept === undefined) {
      if (!this.#askedBefore(key)) return undefined
      const items = new SortedList<Item>(compare)
      for (const item of whole) if (matches(item)) items.add(item)
      kept = { matches, items, compare, asked: this.#changes }
    }
    kept.asked = this.#changes
    this.#kept.delete(key)
    this.#kept.set(key, kept)
    if (this.#kept.size > KEPT) dropFirst(this.#kept)
    return kept.items.view
  }

  added(item: Item): void {
    this.#count()
    for (const { matches, items } of this.#kept.values()) if (matches(item)) items.add(item)
  }

  replaced(previous: Item, item: Item): void {
    this.#count()
    for (const { matches, items, compare } of this.#kept.values()) {
      const [was, is] = [matches(previous), matches(item)]
      if (was && is && compare(previous, item) === 0) items.replace(previous, item)
      else {
        if (was) items.remove(previous)
        if (is) items.add(item)
      }
    }
  }

  removed(item: Item): void {
    this.#count()
    for (const { matches, items } of this.#kept.values()) if (matches(item)) items.remove(item)
  }

  clear(): void {
    this.#kept.clear()
    this.#once.clear()
  }

  #askedBefore(key: string): boolean {
    const before = this.#once.get(key)
    this.#once.delete(key)
    if (before !== undefined && this.#changes - before <= PATIENCE) return true
    this.#once.set(key, this.#changes)
    if (this.#once.size > REMEMBERED) dropFirst(this.#once)
    return false
  }

  #count(): void {
    if (++this.#changes % 1_024 !== 0) return
    for (const [key, { asked }] of this.#kept) if (this.#changes - asked > PATIENCE) this.#kept.delete(key)
  }
}

function dropFirst(map: Map<string, unknown>): void {
  const [first] = map.keys()
  if (first !== undefined) map.delete(first)
}
