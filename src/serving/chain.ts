/** Runs a list of filters around each other, first outermost. */
import { type Exchange, type Filter } from './exchange.js'

export type Handler = (exchange: Exchange) => Promise<void>

/** @throws (rejects) what the filters throw, and when a filter calls `next` twice */
export function compose(filters: readonly Filter[]): Handler {
  return function handle(exchange) {
    const run = (index: number): Promise<void> => {
      const filter = filters[index]
      if (!filter) return Promise.resolve()
      exchange.trace.push(filter.name)
      let called = false
      return filter.handle(exchange, () => {
        if (called) throw new Error(`filter ${filter.name} called next twice`)
        called = true
        return run(index + 1)
      })
    }
    return run(0)
  }
}
