/** Bounds how many requests are worked on at once: reads and writes apart, watches not counted. */
import { tooManyRequests } from '../../../apimachinery/errors/index.js'
import { type Filter } from '../chain.js'
import { isLongRunning } from './timeout.js'

export interface InFlightLimits {
  reads: number
  writes: number
}

export const DEFAULT_LIMITS: InFlightLimits = { reads: 400, writes: 200 }

const READS = new Set(['get', 'list', 'head', 'options'])

export function inFlightFilter(limits: InFlightLimits): Filter {
  const current = { reads: 0, writes: 0 }
  return {
    name: 'in-flight limit',
    handle(exchange, next) {
      if (isLongRunning(exchange) || exchange.user.groups.includes('system:masters')) return next()
      const kind = READS.has(exchange.requestInfo.verb) ? 'reads' : 'writes'
      if (current[kind] >= limits[kind]) throw tooManyRequests('too many requests, please try again later')
      current[kind]++
      exchange.onEnd(() => current[kind]--)
      return next()
    },
  }
}
