/**
 * Items by name: an array that is searched from front to back while there are few, then a map. Most of many thousand
 * namespaces hold a handful of each kind, and a map for each would take five times the space.
 */
const MOST = 32

export class ByName<Item extends { readonly name: string }> {
  #few: Item[] | undefined = []
  #many: Map<string, Item> | undefined

  get size(): number {
    return this.#many?.size ?? this.#few?.length ?? 0
  }

  get(name: string): Item | undefined {
    return this.#many ? this.#many.get(name) : this.#few?.[this.#find(name)]
  }

  /** Puts it in, or in place of the one of its name. */
  set(item: Item): void {
    const few = this.#few
    if (!few) {
      this.#many?.set(item.name, item)
      return
    }
    const at = this.#find(item.name)
    if (at >= 0) few[at] = item
    // Copied, since an array that grows in place takes room for 16 more.
    else if (few.length < MOST) this.#few = [...few, item]
    else {
      this.#many = new Map(few.map((each) => [each.name, each])).set(item.name, item)
      this.#few = undefined
    }
  }

  delete(name: string): void {
    this.#many?.delete(name)
    const at = this.#find(name)
    if (at >= 0) this.#few?.splice(at, 1)
  }

  values(): Iterable<Item> {
    return this.#many?.values() ?? this.#few ?? []
  }

  #find(name: string): number {
    const few = this.#few ?? []
    for (let i = 0; i < few.length; i++) if (few[i]?.name === name) return i
    return -1
  }
}
