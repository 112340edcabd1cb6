/** What a client hears when the Kubernetes API gives no answer. */
import { StatusError, unavailable } from '../apimachinery/errors/index.js'
import { type Exchange } from './exchange.js'
import { type Logger } from './log.js'

/** Runs what talks to the Kubernetes API. @throws StatusError also for failures of the transport */
export async function answering(
  exchange: Exchange,
  logger: Logger,
  talk: () => Promise<void>,
): Promise<void> {
  try {
    await talk()
  } catch (error) {
    if (error instanceof StatusError) throw error
    if (exchange.isAborted) {
      exchange.response.destroy()
      return
    }
    logger.warn({ err: error, requestId: exchange.id, path: exchange.path }, 'kubernetes api unreachable')
    throw unavailable('the Kubernetes API cannot be reached', { cause: error })
  }
}
