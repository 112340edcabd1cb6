/**
 * The head of a request as bytes on the wire.
 *
 * How the message is framed is decided here and nowhere else: headers of the caller that speak about the
 * connection or the length are left out, so that one request can never look like two. What a `connection` header names is not left
 * out: it would let a client of a proxy take away headers that the proxy adds.
 */
import { type TransportRequest } from '../transport.js'

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

export interface HeadOptions {
  host: string
  /** Takes the place of what the caller sent. */
  authorization: string | undefined
  framing: Framing
  /** Asks to change the protocol to what the caller's `upgrade` header names. */
  upgrade?: boolean
}

/** @throws TypeError when a part could not be sent as one request */
export function requestHead(request: TransportRequest, options: HeadOptions): string {
  const { method, path, headers } = request
  if (!METHOD.test(method)) throw new TypeError(`bad request method ${JSON.stringify(method)}`)
  if (!PATH.test(path)) throw new TypeError('bad character in the request path')
  let head = `${method} ${path} HTTP/1.1\r\nhost: ${options.host}\r\n`
  for (const name in headers) {
    const value = headers[name]
    const lower = name.toLowerCase()
    if (value === undefined || OWN.has(lower)) continue
    if (lower === 'authorization' && options.authorization !== undefined) continue
    if (typeof value === 'string') head += headerLine(name, value)
    else for (const each of value) head += headerLine(name, each)
  }
  if (options.authorization !== undefined) head += headerLine('authorization', options.authorization)
  if (options.upgrade) {
    head += `connection: Upgrade\r\n${headerLine('upgrade', String(headers.upgrade ?? ''))}`
  }
  return `${head}${framingLines(method, options.framing)}\r\n`
}

function headerLine(name: string, value: string): string {
  if (!NAME.test(name) || BAD_VALUE.test(value))
    throw new TypeError(`bad request header ${JSON.stringify(name)}`)
  return `${name}: ${value}\r\n`
}

function framingLines(method: string, framing: Framing): string {
  switch (framing.kind) {
    case 'none':
      return method === 'GET' || method === 'HEAD' || method === 'OPTIONS' ? '' : 'content-length: 0\r\n'
    case 'whole':
      return `content-length: ${framing.body.length}\r\n`
    case 'stream':
      return framing.length === undefined
        ? 'transfer-encoding: chunked\r\n'
        : `content-length: ${framing.length}\r\n`
  }
}
