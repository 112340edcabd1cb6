/** Blocks of header fields that a server sends, RFC 9113 sections 6.2, 6.10 and 8.3. */
import { type Headers } from '../transport.js'
import { Code, ConnectionError, Flag, Type } from './frames.js'
import { HeaderDecoder, HeaderListTooLarge } from './hpack/index.js'
import { MAX_HEADERS } from './settings.js'

export interface AnswerHead {
  stream: number
  /** Undefined for trailers. */
  status: number | undefined
  headers: Headers
  isEnd: boolean
  /** Why this cannot be an answer, though the connection is sound. */
  malformed: string | undefined
}

const STATUS = /^[1-9][0-9]{2}$/
const NAME = /^[!#$%&'*+\-.^_`|~0-9a-z]+$/
const STRAY = /[\r\n\0]/
/** Mean something on HTTP/1.1 connections only. */
const CONNECTION_ONLY: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'upgrade',
])

export class AnswerHeadReader {
  readonly #decoder = new HeaderDecoder({ maxListSize: MAX_HEADERS })
  readonly #names = new Set<string>()
  #status: number | undefined
  #headers: Headers = {}
  #malformed: string | undefined
  /** A block that goes on in the next frame, which must be of the same stream. */
  #begun: { stream: number; isEnd: boolean; parts: Buffer[]; size: number } | undefined

  /** A block has begun and not ended: no other frame may come. */
  get expectsMore(): boolean {
    return this.#begun !== undefined
  }

  /** @returns undefined while the block goes on. @throws ConnectionError */
  push(type: number, flags: number, stream: number, payload: Buffer): AnswerHead | undefined {
    const isWhole = (flags & Flag.endHeaders) !== 0
    if (type === Type.headers) {
      const fragment = withoutPadding(flags, payload)
      const isEnd = (flags & Flag.endStream) !== 0
      if (isWhole) return this.#decoded(stream, isEnd, fragment)
      this.#begun = { stream, isEnd, parts: [Buffer.from(fragment)], size: fragment.length }
      return undefined
    }
    const begun = this.#begun
    if (begun?.stream !== stream) throw new ConnectionError('a continuation of nothing')
    begun.parts.push(Buffer.from(payload))
    begun.size += payload.length
    // Each frame counts, or empty ones would come for ever.
    if (begun.size > MAX_HEADERS || begun.parts.length > 64) throw new ConnectionError('headers without end')
    if (!isWhole) return undefined
    this.#begun = undefined
    return this.#decoded(stream, begun.isEnd, Buffer.concat(begun.parts))
  }

  #decoded(stream: number, isEnd: boolean, block: Buffer): AnswerHead {
    this.#status = undefined
    this.#headers = {}
    this.#malformed = undefined
    try {
      this.#decoder.decode(block, this.#field)
    } catch (error) {
      if (error instanceof HeaderListTooLarge)
        this.#malformed = `the head of the answer exceeds ${MAX_HEADERS} bytes`
      else throw new ConnectionError((error as Error).message, Code.compression)
    }
    return { stream, status: this.#status, headers: this.#headers, isEnd, malformed: this.#malformed }
  }

  readonly #field = (name: string, value: string): void => {
    if (name === ':status') {
      if (this.#status !== undefined || !STATUS.test(value)) this.#malformed = 'a bad status'
      this.#status = Number(value)
      return
    }
    if (STRAY.test(value)) this.#malformed = 'a header has a stray control character'
    else if (!this.#isName(name)) this.#malformed = 'a header name that cannot be'
    else if (!CONNECTION_ONLY.has(name)) this.#add(name, value)
  }

  #add(name: string, value: string): void {
    const known = this.#headers[name]
    if (known === undefined) this.#headers[name] = name === 'set-cookie' ? [value] : value
    else if (Array.isArray(known)) known.push(value)
    else if (name === 'content-length') {
      if (known !== value) this.#malformed = 'a bad content length'
    } else this.#headers[name] = `${known}, ${value}`
  }

  /** Few names, which come again with each answer. */
  #isName(name: string): boolean {
    if (this.#names.has(name)) return true
    // `__proto__` would not become a header but the object's prototype.
    if (!NAME.test(name) || name === '__proto__') return false
    if (this.#names.size < 500) this.#names.add(name)
    return true
  }
}

function withoutPadding(flags: number, payload: Buffer): Buffer {
  let from = 0
  let to = payload.length
  if ((flags & Flag.padded) !== 0) {
    to -= payload[0] ?? 0
    from = 1
  }
  if ((flags & Flag.priority) !== 0) from += 5
  if (to < from) throw new ConnectionError('more padding than there is frame')
  return payload.subarray(from, to)
}
