/**
 * How a request reaches a Kubernetes API: over sockets, or in this process.
 *
 * Push, not pull: the answer is handed to a sink as it arrives, so a watch costs no promise per event
 * and a body is never buffered by whoever stands in between. Backpressure is `data` returning false and
 * `resume` later, as in node streams.
 */
import { type Duplex } from 'node:stream'
import { type UserInfo } from '../apimachinery/meta/types.js'

/** Names are lower case. */
export type Headers = Record<string, string | string[] | undefined>

export interface TransportRequest {
  method: string
  /** Path and query as they go on the wire. */
  path: string
  headers: Headers
  /** A whole body, or chunks as they arrive. */
  body?: Uint8Array | AsyncIterable<Uint8Array>
  /**
   * Who asks, where the transport can say so itself (in process). Over sockets the credentials of the
   * client configuration apply and this is ignored.
   */
  user?: UserInfo
}

export interface ResponseSink {
  /**
   * May be lent pieces, whose memory is used again once `data` has returned. So a large answer that passes through is read
   * into one buffer, and not into one for each piece.
   */
  readonly borrows?: boolean
  head(status: number, headers: Headers): void
  /**
   * @param isLent true only to a sink that borrows
   * @returns false when the sink is full: no more data until `resume`
   */
  data(chunk: Uint8Array, isLent?: boolean): boolean
  end(): void
  /** The answer broke off, or never came. Called at most once, and not after `end`. */
  fail(error: Error): void
}

export interface Dispatched {
  /** Frees everything behind the request; the sink is not called any more. Safe to call twice or late. */
  abort(): void
  resume(): void
}

export interface Upgraded {
  status: number
  headers: Headers
  /** Present on 101 only. Bytes already received are readable from it. */
  socket?: Duplex
  /** The body of a refusal. */
  body?: Uint8Array
}

export interface Transport {
  dispatch(request: TransportRequest, sink: ResponseSink): Dispatched
  /** WebSocket and SPDY. @throws when the server cannot be reached */
  upgrade(request: TransportRequest, signal?: AbortSignal): Promise<Upgraded>
  close(): Promise<void>
}

export interface BufferedResponse {
  status: number
  headers: Headers
  body: Buffer
}

/** Sends a request and collects the whole answer. @throws the transport's error, or the signal's reason */
export function send(
  transport: Transport,
  request: TransportRequest,
  signal?: AbortSignal,
): Promise<BufferedResponse> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(signal.reason as Error)
      return
    }
    let status = 0
    let headers: Headers = {}
    const chunks: Uint8Array[] = []
    const onAbort = (): void => {
      dispatched.abort()
      reject(signal?.reason as Error)
    }
    const done = (): void => signal?.removeEventListener('abort', onAbort)
    const dispatched = transport.dispatch(request, {
      head(code, received) {
        status = code
        headers = received
      },
      data(chunk) {
        chunks.push(chunk)
        return true
      },
      end() {
        done()
        resolve({ status, headers, body: Buffer.concat(chunks) })
      },
      fail(error) {
        done()
        reject(error)
      },
    })
    signal?.addEventListener('abort', onAbort, { once: true })
  })
}
