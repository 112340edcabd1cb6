/** HTTP to a metrics backend: kept alive, limited in time and size, cancelled with its caller. */
import { HttpTransport } from '../../client/http/index.js'
import { type TransportRequest } from '../../client/transport.js'
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
  /** By origin: there is one, as a rule. */
  readonly #transports = new Map<string, HttpTransport>()
  #heldBytes = 0

  constructor(
    private readonly limitBytes = LIMIT_BYTES,
    private readonly togetherBytes = TOGETHER_BYTES,
  ) {}

  /** @throws PrometheusError, or the signal's reason */
  send({ method, url, form, signal, timeoutMs }: HttpRequest): Promise<HttpResponse> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) {
        reject(signal.reason as Error)
        return
      }
      const chunks: Uint8Array[] = []
      let status = 0
      let length = 0
      const done = (): void => {
        clearTimeout(timer)
        signal.removeEventListener('abort', onAbort)
        this.#heldBytes -= length
        length = 0
      }
      const breakOff = (error: Error): void => {
        done()
        dispatched.abort()
        reject(error)
      }
      const onAbort = (): void => breakOff(signal.reason as Error)
      const timer = setTimeout(
        () => breakOff(failure('timeout', `no answer within ${timeoutMs / 1_000} seconds`)),
        timeoutMs,
      )
      const dispatched = this.#transport(url).dispatch(requestOf(method, url, form), {
        head(code) {
          status = code
        },
        data: (chunk) => {
          length += chunk.length
          this.#heldBytes += chunk.length
          const fault = this.#tooMuch(length)
          if (fault) breakOff(failure('bad_response', fault))
          else chunks.push(chunk)
          return true
        },
        end() {
          const text = Buffer.concat(chunks).toString('utf8')
          done()
          resolve({ status, text })
        },
        fail(error) {
          done()
          const verb = method === 'POST' ? 'Post' : 'Get'
          reject(new PrometheusError(`${verb} "${url.href}": ${reasonOf(error)}`, { cause: error }))
        },
      })
      signal.addEventListener('abort', onAbort, { once: true })
    })
  }

  close(): void {
    for (const transport of this.#transports.values()) void transport.close()
  }

  #transport({ origin }: URL): HttpTransport {
    let transport = this.#transports.get(origin)
    if (!transport) {
      // How long an answer may take is for each request to say.
      transport = new HttpTransport({ server: origin, maxRequests: SOCKETS, answerTimeoutMs: Infinity })
      this.#transports.set(origin, transport)
    }
    return transport
  }

  #tooMuch(length: number): string | undefined {
    if (length > this.limitBytes) return `an answer of more than ${this.limitBytes} bytes`
    if (this.#heldBytes > this.togetherBytes)
      return `answers of more than ${this.togetherBytes} bytes at the same time`
    return undefined
  }
}

const FORM = { accept: 'application/json', 'content-type': 'application/x-www-form-urlencoded' }

function requestOf(method: string, { pathname, search }: URL, form?: URLSearchParams): TransportRequest {
  const path = pathname + search
  if (!form) return { method, path, headers: { accept: FORM.accept } }
  return { method, path, headers: FORM, body: Buffer.from(form.toString()) }
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
