/**
 * What keeps the server answering when more is asked of it than it can do: a bound on the requests worked on at once,
 * with fair shares; a deadline for each; and refusals while the memory is nearly full.
 *
 * Watches, logs and tunnels have no end of their own: they take no slot and have no deadline. Probes and metrics are
 * answered whatever happens.
 */
import { type Gauge } from 'prom-client'
import { StatusError, timeout } from '../../apimachinery/errors/index.js'
import { Deadlines } from '../../apimachinery/inflight/deadlines.js'
import { type Clock, systemClock } from '../../client/clock.js'
import { atEndOfTurn } from '../../client/turn.js'
import { sendError } from '../errors.js'
import { type Exchange, type Filter } from '../exchange.js'
import { FairShare } from '../fairshare.js'
import { type Logger } from '../log.js'

export interface OverloadLimits {
  /** Requests worked on at once. */
  inFlight: number
  /** Until the answer has begun. */
  requestMs: number
}

export const OVERLOAD_LIMITS: OverloadLimits = { inFlight: 256, requestMs: 60_000 }

export interface OverloadOptions {
  logger: Logger
  limits?: Partial<OverloadLimits> | undefined
  clock?: Clock
  /** Between 0 and 1; asked often. */
  memoryUsed?: () => number
  running?: Gauge
}

const STREAMING = new Set(['exec', 'attach', 'portforward', 'proxy', 'log'])
const PROBES = new Set(['/healthz', '/livez', '/readyz', '/metrics', '/kapis/metrics'])
/** Beyond this share of the memory new requests are refused. */
const FULL = 0.94

export function overload({
  logger,
  limits,
  clock = systemClock,
  memoryUsed = () => 0,
  running,
}: OverloadOptions): Filter {
  const { inFlight, requestMs } = { ...OVERLOAD_LIMITS, ...limits }
  const shares = new FairShare({
    clock,
    slots: inFlight,
    shareOfOne: 3 / 4,
    waiting: 4 * inFlight,
    waitingOfOne: inFlight,
    patienceMs: 10_000,
  })
  const deadlines = new Deadlines(
    { now: () => clock.now(), after: (ms, action) => clock.setTimeout(action, ms) },
    requestMs,
  )
  running?.set(0)

  const expire = (exchange: Exchange): void => {
    if (exchange.longRunning || exchange.response.headersSent) return
    sendError(exchange, timeout('request did not complete within the allotted timeout'), 'status', logger)
    // Not before the answer is out.
    atEndOfTurn(() => exchange.abort())
  }

  return {
    name: 'overload',
    handle(exchange, next) {
      if (isEndless(exchange) || PROBES.has(exchange.path)) return next()
      if (memoryUsed() > FULL) throw shortOfMemory()
      const who = holderOf(exchange)
      const go = (): Promise<void> => {
        running?.set(shares.running)
        const cancel = deadlines.add(() => expire(exchange))
        exchange.whenOver(() => {
          cancel()
          shares.leave(who)
          running?.set(shares.running)
        })
        return next()
      }
      const waiting = shares.enter(who, () => exchange.signal)
      return waiting ? waiting.then(go) : go()
    },
  }
}

function shortOfMemory(): StatusError {
  return new StatusError({
    code: 503,
    reason: 'ServiceUnavailable',
    message: 'the server is short of memory, please try again later',
    details: { retryAfterSeconds: 2 },
  })
}

/** Whoever has not logged in is told apart by address. */
function holderOf({ user, request }: Exchange): string {
  return user.name === 'system:anonymous' ? `@${request.socket.remoteAddress ?? ''}` : user.name
}

function isEndless({ info, upgrade }: Exchange): boolean {
  return upgrade !== undefined || info.verb === 'watch' || STREAMING.has(info.subresource)
}
