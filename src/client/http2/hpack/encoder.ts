/**
 * Writes blocks of header fields, RFC 7541 section 6.
 *
 * Strings go as they are: what the Huffman code would save of a request is less than it costs.
 */
import { TABLE_LIMIT } from './decoder.js'
import { DynamicTable, type Field, STATIC } from './tables.js'

/** Bytes; longer values would drive everything else out of the table. */
const KEPT_LIMIT = 1_024

const STATIC_NAMES = new Map<string, number>()
const STATIC_FIELDS = new Map<string, number>()
STATIC.forEach(({ name, value }, i) => {
  if (!STATIC_NAMES.has(name)) STATIC_NAMES.set(name, i + 1)
  if (value !== '') STATIC_FIELDS.set(keyOf(name, value), i + 1)
})

export class HeaderEncoder {
  #block = Buffer.alloc(4 * 1024)
  #length = 0
  readonly #table: DynamicTable
  /** How many fields were added to the table before each that is in it, by key. */
  readonly #added = new Map<string, number>()
  #count = 0
  /** Lowest limit since the last block, where it has changed. */
  #lowest: number | undefined

  constructor(tableLimit = TABLE_LIMIT) {
    this.#table = new DynamicTable(tableLimit, ({ name, value }) => this.#added.delete(keyOf(name, value)))
  }

  /** @param bytes the peer's limit of the table; it hears of ours with the next block */
  setLimit(bytes: number): void {
    const limit = Math.min(bytes, TABLE_LIMIT)
    if (limit === this.#table.limit) return
    this.#lowest = Math.min(limit, this.#lowest ?? limit)
    this.#table.resize(limit)
  }

  begin(): void {
    this.#length = 0
    if (this.#lowest === undefined) return
    if (this.#lowest < this.#table.limit) this.#integer(0x20, 5, this.#lowest)
    this.#integer(0x20, 5, this.#table.limit)
    this.#lowest = undefined
  }

  /** A field that hardly comes again. Name and value are in latin1 and have no bad letters. */
  add(name: string, value: string): void {
    const index = STATIC_FIELDS.get(keyOf(name, value))
    if (index !== undefined) this.#integer(0x80, 7, index)
    else this.#literal(0x00, 4, name, value)
  }

  /** A field that comes again and again. */
  addIndexed(name: string, value: string): void {
    const key = keyOf(name, value)
    const index = STATIC_FIELDS.get(key) ?? this.#indexOf(key)
    if (index !== undefined) this.#integer(0x80, 7, index)
    else if (value.length > KEPT_LIMIT) this.#literal(0x00, 4, name, value)
    else {
      this.#literal(0x40, 6, name, value)
      this.#keep(key, { name, value })
    }
  }

  /** @returns good until the next `begin` */
  finish(): Buffer {
    return this.#block.subarray(0, this.#length)
  }

  #indexOf(key: string): number | undefined {
    const added = this.#added.get(key)
    return added === undefined ? undefined : STATIC.length + this.#count - added
  }

  #keep(key: string, field: Field): void {
    this.#added.set(key, this.#count++)
    this.#table.add(field)
  }

  #literal(pattern: number, prefix: number, name: string, value: string): void {
    const index = STATIC_NAMES.get(name)
    this.#integer(pattern, prefix, index ?? 0)
    if (index === undefined) this.#string(name)
    this.#string(value)
  }

  #string(text: string): void {
    this.#integer(0x00, 7, text.length)
    this.#room(text.length)
    this.#length += this.#block.write(text, this.#length, 'latin1')
  }

  #integer(pattern: number, prefix: number, value: number): void {
    this.#room(6)
    const most = (1 << prefix) - 1
    if (value < most) {
      this.#block[this.#length++] = pattern | value
      return
    }
    this.#block[this.#length++] = pattern | most
    let rest = value - most
    for (; rest >= 0x80; rest >>>= 7) this.#block[this.#length++] = (rest & 0x7f) | 0x80
    this.#block[this.#length++] = rest
  }

  #room(bytes: number): void {
    if (this.#block.length - this.#length >= bytes) return
    const larger = Buffer.alloc(Math.max(this.#block.length * 2, this.#length + bytes))
    this.#block.copy(larger, 0, 0, this.#length)
    this.#block = larger
  }
}

function keyOf(name: string, value: string): string {
  return `${name}\n${value}`
}
