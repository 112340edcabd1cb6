/** Runs a list of filters around each other, first outermost. */
import { type Exchange, type Filter } from './exchange.js'

export type Handler = (exchange: Exchange) => Promise<void>

/**
 * A filter that has nothing to wait for need not be an async function: what it throws is a rejection, too.
 *
 * @throws (rejects) what the filters throw, and when a filter calls `next` twice
 */
export function compose(filters: readonly Filter[]): Handler {
  return function handle(exchange) {
    const run = (index: number): Promise<void> => {
      const filter = filters[index]
      if (!filter) return Promise.resolve()
      exchange.trace.push(filter.name)
      let called = false
      try {
        return filter.handle(exchange, () => {
          if (called) return Promise.reject(new Error(`filter ${filter.name} called next twice`))
          called = true
          return run(index + 1)
        })
      } catch (error) {
        return Promise.reject(error instanceof Error ? error : new Error(String(error)))
      }
    }
    return run(0)
  }
}
