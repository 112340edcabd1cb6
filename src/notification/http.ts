/** Posts JSON to receivers: to the address that was checked, without following redirects, within bounds. */
import { request as httpRequest, type RequestOptions } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { deadline } from './deadline.js'
import { type Egress } from './egress.js'

/** A failure that a later try may not see. */
export class RetryableError extends Error {
  override readonly name = 'RetryableError'
  constructor(
    message: string,
    readonly retryAfterMs?: number,
    options?: ErrorOptions,
  ) {
    super(message, options)
  }
}

export interface Tls {
  ca?: string
  cert?: string
  key?: string
  serverName?: string
  insecureSkipVerify?: boolean
}

export interface Call {
  url: string
  method?: 'GET' | 'POST'
  headers?: Readonly<Record<string, string>>
  /** Text as it is, anything else as JSON. */
  body?: unknown
  tls?: Tls
  timeoutMs: number
  isTenant: boolean
  signal: AbortSignal
}

export interface HttpAnswer {
  status: number
  text: string
}

const LONGEST_ANSWER = 64 * 1024

export class HttpSender {
  constructor(private readonly egress: Egress) {}

  /** @throws RetryableError when nobody answers, or the answer says that later is better; Error for a bad URL */
  async send({
    url,
    method = 'POST',
    headers,
    body,
    tls,
    timeoutMs,
    isTenant,
    signal,
  }: Call): Promise<HttpAnswer> {
    const target = new URL(url)
    if (target.protocol !== 'http:' && target.protocol !== 'https:')
      throw new Error(`unsupported protocol scheme "${target.protocol.slice(0, -1)}"`)
    const { address, family } = await this.#resolved(target.hostname, isTenant)
    const bytes =
      body === undefined ? undefined : Buffer.from(typeof body === 'string' ? body : JSON.stringify(body))
    const isSecure = target.protocol === 'https:'
    const options: RequestOptions & Record<string, unknown> = {
      method,
      host: address,
      family,
      port: target.port || (isSecure ? 443 : 80),
      path: target.pathname + target.search,
      headers: {
        host: target.host,
        'user-agent': 'orrery-notification-manager',
        ...(bytes && { 'content-type': 'application/json', 'content-length': bytes.length }),
        ...headers,
      },
      ...(isSecure && {
        servername: isIPLiteral(target.hostname) ? '' : (tls?.serverName ?? target.hostname),
        ...(tls?.ca && { ca: tls.ca }),
        ...(tls?.cert && { cert: tls.cert }),
        ...(tls?.key && { key: tls.key }),
        ...(tls?.insecureSkipVerify && { rejectUnauthorized: false }),
      }),
    }
    const time = deadline(timeoutMs, signal)
    const answer = await exchange(isSecure, { ...options, signal: time.signal }, bytes)
      .catch((error: Error) => {
        const why = time.isOver ? `no answer within ${timeoutMs} ms` : error.message
        throw new RetryableError(`${method} ${target.host}: ${why}`, undefined, { cause: error })
      })
      .finally(() => time.cancel())
    if (answer.status === 429 || answer.status >= 500)
      throw new RetryableError(`${answer.status}, ${answer.text.slice(0, 500)}`, answer.retryAfterMs)
    return answer
  }

  async #resolved(hostname: string, isTenant: boolean): Promise<{ address: string; family: number }> {
    try {
      return await this.egress.resolve(hostname, isTenant)
    } catch (error) {
      if ((error as Error).name === 'EgressError') throw error
      throw new RetryableError(`${hostname} cannot be found`, undefined, { cause: error })
    }
  }
}

const isIPLiteral = (host: string): boolean => /^[\d.]+$|^\[/.test(host)

function exchange(
  isSecure: boolean,
  options: RequestOptions,
  bytes: Buffer | undefined,
): Promise<HttpAnswer & { retryAfterMs: number | undefined }> {
  return new Promise((resolve, reject) => {
    const request = (isSecure ? httpsRequest : httpRequest)(options, (response) => {
      const chunks: Buffer[] = []
      let size = 0
      response.on('data', (chunk: Buffer) => {
        size += chunk.length
        if (size <= LONGEST_ANSWER) chunks.push(chunk)
        else response.destroy(new Error('the answer is too long'))
      })
      response.on('error', reject)
      response.on('end', () => {
        const seconds = Number(response.headers['retry-after'])
        resolve({
          status: response.statusCode ?? 0,
          text: Buffer.concat(chunks).toString('utf8'),
          retryAfterMs: Number.isFinite(seconds) && seconds > 0 ? Math.min(seconds, 300) * 1_000 : undefined,
        })
      })
    })
    request.on('error', reject)
    request.end(bytes)
  })
}
