/**
 * `/healthz`, `/livez` and `/readyz`: named checks, and what is degraded.
 *
 * Liveness asks only whether this process works. Readiness asks whether it can serve. A group that lacks its
 * CRD or backend is degraded: it is named, but it does not make the server unready, because the rest works.
 */
import { sanitizeLine } from './answer.js'
import { Reply, route, type Route } from './route.js'

export interface HealthCheck {
  name: string
  /** @throws Error when it does not hold; the message is shown */
  check(signal: AbortSignal): void | Promise<void>
}

export interface Degraded {
  name: string
  reason: string
}

export interface Health {
  live: readonly HealthCheck[]
  ready: readonly HealthCheck[]
  degraded(): readonly Degraded[]
}

const PING: HealthCheck = { name: 'ping', check: () => undefined }
const CHECK_TIMEOUT_MS = 3000
const TEXT = { 'Content-Type': 'text/plain; charset=utf-8', 'X-Content-Type-Options': 'nosniff' }

export function healthRoutes(health: Health): Route[] {
  const live = [PING, ...health.live]
  const ready = [PING, ...health.live, ...health.ready]
  const nothing = (): readonly Degraded[] => []
  return [
    probe('healthz', 'Whether the server is healthy.', ready, nothing),
    probe('livez', 'Whether the process works.', live, nothing),
    probe('readyz', 'Whether the server can serve; `?verbose` names degraded groups.', ready, () =>
      health.degraded(),
    ),
  ]
}

function probe(
  name: string,
  summary: string,
  checks: readonly HealthCheck[],
  degraded: () => readonly Degraded[],
): Route {
  return route({
    method: 'GET',
    path: `/${name}`,
    summary,
    access: 'public',
    produces: ['*/*'],
    async handle({ query, signal }) {
      const excluded = new Set(query.getAll('exclude'))
      const lines: string[] = []
      let failed = false
      for (const check of checks) {
        if (excluded.delete(check.name)) {
          lines.push(`[+]${check.name} excluded: ok`)
          continue
        }
        const fault = await faultOf(check, signal)
        if (fault !== undefined) failed = true
        lines.push(fault === undefined ? `[+]${check.name} ok` : `[-]${check.name} failed: ${fault}`)
      }
      for (const group of degraded()) lines.push(`[!]${group.name} degraded: ${sanitizeLine(group.reason)}`)
      if (excluded.size > 0) {
        const names = [...excluded].map((one) => JSON.stringify(one)).join(', ')
        lines.push(`warn: some health checks cannot be excluded: no matches for ${names}`)
      }
      if (failed) return new Reply(500, TEXT, [...lines, `${name} check failed`, ''].join('\n'))
      if (!query.has('verbose')) return new Reply(200, TEXT, 'ok')
      return new Reply(200, TEXT, [...lines, `${name} check passed`, ''].join('\n'))
    },
  })
}

/** A check that hangs has failed. */
async function faultOf(check: HealthCheck, signal: AbortSignal): Promise<string | undefined> {
  let timer: NodeJS.Timeout | undefined
  try {
    const result = check.check(signal)
    if (!(result instanceof Promise)) return undefined
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => reject(new Error('no result in time')), CHECK_TIMEOUT_MS)
    })
    await Promise.race([result, late])
    return undefined
  } catch (error) {
    return sanitizeLine(error instanceof Error ? error.message : 'unknown fault')
  } finally {
    clearTimeout(timer)
  }
}
