/**
 * The fields of a request, checked, as each protocol writes them in its own way.
 *
 * How the message is framed is decided here and by the connection, nowhere else: headers of the caller that speak about the
 * connection or the length are left out, so that one request can never look like two. What a `connection` header names is not
 * left out: it would let a client of a proxy take away headers that the proxy adds.
 */
import { type TransportRequest } from '../transport.js'

/** Names in lower case and values, in turn. */
export type Fields = readonly string[]

export type Framing =
  | { kind: 'none' }
  | { kind: 'whole'; body: Uint8Array }
  /** With a known length the chunks go as they are, and must add up to it. */
  | { kind: 'stream'; chunks: AsyncIterable<Uint8Array>; length: number | undefined }

/** Speak about one connection only, RFC 9110 section 7.6.1, or about framing. */
const OWN: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'te',
  'trailer',
  'upgrade',
  'content-length',
  'host',
  'expect',
  'http2-settings',
])

const METHOD = /^[A-Z]+$/
const PATH = /^\/[\x21-\x7e\x80-\xff]*$/
const NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/
// eslint-disable-next-line no-control-regex -- these are what must not be in a value
const BAD_VALUE = /[\r\n\0]|[^\x00-\xff]/

export function framingOf({ body, headers }: TransportRequest): Framing {
  if (body === undefined) return { kind: 'none' }
  if (body instanceof Uint8Array) return { kind: 'whole', body }
  const given = headers['content-length']
  const length = typeof given === 'string' && /^[0-9]{1,15}$/.test(given) ? Number(given) : undefined
  return { kind: 'stream', chunks: body, length }
}

/**
 * @param authorization takes the place of what the caller sent
 * @throws TypeError when a part could not be sent as one request
 */
export function fieldsOf(
  { method, path, headers }: TransportRequest,
  authorization: string | undefined,
): Fields {
  if (!METHOD.test(method)) throw new TypeError(`bad request method ${JSON.stringify(method)}`)
  if (!PATH.test(path)) throw new TypeError('bad character in the request path')
  const fields: string[] = []
  for (const name in headers) {
    const value = headers[name]
    const lower = name.toLowerCase()
    if (value === undefined || OWN.has(lower)) continue
    if (lower === 'authorization' && authorization !== undefined) continue
    if (typeof value === 'string') add(fields, lower, value)
    else for (const each of value) add(fields, lower, each)
  }
  if (authorization !== undefined) add(fields, 'authorization', authorization)
  return fields
}

/** @throws TypeError */
export function checkField(name: string, value: string): void {
  if (!NAME.test(name) || BAD_VALUE.test(value))
    throw new TypeError(`bad request header ${JSON.stringify(name)}`)
}

function add(fields: string[], name: string, value: string): void {
  checkField(name, value)
  fields.push(name, value)
}

/** What is announced of the body's length; undefined where nothing is. */
export function announcedLength(method: string, framing: Framing): number | undefined {
  switch (framing.kind) {
    case 'none':
      return method === 'GET' || method === 'HEAD' || method === 'OPTIONS' ? undefined : 0
    case 'whole':
      return framing.body.length
    case 'stream':
      return framing.length
  }
}
