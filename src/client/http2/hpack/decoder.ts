/** Reads blocks of header fields, RFC 7541 section 6. */
import { HeaderListTooLarge, HpackError } from './errors.js'
import { huffmanDecoded } from './huffman.js'
import { DynamicTable, type Field, sizeOf, STATIC } from './tables.js'

/** Bytes of the table, unless the peer was told otherwise. */
export const TABLE_LIMIT = 4_096
const LIST_LIMIT = 64 * 1024

export interface DecoderOptions {
  /** Of the dynamic table, as it was announced to the peer. */
  tableLimit?: number
  /** Of the fields of one block, each with 32 bytes more, RFC 9113 section 6.5.2. */
  maxListSize?: number
}

export class HeaderDecoder {
  readonly #tableLimit: number
  readonly #maxListSize: number
  readonly #table: DynamicTable
  #block: Buffer = Buffer.alloc(0)
  #at = 0

  constructor({ tableLimit = TABLE_LIMIT, maxListSize = LIST_LIMIT }: DecoderOptions = {}) {
    this.#tableLimit = tableLimit
    this.#maxListSize = maxListSize
    this.#table = new DynamicTable(tableLimit)
  }

  /**
   * @param onField called for each in order; values are in latin1
   * @throws HpackError, after which the connection cannot be read any further; HeaderListTooLarge, after which it can
   */
  decode(block: Buffer, onField: (name: string, value: string) => void): void {
    this.#block = block
    this.#at = 0
    let size = 0
    let isStart = true
    while (this.#at < block.length) {
      const first = block[this.#at] as number
      if ((first & 0xe0) === 0x20) {
        if (!isStart) throw new HpackError('a new table size within a block')
        this.#resize(this.#integer(5))
        continue
      }
      isStart = false
      const { name, value } = this.#field(first)
      size += sizeOf(name, value)
      if (size <= this.#maxListSize) onField(name, value)
    }
    if (size > this.#maxListSize)
      throw new HeaderListTooLarge(`more than ${this.#maxListSize} bytes of headers`)
  }

  #resize(limit: number): void {
    if (limit > this.#tableLimit) throw new HpackError('a table larger than allowed')
    this.#table.resize(limit)
  }

  #field(first: number): Field {
    if ((first & 0x80) !== 0) return this.#entry(this.#integer(7))
    // With indexing, or without: whether others may index it is of no interest here.
    const isKept = (first & 0x40) !== 0
    const index = this.#integer(isKept ? 6 : 4)
    const name = index === 0 ? this.#string() : this.#entry(index).name
    const field = { name, value: this.#string() }
    if (isKept) this.#table.add(field)
    return field
  }

  #entry(index: number): Field {
    const field = index <= STATIC.length ? STATIC[index - 1] : this.#table.at(index - STATIC.length - 1)
    if (!field) throw new HpackError(`no field has index ${index}`)
    return field
  }

  #integer(prefix: number): number {
    const most = (1 << prefix) - 1
    let value = (this.#block[this.#at++] as number) & most
    if (value < most) return value
    for (let shift = 0; ; shift += 7) {
      const byte = this.#block[this.#at++]
      if (byte === undefined) throw new HpackError('a number without end')
      if (shift > 21) throw new HpackError('a number too large')
      value += (byte & 0x7f) << shift
      if ((byte & 0x80) === 0) return value
    }
  }

  #string(): string {
    const first = this.#block[this.#at]
    if (first === undefined) throw new HpackError('a string is missing')
    const length = this.#integer(7)
    const from = this.#at
    const to = from + length
    if (to > this.#block.length) throw new HpackError('a string without end')
    this.#at = to
    return (first & 0x80) === 0
      ? this.#block.toString('latin1', from, to)
      : huffmanDecoded(this.#block, from, to)
  }
}
