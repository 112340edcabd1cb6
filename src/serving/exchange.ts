/**
 * One request on its way through the filter chain, and what the filters have learnt about it.
 *
 * A filter does its part and calls `next`, or answers and returns. The list of filters is in `chain.ts`.
 */
import { type IncomingMessage, type ServerResponse } from 'node:http'
import { type Duplex } from 'node:stream'
import { type UserInfo } from '../apimachinery/meta/types.js'
import { type RequestInfo } from './requestinfo.types.js'

export interface Exchange {
  /** Request id; also in the answer's `Audit-Id` header and in every log line of the request. */
  readonly id: string
  readonly request: IncomingMessage
  readonly response: ServerResponse
  /** Aborted when the client has left or the server shuts down for good. Everything that waits takes it. */
  readonly signal: AbortSignal
  /** Milliseconds (performance.now) at arrival. */
  readonly startedAt: number
  /** Set on upgrade requests (WebSocket, SPDY): the raw connection. `response` must not be used then. */
  readonly upgrade?: { socket: Duplex; head: Buffer }

  /** Path as it will be routed and forwarded; filters may rewrite it (cluster dispatch). Percent-encoded. */
  path: string
  /** Query string without `?`; may be rewritten by the request-info filter. */
  search: string
  info: RequestInfo
  user: UserInfo
  /** Names of the filters that ran, in order, for explain and tests. */
  readonly trace: string[]
}

export interface Filter {
  /** Lower case words, as in docs/architecture.md: `request info`, `authentication`, ... */
  readonly name: string
  handle(exchange: Exchange, next: () => Promise<void>): Promise<void>
}
