/**
 * Reads HTTP/1.1 responses from bytes as they come, RFC 9112 sections 4 to 8.
 *
 * Strict where leniency lets two readers disagree about where a message ends: line ends are CRLF, a length
 * is digits, lengths that differ are an error, chunked wins over a length and ends the connection's use.
 * All payload found in one piece of input is handed on in one call, so many small chunks cost one.
 */
import { type Headers } from '../transport.js'

export interface ResponseHandler {
  /** Interim answers (1xx) are not reported, except 101. */
  head(status: number, headers: Headers): void
  data(chunk: Buffer): void
  end(): void
}

export class ProtocolError extends Error {
  override readonly name = 'ProtocolError'
}

const HEAD_LIMIT = 64 * 1024
const LINE_LIMIT = 8 * 1024

type State =
  | 'idle'
  | 'head'
  | 'length'
  | 'until close'
  | 'chunk size'
  | 'chunk extension'
  | 'chunk size LF'
  | 'chunk data'
  | 'chunk data CR'
  | 'chunk data LF'
  | 'trailer'
  | 'trailer LF'
  | 'upgraded'

const CR = 0x0d
const LF = 0x0a
const END_OF_HEAD = Buffer.from('\r\n\r\n')

export class ResponseParser {
  readonly #handler: ResponseHandler
  #state: State = 'idle'
  #withoutBody = false
  #carried: Buffer | undefined
  /** Bytes of the body, or of the current chunk, still to come. */
  #left = 0
  #digits = 0
  #lineLength = 0
  #trailerLength = 0
  #keepAlive = true
  #received = false

  constructor(handler: ResponseHandler) {
    this.#handler = handler
  }

  /** Whether the connection can serve another request after this answer. */
  get keepAlive(): boolean {
    return this.#keepAlive
  }

  /** Whether any byte of the answer has come. */
  get received(): boolean {
    return this.#received
  }

  get idle(): boolean {
    return this.#state === 'idle'
  }

  /** A request with this method was sent. */
  begin(method: string): void {
    this.#state = 'head'
    this.#withoutBody = method === 'HEAD'
    this.#keepAlive = true
    this.#received = false
    this.#carried = undefined
  }

