/**
 * Between node's HTTP servers and the API server: requests in, answers out, with backpressure both ways.
 * Works for `http`, `https` and the compatibility API of `http2` alike.
 */
import { type IncomingMessage, ServerResponse } from 'node:http'
import { type Http2ServerRequest, type Http2ServerResponse } from 'node:http2'
import { type Duplex } from 'node:stream'
import { type PeerCertificate, type TLSSocket } from 'node:tls'
import { Deadlines } from '../../apimachinery/inflight/deadlines.js'
import { type Dispatched, type Headers, type ResponseSink } from '../../client/transport.js'
import { systemClock } from '../registry/clock.js'
import { type ServerRequest } from './exchange.js'

export type Handle = (request: ServerRequest, sink: ResponseSink) => Dispatched

type Request = IncomingMessage | Http2ServerRequest
type Response = ServerResponse | Http2ServerResponse

/** How long what is left of a request body is read and thrown away, so that the answer is seen. */
const LINGER_MS = 5_000
/** How long a reader that was dropped may take to fetch what is on its way. */
const FLUSH_MS = 5_000

const flushing = new Deadlines(systemClock, FLUSH_MS)
const NO_MOMENTS = {}
const IGNORED = (): void => {}

const BODY_METHODS = new Set(['POST', 'PUT', 'PATCH', 'DELETE'])
const certificates = new WeakMap<object, ServerRequest['peerCertificate']>()

/** The certificate of the connection; looked at once. */
function peerCertificateOf(request: Request): ServerRequest['peerCertificate'] {
  const socket = 'stream' in request ? request.stream.session?.socket : request.socket
  // The socket of an HTTP/2 session is a proxy: it answers reads, but not `in`.
  if (!socket || typeof (socket as Partial<TLSSocket>).getPeerCertificate !== 'function') return undefined
  const holder = ('stream' in request ? request.stream.session : request.socket) as object
  if (certificates.has(holder)) return certificates.get(holder)
  const { authorized } = socket as TLSSocket
  const certificate = (socket as TLSSocket).getPeerCertificate() as PeerCertificate | undefined
  const given = certificate && Object.keys(certificate).length > 0
  const result = given ? { certificate, authorized } : undefined
  certificates.set(holder, result)
  return result
}

function rawValues(raw: readonly string[], name: string): string[] {
  return raw.filter((_value, i) => i % 2 === 1 && raw[i - 1]?.toLowerCase() === name)
}

function headersOf(request: Request): Headers {
  const all: Headers = request.headers
  let headers = all
  for (const name in all) {
    const isPseudo = name.startsWith(':')
    if (!isPseudo && !name.startsWith('impersonate-')) continue
    if (headers === all) headers = { ...all }
    if (isPseudo) delete headers[name]
    // Repeated headers arrive joined by commas; these must stay apart.
    else headers[name] = rawValues(request.rawHeaders, name)
  }
  const authority = all[':authority']
  if (authority !== undefined) headers.host ??= authority
  return headers
}

function requestOf(request: Request, upgrade?: ServerRequest['upgrade']): ServerRequest {
  const method = request.method ?? 'GET'
  const peerCertificate = peerCertificateOf(request)
  return {
    method,
    path: request.url ?? '/',
    headers: headersOf(request),
    sourceIP: request.socket?.remoteAddress ?? '',
    ...(BODY_METHODS.has(method) && !upgrade && { body: request }),
    ...(peerCertificate && { peerCertificate }),
    ...(upgrade && { upgrade }),
  }
}

function destroy(response: Response): void {
  if ('stream' in response) response.stream.close()
  else response.destroy()
}

/** Both kinds of response have these, with overloads that do not meet. */
interface Writer {
  write(chunk: Uint8Array): boolean
  end(): void
  flushHeaders(): void
  writeHead(status: number, headers: Headers): void
}

/** Without names that have no value, which nearly never are. */
function given(headers: Headers): Headers {
  for (const name in headers) {
    if (headers[name] !== undefined) continue
    return Object.fromEntries(Object.entries(headers).filter(([, value]) => value !== undefined))
  }
  return headers
}

interface Moments {
  /** Before the first byte of the answer. */
  begin?: () => void
  /** The answer has gone out, or never will. */
  over?: () => void
}

function respond(
  handle: Handle,
  request: ServerRequest,
  incoming: Request,
  response: Response,
  { begin, over }: Moments,
): void {
  const writer = response as unknown as Writer
  let done = false
  let cancelFlush: (() => void) | undefined
  const dispatched = handle(request, {
    head(status, headers) {
      begin?.()
      writer.writeHead(status, given(headers))
      // A watch shows its headers before its first event.
      if (headers['content-length'] === undefined) writer.flushHeaders()
    },
    data: (chunk) => writer.write(chunk),
    end() {
      done = true
      writer.end()
      cancelFlush = flushing.add(() => destroy(response))
      if (incoming.complete) incoming.resume()
      else discard(incoming)
    },
    fail() {
      done = true
      destroy(response)
    },
  })
  response.on('drain', () => dispatched.resume())
  response.once('close', () => {
    cancelFlush?.()
    if (!done) dispatched.abort()
    over?.()
  })
  response.on('error', () => dispatched.abort())
}

/** Reads on for a while, for a client that only listens when it has sent everything. */
function discard(request: Request): void {
  const stop = setTimeout(() => request.destroy(), LINGER_MS)
  stop.unref()
  request.once('close', () => clearTimeout(stop))
  request.on('error', IGNORED)
  request.resume()
}

export interface NodeListeners {
  request: (request: Request, response: Response) => void
  upgrade: (request: IncomingMessage, socket: Duplex, head: Buffer) => void
}

/** @param begun called for each request, returns what is called when its answer is over */
export function nodeListeners(
  handle: Handle,
  begun?: (request: Request) => (() => void) | undefined,
): NodeListeners {
  return {
    request(request, response) {
      request.on('error', IGNORED)
      const over = begun?.(request)
      respond(handle, requestOf(request), request, response, over ? { over } : NO_MOMENTS)
    },
    upgrade(request, socket, head) {
      socket.on('error', () => socket.destroy())
      // A handler that takes the connection over answers on the socket itself; all else is a plain answer.
      const response = new ServerResponse(request)
      response.shouldKeepAlive = false
      const begin = (): void => {
        response.assignSocket(socket as TLSSocket)
        response.once('finish', () => socket.end())
      }
      respond(handle, requestOf(request, { socket, head }), request, response, { begin })
    },
  }
}
