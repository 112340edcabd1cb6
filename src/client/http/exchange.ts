/** A request on its way to a server, and the connections that carry it, whichever protocol they speak. */
import { type ResponseSink, type TransportRequest } from '../transport.js'
import { type Fields, type Framing } from './fields.js'

/** From the queue to the end of its answer. */
export interface Exchange {
  readonly request: TransportRequest
  readonly sink: ResponseSink
  readonly fields: Fields
  readonly framing: Framing
  /** How often it was sent again, since the connection turned out to be dead or the server had not looked at it. */
  repeats: number
  aborted: boolean
  /** What it was sent on, while it is. */
  carrier: Carrier | undefined
}

/** One request as its connection sees it. */
export interface Carrier {
  /** The sink takes data again. */
  resume(): void
  /** Nobody wants the answer any more; the sink is not told. */
  abort(): void
}

export interface Connection {
  /** Takes a request now. */
  readonly hasRoom: boolean
  /** Requests in flight. */
  readonly carried: number
  send(exchange: Exchange): void
  /** Closes what is idle or dead. Called about once a second. */
  sweep(now: number): void
  /** Takes no more requests, and ends after those in flight. */
  retire(): void
  /** Ends the connection, and with it the requests in flight. */
  fail(error: Error): void
}

/** What became of a connection and its requests. */
export interface ConnectionOwner {
  /** A request is on a connection no longer: answered, failed or aborted. Called once for each. */
  over(): void
  /** There is room, where there was none. */
  freed(connection: Connection): void
  closed(connection: Connection): void
  /** The server has not seen the request, or may see it twice: it goes out once more. */
  retry(exchange: Exchange): void
}

export interface ConnectionLimits {
  /** Milliseconds; an unused connection is closed after this. */
  idleMs: number
  /** Milliseconds; how long an answer may take to begin. */
  answerMs: number
  /** Milliseconds; how long a connection of HTTP/2 on which much comes in small pieces is left unread. 0: never. */
  restMs: number
}

/** Sending it twice does no more than sending it once, and it can be sent twice. */
export function isRepeatable({ request: { method }, framing }: Exchange): boolean {
  return (method === 'GET' || method === 'HEAD' || method === 'OPTIONS') && framing.kind !== 'stream'
}
