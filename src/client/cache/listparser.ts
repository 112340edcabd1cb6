/**
 * Takes a List apart while it arrives: each item as the bytes it was sent as, the rest as one small
 * document.
 *
 * Bytes outside the top-level `items` array are kept and parsed at the end with an empty array in its
 * place, so broken envelopes and Status answers are found by JSON.parse and not by this scanner.
 */

const QUOTE = 0x22
const BACKSLASH = 0x5c
const ITEMS = '"items"'
/** What may stand around the items; a real envelope has some hundred bytes. */
const ENVELOPE_LIMIT = 1024 * 1024

export class ListParser {
  readonly #onItem: (raw: Buffer) => void
  #depth = 0
  #inString = false
  #escaped = false
  /** Inside the items array, between or within its elements. */
  #inItems = false
  /** The current element's bytes from chunks that are over. */
  #carried: Buffer[] = []
  #envelope: Buffer[] = []
  #envelopeSize = 0
  /** The last string met at the top level, with its quotes: the key of what follows. */
  #key = ''

  /** @param onItem gets a view that is only valid during the call */
  constructor(onItem: (raw: Buffer) => void) {
    this.#onItem = onItem
  }

  push(chunk: Buffer): void {
    const length = chunk.length
    let depth = this.#depth
    let inString = this.#inString
    let escaped = this.#escaped
    // Where the part of interest began: the element when inside one, else the envelope or the key.
    let itemFrom = 0
    let envelopeFrom = 0
    let keyFrom = 0
    for (let i = 0; i < length; i++) {
      const byte = chunk[i]
      if (inString) {
        if (escaped) escaped = false
        else if (byte === BACKSLASH) escaped = true
        else if (byte === QUOTE) {
          inString = false
          if (depth === 1) this.#key += chunk.toString('latin1', keyFrom, i + 1)
        }
      } else if (byte === QUOTE) {
        inString = true
        if (depth === 1) {
          keyFrom = i
          this.#key = ''
        }
      } else if (byte === 0x7b || byte === 0x5b) {
        depth++
        if (depth === 2 && byte === 0x5b && this.#key === ITEMS) {
          this.#inItems = true
          this.#keep(chunk.subarray(envelopeFrom, i + 1))
        } else if (depth === 3 && this.#inItems) itemFrom = i
      } else if (byte === 0x7d || byte === 0x5d) {
        depth--
        if (this.#inItems && depth === 2) this.#finish(chunk.subarray(itemFrom, i + 1))
        else if (this.#inItems && depth === 1) {
          this.#inItems = false
          envelopeFrom = i
        }
      }
    }
    if (!this.#inItems) this.#keep(chunk.subarray(envelopeFrom))
    // A view of the chunk would pin it and may be overwritten; what is carried over is copied.
    else if (depth >= 3) this.#carried.push(Buffer.from(chunk.subarray(itemFrom)))
    if (inString && depth === 1) this.#key += chunk.toString('latin1', keyFrom)
    this.#depth = depth
    this.#inString = inString
    this.#escaped = escaped
  }

  /** @returns the list without its items. @throws SyntaxError when the answer was not whole JSON */
  end(): unknown {
    return JSON.parse(Buffer.concat(this.#envelope).toString())
  }

  #finish(tail: Buffer): void {
    if (this.#carried.length === 0) {
      this.#onItem(tail)
      return
    }
    const whole = Buffer.concat([...this.#carried, tail])
    this.#carried = []
    this.#onItem(whole)
  }

  #keep(part: Buffer): void {
    this.#envelopeSize += part.length
    if (this.#envelopeSize > ENVELOPE_LIMIT) throw new Error('the list has too much around its items')
    this.#envelope.push(Buffer.from(part))
  }
}
