/** Gives a request a minute, or what it asks for below that. Streams have their own end. */
import { badRequest, timeout } from '../../../apimachinery/errors/index.js'
import { type Clock } from '../../registry/clock.js'
import { type Filter } from '../chain.js'
import { Deadlines } from '../../../apimachinery/inflight/deadlines.js'
import { type Exchange } from '../exchange.js'
import { answerError } from '../output.js'

const REQUEST_MS = 60_000
const STREAMING = new Set(['exec', 'attach', 'portforward', 'proxy', 'log'])

/** Requests that last as long as they like; they are not counted as in flight either. */
export function isLongRunning({ requestInfo }: Exchange): boolean {
  return requestInfo.verb === 'watch' || STREAMING.has(requestInfo.subresource)
}

/** `500ms`, `10s`, `1m30s`. */
function durationMs(text: string): number {
  const units: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }
  let total = 0
  const rest = text.replace(/(\d+(?:\.\d+)?)(ms|s|m|h)/g, (_all, amount: string, unit: string) => {
    total += Number(amount) * (units[unit] ?? 0)
    return ''
  })
  if (rest !== '' || text === '') {
    throw badRequest(
      `invalid timeout specified in the request URL: time: invalid duration ${JSON.stringify(text)}`,
    )
  }
  return total
}

export function timeoutFilter(clock: Clock): Filter {
  const deadlines = new Deadlines(clock, REQUEST_MS)
  return {
    name: 'timeout',
    handle(exchange, next) {
      if (isLongRunning(exchange)) return next()
      const expire = (): void => {
        if (exchange.ended || exchange.status !== 0) return
        answerError(exchange, timeout('request did not complete within the allotted timeout'))
        exchange.giveUp(new Error('the request took too long'))
      }
      const asked = exchange.query.get('timeout')
      const limit = asked ? durationMs(asked) || REQUEST_MS : REQUEST_MS
      exchange.onEnd(limit < REQUEST_MS ? clock.after(limit, expire) : deadlines.add(expire))
      return next()
    },
  }
}
