/** Renders what is thrown. An unexpected error is logged once and answered without internals. */
import { internal, StatusError } from '../../../apimachinery/errors/index.js'
import { type Filter } from '../chain.js'
import { type Logger } from '../interfaces.js'
import { answerError } from '../output.js'

export function panicFilter(logger: Logger): Filter {
  return {
    name: 'panic',
    handle(exchange, next) {
      const render = (error: unknown): void => {
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
      try {
        const pending = next()
        if (pending) return pending.catch(render)
      } catch (error) {
        render(error)
      }
    },
  }
}
