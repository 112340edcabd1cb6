/** Outermost: one log line per request, and the answer for whatever goes wrong further in. */
import { StatusError } from '../../apimachinery/errors/index.js'
import { sendError } from '../errors.js'
import { type Exchange, type Filter } from '../exchange.js'
import { type Logger } from '../log.js'

const SECRET_PARAMETERS = /((?:^|&)[^=&]*(?:token|secret|password|code)[^=&]*=)[^&]*/gi

export function requestLog(logger: Logger): Filter {
  return {
    name: 'request log',
    async handle(exchange, next) {
      const { socket } = exchange.request
      const sentBefore = socket.bytesWritten
      exchange.whenOver(() => log(logger, exchange, socket.bytesWritten - sentBefore))
      try {
        await next()
      } catch (error) {
        sendError(exchange, error, error instanceof StatusError ? 'status' : 'text', logger)
      }
    },
  }
}

/** Refused and failed requests are of interest to operators, the others while debugging. */
function log(logger: Logger, exchange: Exchange, bytes: number): void {
  const { request, response, info, user } = exchange
  const status = response.statusCode
  if (status <= 400 && logger.isLevelEnabled?.('debug') === false) return
  const fields = {
    requestId: exchange.id,
    ip: info.sourceIP || request.socket.remoteAddress,
    method: request.method,
    path: exchange.path,
    ...(exchange.search !== '' && { query: exchange.search.replace(SECRET_PARAMETERS, '$1…') }),
    user: user.name,
    status,
    ...(!exchange.upgrade && !response.writableFinished && { brokenOff: true }),
    bytes,
    durationMs: Math.round((performance.now() - exchange.startedAt) * 10) / 10,
  }
  if (status > 400) logger.info(fields, 'request')
  else logger.debug(fields, 'request')
}
