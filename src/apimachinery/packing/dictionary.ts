/**
 * Texts that resemble each other, each written as its differences from a common dictionary.
 *
 * The objects of one resource repeat the same field names, managed fields and often whole values; what sets one apart
 * from the next is a name, an uid and a time. So the first of each sort make the dictionary, and all others are kept as
 * references into it: a tenth of the size for the roles of a project. Each is read on its own, in a microsecond or two.
 *
 * The form: sequences of a token, bytes taken as they are, and a reference. The token's upper half counts the bytes, its
 * lower half the length of what is referred to; 15 means that more follows. A reference is a place in the dictionary, or
 * from `DICTIONARY_LIMIT` on how far back in the text itself. The last sequence has no reference.
 */

/** References have 16 bits; the rest of them is for the text itself. */
const DICTIONARY_LIMIT = 48 * 1024
const FARTHEST_BACK = 0xffff - DICTIONARY_LIMIT
const FIRST_SIZE = 2 * 1024
/** A reference costs three bytes. */
const LEAST_MATCH = 5
const RECENT_BITS = 10
/** What is this short is copied byte by byte. */
const SHORT = 24

/** Where in the text at hand four bytes were last seen. One table for all: a text is packed in one go. */
const recent = new Int32Array(1 << RECENT_BITS)
/** Counts up from text to text, so that what earlier texts have left in the table shows as old. */
let recentBase = 1
const RECENT_BASE_LIMIT = 2 ** 30

let scratch = new Uint8Array(16 * 1024)

export class Dictionary {
  #bytes = new Uint8Array(FIRST_SIZE)
  #size = 0
  /** Where in the dictionary four bytes were last seen, plus one; by as many bits of their hash. */
  #places: Uint16Array | undefined = new Uint16Array(FIRST_SIZE)
  #shift = 32 - Math.log2(FIRST_SIZE)

  /** Whether a text of this length can be added. */
  hasRoom(length: number): boolean {
    return this.#size + length <= DICTIONARY_LIMIT
  }

  /** Adds a text; what was packed before reads as before. */
  add(text: Uint8Array): void {
    if (!this.#places || !this.hasRoom(text.length)) throw new Error('packing: the dictionary is full')
    let from = this.#size
    this.#size += text.length
    if (this.#size > this.#bytes.length) {
      this.#grow()
      this.#bytes.set(text, from)
      from = 0
    } else this.#bytes.set(text, from)
    for (let i = from; i + 4 <= this.#size; i++) {
      this.#places[hashAt(this.#bytes, i) >>> this.#shift] = i + 1
    }
  }

  #grow(): void {
    const bits = Math.ceil(Math.log2(this.#size))
    const larger = new Uint8Array(Math.min(DICTIONARY_LIMIT, 2 ** bits))
    larger.set(this.#bytes)
    this.#bytes = larger
    this.#places = new Uint16Array(2 ** bits)
    this.#shift = 32 - bits
  }

  /** To be called when nothing will be packed with it any more. */
  close(): void {
    this.#places = undefined
  }

  /** @returns a view that the next call overwrites */
  pack(text: Uint8Array): Uint8Array {
    const places = this.#places
    if (!places) throw new Error('packing: the dictionary is closed')
    const { length } = text
    const dictionary = this.#bytes
    const shift = this.#shift
    const size = this.#size
    const most = length + Math.ceil(length / 255) + 16
    if (scratch.length < most) scratch = new Uint8Array(most * 2)
    if (recentBase > RECENT_BASE_LIMIT) {
      recent.fill(0)
      recentBase = 1
    }
    const base = recentBase
    recentBase += length + 1
    let to = 0
    let literals = 0
    let at = 0
    while (at + LEAST_MATCH <= length) {
      const hash = hashAt(text, at)
      const place = (places[hash >>> shift] as number) - 1
      const slot = hash >>> (32 - RECENT_BITS)
      const earlier = (recent[slot] as number) - base
      recent[slot] = base + at
      let match = place < 0 ? 0 : commonLength(dictionary, place, size, text, at)
      let reference = place
      if (earlier >= 0 && at - earlier <= FARTHEST_BACK) {
        const found = commonLength(text, earlier, length, text, at)
        if (found > match) {
          match = found
          reference = DICTIONARY_LIMIT + at - earlier
        }
      }
      if (match < LEAST_MATCH) {
        at++
        continue
      }
      to = writeLiterals(to, text, literals, at, match - LEAST_MATCH)
      scratch[to++] = reference & 0xff
      scratch[to++] = reference >> 8
      if (match - LEAST_MATCH >= 15) to = writeMore(to, match - LEAST_MATCH - 15)
      at += match
      literals = at
    }
    to = writeLiterals(to, text, literals, length, 0)
    return scratch.subarray(0, to)
  }

  /** @param text what comes out, of that very length */
  unpack(packed: Uint8Array, from: number, end: number, text: Buffer): Buffer {
    const dictionary = this.#bytes
    let at = from
    let to = 0
    for (;;) {
      const token = packed[at++] as number
      let literals = token >> 4
      if (literals === 15) {
        let more
        do literals += more = packed[at++] as number
        while (more === 255)
      }
      if (literals > SHORT) text.set(packed.subarray(at, at + literals), to)
      else for (let i = 0; i < literals; i++) text[to + i] = packed[at + i] as number
      at += literals
      to += literals
      if (at >= end) return text
      const reference = (packed[at] as number) | ((packed[at + 1] as number) << 8)
      at += 2
      let match = token & 15
      if (match === 15) {
        let more
        do match += more = packed[at++] as number
        while (more === 255)
      }
      match += LEAST_MATCH
      if (reference < DICTIONARY_LIMIT) {
        if (match > SHORT) text.set(dictionary.subarray(reference, reference + match), to)
        else for (let i = 0; i < match; i++) text[to + i] = dictionary[reference + i] as number
      } else {
        const back = reference - DICTIONARY_LIMIT
        // A reference may overlap what it makes: then the text repeats itself.
        if (match > SHORT && back >= match) text.copyWithin(to, to - back, to - back + match)
        else for (let i = 0; i < match; i++) text[to + i] = text[to - back + i] as number
      }
      to += match
    }
  }
}

function hashAt(bytes: Uint8Array, at: number): number {
  return Math.imul(
    (bytes[at] as number) |
      ((bytes[at + 1] as number) << 8) |
      ((bytes[at + 2] as number) << 16) |
      ((bytes[at + 3] as number) << 24),
    0x9e3779b1,
  )
}

function commonLength(source: Uint8Array, place: number, end: number, text: Uint8Array, at: number): number {
  const most = Math.min(end - place, text.length - at)
  let length = 0
  while (length < most && source[place + length] === text[at + length]) length++
  return length
}

/** A token and the bytes before a reference. @returns where to go on */
function writeLiterals(at: number, text: Uint8Array, from: number, end: number, match: number): number {
  const count = end - from
  let to = at
  scratch[to++] = (Math.min(count, 15) << 4) | Math.min(match, 15)
  if (count >= 15) to = writeMore(to, count - 15)
  for (let i = from; i < end; i++) scratch[to++] = text[i] as number
  return to
}

function writeMore(at: number, count: number): number {
  let to = at
  let left = count
  for (; left >= 255; left -= 255) scratch[to++] = 255
  scratch[to++] = left
  return to
}
