/**
 * One request on its way through the filter chain, and what the filters have learnt about it.
 *
 * A filter does its part and calls `next`, or answers and returns, or throws a StatusError, which the
 * outermost filter answers. The list of filters is in `platform.ts`.
 */
import { type IncomingMessage, type ServerResponse } from 'node:http'
import { type Duplex } from 'node:stream'
import { type UserInfo } from '../apimachinery/meta/types.js'
import { type RequestInfo } from './requestinfo.types.js'
import { type Rewriting } from './rewriting.js'

export interface Exchange {
  /** Request id; also in the answer's `Audit-Id` header and in every log line of the request. */
  readonly id: string
  readonly request: IncomingMessage
  /** On upgrade requests it still answers a refusal; it then closes the connection. */
  readonly response: ServerResponse
  /**
   * Aborted when the client has left or the server shuts down for good. Everything that waits takes it. Made when first
   * asked for: hand the exchange on to what seldom waits, and this to what always does.
   */
  readonly signal: AbortSignal
  /** Milliseconds (performance.now) at arrival. */
  readonly startedAt: number
  /** Set on upgrade requests (WebSocket, SPDY): the raw connection. */
  readonly upgrade?: { socket: Duplex; head: Buffer }

  /** Path as it will be routed and forwarded; filters may rewrite it (cluster dispatch). Percent-encoded. */
  path: string
  /** Query string without `?`; may be rewritten by the request-info filter. */
  search: string
  info: RequestInfo
  user: UserInfo
  /** Names of the filters that ran, in order, for explain and tests. */
  readonly trace: string[]
  /** Watches and tunnels: they have no end of their own, so a shutdown does not wait for them. */
  longRunning: boolean
  /** Sees the request body go by, whoever reads it. */
  tapRequest?: (chunk: Uint8Array) => void
  /** Somebody has put himself in front of `response.write` and `response.end`: the answer has to pass there. */
  answerIsCopied: boolean
  /** How the proxy changes the answer on its way. */
  rewriting?: Rewriting
  /** Gives the request up: whatever works on it stops. */
  abort(): void
  readonly isAborted: boolean
  /** Calls back once when aborted, which is at once when it has been; a signal costs thirty times as much. @returns stop */
  onAbort(callback: () => void): () => void
  /** Calls back once when it is over: answered, broken off, or its tunnel closed. */
  whenOver(callback: () => void): void
  /** The authorization filter has let it pass; what the request names may appear in metric labels. */
  allowed: boolean
}

export interface Filter {
  /** Lower case words, as in docs/architecture.md: `request info`, `authentication`, ... */
  readonly name: string
  handle(exchange: Exchange, next: () => Promise<void>): Promise<void>
  /**
   * What `handle` would do, without doing it, for `orrery explain`: learns about the exchange as `handle`
   * does, answers nothing. Undefined: the filter only watches others.
   */
  explain?(exchange: Exchange): Promise<Step>
}

/** What one filter decided. */
export interface Step {
  /** `answers`: the request goes no further. */
  outcome: 'continues' | 'answers'
  /** One line for people. */
  summary: string
  detail?: unknown
}
