/** Servers for tests of the client, one for each protocol, and what a test asks and sees. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createSecureServer, type Http2SecureServer, type Http2Session } from 'node:http2'
import { type AddressInfo, type Server as RawServer, type Socket } from 'node:net'
import { type KeyPair, selfSignedAuthority, servingCertificate } from '../../certificates/index.js'
import { HttpTransport, type HttpOptions } from '../http/index.js'
import { type ResponseSink, type TransportRequest } from '../transport.js'

export const PROTOCOLS = ['HTTP/1.1', 'HTTP/2'] as const
export type Protocol = (typeof PROTOCOLS)[number]

export type Handle = (request: IncomingMessage, response: ServerResponse) => void

export interface Pair {
  client: HttpTransport
  server: string
  options: HttpOptions
  /** How many there have been. */
  sockets: () => number
  /** Nobody listens any more. */
  close: () => Promise<void>
}

let made: { authority: KeyPair; serving: KeyPair } | undefined
let cleanups: (() => unknown)[] = []

/** Of an authority and of servers on this machine. */
export function certificates(): { authority: KeyPair; serving: KeyPair } {
  if (made) return made
  const validity = { notBefore: new Date(Date.now() - 3_600_000), notAfter: new Date(Date.now() + 3_600_000) }
  const authority = selfSignedAuthority('authority', validity)
  made = { authority, serving: servingCertificate(authority, 'server', ['127.0.0.1'], validity) }
  return made
}

export function onCleanup(cleanup: () => unknown): void {
  cleanups.push(cleanup)
}

/** For `afterEach`. */
export async function closePairs(): Promise<void> {
  const due = cleanups.reverse()
  cleanups = []
  for (const cleanup of due) await cleanup()
}

/** @returns the port */
export async function listen(server: Server | RawServer | Http2SecureServer): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()))
  onCleanup(() => {
    if ('closeAllConnections' in server) server.closeAllConnections()
    server.close()
  })
  return (server.address() as AddressInfo).port
}

/** A server of node that speaks the protocol, and a client of it. */
export async function pair(
  protocol: Protocol,
  handle: Handle,
  more: Partial<HttpOptions> = {},
): Promise<Pair> {
  let sockets = 0
  const onSocket = (socket: Socket): void => {
    sockets++
    onCleanup(() => socket.destroy())
  }
  let options: HttpOptions
  let close: Pair['close']
  if (protocol === 'HTTP/1.1') {
    const http = createServer(handle).on('connection', onSocket)
    close = () => new Promise((resolve) => http.close(() => resolve()))
    options = { server: `http://127.0.0.1:${await listen(http)}`, ...more }
  } else {
    const { serving, authority } = certificates()
    const http2 = createSecureServer({ ...serving }).on('secureConnection', onSocket)
    // The same shape as far as tests use it.
    http2.on('request', handle as never)
    http2.on('session', (session: Http2Session) => session.on('error', () => undefined))
    close = () => new Promise((resolve) => http2.close(() => resolve()))
    options = { server: `https://127.0.0.1:${await listen(http2)}`, tls: { ca: authority.cert }, ...more }
  }
  const client = new HttpTransport(options)
  onCleanup(() => client.close())
  return { client, server: options.server, options, sockets: () => sockets, close }
}

export const get = (path = '/'): TransportRequest => ({ method: 'GET', path, headers: {} })

/** Collects an answer and lets the test steer. */
export function collector(accept: () => boolean = () => true) {
  const seen = { status: 0, body: '', ended: false, error: undefined as Error | undefined }
  const sink: ResponseSink = {
    head: (status) => (seen.status = status),
    data: (chunk) => {
      seen.body += Buffer.from(chunk).toString()
      return accept()
    },
    end: () => (seen.ended = true),
    fail: (error) => (seen.error = error),
  }
  return { seen, sink }
}
