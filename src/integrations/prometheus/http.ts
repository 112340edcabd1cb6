/** HTTP to a metrics backend: kept alive, limited in time and size, cancelled with its caller. */
import { Agent as PlainAgent, type IncomingMessage, request as plainRequest } from 'node:http'
import { Agent as TlsAgent, request as tlsRequest } from 'node:https'
import { failure, PrometheusError } from './types.js'

/** A range of eleven thousand points of a hundred series is 20 MB. */
export const LIMIT_BYTES = 32 * 1024 * 1024
/** Of all answers that are on their way at the same time: twenty large ones would be too much together. */
export const TOGETHER_BYTES = 64 * 1024 * 1024
const SOCKETS = 64

export interface HttpResponse {
  status: number
  text: string
}

export interface HttpRequest {
  method: 'GET' | 'POST'
  url: URL
  /** Sent as a form. */
  form?: URLSearchParams
  signal: AbortSignal
  timeoutMs: number
}

export class MetricsHttp {
  readonly #plain = new PlainAgent({ keepAlive: true, maxSockets: SOCKETS })
  readonly #tls = new TlsAgent({ keepAlive: true, maxSockets: SOCKETS })

  #heldBytes = 0

  constructor(
    private readonly limitBytes = LIMIT_BYTES,
    private readonly togetherBytes = TOGETHER_BYTES,
  ) {}

  /** @throws PrometheusError, or the signal's reason */
  async send({ method, url, form, signal, timeoutMs }: HttpRequest): Promise<HttpResponse> {
    const limit = AbortSignal.timeout(timeoutMs)
    const body = form?.toString()
    const headers: Record<string, string | number> = { accept: 'application/json' }
    if (body !== undefined) {
      headers['content-type'] = 'application/x-www-form-urlencoded'
      headers['content-length'] = Buffer.byteLength(body)
    }
    try {
      return await new Promise<HttpResponse>((resolve, reject) => {
        const options = { method, headers, signal: AbortSignal.any([signal, limit]) }
        const take = (response: IncomingMessage): void => void this.#collect(response).then(resolve, reject)
        const outgoing =
          url.protocol === 'https:'
            ? tlsRequest(url, { ...options, agent: this.#tls }, take)
            : plainRequest(url, { ...options, agent: this.#plain }, take)
        outgoing.on('error', reject)
        outgoing.end(body)
      })
    } catch (error) {
      if (signal.aborted) throw signal.reason
      if (error instanceof PrometheusError) throw error
      if (limit.aborted)
        throw failure('timeout', `no answer within ${timeoutMs / 1_000} seconds`, { cause: error })
      const verb = method === 'POST' ? 'Post' : 'Get'
      throw new PrometheusError(`${verb} "${url.href}": ${reasonOf(error)}`, { cause: error })
    }
  }

  close(): void {
    this.#plain.destroy()
    this.#tls.destroy()
  }

  async #collect(response: IncomingMessage): Promise<HttpResponse> {
    const chunks: Buffer[] = []
    let length = 0
    try {
      for await (const chunk of response as AsyncIterable<Buffer>) {
        length += chunk.length
        this.#heldBytes += chunk.length
        if (length > this.limitBytes)
          throw failure('bad_response', `an answer of more than ${this.limitBytes} bytes`)
        if (this.#heldBytes > this.togetherBytes)
          throw failure('bad_response', `answers of more than ${this.togetherBytes} bytes at the same time`)
        chunks.push(chunk)
      }
      return { status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString('utf8') }
    } finally {
      this.#heldBytes -= length
    }
  }
}

const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'connection reset by peer',
  EHOSTUNREACH: 'no route to host',
  ETIMEDOUT: 'connection timed out',
}

/** As clients of the original read it: `dial tcp 127.0.0.1:9090: connect: connection refused`. */
function reasonOf(error: unknown): string {
  // A host of several addresses fails with all of them.
  const [first = error] = error instanceof AggregateError ? (error.errors as unknown[]) : []
  const {
    code = '',
    syscall,
    address,
    port,
    message,
  } = first as NodeJS.ErrnoException & {
    address?: string
    port?: number
  }
  const reason = REASONS[code]
  if (syscall === 'connect' && reason !== undefined && address !== undefined && port !== undefined) {
    const host = address.includes(':') ? `[${address}]` : address
    return `dial tcp ${host}:${port}: connect: ${reason}`
  }
  return reason ?? message
}
