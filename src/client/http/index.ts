/**
 * A Transport over sockets to one server: HTTP/2 where the server speaks it over TLS, HTTP/1.1 otherwise and for connections
 * that change the protocol.
 *
 * Written for standing behind a proxy and behind informers: no stream objects and no promise per chunk, and an abort
 * frees what is behind a request at once.
 */
import { type Socket } from 'node:net'
import { type TLSSocket } from 'node:tls'
import {
  type Dispatched,
  type Headers,
  type ResponseSink,
  type Transport,
  type TransportRequest,
  type Upgraded,
} from '../transport.js'
import { Http1Connection } from '../http1/connection.js'
import { upgradeHead } from '../http1/requesthead.js'
import { upgradeOn } from '../http1/upgrade.js'
import { Http2Connection } from '../http2/connection.js'
import { Dialer, type ClientCertificate, type TlsOptions } from './dial.js'
import { type ConnectionLimits, type ConnectionOwner, type Exchange } from './exchange.js'
import { fieldsOf, framingOf } from './fields.js'
import { type Opened, Pool } from './pool.js'

export { type ClientCertificate, type TlsOptions } from './dial.js'

/** What proves who we are. */
export interface Credentials {
  /** Known at once as a rule; a promise while it is fetched. */
  authorization(): string | undefined | Promise<string | undefined>
  /** The server answered 401: what was kept is good no longer. */
  refused(): void
  /** A client certificate that goes with them. Asked for with every new connection. */
  certificate?(): Promise<ClientCertificate | undefined>
}

export interface HttpOptions {
  /** `https://host:port`; a path in it goes in front of every request's path. */
  server: string
  tls?: TlsOptions
  credentials?: Credentials
  /** Requests at a time, watches and followed logs not counted. */
  maxRequests?: number
  /** Requests that may wait for a connection. */
  maxQueue?: number
  connectTimeoutMs?: number
  /** An unused connection is closed after this. */
  idleTimeoutMs?: number
  /** How long an answer may take to begin, long-running requests excepted. */
  answerTimeoutMs?: number
}

/** A watch on which much happens is heard of so much later at most. */
const REST_MS = 10
const BOTH = ['h2', 'http/1.1'] as const
/** Over HTTP/2 the API server changes no protocols. */
const HTTP1_ONLY = ['http/1.1'] as const

/** @throws TypeError when the server's address is not an http or https URL */
export class HttpTransport implements Transport {
  readonly #requests: Pool
  /** Those that stay open for as long as they like, which keep nobody out and whose news can wait a little. */
  readonly #streams: Pool
  readonly #dialer: Dialer
  readonly #host: string
  readonly #prefix: string
  readonly #credentials: Credentials | undefined
  readonly #upgrades = new Set<AbortController>()
  #closed = false

