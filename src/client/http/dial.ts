/** Opens sockets to a server, plain or TLS, within a time limit. */
import { connect as connectPlain, type OnReadOpts, type Socket } from 'node:net'
import {
  connect as connectSecure,
  type ConnectionOptions,
  createSecureContext,
  type SecureContext,
} from 'node:tls'

/** PEM. */
export interface ClientCertificate {
  cert: Buffer | string
  key: Buffer | string
}

export interface TlsOptions {
  /** PEM. Without it, the authorities that the system trusts. */
  ca?: Buffer | string
  /** PEM, a client certificate. */
  cert?: Buffer | string
  key?: Buffer | string
  /** The name to be found in the server's certificate, where it is not the host's. */
  servername?: string
  /** Do not check the server's certificate. */
  insecure?: boolean
}

export interface DialOptions {
  host: string
  port: number
  tls: TlsOptions | undefined
  timeoutMs: number
}

const PROBE_AFTER_MS = 30_000
/** What one record of TLS holds at most. */
const RECORD = 16 * 1024

/**
 * @param bytes good until it returns
 * @returns false when nothing more is to be read until the socket is resumed
 */
export type Reader = (bytes: Buffer) => boolean

const readers = new WeakMap<Socket, Reader>()

/** Takes what comes on a socket that `dial` has opened and on which HTTP/2 was offered, in place of its stream and without memory for each piece. */
export function readFrom(socket: Socket, reader: Reader): void {
  readers.set(socket, reader)
}

/** Keeps what is costly between connections: the parsed certificates, and TLS sessions to resume. */
export class Dialer {
  readonly #options: DialOptions
  #context: SecureContext | undefined
  #certificate: ClientCertificate | undefined
  #session: Buffer | undefined

  constructor(options: DialOptions) {
    this.#options = options
  }

  /**
   * @param protocols offered over TLS, the best first
   * @param certificate in place of that of the options
   * @throws Error when the server cannot be reached, is not who it should be, or takes too long
   */
  dial(protocols: readonly string[], certificate?: ClientCertificate, signal?: AbortSignal): Promise<Socket> {
    const { host, port, tls, timeoutMs } = this.#options
    return new Promise((resolve, reject) => {
      if (signal?.aborted) {
        reject(signal.reason as Error)
        return
      }
      const socket: Socket = tls
        ? this.#secure(tls, protocols, certificate)
        : connectPlain({ host, port, noDelay: true })
      const settle = (): void => {
        clearTimeout(timer)
        signal?.removeEventListener('abort', onAbort)
        socket.off('error', onError)
      }
      const onError = (error: Error): void => {
        settle()
        socket.on('error', ignore)
        socket.destroy()
        reject(error)
      }
      const onAbort = (): void => onError(signal?.reason as Error)
      const timer = setTimeout(
        () => onError(new Error(`no connection to ${host}:${port} within ${timeoutMs} ms`)),
        timeoutMs,
      )
      signal?.addEventListener('abort', onAbort, { once: true })
      socket.on('error', onError)
      socket.once(tls ? 'secureConnect' : 'connect', () => {
        settle()
        // An error between here and the first listener of the new owner must not be unhandled.
        socket.on('error', ignore)
        socket.setNoDelay(true)
        socket.setKeepAlive(true, PROBE_AFTER_MS)
        resolve(socket)
      })
    })
  }

  #secure(tls: TlsOptions, protocols: readonly string[], certificate: ClientCertificate | undefined): Socket {
    const { host, port } = this.#options
    const { ca } = tls
    const { cert, key } = certificate ?? tls
    if (certificate !== this.#certificate) {
      // A session taken up again would keep the identity it was made with.
      this.#certificate = certificate
      this.#context = undefined
      this.#session = undefined
    }
    this.#context ??= createSecureContext({
      ...(ca !== undefined && { ca }),
      ...(cert !== undefined && { cert }),
      ...(key !== undefined && { key }),
    })
    const onread = {
      buffer: Buffer.allocUnsafeSlow(RECORD),
      callback(length: number, buffer: Uint8Array): boolean {
        const reader = readers.get(socket)
        const bytes = (buffer as Buffer).subarray(0, length)
        return reader ? reader(bytes) : socket.push(Buffer.from(bytes))
      },
    }
    // An address is no name for SNI; the certificate is then checked against the address.
    const servername = tls.servername ?? (isAddress(host) ? '' : host)
    // Its types leave out what a TLS socket shares with a plain one.
    const options: ConnectionOptions & { onread?: OnReadOpts } = {
      host,
      port,
      // One whose protocol changes is handed over as a stream.
      ...(protocols.includes('h2') && { onread }),
      secureContext: this.#context,
      servername,
      rejectUnauthorized: tls.insecure !== true,
      ALPNProtocols: [...protocols],
      ...(this.#session !== undefined && { session: this.#session }),
    }
    const socket: Socket = connectSecure(options)
    socket.on('session', (session: Buffer) => (this.#session = session))
    return socket
  }
}

function ignore(): void {}

function isAddress(host: string): boolean {
  return /^[0-9.]+$/.test(host) || host.includes(':')
}
