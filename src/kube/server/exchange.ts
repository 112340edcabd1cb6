/**
 * One request on its way through the server, whichever way it came, and its answer.
 *
 * Filters and handlers write the answer through `head`, `data` and `end`; the transport behind it may be
 * a socket or a caller in this process.
 */
import { type PeerCertificate } from 'node:tls'
import { type Duplex, Readable } from 'node:stream'
import { tooLarge } from '../../apimachinery/errors/index.js'
import { ANONYMOUS, type UserInfo } from '../../apimachinery/meta/types.js'
import { type Headers, type ResponseSink, type TransportRequest } from '../../client/transport.js'
import { type KubeRequestInfo, requestInfo } from './requestinfo.js'

export interface ServerRequest extends TransportRequest {
  /** "" in process. */
  sourceIP: string
  peerCertificate?: { certificate: PeerCertificate; authorized: boolean }
  /** Set on upgrade requests: the raw connection. */
  upgrade?: { socket: Duplex; head: Buffer }
}

export const BODY_LIMIT = 3 * 1024 * 1024
const WARNINGS_LIMIT = 4096
const NOTHING = Buffer.alloc(0)

export class Exchange {
  readonly method: string
  readonly headers: Headers
  readonly pathname: string
  readonly #search: string
  #query: URLSearchParams | undefined
  readonly id: string
  info: KubeRequestInfo | undefined
  user: UserInfo = ANONYMOUS
  /** Who asked before impersonation took effect. */
  impersonator: UserInfo | undefined
  /** 0 until the answer has begun. */
  status = 0
  /** Nothing more goes to the sink. */
  ended = false
  #abort: AbortController | undefined
  #abortReason: Error | undefined
  readonly #warnings: string[] = []
  #resume: (() => void) | undefined
  #onEnd: (() => void)[] = []

  constructor(
    readonly request: ServerRequest,
    private readonly sink: ResponseSink,
    id: string,
  ) {
    this.id = id
    this.method = request.method
    this.headers = request.headers
    const question = request.path.indexOf('?')
    this.pathname = question < 0 ? request.path : request.path.slice(0, question)
    this.#search = question < 0 ? '' : request.path.slice(question + 1)
  }

  get query(): URLSearchParams {
    return (this.#query ??= new URLSearchParams(this.#search))
  }

  /** Aborted when the client has left or the answer is given up. Made on first use: most requests never wait. */
  get signal(): AbortSignal {
    if (!this.#abort) {
      this.#abort = new AbortController()
      if (this.#abortReason) this.#abort.abort(this.#abortReason)
    }
    return this.#abort.signal
  }

  /** Parsed on first use. @throws StatusError 400 */
  get requestInfo(): KubeRequestInfo {
    return (this.info ??= requestInfo(this.method, this.pathname, this.query))
  }

  header(name: string): string {
    const value = this.headers[name]
    return Array.isArray(value) ? (value[0] ?? '') : (value ?? '')
  }

  /** A text for a `Warning: 299` header; each text once. */
  warn(text: string): void {
    const size = this.#warnings.reduce((sum, known) => sum + known.length, text.length)
    if (!this.#warnings.includes(text) && size <= WARNINGS_LIMIT) this.#warnings.push(text)
  }

  head(status: number, headers: Headers): void {
    if (this.ended || this.status !== 0) return
    this.status = status
    const warnings = this.#warnings.map((text) => `299 - ${JSON.stringify(text)}`)
    this.sink.head(status, {
      'audit-id': this.id,
      'cache-control': 'no-cache, private',
      ...headers,
      ...(warnings.length > 0 && { warning: warnings }),
    })
  }

  /** @returns false when the reader has to catch up; then `onResume` tells when it has */
  data(chunk: Uint8Array): boolean {
    return this.ended ? true : this.sink.data(chunk)
  }

  end(): void {
    if (this.ended) return
    this.#finish()
    this.sink.end()
  }

  /** The answer breaks off. */
  fail(error: Error): void {
    if (this.ended) return
    this.#finish()
    this.sink.fail(error)
    this.giveUp(error)
  }

  /** The whole answer at once; `tail` follows the body without being copied to it. */
  answer(
    status: number,
    contentType: string,
    body: Uint8Array,
    headers: Headers = {},
    tail?: Uint8Array,
  ): void {
    this.head(status, {
      'content-type': contentType,
      'content-length': String(body.length + (tail?.length ?? 0)),
      ...headers,
    })
    if (body.length > 0) this.data(body)
    if (tail) this.data(tail)
    this.end()
  }

  /** The client has left. */
  abort(): void {
    if (this.ended) return
    this.#finish()
    this.giveUp(new Error('the client has left'))
  }

  /** Stops the work behind an answer that has been given in its stead. */
  giveUp(reason: Error): void {
    this.#abortReason ??= reason
    this.#abort?.abort(reason)
  }

  /** Takes over the connection of an upgrade request; from here on the sink is out of the game. */
  takeOver(): NonNullable<ServerRequest['upgrade']> {
    const { upgrade } = this.request
    if (!upgrade || this.status !== 0) throw new Error('there is no connection to take over')
    this.status = 101
    return upgrade
  }

  #finish(): void {
    this.ended = true
    for (const action of this.#onEnd) action()
    this.#onEnd = []
  }

  /** Called once, when the answer is complete or the client has left. */
  onEnd(action: () => void): void {
    if (this.ended) action()
    else this.#onEnd.push(action)
  }

  onResume(action: () => void): void {
    this.#resume = action
  }

  resume(): void {
    this.#resume?.()
  }

  /** The whole body. @throws StatusError 413 */
  async body(): Promise<Buffer> {
    const { body } = this.request
    const declared = Number(this.header('content-length'))
    if (declared > BODY_LIMIT) throw tooLarge(BODY_LIMIT)
    if (body === undefined) return NOTHING
    if (body instanceof Uint8Array) {
      if (body.length > BODY_LIMIT) throw tooLarge(BODY_LIMIT)
      return Buffer.from(body.buffer, body.byteOffset, body.byteLength)
    }
    if (body instanceof Readable) return wholeOf(body)
    const chunks: Uint8Array[] = []
    let size = 0
    for await (const chunk of body) {
      size += chunk.length
      if (size > BODY_LIMIT) throw tooLarge(BODY_LIMIT)
      chunks.push(chunk)
    }
    return Buffer.concat(chunks)
  }
}

/** By its events: an iterator costs as much as all that is then done with a small body. @throws StatusError 413 */
function wholeOf(body: Readable): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let size = 0
    body.on('data', (chunk: Buffer) => {
      size += chunk.length
      if (size > BODY_LIMIT) reject(tooLarge(BODY_LIMIT))
      else chunks.push(chunk)
    })
    body.on('end', () => resolve(chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks)))
    body.on('error', reject)
    body.on('close', () => reject(new Error('the client has left')))
  })
}
