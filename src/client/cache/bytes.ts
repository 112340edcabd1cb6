/**
 * JSON as bytes: finding values without building them.
 *
 * Nothing here validates. The same bytes go through JSON.parse elsewhere; these functions only have to be
 * right on JSON that passes it, and to end on anything else.
 */

const QUOTE = 0x22
const BACKSLASH = 0x5c
const COMMA = 0x2c
const COLON = 0x3a
const OPEN_BRACE = 0x7b
const CLOSE_BRACE = 0x7d
const OPEN_BRACKET = 0x5b
const CLOSE_BRACKET = 0x5d

/** Where the member `key` of the top-level object is. `from` is its quote, `end` is behind its value. */
export interface Member {
  key: string
  from: number
  value: number
  end: number
}

/** The members of the object that `bytes` are, in order. Ends early on what is not an object. */
export function* members(bytes: Uint8Array): Iterable<Member> {
  let i = skipSpace(bytes, 0)
  if (bytes[i] !== OPEN_BRACE) return
  i = skipSpace(bytes, i + 1)
  while (bytes[i] === QUOTE) {
    const from = i
    i = skipString(bytes, i)
    const key = parseKey(bytes.subarray(from, i))
    i = skipSpace(bytes, i)
    if (bytes[i] !== COLON) return
    const value = skipSpace(bytes, i + 1)
    const end = skipValue(bytes, value)
    yield { key, from, value, end }
    i = skipSpace(bytes, end)
    if (bytes[i] !== COMMA) return
    i = skipSpace(bytes, i + 1)
  }
}

function parseKey(quoted: Uint8Array): string {
  try {
    return JSON.parse(Buffer.from(quoted.buffer, quoted.byteOffset, quoted.length).toString()) as string
  } catch {
    return ''
  }
}

/** @returns the position behind the value that begins at `start` */
export function skipValue(bytes: Uint8Array, start: number): number {
  const first = bytes[start]
  if (first === QUOTE) return skipString(bytes, start)
  let i = start
  if (first !== OPEN_BRACE && first !== OPEN_BRACKET) {
    while (i < bytes.length && !endsScalar(bytes[i])) i++
    return i
  }
  let depth = 0
  while (i < bytes.length) {
    const byte = bytes[i]
    if (byte === QUOTE) {
      i = skipString(bytes, i)
      continue
    }
    i++
    if (byte === OPEN_BRACE || byte === OPEN_BRACKET) depth++
    else if ((byte === CLOSE_BRACE || byte === CLOSE_BRACKET) && --depth === 0) return i
  }
  return i
}

function endsScalar(byte: number | undefined): boolean {
  return byte === COMMA || byte === CLOSE_BRACE || byte === CLOSE_BRACKET || isSpace(byte)
}

function skipString(bytes: Uint8Array, start: number): number {
  let i = start + 1
  while (i < bytes.length) {
    const byte = bytes[i]
    if (byte === QUOTE) return i + 1
    i += byte === BACKSLASH ? 2 : 1
  }
  return bytes.length
}

function skipSpace(bytes: Uint8Array, start: number): number {
  let i = start
  while (isSpace(bytes[i])) i++
  return i
}

function isSpace(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09
}

/** The two orders in which servers write them: built-in kinds the first, custom resources the second. */
const TYPE_META = /^\{(?:"kind":"[^"\\]*","apiVersion":"[^"\\]*"|"apiVersion":"[^"\\]*","kind":"[^"\\]*"),/
const TYPE_META_LIMIT = 320

/**
 * How many bytes kind and apiVersion take at the front of an object, up to and including their last comma;
 * 0 when they are not both there in a usual form. What follows is a member of the object.
 */
export function typeMetaPrefix(object: Buffer): number {
  const start = object.toString('latin1', 0, Math.min(object.length, TYPE_META_LIMIT))
  return TYPE_META.exec(start)?.[0].length ?? 0
}

/** The object without kind and apiVersion, wherever they stand. */
export function withoutTypeMeta(object: Buffer): Buffer {
  const kept: Buffer[] = []
  for (const { key, from, end } of members(object)) {
    if (key === 'kind' || key === 'apiVersion') continue
    kept.push(kept.length === 0 ? OPEN : SEPARATOR, object.subarray(from, end))
  }
  return kept.length === 0 ? Buffer.from('{}') : Buffer.concat([...kept, CLOSE])
}

const OPEN = Buffer.from('{')
const SEPARATOR = Buffer.from(',')
const CLOSE = Buffer.from('}')
