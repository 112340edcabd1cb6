/** HTTP with JSON bodies to a backend of the platform: kept alive, limited in time and size, cancelled with its caller. */
import { Agent as PlainAgent, type IncomingMessage, request as plainRequest } from 'node:http'
import { Agent as TlsAgent, request as tlsRequest } from 'node:https'
import { unavailable } from '../apimachinery/errors/index.js'

export interface JsonHttpOptions {
  /** False: any certificate will do, as backends inside a cluster sign their own. */
  verifiesTls: boolean
  timeoutMs: number
  /** Largest answer. */
  limitBytes?: number
  maxSockets?: number
  headers?: Record<string, string>
}

export interface JsonRequest {
  method: 'GET' | 'POST' | 'DELETE'
  url: URL
  body?: string
  /** Default: application/json. */
  contentType?: string
  signal?: AbortSignal | undefined
}

export interface JsonAnswer {
  status: number
  text: string
}

const LIMIT_BYTES = 64 * 1024 * 1024

export class JsonHttp {
  readonly #plain: PlainAgent
  readonly #tls: TlsAgent

  constructor(private readonly options: JsonHttpOptions) {
    const { maxSockets = 32, verifiesTls } = options
    this.#plain = new PlainAgent({ keepAlive: true, maxSockets })
    this.#tls = new TlsAgent({ keepAlive: true, maxSockets, rejectUnauthorized: verifiesTls })
  }

  /** @throws StatusError 503 when there is no answer; the signal's reason */
  async send({
    method,
    url,
    body,
    contentType = 'application/json',
    signal,
  }: JsonRequest): Promise<JsonAnswer> {
    const { timeoutMs, headers } = this.options
    const limit = AbortSignal.timeout(timeoutMs)
    const options = {
      method,
      signal: signal ? AbortSignal.any([signal, limit]) : limit,
      headers: {
        accept: 'application/json',
        ...headers,
        ...(body !== undefined && { 'content-type': contentType, 'content-length': Buffer.byteLength(body) }),
      },
    }
    try {
      return await new Promise<JsonAnswer>((resolve, reject) => {
        const take = (response: IncomingMessage): void => void this.#collect(response).then(resolve, reject)
        const outgoing =
          url.protocol === 'https:'
            ? tlsRequest(url, { ...options, agent: this.#tls }, take)
            : plainRequest(url, { ...options, agent: this.#plain }, take)
        outgoing.on('error', reject)
        outgoing.end(body)
      })
    } catch (error) {
      if (signal?.aborted) throw signal.reason
      const why = limit.aborted ? `no answer within ${timeoutMs / 1_000} seconds` : (error as Error).message
      throw unavailable(`${url.host}: ${why}`, { cause: error })
    }
  }

  close(): void {
    this.#plain.destroy()
    this.#tls.destroy()
  }

  async #collect(response: IncomingMessage): Promise<JsonAnswer> {
    const { limitBytes = LIMIT_BYTES } = this.options
    const chunks: Buffer[] = []
    let length = 0
    for await (const chunk of response as AsyncIterable<Buffer>) {
      length += chunk.length
      if (length > limitBytes) throw new Error(`an answer of more than ${limitBytes} bytes`)
      chunks.push(chunk)
    }
    return { status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString('utf8') }
  }
}
