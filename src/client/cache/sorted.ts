/**
 * A sequence kept in order while it changes: chunks of a few hundred items, each a sorted array.
 *
 * Finding, adding and removing cost a binary search and a short splice. Positions come from running
 * totals over the chunks, rebuilt when next asked for after a change. Names are searched chunk by chunk
 * in one joined text each, made on first search and dropped when the chunk gains or loses an item; the
 * last few answers of a chunk are kept, so paging through a filter does not search again.
 */

interface Named {
  readonly name: string
}

/** Read-only; `OrderedView` of the interface when the items are cached objects. */
export interface ItemView<Item> extends Iterable<Item> {
  readonly length: number
  at(position: number): Item | undefined
  slice(start: number, end: number): Item[]
  reversed(): Iterable<Item>
  containing(part: string): ItemView<Item>
}

/** @returns negative, 0, positive. Two different items never compare as 0. */
export type Compare<Item> = (left: Item, right: Item) => number

const CHUNK_LIMIT = 512
const MERGE_BELOW = 96
const MEMO = 4

class Chunk<Item extends Named> {
  /** Names joined by line feeds, which no name contains. */
  #text: string | undefined
  /** Where each name ends in the text. */
  #ends: Uint32Array = NONE_32
  #parts: string[] = []
  #hits: Uint16Array[] = []

  constructor(readonly items: Item[]) {}

  /** To be called when an item came or went; replacing an item by one of the same name needs no call. */
  forget(): void {
    this.#text = undefined
    this.#ends = NONE_32
    if (this.#parts.length > 0) {
      this.#parts = []
      this.#hits = []
    }
  }

  /** Indexes of the items whose name contains `part`, ascending. */
  search(part: string): Uint16Array {
    const known = this.#parts.indexOf(part)
    if (known >= 0) return this.#hits[known] ?? NONE
    const hits = this.#scan(part)
    if (this.#parts.length === MEMO) {
      this.#parts.shift()
      this.#hits.shift()
    }
    this.#parts.push(part)
    this.#hits.push(hits)
    return hits
  }

  #scan(part: string): Uint16Array {
    if (this.#text === undefined) this.#index()
    const text = this.#text ?? ''
    let found = text.indexOf(part)
    if (found < 0) return NONE
    const ends = this.#ends
    const hits = new Uint16Array(this.items.length)
    let count = 0
    let index = 0
    while (found >= 0) {
      while ((ends[index] ?? 0) <= found) index++
      hits[count++] = index
      found = text.indexOf(part, ends[index])
    }
    return hits.slice(0, count)
  }

  #index(): void {
    const names = new Array<string>(this.items.length)
    const ends = new Uint32Array(names.length)
    let end = -1
    for (let i = 0; i < names.length; i++) {
      const { name } = this.items[i] as Item
      names[i] = name
      end += name.length + 1
      ends[i] = end
    }
    this.#text = names.join('\n')
    this.#ends = ends
  }
}

const NONE = new Uint16Array(0)
const NONE_32 = new Uint32Array(0)

export class SortedList<Item extends Named> {
  readonly #compare: Compare<Item>
  readonly #chunks: Chunk<Item>[] = []
  /** Items before each chunk; right up to and including `#known`. */
  #before: number[] = [0]
  #known = 0
  #length = 0
  readonly view: ItemView<Item>

  constructor(compare: Compare<Item>, items: Item[] = []) {
    this.#compare = compare
    this.view = new View(this)
    items.sort(compare)
    for (let i = 0; i < items.length; i += CHUNK_LIMIT) {
      this.#chunks.push(new Chunk(items.slice(i, i + CHUNK_LIMIT)))
    }
    this.#length = items.length
  }

  get length(): number {
    return this.#length
  }