  constructor(options: HttpOptions) {
    const url = new URL(options.server)
    const secure = url.protocol === 'https:'
    if (!secure && url.protocol !== 'http:')
      throw new TypeError(`not an http or https URL: ${options.server}`)
    this.#host = url.host
    this.#prefix = url.pathname.replace(/\/+$/, '')
    this.#credentials = options.credentials
    this.#dialer = new Dialer({
      host: url.hostname.replace(/^\[|\]$/g, ''),
      port: url.port === '' ? (secure ? 443 : 80) : Number(url.port),
      tls: secure ? (options.tls ?? {}) : undefined,
      timeoutMs: options.connectTimeoutMs ?? 10_000,
    })
    const pool = {
      connect: (owner: ConnectionOwner, limits: ConnectionLimits) => this.#connect(owner, limits),
      maybeMultiplexed: secure,
      idleMs: options.idleTimeoutMs ?? 60_000,
    }
    this.#requests = new Pool({
      ...pool,
      maxRequests: options.maxRequests ?? 256,
      maxQueue: options.maxQueue ?? 10_000,
      answerMs: options.answerTimeoutMs ?? 75_000,
      restMs: 0,
    })
    this.#streams = new Pool({
      ...pool,
      maxRequests: Infinity,
      maxQueue: Infinity,
      answerMs: Infinity,
      restMs: REST_MS,
    })
  }

  /** For metrics. */
  get sockets(): number {
    return this.#requests.sockets + this.#streams.sockets
  }

  dispatch(request: TransportRequest, sink: ResponseSink): Dispatched {
    const pending = new Pending(
      isLongRunning(request.path) ? this.#streams : this.#requests,
      request,
      this.#watched(sink),
    )
    let authorization
    try {
      authorization = this.#credentials?.authorization()
    } catch (error) {
      pending.fail(error as Error)
      return pending
    }
    if (authorization instanceof Promise) {
      authorization.then(
        (value) => pending.submit(this.#prefix, value),
        (error: unknown) => pending.fail(error as Error),
      )
    } else pending.submit(this.#prefix, authorization)
    return pending
  }

  async upgrade(request: TransportRequest, signal?: AbortSignal): Promise<Upgraded> {
    if (this.#closed) throw new Error('the client is closed')
    const path = this.#prefix + request.path
    const fields = fieldsOf({ ...request, path }, await this.#credentials?.authorization())
    const { method, headers } = request
    const head = upgradeHead({ method, path, host: this.#host, fields }, String(headers.upgrade ?? ''))
    const own = new AbortController()
    const onAbort = (): void => own.abort(signal?.reason)
    signal?.addEventListener('abort', onAbort, { once: true })
    if (signal?.aborted) onAbort()
    this.#upgrades.add(own)
    try {
      const socket = await this.#dial(HTTP1_ONLY, own.signal)
      const upgraded = await upgradeOn(socket, head, own.signal)
      if (upgraded.status === 401) this.#credentials?.refused()
      return upgraded
    } finally {
      this.#upgrades.delete(own)
      signal?.removeEventListener('abort', onAbort)
    }
  }

  close(): Promise<void> {
    this.#closed = true
    this.#requests.close()
    this.#streams.close()
    for (const upgrade of this.#upgrades) upgrade.abort(new Error('the client is closed'))
    return Promise.resolve()
  }

  async #connect(owner: ConnectionOwner, limits: ConnectionLimits): Promise<Opened> {
    const socket = await this.#dial(BOTH)
    // Plain sockets have none.
    const multiplexed = (socket as Partial<TLSSocket>).alpnProtocol === 'h2'
    const connection = multiplexed
      ? new Http2Connection(socket, this.#host, owner, limits)
      : new Http1Connection(socket, this.#host, owner, limits)
    return { connection, multiplexed }
  }

  async #dial(protocols: readonly string[], signal?: AbortSignal): Promise<Socket> {
    return this.#dialer.dial(protocols, await this.#credentials?.certificate?.(), signal)
  }

  /** The sink, with an eye on 401 where we have credentials of our own. */
  #watched(sink: ResponseSink): ResponseSink {
    const credentials = this.#credentials
    if (!credentials) return sink
    const refused = (): void => {
      credentials.refused()
      // A client certificate belongs to the connection.
      if (!credentials.certificate) return
      this.#requests.renew()
      this.#streams.renew()
    }
    return {
      borrows: sink.borrows === true,
      head(status: number, headers: Headers) {
        if (status === 401) refused()
        sink.head(status, headers)
      },
      data: (chunk, isLent) => sink.data(chunk, isLent),
      end: () => sink.end(),
      fail: (error) => sink.fail(error),
    }
  }
}

/** A request as the caller holds it, from before it has credentials until after its end. */
class Pending implements Dispatched {
  readonly #pool: Pool
  readonly #request: TransportRequest
  readonly #sink: ResponseSink
  #exchange: Exchange | undefined
  #over = false

  constructor(pool: Pool, request: TransportRequest, sink: ResponseSink) {
    this.#pool = pool
    this.#request = request
    this.#sink = sink
  }

  submit(prefix: string, authorization: string | undefined): void {
    if (this.#over) return
    const request = prefix === '' ? this.#request : { ...this.#request, path: prefix + this.#request.path }
    let fields
    try {
      fields = fieldsOf(request, authorization)
    } catch (error) {
      this.fail(error as Error)
      return
    }
    this.#exchange = {
      request,
      sink: this.#sink,
      fields,
      framing: framingOf(request),
      repeats: 0,
      aborted: false,
      carrier: undefined,
    }
    this.#pool.submit(this.#exchange)
  }

  /** Later than the call that made the request, which has yet to return to its caller. */
  fail(error: Error): void {
    queueMicrotask(() => {
      if (this.#over) return
      this.#over = true
      this.#sink.fail(error)
    })
  }

  abort(): void {
    this.#over = true
    if (this.#exchange) this.#pool.abort(this.#exchange)
  }

  resume(): void {
    this.#exchange?.carrier?.resume()
  }
}

const LONG_RUNNING = /[?&](?:watch|follow)=(?:1|t|true|True|TRUE)(?:&|$)/

function isLongRunning(path: string): boolean {
  return LONG_RUNNING.test(path) || path.includes('/watch/')
}
