/**
 * Between node's HTTP servers and the API server: requests in, answers out, with backpressure both ways.
 * Works for `http`, `https` and the compatibility API of `http2` alike.
 */
import { type IncomingMessage, ServerResponse } from 'node:http'
import { type Http2ServerRequest, type Http2ServerResponse } from 'node:http2'
import { type Duplex } from 'node:stream'
import { type PeerCertificate, type TLSSocket } from 'node:tls'
import { type Dispatched, type Headers, type ResponseSink } from '../../client/transport.js'
import { type ServerRequest } from './exchange.js'

export type Handle = (request: ServerRequest, sink: ResponseSink) => Dispatched

type Request = IncomingMessage | Http2ServerRequest
type Response = ServerResponse | Http2ServerResponse

/** How long what is left of a request body is read and thrown away, so that the answer is seen. */
const LINGER_MS = 5_000
/** How long a reader that was dropped may take to fetch what is on its way. */
const FLUSH_MS = 5_000

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
  const headers: Headers = {}
  for (const [name, value] of Object.entries(request.headers)) {
    if (!name.startsWith(':')) headers[name] = value
  }
  for (const name of Object.keys(headers)) {
    // Repeated headers arrive joined by commas; these must stay apart.
    if (name.startsWith('impersonate-')) headers[name] = rawValues(request.rawHeaders, name)
  }
  const authority = request.headers[':authority']
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
  setHeader(name: string, value: string | readonly string[]): void
  statusCode: number
}

/** @param begin what is to be done before the first byte of the answer */
function respond(
  handle: Handle,
  request: ServerRequest,
  incoming: Request,
  response: Response,
  begin?: () => void,
): void {
  const writer = response as unknown as Writer
  let done = false
  const dispatched = handle(request, {
    head(status, headers) {
      begin?.()
      writer.statusCode = status
      for (const [name, value] of Object.entries(headers)) {
        if (value !== undefined) writer.setHeader(name, value)
      }
      // A watch shows its headers before its first event.
      if (headers['content-length'] === undefined) writer.flushHeaders()
    },
    data: (chunk) => writer.write(chunk),
    end() {
      done = true
      writer.end()
      const flush = setTimeout(() => destroy(response), FLUSH_MS)
      flush.unref()
      response.once('close', () => clearTimeout(flush))
      if (!incoming.readableEnded) discard(incoming)
    },
    fail() {
      done = true
      destroy(response)
    },
  })
  response.on('drain', () => dispatched.resume())
  response.once('close', () => {
    if (!done) dispatched.abort()
  })
  response.on('error', () => dispatched.abort())
}

/** Reads on for a while, for a client that only listens when it has sent everything. */
function discard(request: Request): void {
  const stop = setTimeout(() => request.destroy(), LINGER_MS)
  stop.unref()
  request.once('close', () => clearTimeout(stop))
  request.on('error', () => {})
  request.resume()
}

export interface NodeListeners {
  request: (request: Request, response: Response) => void
  upgrade: (request: IncomingMessage, socket: Duplex, head: Buffer) => void
}

export function nodeListeners(handle: Handle): NodeListeners {
  return {
    request(request, response) {
      request.on('error', () => {})
      respond(handle, requestOf(request), request, response)
    },
    upgrade(request, socket, head) {
      socket.on('error', () => socket.destroy())
      // A handler that takes the connection over answers on the socket itself; all else is a plain answer.
      const response = new ServerResponse(request)
      response.shouldKeepAlive = false
      respond(handle, requestOf(request, { socket, head }), request, response, () => {
        response.assignSocket(socket as TLSSocket)
        response.once('finish', () => socket.end())
      })
    },
  }
}
