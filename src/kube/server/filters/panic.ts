/** Renders what is thrown. An unexpected error is logged once and answered without internals. */
import { internal, StatusError } from '../../../apimachinery/errors/index.js'
import { type Filter } from '../chain.js'
import { type Logger } from '../interfaces.js'
import { answerError } from '../output.js'

export function panicFilter(logger: Logger): Filter {
  return {
    name: 'panic',
    async handle(exchange, next) {
      try {
        await next()
      } catch (error) {
        if (exchange.ended) return // The client has left; nobody listens.
        const known = error instanceof StatusError
        if (!known) {
          logger.error(
            { requestId: exchange.id, method: exchange.method, path: exchange.pathname, error },
            'request failed',
          )
        }
        if (exchange.status !== 0) exchange.fail(error instanceof Error ? error : new Error(String(error)))
        else answerError(exchange, known ? error : internal('an unexpected error, see the log of the server'))
      }
    },
  }
}
