/**
 * `/healthz`, `/livez`, `/readyz`: `ok`, or which check failed. `?verbose` names them all, `?exclude=x` leaves
 * one out, `/readyz/x` asks for one alone.
 */
import { methodNotAllowed } from '../../apimachinery/errors/index.js'
import { type PathHandler } from './dispatch.js'
import { type HealthCheck, type Logger } from './interfaces.js'
import { answerText } from './output.js'

const PING: HealthCheck = { name: 'ping', check: () => undefined, live: true }

export function healthPaths(checks: readonly HealthCheck[], logger: Logger): PathHandler {
  const all = [PING, ...checks]
  const of: Record<string, readonly HealthCheck[]> = {
    healthz: all.filter(({ live }) => live),
    livez: all.filter(({ live }) => live),
    readyz: all,
  }
  return (exchange) => {
    const [endpoint = '', one, ...more] = exchange.requestInfo.path.split('/').slice(1)
    const named = of[endpoint]
    if (!named || more.length > 0) return false
    const excluded = exchange.query.getAll('exclude')
    const selected = named.filter(({ name }) => (one ? name === one : !excluded.includes(name)))
    if (one && selected.length === 0) return false
    if (exchange.method !== 'GET') throw methodNotAllowed()

    const lines: string[] = []
    const failed: string[] = []
    for (const { name, check } of selected) {
      const fault = check()
      if (fault === undefined) lines.push(`[+]${name} ok`)
      else {
        lines.push(`[-]${name} failed: reason withheld`)
        failed.push(name)
        logger.debug({ endpoint, check: name, fault }, 'health check failed')
      }
    }
    if (failed.length > 0) answerText(exchange, 500, `${lines.join('\n')}\n${endpoint} check failed\n`)
    else if (exchange.query.has('verbose')) {
      answerText(exchange, 200, `${lines.join('\n')}\n${endpoint} check passed\n`)
    } else answerText(exchange, 200, 'ok')
    return true
  }
}