  /**
   * @returns what follows the answer: the first bytes of an upgraded connection, or bytes nobody asked for
   * @throws ProtocolError
   */
  push(input: Buffer): Buffer | undefined {
    if (input.length > 0) this.#received = true
    let at = 0
    // The payload found so far lies at from..to of the input, moved together over what was between.
    let from = 0
    let to = 0
    while (at < input.length) {
      switch (this.#state) {
        case 'idle':
        case 'upgraded':
          return input.subarray(at)

        case 'head': {
          at = this.#head(input, at)
          break
        }

        case 'length':
        case 'chunk data': {
          const take = Math.min(this.#left, input.length - at)
          if (from === to) from = to = at
          if (to !== at) input.copyWithin(to, at, at + take)
          to += take
          at += take
          this.#left -= take
          if (this.#left > 0) break
          if (this.#state === 'chunk data') {
            this.#state = 'chunk data CR'
            break
          }
          this.#deliver(input, from, to)
          from = to = at
          this.#finish()
          break
        }

        case 'until close':
          this.#handler.data(input.subarray(at))
          return undefined

        case 'chunk size': {
          const byte = input[at++] as number
          const digit = hexDigit(byte)
          if (digit >= 0) {
            // Thirteen digits stay below 2^53.
            if (++this.#digits > 13) throw new ProtocolError('a chunk is too large')
            this.#left = this.#left * 16 + digit
          } else if (this.#digits === 0) throw new ProtocolError('a chunk has no size')
          else if (byte === CR) this.#state = 'chunk size LF'
          else if (byte === 0x3b || byte === 0x20 || byte === 0x09) this.#state = 'chunk extension'
          else throw new ProtocolError('a chunk size is not a number')
          break
        }

        case 'chunk extension': {
          const byte = input[at++] as number
          if (byte === CR) this.#state = 'chunk size LF'
          else if (byte === LF || ++this.#lineLength > LINE_LIMIT)
            throw new ProtocolError('a bad chunk extension')
          break
        }

        case 'chunk size LF':
          if (input[at++] !== LF) throw new ProtocolError('a chunk size without a line end')
          this.#digits = 0
          this.#lineLength = 0
          this.#trailerLength = 0
          this.#state = this.#left === 0 ? 'trailer' : 'chunk data'
          break

        case 'chunk data CR':
          if (input[at++] !== CR) throw new ProtocolError('a chunk longer than its size')
          this.#state = 'chunk data LF'
          break

        case 'chunk data LF':
          if (input[at++] !== LF) throw new ProtocolError('a chunk without a line end')
          this.#state = 'chunk size'
          break

        case 'trailer': {
          const byte = input[at++] as number
          if (byte === CR) this.#state = 'trailer LF'
          else if (byte === LF || ++this.#trailerLength > HEAD_LIMIT) throw new ProtocolError('a bad trailer')
          else this.#lineLength++
          break
        }

        case 'trailer LF': {
          if (input[at++] !== LF) throw new ProtocolError('a trailer without a line end')
          const last = this.#lineLength === 0
          this.#lineLength = 0
          this.#state = 'trailer'
          if (!last) break
          this.#deliver(input, from, to)
          from = to = at
          this.#finish()
          break
        }
      }
    }
    this.#deliver(input, from, to)
    return undefined
  }

  /** The connection was closed by the other side. @throws ProtocolError when the answer was not whole */
  close(): void {
    this.#keepAlive = false
    if (this.#state === 'until close') this.#finish()
    else if (this.#state !== 'idle' && this.#state !== 'upgraded') {
      this.#state = 'idle'
      throw new ProtocolError(this.#received ? 'the answer broke off' : 'the connection was closed')
    }
  }

  #deliver(input: Buffer, from: number, to: number): void {
    if (to > from) this.#handler.data(input.subarray(from, to))
  }

  #finish(): void {
    this.#state = 'idle'
    this.#handler.end()
  }

  /** Takes in the head, or carries its beginning over. @returns the position behind what was used */
  #head(input: Buffer, start: number): number {
    const carried = this.#carried
    let bytes = start === 0 ? input : input.subarray(start)
    let searchFrom = 0
    if (carried) {
      bytes = Buffer.concat([carried, bytes])
      searchFrom = Math.max(0, carried.length - 3)
    }
    const end = bytes.indexOf(END_OF_HEAD, searchFrom)
    if (end > HEAD_LIMIT || (end < 0 && bytes.length > HEAD_LIMIT)) {
      throw new ProtocolError(`the head of the answer exceeds ${HEAD_LIMIT} bytes`)
    }
    if (end < 0) {
      if (!couldBegin(bytes)) throw new ProtocolError('the answer is not HTTP/1')
      this.#carried = carried ? bytes : Buffer.from(bytes)
      return input.length
    }
    this.#carried = undefined
    this.#begun(parseHead(bytes.toString('latin1', 0, end)))
    return start + end + 4 - (carried?.length ?? 0)
  }

  #begun({ minor, status, headers }: Head): void {
    if (status === 101) {
      this.#state = 'upgraded'
      this.#keepAlive = false
      this.#handler.head(status, headers)
      return
    }
    if (status < 200) return
    const connection = listOf(headers.connection)
    this.#keepAlive = minor === 1 ? !connection.includes('close') : connection.includes('keep-alive')

    const codings = listOf(headers['transfer-encoding'])
    const length = contentLength(headers['content-length'])
    if (codings.length > 0 && length !== undefined) {
      delete headers['content-length']
      this.#keepAlive = false
    }
    if (this.#withoutBody || status === 204 || status === 304) {
      this.#handler.head(status, headers)
      this.#finish()
    } else if (codings.length > 0) {
      if (codings.length > 1 || codings[0] !== 'chunked') {
        throw new ProtocolError(`unknown transfer coding ${codings.join(', ')}`)
      }
      this.#state = 'chunk size'
      this.#left = 0
      this.#digits = 0
      this.#lineLength = 0
      this.#handler.head(status, headers)
    } else if (length === undefined) {
      this.#state = 'until close'
      this.#keepAlive = false
      this.#handler.head(status, headers)
    } else {
      this.#state = 'length'
      this.#left = length
      this.#handler.head(status, headers)
      if (length === 0) this.#finish()
    }
  }
}

interface Head {
  minor: number
  status: number
  headers: Headers
}

const STATUS_LINE = /^HTTP\/1\.([01]) ([1-9][0-9]{2})(?: [^\r\n\0]*)?$/
const NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/

const STRAY = /[\r\n\0]/
/** The few names that servers use, as they write them, to lower case. */
const NAMES = new Map<string, string>()
const NAMES_LIMIT = 500

function parseHead(text: string): Head {
  const lines = text.split('\r\n')
  const match = STATUS_LINE.exec(lines[0] as string)
  if (!match) throw new ProtocolError('the answer is not HTTP/1')
  const headers: Headers = {}
  for (let i = 1; i < lines.length; i++) {
    const line = lines[i] as string
    const colon = line.indexOf(':')
    const name = lowerName(line.slice(0, colon < 0 ? 0 : colon))
    const value = line.slice(colon + 1).trim()
    if (STRAY.test(value)) throw new ProtocolError('a header has a stray control character')
    const known = headers[name]
    if (known === undefined) headers[name] = name === 'set-cookie' ? [value] : value
    else if (Array.isArray(known)) known.push(value)
    else headers[name] = `${known}, ${value}`
  }
  return { minor: Number(match[1]), status: Number(match[2]), headers }
}

function lowerName(name: string): string {
  const known = NAMES.get(name)
  if (known !== undefined) return known
  if (!NAME.test(name)) throw new ProtocolError('a header line without a name')
  const lower = name.toLowerCase()
  // `__proto__` would not become a header but the object's prototype.
  if (lower === '__proto__') throw new ProtocolError('a header name that cannot be')
  if (NAMES.size < NAMES_LIMIT) NAMES.set(name, lower)
  return lower
}

function listOf(value: string | string[] | undefined): string[] {
  if (value === undefined) return []
  return String(value)
    .split(',')
    .map((part) => part.trim().toLowerCase())
    .filter((part) => part !== '')
}

function contentLength(value: string | string[] | undefined): number | undefined {
  if (value === undefined) return undefined
  const [first = '', ...others] = String(value)
    .split(',')
    .map((part) => part.trim())
  if (!/^[0-9]{1,15}$/.test(first) || others.some((other) => other !== first)) {
    throw new ProtocolError('a bad content length')
  }
  return Number(first)
}

const BEGINNING = Buffer.from('HTTP/1.')

function couldBegin(bytes: Buffer): boolean {
  const length = Math.min(bytes.length, BEGINNING.length)
  return bytes.compare(BEGINNING, 0, length, 0, length) === 0
}

function hexDigit(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30
  const lower = byte | 0x20
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1
}
