/**
 * Label sets, each held once, and the index over them: key → value → sets → members.
 *
 * Objects of one owner carry equal labels, so the index has an entry per set and key, not per object and
 * key. A set with a single member holds it without a Set around it.
 */

export class LabelSet<Item> {
  #one: Item | undefined
  #many: Set<Item> | undefined
  /** Of the set without labels, whose members nobody looks up. */
  #unlabelled = 0

  constructor(
    readonly labels: Readonly<Record<string, string>>,
    readonly text: string,
  ) {}

  get size(): number {
    if (this.labels === NO_LABELS) return this.#unlabelled
    return this.#many ? this.#many.size : this.#one === undefined ? 0 : 1
  }

  add(item: Item): void {
    if (this.labels === NO_LABELS) this.#unlabelled++
    else if (this.#many) this.#many.add(item)
    else if (this.#one === undefined) this.#one = item
    else {
      this.#many = new Set([this.#one, item])
      this.#one = undefined
    }
  }

  delete(item: Item): void {
    if (this.labels === NO_LABELS) this.#unlabelled--
    else if (this.#many) this.#many.delete(item)
    else if (this.#one === item) this.#one = undefined
  }

  *[Symbol.iterator](): Iterator<Item> {
    if (this.#many) yield* this.#many
    else if (this.#one !== undefined) yield this.#one
  }
}

const NO_LABELS: Readonly<Record<string, string>> = Object.freeze({})

export class LabelIndex<Item> {
  readonly #sets = new Map<string, LabelSet<Item>>()
  readonly #keys = new Map<string, Map<string, Set<LabelSet<Item>>>>()

  /** The set equal to `labels`, entered into the index on first use. */
  intern(labels: Record<string, string> | undefined): LabelSet<Item> {
    const text = labels === undefined ? '{}' : JSON.stringify(labels)
    let set = this.#sets.get(text)
    if (set) return set
    set = new LabelSet(labels === undefined || text === '{}' ? NO_LABELS : labels, text)
    this.#sets.set(text, set)
    for (const [key, value] of Object.entries(set.labels)) {
      let values = this.#keys.get(key)
      if (!values) this.#keys.set(key, (values = new Map<string, Set<LabelSet<Item>>>()))
      let sets = values.get(value)
      if (!sets) values.set(value, (sets = new Set()))
      sets.add(set)
    }
    return set
  }

  /** Drops a set that has no member left. */
  release(set: LabelSet<Item>): void {
    if (set.size > 0 || !this.#sets.delete(set.text)) return
    for (const [key, value] of Object.entries(set.labels)) {
      const values = this.#keys.get(key)
      const sets = values?.get(value)
      sets?.delete(set)
      if (sets?.size === 0) values?.delete(value)
      if (values?.size === 0) this.#keys.delete(key)
    }
  }

  *find(key: string, value?: string): Iterable<Item> {
    const values = this.#keys.get(key)
    if (!values) return
    if (value === undefined) {
      for (const sets of values.values()) for (const set of sets) yield* set
    } else {
      for (const set of values.get(value) ?? []) yield* set
    }
  }
}
