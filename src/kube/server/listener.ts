/**
 * The API on a port: HTTPS with HTTP/2 by ALPN and HTTP/1.1 beside it, client certificates asked for and
 * never demanded.
 */
import { createSecureServer, type Http2SecureServer, type ServerHttp2Session } from 'node:http2'
import { type Socket } from 'node:net'
import { type Logger } from './interfaces.js'
import { type Handle, nodeListeners } from './node.js'

export interface ListenerOptions {
  handle: Handle
  /** PEM. */
  key: string | Buffer
  cert: string | Buffer
  /** Authorities whose client certificates count, PEM. */
  clientCa: string | Buffer | readonly (string | Buffer)[]
  host: string
  /** 0 takes a free one. */
  port: number
  logger: Logger
}

export interface Listener {
  readonly host: string
  readonly port: number
  /** Takes no more connections, waits for what is under way, then cuts what is left. */
  close(timeoutMs?: number): Promise<void>
}

/** Somebody else listens there already. */
export class PortInUse extends Error {
  override readonly name = 'PortInUse'
  constructor(
    readonly host: string,
    readonly port: number,
    options?: ErrorOptions,
  ) {
    super(`port ${port} of ${host} is in use`, options)
  }
}

const CLOSE_MS = 5_000
const MAX_STREAMS = 1_000

/** @throws PortInUse, or whatever listening fails with */
export async function listen(options: ListenerOptions): Promise<Listener> {
  const { key, cert, clientCa, host, logger } = options
  const server = createSecureServer({
    key,
    cert,
    ca: Array.isArray(clientCa)
      ? [...(clientCa as readonly (string | Buffer)[])]
      : (clientCa as string | Buffer),
    requestCert: true,
    rejectUnauthorized: false,
    allowHTTP1: true,
    settings: { maxConcurrentStreams: MAX_STREAMS },
  })
  const connections = track(server, logger)
  const { request, upgrade } = nodeListeners(options.handle, ({ httpVersionMajor, socket }) =>
    httpVersionMajor === 2 ? undefined : working(connections, socket),
  )
  server.on('request', request)
  server.on('upgrade', upgrade)
  const port = await bind(server, host, options.port)
  return { host, port, close: (timeoutMs = CLOSE_MS) => close(server, connections, timeoutMs) }
}

function bind(server: Http2SecureServer, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const refused = (error: NodeJS.ErrnoException): void => {
      reject(error.code === 'EADDRINUSE' ? new PortInUse(host, port, { cause: error }) : error)
    }
    server.once('error', refused)
    server.listen(port, host, () => {
      server.off('error', refused)
      const address = server.address()
      resolve(typeof address === 'object' && address ? address.port : port)
    })
  })
}

interface Connections {
  sockets: Set<Socket>
  sessions: Set<ServerHttp2Session>
  /** HTTP/1.1 requests being answered on a socket. */
  busy: Map<Socket, number>
  closing: boolean
}

function track(server: Http2SecureServer, logger: Logger): Connections {
  const connections: Connections = {
    sockets: new Set(),
    sessions: new Set(),
    busy: new Map(),
    closing: false,
  }
  const { sockets, sessions, busy } = connections
  server.on('secureConnection', (socket: Socket) => {
    sockets.add(socket)
    socket.once('close', () => {
      sockets.delete(socket)
      busy.delete(socket)
    })
    socket.on('error', () => socket.destroy())
  })
  server.on('session', (session) => {
    sessions.add(session)
    session.once('close', () => sessions.delete(session))
    session.on('error', () => session.destroy())
  })
  server.on('clientError', (error: Error, socket: Socket) => {
    if (socket.writable) socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n')
    logger.debug({ error }, 'a client sent what is no HTTP')
  })
  server.on('tlsClientError', (error: Error) => logger.debug({ error }, 'a TLS handshake failed'))
  server.on('sessionError', (error: Error) => logger.debug({ error }, 'an HTTP/2 session broke'))
  return connections
}

/** Notes a request on a socket. @returns what is to be called when it is answered */
function working(connections: Connections, socket: Socket): () => void {
  const { busy } = connections
  busy.set(socket, (busy.get(socket) ?? 0) + 1)
  return () => {
    const left = (busy.get(socket) ?? 1) - 1
    if (left > 0) {
      busy.set(socket, left)
      return
    }
    busy.delete(socket)
    if (connections.closing) socket.end()
  }
}

async function close(server: Http2SecureServer, connections: Connections, timeoutMs: number): Promise<void> {
  connections.closing = true
  const closed = new Promise<void>((resolve) => server.close(() => resolve()))
  for (const session of connections.sessions) session.close()
  const onSession = new Set([...connections.sessions].map(({ socket }) => socket))
  for (const socket of connections.sockets) {
    const plain = !connections.busy.has(socket) && !onSession.has(socket)
    if (plain && (socket as Socket & { alpnProtocol?: string }).alpnProtocol !== 'h2') socket.destroy()
  }
  const cut = setTimeout(() => {
    for (const session of connections.sessions) session.destroy()
    for (const socket of connections.sockets) socket.destroy()
  }, timeoutMs)
  await closed
  clearTimeout(cut)
}
