/**
 * Label sets, each held once, and the index over them: key → value → sets → members.
 *
 * Objects of one owner carry equal labels, so the index has an entry per set and key, not per object and
 * key.
 */
import { eachOf, type Few, sizeOfFew, withOne, withoutOne } from '../../apimachinery/few/index.js'

export class LabelSet<Item> {
  #members: Few<Item> | undefined
  /** Of the set without labels, whose members nobody looks up. */
  #unlabelled = 0

  constructor(
    readonly labels: Readonly<Record<string, string>>,
    readonly text: string,
  ) {}

  get size(): number {
    if (this.labels === NO_LABELS) return this.#unlabelled
    return sizeOfFew(this.#members)
  }

  add(item: Item): void {
    if (this.labels === NO_LABELS) this.#unlabelled++
    else this.#members = withOne(this.#members, item)
  }

  delete(item: Item): void {
    if (this.labels === NO_LABELS) this.#unlabelled--
    else this.#members = withoutOne(this.#members, item)
  }

  [Symbol.iterator](): Iterator<Item> {
    return eachOf(this.#members)[Symbol.iterator]()
  }
}

const NO_LABELS: Readonly<Record<string, string>> = Object.freeze({})

export class LabelIndex<Item> {
  readonly #sets = new Map<string, LabelSet<Item>>()
  readonly #keys = new Map<string, Map<string, Few<LabelSet<Item>>>>()

  /** The set equal to `labels`, entered into the index on first use. */
  intern(labels: Record<string, string> | undefined): LabelSet<Item> {
    const text = labels === undefined ? '{}' : JSON.stringify(labels)
    let set = this.#sets.get(text)
    if (set) return set
    set = new LabelSet(labels === undefined || text === '{}' ? NO_LABELS : labels, text)
    this.#sets.set(text, set)
    for (const [key, value] of Object.entries(set.labels)) {
      let values = this.#keys.get(key)
      if (!values) this.#keys.set(key, (values = new Map<string, Few<LabelSet<Item>>>()))
      values.set(value, withOne(values.get(value), set))
    }
    return set
  }

  /** Drops a set that has no member left. */
  release(set: LabelSet<Item>): void {
    if (set.size > 0 || !this.#sets.delete(set.text)) return
    for (const [key, value] of Object.entries(set.labels)) {
      const values = this.#keys.get(key)
      if (!values) continue
      const left = withoutOne(values.get(value), set)
      if (left !== undefined) values.set(value, left)
      else values.delete(value)
      if (values.size === 0) this.#keys.delete(key)
    }
  }

  *find(key: string, value?: string): Iterable<Item> {
    const values = this.#keys.get(key)
    if (!values) return
    if (value === undefined) {
      for (const sets of values.values()) for (const set of eachOf(sets)) yield* set
    } else {
      for (const set of eachOf(values.get(value))) yield* set
    }
  }
}
