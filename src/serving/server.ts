/**
 * The listening side: sockets, limits and times, upgrades, and an orderly end.
 *
 * Every request, upgrades included, becomes an Exchange and goes to the one handler.
 */
import { randomUUID } from 'node:crypto'
import http from 'node:http'
import https from 'node:https'
import { type AddressInfo, type Socket } from 'node:net'
import { type Duplex } from 'node:stream'
import { InFlight } from '../apimachinery/inflight/index.js'
import { ANONYMOUS } from '../apimachinery/meta/types.js'
import { type Handler } from './chain.js'
import { type Exchange } from './exchange.js'
import { type Logger } from './log.js'
import { NO_INFO } from './requestinfo.js'

export interface ServerLimits {
  /** All headers of a request together; more is answered 431. */
  headerBytes: number
  /** Until the last header has come; later is answered 408. */
  headersTimeoutMs: number
  /** Until the whole request has come, body included. 0: no limit. */
  requestTimeoutMs: number
  /** An idle connection is closed after this. */
  keepAliveTimeoutMs: number
  /** Further connections are closed at once. */
  connections: number
  /** Silence after which a peer's system is asked whether it still lives. */
  probeIdleMs: number
  /** A client that has taken nothing of an answer for so long is left. */
  stalledMs: number
}

export const SERVER_LIMITS: ServerLimits = {
  headerBytes: 32 * 1024,
  headersTimeoutMs: 15_000,
  requestTimeoutMs: 300_000,
  keepAliveTimeoutMs: 65_000,
  connections: 20_000,
  probeIdleMs: 30_000,
  stalledMs: 60_000,
}

export interface ServerOptions {
  handler: Handler
  logger: Logger
  limits?: Partial<ServerLimits>
  /** PEM. */
  tls?: { cert: string | Buffer; key: string | Buffer }
}

export interface RunningServer {
  readonly host: string
  readonly port: number
}

export interface HttpServer {
  /** @throws PortError when the port cannot be had; port 0 takes a free one */
  listen(address: { host?: string; port: number }): Promise<RunningServer>
  /**
   * Takes no more requests, ends watches and tunnels, waits for the other requests up to `graceMs`, then
   * breaks off what is left. Resolves when all connections are closed.
   */
  close(graceMs?: number): Promise<void>
  readonly node: http.Server
}

/** The port is taken or not ours to take. */
export class PortError extends Error {
  override readonly name = 'PortError'
  constructor(
    readonly code: 'EADDRINUSE' | 'EACCES' | 'EADDRNOTAVAIL',
    readonly host: string,
    readonly port: number,
    options: ErrorOptions,
  ) {
    super(`cannot listen on ${host}:${port}: ${code}`, options)
  }
}