  add(item: Item): void {
    const chunks = this.#chunks
    this.#length++
    if (chunks.length === 0) {
      chunks.push(new Chunk([item]))
      this.#changed(0)
      return
    }
    const at = this.#chunkFor(item)
    const chunk = chunks[at] as Chunk<Item>
    const { items } = chunk
    const position = this.#search(items, item)
    if (items.length >= CHUNK_LIMIT) {
      this.#split(at, position, item)
      return
    }
    items.splice(position, 0, item)
    chunk.forget()
    this.#changed(at)
  }

  /** @returns false when no such item was there */
  remove(item: Item): boolean {
    const at = this.#chunkFor(item)
    const chunk = this.#chunks[at]
    if (!chunk) return false
    const position = this.#search(chunk.items, item)
    const there = chunk.items[position]
    if (there === undefined || this.#compare(there, item) !== 0) return false
    chunk.items.splice(position, 1)
    chunk.forget()
    this.#length--
    if (chunk.items.length < MERGE_BELOW) this.#shrink(at)
    this.#changed(Math.max(0, at - 1))
    return true
  }

  /** Puts `item` where `old`, of equal rank and name, is. */
  replace(old: Item, item: Item): void {
    const chunk = this.#chunks[this.#chunkFor(old)]
    if (!chunk) return
    const position = this.#search(chunk.items, old)
    if (chunk.items[position] === old) chunk.items[position] = item
  }

  at(position: number): Item | undefined {
    if (position < 0 || position >= this.#length) return undefined
    const chunk = this.#chunkAt(position)
    return this.#chunks[chunk]?.items[position - (this.#before[chunk] ?? 0)]
  }

  slice(start: number, end: number): Item[] {
    const from = Math.max(0, start)
    const to = Math.min(this.#length, end)
    const result: Item[] = []
    if (from >= to) return result
    let index = this.#chunkAt(from)
    let offset = from - (this.#before[index] ?? 0)
    while (result.length < to - from) {
      const { items } = this.#chunks[index++] as Chunk<Item>
      const wanted = Math.min(items.length, offset + to - from - result.length)
      for (let i = offset; i < wanted; i++) result.push(items[i] as Item)
      offset = 0
    }
    return result
  }

  *[Symbol.iterator](): Iterator<Item> {
    for (const { items } of this.#chunks) yield* items
  }

  *reversed(): Iterable<Item> {
    for (let c = this.#chunks.length - 1; c >= 0; c--) {
      const { items } = this.#chunks[c] as Chunk<Item>
      for (let i = items.length - 1; i >= 0; i--) yield items[i] as Item
    }
  }

  containing(part: string): ItemView<Item> {
    if (part === '') return this.view
    const runs: Run<Item>[] = []
    if (!part.includes('\n')) {
      for (const chunk of this.#chunks) {
        const hits = chunk.search(part)
        if (hits.length > 0) runs.push({ items: chunk.items, hits })
      }
    }
    return new Matches(runs)
  }

  /** The last chunk whose first item is not behind `item`, else the first. */
  #chunkFor(item: Item): number {
    const chunks = this.#chunks
    let low = 0
    let high = chunks.length - 1
    while (low < high) {
      const middle = (low + high + 1) >> 1
      const first = (chunks[middle] as Chunk<Item>).items[0] as Item
      if (this.#compare(first, item) <= 0) low = middle
      else high = middle - 1
    }
    return low
  }

  /** The first index whose item is not before `item`. */
  #search(items: readonly Item[], item: Item): number {
    let low = 0
    let high = items.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.#compare(items[middle] as Item, item) < 0) low = middle + 1
      else high = middle
    }
    return low
  }

  /** Makes room in a full chunk. Additions in ascending order leave full chunks behind, not half ones. */
  #split(at: number, position: number, item: Item): void {
    const chunk = this.#chunks[at] as Chunk<Item>
    const cut = at === this.#chunks.length - 1 && position === CHUNK_LIMIT ? CHUNK_LIMIT : CHUNK_LIMIT >> 1
    const rest = chunk.items.splice(cut)
    if (position > cut || rest.length === 0) rest.splice(position - cut, 0, item)
    else chunk.items.splice(position, 0, item)
    chunk.forget()
    this.#chunks.splice(at + 1, 0, new Chunk(rest))
    this.#changed(at)
  }

  #shrink(at: number): void {
    const chunk = this.#chunks[at] as Chunk<Item>
    const neighbour = this.#chunks[at - 1]
    if (chunk.items.length === 0) {
      this.#chunks.splice(at, 1)
    } else if (neighbour && neighbour.items.length + chunk.items.length <= CHUNK_LIMIT / 2) {
      neighbour.items.push(...chunk.items)
      neighbour.forget()
      this.#chunks.splice(at, 1)
    }
  }

  #changed(chunk: number): void {
    if (chunk < this.#known) this.#known = chunk
  }

  /** The chunk that holds a position. */
  #chunkAt(position: number): number {
    const before = this.#before
    const chunks = this.#chunks
    for (let i = this.#known; i < chunks.length - 1; i++) {
      before[i + 1] = (before[i] as number) + (chunks[i] as Chunk<Item>).items.length
    }
    this.#known = Math.max(0, chunks.length - 1)
    let low = 0
    let high = chunks.length - 1
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if ((before[middle] as number) <= position) low = middle
      else high = middle - 1
    }
    return low
  }
}

