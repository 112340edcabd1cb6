/**
 * Looks into stored JSON without parsing it.
 *
 * Stored values are compact JSON whose metadata comes early, so finding `metadata.labels` or
 * `metadata.resourceVersion` costs a walk over a few hundred bytes instead of an object tree.
 * Input is JSON that this server has written itself; on anything else the answers are undefined.
 */

const QUOTE = 0x22
const BACKSLASH = 0x5c
const OPEN_OBJECT = 0x7b
const CLOSE_OBJECT = 0x7d
const OPEN_ARRAY = 0x5b
const CLOSE_ARRAY = 0x5d
const COMMA = 0x2c

export interface Span {
  start: number
  /** Exclusive. */
  end: number
}

/** Position behind the string that starts at `at`. */
function stringEnd(json: Buffer, at: number): number {
  let quote = at
  for (;;) {
    quote = json.indexOf(QUOTE, quote + 1)
    if (quote < 0) return json.length
    let slashes = 0
    while (json[quote - 1 - slashes] === BACKSLASH) slashes++
    if (slashes % 2 === 0) return quote + 1
  }
}

/** Position behind the value that starts at `at`. */
function valueEnd(json: Buffer, at: number): number {
  const first = json[at]
  if (first === QUOTE) return stringEnd(json, at)
  let position = at
  if (first !== OPEN_OBJECT && first !== OPEN_ARRAY) {
    for (; position < json.length; position++) {
      const byte = json[position]
      if (byte === COMMA || byte === CLOSE_OBJECT || byte === CLOSE_ARRAY) break
    }
    return position
  }
  let depth = 0
  while (position < json.length) {
    const byte = json[position]
    if (byte === QUOTE) {
      position = stringEnd(json, position)
      continue
    }
    position++
    if (byte === OPEN_OBJECT || byte === OPEN_ARRAY) depth++
    else if ((byte === CLOSE_OBJECT || byte === CLOSE_ARRAY) && --depth === 0) break
  }
  return position
}

/** The value of `field` in the object that starts at `at`. */
export function fieldSpan(json: Buffer, field: string, at = 0): Span | undefined {
  if (json[at] !== OPEN_OBJECT) return undefined
  let position = at + 1
  while (json[position] === QUOTE) {
    const keyEnd = stringEnd(json, position)
    const matches =
      keyEnd - position - 2 === field.length && json.toString('latin1', position + 1, keyEnd - 1) === field
    const start = keyEnd + 1
    const end = valueEnd(json, start)
    if (matches) return { start, end }
    if (json[end] !== COMMA) return undefined
    position = end + 1
  }
  return undefined
}

function metadataSpan(json: Buffer, field: string): Span | undefined {
  const metadata = fieldSpan(json, 'metadata')
  return metadata && fieldSpan(json, field, metadata.start)
}

const NO_LABELS: Readonly<Record<string, string>> = Object.freeze({})

/** `metadata.labels` of stored bytes. */
export function labelsOf(json: Buffer): Readonly<Record<string, string>> {
  const span = metadataSpan(json, 'labels')
  if (!span) return NO_LABELS
  return JSON.parse(json.toString('utf8', span.start, span.end)) as Record<string, string>
}

/** `metadata.uid` of stored bytes. */
export function uidOf(json: Buffer): string {
  const span = metadataSpan(json, 'uid')
  return span ? json.toString('latin1', span.start + 1, span.end - 1) : ''
}

/** The same bytes with another `metadata.resourceVersion`. */
export function withResourceVersion(json: Buffer, revision: number): Buffer {
  const span = metadataSpan(json, 'resourceVersion')
  if (!span) return json
  return Buffer.concat([
    json.subarray(0, span.start),
    Buffer.from(`"${revision}"`, 'latin1'),
    json.subarray(span.end),
  ])
}

/** The bytes of `metadata`, for PartialObjectMetadata. */
export function metadataBytes(json: Buffer): Buffer {
  const span = fieldSpan(json, 'metadata')
  return span ? json.subarray(span.start, span.end) : Buffer.from('{}')
}
