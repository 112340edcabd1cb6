/**
 * The filters every request passes, outermost first; section 7.1 of the contract gives the order.
 *
 * A filter does its part and calls `next`, or answers and returns, or throws a StatusError, which `panic`
 * renders. The list itself is in `index.ts`.
 */
import { type Exchange } from './exchange.js'

/** Most filters have nothing to wait for. */
export type Done = void | Promise<void>

export interface Filter {
  /** Lower case words, as in docs/architecture.md. */
  readonly name: string
  handle(exchange: Exchange, next: () => Done): Done
}

export function chain(
  filters: readonly Filter[],
  handler: (exchange: Exchange) => Done,
): (exchange: Exchange) => Done {
  return filters.reduceRight<(exchange: Exchange) => Done>(
    (next, filter) => (exchange) => filter.handle(exchange, () => next(exchange)),
    handler,
  )
}
