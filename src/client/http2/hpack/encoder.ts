/**
 * Writes header blocks: RFC 7541, section 6.
 *
 * Text goes out as it is. Huffman codes would save a third of bytes that hardly count on the way to an API server,
 * for work on both sides; what repeats with every request is in the table and takes one byte.
 */
import { TABLE_LIMIT } from './decoder.js'
import { DynamicTable, type Field, sizeOf, STATIC } from './tables.js'

/** Larger fields would push out all the others. A service account's token is about 1 KiB and must be kept. */
const LARGEST_INDEXED = 2048

/** Up to here a loop is faster than a call of the buffer. */
const SHORT_TEXT = 24

/** Room for a prefix and an integer, twice. */
const INTEGERS = 16

/** Where a name stands in the tables, and with which values. */
interface Known {
  /** Index in the static table, 0 if it is not there. */
  readonly index: number
  /** Indexes in the static table by value. */
  readonly fixed: ReadonlyMap<string, number>
  /** Numbers in the dynamic table by value. */
  readonly kept: Map<string, number>
}

const NONE: ReadonlyMap<string, number> = new Map()

const STATIC_KNOWN = new Map<string, { index: number; fixed: Map<string, number> }>()
STATIC.forEach(({ name, value }, i) => {
  const known = STATIC_KNOWN.get(name) ?? { index: i + 1, fixed: new Map<string, number>() }
  if (value !== '') known.fixed.set(value, i + 1)
  STATIC_KNOWN.set(name, known)
})

/** One for each connection. Blocks must be sent in the order they were finished. */
export class HeaderEncoder {
  readonly #known = new Map<string, Known>()
  readonly #table = new DynamicTable(TABLE_LIMIT, (field) => this.#forget(field))
  /** How many fields were ever added to the table: the number of the newest. */
  #count = 0
  /** What the other side has allowed since the last block: now, and at the least. */
  #limit = TABLE_LIMIT
  #lowest = TABLE_LIMIT
  #block = Buffer.allocUnsafeSlow(4096)
  #at = 0

  constructor() {
    for (const [name, { index, fixed }] of STATIC_KNOWN)
      this.#known.set(name, { index, fixed, kept: new Map() })
  }

  /** Takes the other side's SETTINGS_HEADER_TABLE_SIZE, of which the next block tells (4.2). More is never used. */
  setLimit(bytes: number): void {
    this.#limit = Math.min(bytes, TABLE_LIMIT)
    this.#lowest = Math.min(this.#lowest, this.#limit)
  }

  begin(): void {
    this.#at = 0
    // Down and up again between two blocks: the other side has emptied its table, and both sizes must be told.
    if (this.#lowest < this.#table.limit) this.#resize(this.#lowest)
    if (this.#limit !== this.#table.limit) this.#resize(this.#limit)
    this.#lowest = this.#limit
  }

  /** A field that will hardly come again: a path, a length. Names are lower case, all text latin1. */
  add(name: string, value: string): void {
    const known = this.#known.get(name)
    if (known && this.#indexed(known, value)) return
    this.#literal(0x00, 0x0f, known, name, value)
  }

  /** A field that comes with most requests: authority, credentials, agent. */
  addIndexed(name: string, value: string): void {
    let known = this.#known.get(name)
    if (known && this.#indexed(known, value)) return
    const size = sizeOf(name, value)
    if (size > LARGEST_INDEXED || size > this.#table.limit) {
      this.#literal(0x00, 0x0f, known, name, value)
      return
    }
    // Refers to the table as it is before this field pushes others out.
    this.#literal(0x40, 0x3f, known, name, value)
    this.#table.add({ name, value })
    known = this.#known.get(name)
    if (!known) this.#known.set(name, (known = { index: 0, fixed: NONE, kept: new Map() }))
    known.kept.set(value, ++this.#count)
  }

  /** The block, in memory that the next one is written to. */
  finish(): Buffer {
    return this.#block.subarray(0, this.#at)
  }

  /** 6.1, if the whole field is in a table. */
  #indexed(known: Known, value: string): boolean {
    const number = known.kept.get(value)
    const index = number === undefined ? known.fixed.get(value) : this.#indexOf(number)
    if (index === undefined) return false
    this.#room(INTEGERS)
    this.#integer(0x80, 0x7f, index)
    return true
  }

  #literal(kind: number, full: number, known: Known | undefined, name: string, value: string): void {
    this.#room(name.length + value.length + INTEGERS)
    const index = known ? this.#nameIndex(known) : 0
    this.#integer(kind, full, index)
    if (index === 0) this.#text(name)
    this.#text(value)
  }

  #nameIndex(known: Known): number {
    if (known.index > 0) return known.index
    for (const number of known.kept.values()) return this.#indexOf(number)
    return 0
  }

  #indexOf(number: number): number {
    return STATIC.length + 1 + this.#count - number
  }

  #forget({ name, value }: Field): void {
    const known = this.#known.get(name)
    known?.kept.delete(value)
    if (known?.index === 0 && known.kept.size === 0) this.#known.delete(name)
  }

  #resize(limit: number): void {
    this.#table.resize(limit)
    this.#room(INTEGERS)
    this.#integer(0x20, 0x1f, limit)
  }

  /** 5.2, without Huffman codes. */
  #text(text: string): void {
    this.#integer(0x00, 0x7f, text.length)
    if (text.length > SHORT_TEXT) {
      this.#at += this.#block.write(text, this.#at, 'latin1')
      return
    }
    for (let index = 0; index < text.length; index++) this.#block[this.#at++] = text.charCodeAt(index)
  }

  /** 5.1: an integer behind the bits of `kind`, in a prefix that is `full` at the most. */
  #integer(kind: number, full: number, value: number): void {
    if (value < full) {
      this.#block[this.#at++] = kind | value
      return
    }
    this.#block[this.#at++] = kind | full
    let rest = value - full
    for (; rest >= 0x80; rest >>>= 7) this.#block[this.#at++] = (rest & 0x7f) | 0x80
    this.#block[this.#at++] = rest
  }

  #room(bytes: number): void {
    if (this.#at + bytes <= this.#block.length) return
    const larger = Buffer.allocUnsafeSlow(2 * (this.#at + bytes))
    this.#block.copy(larger, 0, 0, this.#at)
    this.#block = larger
  }
}
