/**
 * One API server behind an APIService: where it is, how it is dialled, and requests on their way to it.
 *
 * It is told who asks in the headers of a front proxy, and believes them because of the client certificate that
 * comes with them. What the caller has sent of the kind is dropped first.
 */
import { HttpTransport, type ClientCertificate } from '../../client/http/index.js'
import { type Headers, send, type TransportRequest } from '../../client/transport.js'
import { StatusError } from '../../apimachinery/errors/index.js'
import { type UserInfo } from '../../apimachinery/meta/types.js'
import { type Objects } from '../objects.js'
import { type Exchange } from '../server/exchange.js'
import { answerError } from '../server/output.js'
import { endpointOf } from '../webhooks/endpoint.js'
import { type APIService } from './types.js'

/** Says where the server is, instead of its service: for servers that run beside this one, outside any pod. */
export const URL_ANNOTATION = 'orrery.dev/url'

const ASK_MS = 5_000
/** Said to one hop only, or by whoever is in front. */
const DROPPED =
  /^(authorization|connection|keep-alive|proxy-.*|te|trailer|transfer-encoding|host|impersonate-.*|x-remote-.*|x-forwarded-.*)$/

export class Backend {
  readonly #transport: HttpTransport

  /** @throws Error that says why there is no way */
  constructor(objects: Objects, { metadata, spec }: Readonly<APIService>, certificate: ClientCertificate) {
    const url = metadata.annotations?.[URL_ANNOTATION]
    const { url: target, dial } = endpointOf(objects, {
      ...(url !== undefined && { url }),
      ...(spec.service && { service: spec.service }),
    })
    const secure = target.protocol === 'https:'
    const host = dial.host.includes(':') ? `[${dial.host}]` : dial.host
    const port = target.port === '' && !secure ? 80 : dial.port
    this.#transport = new HttpTransport({
      server: `${secure ? 'https' : 'http'}://${host}:${port}`,
      connectTimeoutMs: ASK_MS,
      ...(secure && {
        tls: {
          ...certificate,
          servername: dial.serverName,
          ...(spec.caBundle && { ca: Buffer.from(spec.caBundle, 'base64') }),
          ...(spec.insecureSkipTLSVerify && { insecure: true }),
        },
      }),
    })
  }

  /** A document of the server itself. @throws Error that says what was answered instead */
  async ask(path: string, user: UserInfo): Promise<unknown> {
    const headers = { accept: 'application/json', ...identity(user) }
    const answer = await send(this.#transport, { method: 'GET', path, headers }, AbortSignal.timeout(ASK_MS))
    if (answer.status !== 200) throw new Error(`bad status from ${path}: ${answer.status}`)
    return JSON.parse(answer.body.toString()) as unknown
  }

  /** Hands a request on, streams and upgrades included. */
  async pass(exchange: Exchange): Promise<void> {
    const { request } = exchange
    const headers: Headers = { ...forwarded(exchange.headers), ...identity(exchange.user) }
    if (request.upgrade)
      return this.#upgrade(exchange, { method: request.method, path: request.path, headers })
    const { body } = request
    await new Promise<void>((resolve) => {
      const dispatched = this.#transport.dispatch(
        { method: request.method, path: request.path, headers, ...(body !== undefined && { body }) },
        {
          head: (status, received) => exchange.head(status, forwarded(received)),
          data: (chunk) => exchange.data(chunk),
          end() {
            exchange.end()
            resolve()
          },
          fail(error) {
            if (exchange.status === 0) answerError(exchange, unavailable(error))
            else exchange.fail(error)
            resolve()
          },
        },
      )
      exchange.onResume(() => dispatched.resume())
      exchange.onEnd(() => {
        dispatched.abort()
        resolve()
      })
    })
  }

  async #upgrade(exchange: Exchange, request: TransportRequest): Promise<void> {
    const headers = { ...request.headers, upgrade: exchange.header('upgrade'), connection: 'Upgrade' }
    const answer = await this.#transport
      .upgrade({ ...request, headers }, exchange.signal)
      .catch((error: Error) => {
        throw unavailable(error)
      })
    if (!answer.socket) {
      const type = answer.headers['content-type']
      const body = Buffer.from(answer.body ?? '')
      return exchange.answer(
        answer.status,
        Array.isArray(type) ? (type[0] ?? '') : (type ?? 'text/plain'),
        body,
      )
    }
    const { socket: near, head } = exchange.takeOver()
    const far = answer.socket
    const lines = Object.entries(answer.headers).flatMap(([name, value]) =>
      [value ?? []].flat().map((each) => `${name}: ${each}\r\n`),
    )
    near.write(`HTTP/1.1 101 Switching Protocols\r\n${lines.join('')}\r\n`)
    if (head.length > 0) far.write(head)
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      from.on('error', () => to.destroy())
      from.once('close', () => to.destroy())
      from.pipe(to)
    }
    near.once('close', () => exchange.abort())
  }

  close(): void {
    void this.#transport.close()
  }
}

export function unavailable(cause?: Error): StatusError {
  return new StatusError(
    {
      code: 503,
      reason: 'ServiceUnavailable',
      message: 'error trying to reach service: service unavailable',
    },
    ...(cause ? [{ cause }] : []),
  )
}

function forwarded(headers: Headers): Headers {
  return Object.fromEntries(
    Object.entries(headers).filter(([name]) => !DROPPED.test(name) && name !== 'upgrade'),
  )
}

function identity({ name, groups, extra = {} }: UserInfo): Headers {
  const headers: Headers = { 'x-remote-user': name, 'x-remote-group': [...groups] }
  for (const [key, values] of Object.entries(extra)) {
    headers[`x-remote-extra-${encodeURIComponent(key.toLowerCase())}`] = [...values]
  }
  return headers
}