/** The whole list, without the methods that change it. */
class View<Item extends Named> implements ItemView<Item> {
  readonly #list: SortedList<Item>

  constructor(list: SortedList<Item>) {
    this.#list = list
  }

  get length(): number {
    return this.#list.length
  }

  at(position: number): Item | undefined {
    return this.#list.at(position)
  }

  slice(start: number, end: number): Item[] {
    return this.#list.slice(start, end)
  }

  reversed(): Iterable<Item> {
    return this.#list.reversed()
  }

  containing(part: string): ItemView<Item> {
    return this.#list.containing(part)
  }

  [Symbol.iterator](): Iterator<Item> {
    return this.#list[Symbol.iterator]()
  }
}

interface Run<Item> {
  items: readonly Item[]
  hits: Uint16Array
}

/** What a name search found, in the order of the list searched. */
class Matches<Item extends Named> implements ItemView<Item> {
  readonly #runs: readonly Run<Item>[]
  readonly length: number

  constructor(runs: readonly Run<Item>[]) {
    this.#runs = runs
    let length = 0
    for (const { hits } of runs) length += hits.length
    this.length = length
  }

  at(position: number): Item | undefined {
    return position < 0 ? undefined : this.slice(position, position + 1)[0]
  }

  slice(start: number, end: number): Item[] {
    const result: Item[] = []
    let skip = Math.max(0, start)
    let wanted = Math.min(end, this.length) - skip
    for (const { items, hits } of this.#runs) {
      if (wanted <= 0) break
      if (skip >= hits.length) {
        skip -= hits.length
        continue
      }
      const stop = Math.min(hits.length, skip + wanted)
      for (let i = skip; i < stop; i++) result.push(items[hits[i] as number] as Item)
      wanted -= stop - skip
      skip = 0
    }
    return result
  }

  *[Symbol.iterator](): Iterator<Item> {
    for (const { items, hits } of this.#runs) for (const hit of hits) yield items[hit] as Item
  }

  *reversed(): Iterable<Item> {
    for (let r = this.#runs.length - 1; r >= 0; r--) {
      const { items, hits } = this.#runs[r] as Run<Item>
      for (let i = hits.length - 1; i >= 0; i--) yield items[hits[i] as number] as Item
    }
  }

  containing(part: string): ItemView<Item> {
    if (part === '') return this
    const runs: Run<Item>[] = []
    for (const { items, hits } of this.#runs) {
      const left = hits.filter((hit) => (items[hit] as Item).name.includes(part))
      if (left.length > 0) runs.push({ items, hits: left })
    }
    return new Matches(runs)
  }
}