export function createServer({ handler, logger, limits: given, tls }: ServerOptions): HttpServer {
  const limits = { ...SERVER_LIMITS, ...given }
  const options: http.ServerOptions & https.ServerOptions = {
    maxHeaderSize: limits.headerBytes,
    headersTimeout: limits.headersTimeoutMs,
    requestTimeout: limits.requestTimeoutMs,
    keepAliveTimeout: limits.keepAliveTimeoutMs,
    connectionsCheckingInterval: Math.min(1000, limits.headersTimeoutMs),
    keepAlive: true,
    keepAliveInitialDelay: limits.probeIdleMs,
    noDelay: true,
  }
  const server = tls
    ? https.createServer({
        ...options,
        ...tls,
        minVersion: 'TLSv1.2',
        handshakeTimeout: limits.headersTimeoutMs,
      })
    : http.createServer(options)
  server.maxConnections = limits.connections

  const exchanges = new InFlight<ServerExchange>()
  const stalled = setInterval(() => {
    for (const exchange of exchanges) if (exchange.isStalled()) exchange.response.destroy()
  }, limits.stalledMs / 2).unref()
  const tunnels = new Set<Duplex>()
  let closing = false

  function begin(exchange: ServerExchange, done: NodeJS.EventEmitter): void {
    const place = exchanges.add(exchange)
    done.once('close', () => {
      exchanges.delete(place)
      exchange.over(logger)
      if (closing) setImmediate(() => server.closeIdleConnections())
    })
    exchange.response.setHeader('Audit-Id', exchange.id)
    if (closing) exchange.response.setHeader('Connection', 'close')
    handler(exchange).catch((error: unknown) => {
      // The outermost filter answers errors; one that gets here is a fault of that filter.
      logger.error({ err: error, requestId: exchange.id }, 'request handler failed')
      exchange.response.destroy()
    })
  }

  const onRequest = (request: http.IncomingMessage, response: http.ServerResponse): void => {
    // A broken connection shows as an abort of the exchange.
    request.on('error', () => undefined)
    response.on('error', () => undefined)
    begin(new ServerExchange(request, response), response)
  }
  server.on('request', onRequest)
  // The body is asked for when somebody wants to read it, which a refused request does not get to.
  server.on('checkContinue', onRequest)
  server.on('checkExpectation', (_request, response) => {
    response.writeHead(417, { Connection: 'close' }).end()
  })

  server.on('upgrade', (request: http.IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on('error', () => socket.destroy())
    tunnels.add(socket)
    socket.once('close', () => tunnels.delete(socket))
    const response = new http.ServerResponse(request)
    response.shouldKeepAlive = false
    response.assignSocket(socket as Socket)
    response.once('finish', () => socket.end())
    response.on('error', () => undefined)
    // Anything but these two is an offer that may be passed over, such as h2c.
    const known = /\b(?:websocket|spdy\/3\.1)\b/i.test(request.headers.upgrade ?? '')
    begin(new ServerExchange(request, response, known ? { socket, head } : undefined), socket)
  })

  server.on('clientError', (error: NodeJS.ErrnoException, socket: Duplex) => {
    if (error.code === 'ECONNRESET' || !socket.writable) {
      socket.destroy()
      return
    }
    const status =
      error.code === 'HPE_HEADER_OVERFLOW' ? 431 : error.code === 'ERR_HTTP_REQUEST_TIMEOUT' ? 408 : 400
    logger.debug({ code: error.code, status }, 'malformed request')
    socket.end(
      `HTTP/1.1 ${status} ${http.STATUS_CODES[status]}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`,
      () => socket.destroy(),
    )
  })

  return {
    node: server,
    listen({ host = '127.0.0.1', port }) {
      return new Promise((resolve, reject) => {
        const onError = (error: NodeJS.ErrnoException): void => {
          const { code } = error
          const known = code === 'EADDRINUSE' || code === 'EACCES' || code === 'EADDRNOTAVAIL'
          reject(known ? new PortError(code, host, port, { cause: error }) : error)
        }
        server.once('error', onError)
        server.listen({ host, port }, () => {
          server.off('error', onError)
          server.on('error', (error) => logger.error({ err: error }, 'server failed'))
          const address = server.address() as AddressInfo
          resolve({ host: address.address, port: address.port })
        })
      })
    },
    close(graceMs = 10_000) {
      closing = true
      clearInterval(stalled)
      return new Promise((resolve) => {
        const timer = setTimeout(() => {
          for (const exchange of exchanges) exchange.abort()
          for (const socket of tunnels) socket.destroy()
          server.closeAllConnections()
        }, graceMs)
        server.close(() => {
          clearTimeout(timer)
          resolve()
        })
        for (const exchange of exchanges) {
          if (exchange.longRunning) exchange.abort()
          else if (!exchange.response.headersSent) exchange.response.setHeader('Connection', 'close')
        }
        server.closeIdleConnections()
      })
    },
  }
}

class ServerExchange implements Exchange {
  readonly id = randomUUID()
  readonly startedAt = performance.now()
  readonly trace: string[] = []
  path = ''
  search = ''
  info = NO_INFO
  user = ANONYMOUS
  longRunning = false
  allowed = false
  answerIsCopied = false
  declare readonly upgrade?: { socket: Duplex; head: Buffer }
  tapRequest?: (chunk: Uint8Array) => void
  #controller: AbortController | undefined
  #onAbort: InFlight<() => void> | undefined
  readonly #whenOver: (() => void)[] = []
  #isOver = false
  isAborted = false
  /** What the client had taken when last looked at, and how often it was the same with more waiting. */
  #taken = -1
  #looks = 0

  constructor(
    readonly request: http.IncomingMessage,
    readonly response: http.ServerResponse,
    upgrade?: { socket: Duplex; head: Buffer },
  ) {
    if (upgrade) this.upgrade = upgrade
  }

  /** Made when first asked for: most requests are answered without waiting for anything. */
  get signal(): AbortSignal {
    if (!this.#controller) {
      this.#controller = new AbortController()
      if (this.isAborted) this.#controller.abort()
    }
    return this.#controller.signal
  }

  onAbort(callback: () => void): () => void {
    if (this.isAborted) {
      callback()
      return () => undefined
    }
    const callbacks = (this.#onAbort ??= new InFlight())
    const place = callbacks.add(callback)
    return () => callbacks.delete(place)
  }

  abort(): void {
    if (this.isAborted) return
    this.isAborted = true
    this.#controller?.abort()
    const callbacks = this.#onAbort
    this.#onAbort = undefined
    for (const callback of callbacks ?? []) callback()
  }

  /** Asked twice within the time that a client may be silent. */
  isStalled(): boolean {
    const { socket } = this.request
    const taken = socket.bytesWritten - socket.writableLength
    const waits = socket.writableLength > 0 && taken === this.#taken
    this.#looks = waits ? this.#looks + 1 : 0
    this.#taken = taken
    return this.#looks >= 2
  }

  whenOver(callback: () => void): void {
    if (this.#isOver) callback()
    else this.#whenOver.push(callback)
  }

  over(logger: Logger): void {
    this.#isOver = true
    if (this.upgrade || !this.response.writableFinished) this.abort()
    for (const callback of this.#whenOver) {
      try {
        callback()
      } catch (error) {
        logger.error({ err: error, requestId: this.id }, 'the end of a request could not be noted')
      }
    }
  }
}
