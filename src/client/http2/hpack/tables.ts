/** What indices in blocks stand for, RFC 7541 section 2.3 and appendix A. */

export interface Field {
  readonly name: string
  readonly value: string
}

/** Names and values of the static table, from index 1. */
export const STATIC: readonly Field[] = [
  [':authority'],
  [':method', 'GET', 'POST'],
  [':path', '/', '/index.html'],
  [':scheme', 'http', 'https'],
  [':status', '200', '204', '206', '304', '400', '404', '500'],
  ['accept-charset'],
  ['accept-encoding', 'gzip, deflate'],
  ...(
    'accept-language accept-ranges accept access-control-allow-origin age allow authorization cache-control ' +
    'content-disposition content-encoding content-language content-length content-location content-range content-type ' +
    'cookie date etag expect expires from host if-match if-modified-since if-none-match if-range if-unmodified-since ' +
    'last-modified link location max-forwards proxy-authenticate proxy-authorization range referer refresh retry-after ' +
    'server set-cookie strict-transport-security transfer-encoding user-agent vary via www-authenticate'
  )
    .split(' ')
    .map((name) => [name]),
].flatMap(([name = '', ...values]) => (values.length === 0 ? [''] : values).map((value) => ({ name, value })))

/** Bytes that an entry counts for beside its letters. */
const OVERHEAD = 32

export const sizeOf = (name: string, value: string): number => name.length + value.length + OVERHEAD

/** Fields that came before, the latest at index 62; the oldest go when there are too many. */
export class DynamicTable {
  /** Oldest first, from `#first` on. */
  #entries: Field[] = []
  #first = 0
  #size = 0
  #limit: number
  readonly #onEvict: ((field: Field) => void) | undefined

  /** @param limit of bytes, as `sizeOf` counts them */
  constructor(limit: number, onEvict?: (field: Field) => void) {
    this.#limit = limit
    this.#onEvict = onEvict
  }

  get limit(): number {
    return this.#limit
  }

  /** @param index 0 for the latest */
  at(index: number): Field | undefined {
    const at = this.#entries.length - 1 - index
    return at < this.#first ? undefined : this.#entries[at]
  }

  resize(limit: number): void {
    this.#limit = limit
    this.#evict()
  }

  add(field: Field): void {
    this.#entries.push(field)
    this.#size += sizeOf(field.name, field.value)
    this.#evict()
  }

  #evict(): void {
    while (this.#size > this.#limit) {
      const field = this.#entries[this.#first++] as Field
      this.#size -= sizeOf(field.name, field.value)
      this.#onEvict?.(field)
    }
    if (this.#first < 64 || this.#first * 2 < this.#entries.length) return
    this.#entries = this.#entries.slice(this.#first)
    this.#first = 0
  }
}
