/** A platform server on a free port with stand-ins for what lies around it, and clients that can misbehave. */
import http from 'node:http'
import net from 'node:net'
import { Registry } from 'prom-client'
import { unauthorized } from '../../src/apimachinery/errors/index.js'
import { ANONYMOUS, type UserInfo } from '../../src/apimachinery/meta/types.js'
import { type Authenticator } from '../../src/authentication/interface.js'
import { type Attributes, type Authorizer } from '../../src/authorization/interface.js'
import { type Transport } from '../../src/client/transport.js'
import { type Exchange, type Filter } from '../../src/serving/exchange.js'
import { explainGroup, type ExplainGroupOptions } from '../../src/serving/explain.js'
import { type Health } from '../../src/serving/health.js'
import { openApiDocument, type OpenApiInfo } from '../../src/serving/openapi.js'
import { type ApiGroup } from '../../src/serving/route.js'
import { systemGroups } from '../../src/serving/systemgroups.js'
import { type Logger, SILENT } from '../../src/serving/log.js'
import { compose } from '../../src/serving/chain.js'
import { createPlatformHandler, type PlatformOptions } from '../../src/serving/platform.js'
import { createServer, type HttpServer, type ServerLimits } from '../../src/serving/server.js'

/** `Authorization: Bearer NAME` is user NAME; `Bearer bad` is refused. */
export const authenticator: Authenticator = {
  authenticate({ headers }): UserInfo {
    const name = headers.authorization?.replace(/^Bearer /, '')
    if (name === undefined) return ANONYMOUS
    if (name === 'bad') throw unauthorized('Unauthorized: token not found in cache')
    return { name, groups: ['system:authenticated'] }
  },
}

/** Only `admin` may do anything. */
export const authorizer: Authorizer = {
  authorize: ({ user }: Attributes) => ({ allowed: user.name === 'admin', reason: '' }),
  explain: async ({ user }: Attributes) => ({
    allowed: user.name === 'admin',
    reason: '',
    explanation: { text: user.name === 'admin' ? 'GlobalRoleBinding "admin"' : 'no binding matches' },
  }),
}

export const noUpstream: Transport = {
  dispatch(_request, sink) {
    queueMicrotask(() => sink.fail(new Error('connect ECONNREFUSED 10.0.0.1:6443')))
    return { abort: () => undefined, resume: () => undefined }
  },
  upgrade: () => Promise.reject(new Error('connect ECONNREFUSED 10.0.0.1:6443')),
  close: () => Promise.resolve(),
}

export interface StartOptions extends Partial<PlatformOptions> {
  health?: Health
  documentation?: OpenApiInfo
  identify?: ExplainGroupOptions['identify']
  limits?: Partial<ServerLimits>
}

export interface Harness {
  /** All groups that are served. */
  groups: readonly ApiGroup[]
  port: number
  server: HttpServer
  registry: Registry
  /** The exchanges seen, in order. */
  seen: Exchange[]
  handler: ReturnType<typeof createPlatformHandler>
  send(method: string, path: string, options?: SendOptions): Promise<Answer>
  /** Sends bytes as they are and collects what comes until the server closes. */
  raw(text: string | Buffer): Promise<string>
  close(): Promise<void>
}

export interface SendOptions {
  user?: string
  headers?: http.OutgoingHttpHeaders
  body?: string | Buffer
}

export interface Answer {
  status: number
  headers: http.IncomingHttpHeaders
  text: string
  json(): unknown
}

export async function start(given: StartOptions = {}): Promise<Harness> {
  const registry = new Registry()
  const logger: Logger = given.logger ?? SILENT
  const groups: readonly ApiGroup[] = [
    ...systemGroups({
      health: given.health ?? { live: [], ready: [], degraded: () => [] },
      version: () => ({ gitVersion: 'v0.0.0' }),
      metrics: registry,
      document: () => openApiDocument(groups, given.documentation ?? { title: 'Test', version: '1' }),
    }),
    explainGroup({ filters: () => handler.filters, identify: given.identify }),
    ...(given.groups ?? []),
  ]
  const handler = createPlatformHandler({
    authenticator,
    authorizer,
    upstream: noUpstream,
    metrics: registry,
    logger,
    ...given,
    groups,
  })
  const seen: Exchange[] = []
  const watcher: Filter = {
    name: 'test',
    handle(exchange, next) {
      seen.push(exchange)
      return next()
    },
  }
  const filters = [watcher, ...handler.filters]
  const server = createServer({
    handler: compose(filters),
    logger,
    ...(given.limits && { limits: given.limits }),
  })
  const { port } = await server.listen({ port: 0 })
  return {
    groups,
    port,
    server,
    registry,
    seen,
    handler,
    send: (method, path, options) => request(port, method, path, options),
    raw: (text) => raw(port, text),
    close: () => server.close(200),
  }
}

export function request(
  port: number,
  method: string,
  path: string,
  options: SendOptions = {},
): Promise<Answer> {
  const { user, headers = {}, body } = options
  return new Promise((resolve, reject) => {
    const sent = http.request(
      {
        port,
        method,
        path,
        agent: false,
        headers: { ...(user !== undefined && { Authorization: `Bearer ${user}` }), ...headers },
      },
      (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('error', reject)
        response.on('end', () => {
          const text = Buffer.concat(chunks).toString()
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            text,
            json: () => JSON.parse(text) as unknown,
          })
        })
      },
    )
    sent.on('error', reject)
    sent.end(body)
  })
}

function raw(port: number, text: string | Buffer): Promise<string> {
  return new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1', () => socket.write(text))
    const chunks: Buffer[] = []
    socket.on('data', (chunk) => chunks.push(chunk))
    socket.on('error', () => undefined)
    socket.on('close', () => resolve(Buffer.concat(chunks).toString('latin1')))
  })
}
