/** The manager over HTTP, as Alertmanager and the platform call it. It asks nobody who they are: keep it inside. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { badRequest, StatusError } from '../apimachinery/errors/index.js'
import { isObject } from '../apimachinery/json/index.js'
import { parseJson } from '../serving/body.js'
import { type Logger } from '../serving/log.js'
import { type Directory } from './directory.js'
import { type Asked, configsOf, receiversOf, receiversWithConfig } from './inventory.js'
import { type NotificationManager } from './manager.js'
import { alertOf } from './message/alerts.js'
import { type Journal } from './queue/journal.js'

export interface ServerDeps {
  manager: NotificationManager
  journal: Journal
  directory: Directory
  logger: Logger
}

const LONGEST_BODY = 8 * 1024 * 1024
const SEND_MS = 30_000

export function notificationServer(deps: ServerDeps): Server {
  return createServer({ requestTimeout: 30_000 }, (request, response) => {
    void answer(deps, request).then(
      (body) => send(response, 200, body),
      (error: unknown) => {
        if (!(error instanceof StatusError))
          deps.logger.error({ err: error, url: request.url }, 'request failed')
        const code = error instanceof StatusError ? (error.code === 422 ? 400 : error.code) : 500
        send(
          response,
          code,
          said(code, error instanceof StatusError ? error.message : 'Internal server error'),
        )
      },
    )
  })
}

const said = (Status: number, Message: string): object => ({ Status, Message })

function send(response: ServerResponse, code: number, body: object | string): void {
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  const type = typeof body === 'string' ? 'text/plain; version=0.0.4; charset=utf-8' : 'application/json'
  response.writeHead(code, { 'content-type': type, 'content-length': Buffer.byteLength(text) }).end(text)
}

async function answer(
  { manager, journal, directory }: ServerDeps,
  request: IncomingMessage,
): Promise<object | string> {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://manager')
  const signal = AbortSignal.timeout(SEND_MS)
  switch (`${request.method} ${pathname}`) {
    case 'POST /api/v2/alerts': {
      const body = await bodyOf(request)
      if (searchParams.get('dryRun') === 'All') return { alerts: await manager.rehearse(body) }
      await manager.accept(body)
      return said(200, 'Notification request accepted')
    }
    case 'POST /api/v2/verify':
      await manager.notify(await bodyOf(request), [manager.testAlert()], signal)
      return said(200, 'Verify successfully')
    case 'POST /api/v2/notifications': {
      const body = await bodyOf(request)
      const given = isObject(body) && isObject(body['alert']) ? body['alert']['alerts'] : undefined
      if (!Array.isArray(given)) throw badRequest('alert is nil')
      const alerts = given.flatMap((value) => alertOf(value, '') ?? [])
      await manager.notify(body, alerts, signal)
      return said(200, 'Send alerts successfully')
    }
    case 'GET /api/v2/history': {
      const asked = (name: string): string | undefined => searchParams.get(name) ?? undefined
      const limit = Math.min(Math.max(Number(asked('limit') ?? 100) || 100, 1), 1_000)
      const items = journal.history.entries({
        alert: asked('alert'),
        alertname: asked('alertname'),
        namespace: asked('namespace'),
        receiver: asked('receiver'),
        tenant: asked('tenant'),
        outcome: asked('outcome'),
        limit,
      })
      return { items }
    }
    case 'GET /receivers':
      return receiversOf(directory, askedIn(searchParams))
    case 'GET /configs':
      return configsOf(directory, askedIn(searchParams))
    case 'GET /receiverWithConfig':
      return receiversWithConfig(directory, askedIn(searchParams))
    case 'GET /metrics':
      return metricsText(manager, journal)
    case 'GET /-/live':
      return said(200, 'health check')
    case 'GET /-/ready':
      return said(200, 'ready')
    case 'GET /-/reload':
      return said(200, 'reload')
    case 'GET /status':
      return said(200, 'status')
    default:
      throw new StatusError({ code: 404, reason: 'NotFound', message: 'Page Not Found' })
  }
}

function askedIn(query: URLSearchParams): Asked {
  const asked = (name: string): string | undefined => query.get(name) ?? undefined
  return { tenant: asked('tenant'), name: asked('name'), type: asked('type') }
}

function metricsText({ counts }: NotificationManager, journal: Journal): string {
  const counters = Object.entries(counts).map(
    ([name, value]) =>
      `# TYPE orrery_notification_alerts_${name}_total counter\norrery_notification_alerts_${name}_total ${value}\n`,
  )
  const waiting = `# TYPE orrery_notification_alerts_waiting gauge\norrery_notification_alerts_waiting ${journal.waiting()}\n`
  return counters.join('') + waiting
}

/** @throws StatusError 400, 413 */
async function bodyOf(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > LONGEST_BODY)
      throw new StatusError({ code: 413, reason: 'RequestEntityTooLarge', message: 'the body is too large' })
    chunks.push(chunk)
  }
  return parseJson(Buffer.concat(chunks))
}
