/** As much of DER, the binary form of certificates, as they and signing requests are made of. */

export const TAG = {
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  oid: 0x06,
  utf8: 0x0c,
  sequence: 0x30,
  set: 0x31,
} as const

/** The tag of a field that says which one it is, within its parent. */
export const explicit = (number: number): number => 0xa0 | number

export function element(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(parts)
  return Buffer.concat([Buffer.from([tag, ...lengthOf(content)]), content])
}

/** One byte below 128; above, as many as it takes behind one that says how many. */
function lengthOf({ length }: Buffer): number[] {
  if (length < 0x80) return [length]
  const bytes: number[] = []
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256)
  return [0x80 | bytes.length, ...bytes]
}

export const sequence = (...parts: readonly Uint8Array[]): Buffer => element(TAG.sequence, ...parts)

export const octets = (content: Uint8Array): Buffer => element(TAG.octetString, content)

export const utf8 = (text: string): Buffer => element(TAG.utf8, Buffer.from(text, 'utf8'))

export const isTrue = Buffer.from([0x01, 0x01, 0xff])

/** @param unused bits at the end of the last byte */
export const bits = (content: Uint8Array, unused = 0): Buffer =>
  element(TAG.bitString, Buffer.from([unused]), content)

/** @param dotted as in `2.5.29.17` */
export function oid(dotted: string): Buffer {
  const [first = 0, second = 0, ...others] = dotted.split('.').map(Number)
  return element(TAG.oid, Buffer.from([first * 40 + second, ...others.flatMap(base128)]))
}

function base128(number: number): number[] {
  const bytes = [number & 0x7f]
  for (let rest = number >>> 7; rest > 0; rest >>>= 7) bytes.unshift(0x80 | (rest & 0x7f))
  return bytes
}

/** The short form ends with 2049, by rule. */
export function time(date: Date): Buffer {
  const digits = date.toISOString().replaceAll(/[-:T]|\.\d+/g, '')
  return date.getUTCFullYear() < 2050
    ? element(0x17, Buffer.from(digits.slice(2)))
    : element(0x18, Buffer.from(digits))
}

export interface Element {
  tag: number
  content: Buffer
  /** With its tag and length. */
  whole: Buffer
}

/** The elements that bytes are made of, one after the other. @throws Error when they are no DER */
export function elementsIn(bytes: Buffer): Element[] {
  const found: Element[] = []
  for (let at = 0; at < bytes.length;) {
    const next = elementAt(bytes, at)
    found.push(next)
    at += next.whole.length
  }
  return found
}

/** The only element there is. @throws Error when it is another one, or not alone */
export function only(bytes: Buffer, tag: number): Buffer {
  const [first, ...others] = elementsIn(bytes)
  if (first?.tag !== tag || others.length > 0) throw new Error('the structure is not the expected one')
  return first.content
}

/** What a field holds, of a structure in which it has this place. @throws Error when another one does */
export function contentOf(found: Element | undefined, tag: number): Buffer {
  if (found?.tag !== tag) throw new Error('the structure is not the expected one')
  return found.content
}

function elementAt(bytes: Buffer, at: number): Element {
  const tag = bytes[at] ?? 0
  const first = bytes[at + 1] ?? 0
  const more = first < 0x80 ? 0 : first & 0x7f
  const start = at + 2 + more
  // Lengths of no byte are for streams, and of more than four for what nobody could send.
  if ((tag & 0x1f) === 0x1f || first === 0x80 || more > 4 || start > bytes.length)
    throw new Error('the bytes are no DER')
  const length = more === 0 ? first : bytes.readUIntBE(at + 2, more)
  if (start + length > bytes.length) throw new Error('the bytes end too early')
  return { tag, content: bytes.subarray(start, start + length), whole: bytes.subarray(at, start + length) }
}

/** Text of the type that armours it. @throws Error when there is none */
export function fromPem(pem: string, type: string): Buffer {
  const [, body] = new RegExp(`-----BEGIN ${type}-----([^-]*)-----END ${type}-----`).exec(pem) ?? []
  if (body === undefined) throw new Error('there is no PEM of the expected type')
  return Buffer.from(body, 'base64')
}

export function toPem(der: Buffer, type: string): string {
  const lines = der.toString('base64').replaceAll(/.{64}(?=.)/g, '$&\n')
  return `-----BEGIN ${type}-----\n${lines}\n-----END ${type}-----\n`
}
