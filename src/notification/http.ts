/** Posts JSON to receivers: to the address that was checked, without following redirects, within bounds. */
import { request as httpRequest, type RequestOptions } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { deadline } from './deadline.js'
import { type Destination, type Egress } from '../integrations/egress.js'
import { type Proxy, proxyHeaders, proxyUrl, throughProxy, tunnel } from './proxy.js'

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
  /** Of an HTTP proxy, with its user and password if it wants them. */
  proxyUrl?: string
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
  async send(call: Call): Promise<HttpAnswer> {
    const { method = 'POST', timeoutMs, signal } = call
    const target = new URL(call.url)
    if (target.protocol !== 'http:' && target.protocol !== 'https:')
      throw new Error(`unsupported protocol scheme "${target.protocol.slice(0, -1)}"`)
    const proxy = call.proxyUrl === undefined ? undefined : await this.#proxy(call, call.proxyUrl, target)
    const at = proxy?.at ?? (await this.#resolved(target.hostname, call.isTenant))
    const time = deadline(timeoutMs, signal)
    try {
      const answer = await this.#exchanged(call, target, at, proxy, time.signal)
      if (answer.status === 429 || answer.status >= 500)
        throw new RetryableError(`${answer.status}, ${answer.text.slice(0, 500)}`, answer.retryAfterMs)
      return answer
    } catch (error) {
      if (error instanceof RetryableError) throw error
      const why = time.isOver ? `no answer within ${timeoutMs} ms` : (error as Error).message
      throw new RetryableError(`${method} ${target.host}: ${why}`, undefined, { cause: error })
    } finally {
      time.cancel()
    }
  }

  async #exchanged(
    { method = 'POST', headers, body, tls }: Call,
    target: URL,
    at: Destination,
    proxy: Proxy | undefined,
    signal: AbortSignal,
  ): ReturnType<typeof exchange> {
    const isSecure = target.protocol === 'https:'
    const port = target.port || (isSecure ? 443 : 80)
    const bytes =
      body === undefined ? undefined : Buffer.from(typeof body === 'string' ? body : JSON.stringify(body))
    const security = {
      servername: tls?.serverName ?? (isIPLiteral(target.hostname) ? '' : target.hostname),
      ...(tls?.ca && { ca: tls.ca }),
      ...(tls?.cert && { cert: tls.cert }),
      ...(tls?.key && { key: tls.key }),
      ...(tls?.insecureSkipVerify && { rejectUnauthorized: false }),
    }
    const options: RequestOptions = {
      method,
      host: at.address,
      family: at.family,
      port,
      path: target.pathname + target.search,
      headers: {
        host: target.host,
        'user-agent': 'orrery-notification-manager',
        ...(bytes && { 'content-type': 'application/json', 'content-length': bytes.length }),
        ...headers,
      },
      ...(isSecure && security),
      signal,
    }
    if (!proxy) return exchange(isSecure, options, bytes)
    if (isSecure) {
      // Whose certificate it has to be, when that is no name.
      const identity = { host: target.hostname.replace(/^\[|\]$/g, ''), ...security }
      const socket = await tunnel(proxy, `${target.hostname}:${port}`, identity, signal)
      return exchange(false, { ...options, createConnection: () => socket }, bytes)
    }
    const path = `${target.origin}${options.path}`
    const all = { ...(options.headers as Record<string, string>), ...proxyHeaders(proxy) }
    return exchange(
      proxy.url.protocol === 'https:',
      { ...options, ...throughProxy(proxy), path, headers: all },
      bytes,
    )
  }

  /** Neither the proxy nor what it is asked for may be inside. Names that only the proxy knows are its own affair. */
  async #proxy({ isTenant }: Call, text: string, target: URL): Promise<Proxy> {
    const url = proxyUrl(text)
    const at = await this.#resolved(url.hostname, isTenant)
    await this.#resolved(target.hostname, isTenant).catch((error: unknown) => {
      if ((error as Error).name === 'EgressError') throw error
    })
    return { url, at }
  }

  async #resolved(hostname: string, isTenant: boolean): Promise<Destination> {
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
