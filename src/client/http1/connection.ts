/**
 * One socket to the server, with at most one request in flight.
 *
 * Nothing is ever pipelined: behind a watch or a large list a second request would wait for ever. The
 * connection is only reused after a whole answer to a wholly sent request, with nothing left over.
 */
import { type Socket } from 'node:net'
import { type Headers, type ResponseSink, type TransportRequest } from '../transport.js'
import { atEndOfTurn } from '../turn.js'
import { ProtocolError, ResponseParser } from './parser.js'
import { type Framing } from './requesthead.js'

/** A request on its way, from the queue to the end of its answer. */
export interface Exchange {
  readonly request: TransportRequest
  readonly sink: ResponseSink
  readonly head: string
  readonly framing: Framing
  /** May stay open for as long as it likes: a watch, a followed log. */
  readonly longRunning: boolean
  /** Was sent before on a connection that turned out to be dead. */
  retried: boolean
  aborted: boolean
  connection: Connection | undefined
}

export interface ConnectionOwner {
  /** The answer is whole and the connection can take the next request. */
  released(connection: Connection): void
  closed(connection: Connection): void
  /** The connection was found dead before the server had seen the request. */
  retry(exchange: Exchange): void
}

export class Connection {
  readonly #socket: Socket
  readonly #owner: ConnectionOwner
  readonly #parser: ResponseParser
  #exchange: Exchange | undefined
  #answered = false
  #sent = true
  #dead = false
  #served = 0
  #waitingSince = 0
  /** Milliseconds of `performance.now`. */
  idleSince = 0
  /** The request that it has been given, until the pool has it back. */
  carries: Exchange | undefined
  /** What the server said it keeps an idle connection for. */
  keepAliveMs: number | undefined

  constructor(socket: Socket, owner: ConnectionOwner) {
    this.#socket = socket
    this.#owner = owner
    this.#parser = new ResponseParser({
      head: (status, headers) => this.#head(status, headers),
      data: (chunk) => {
        if (this.#exchange?.sink.data(chunk) === false) this.#socket.pause()
      },
      end: () => this.#end(),
    })
    socket.on('data', (chunk: Buffer) => this.#data(chunk))
    socket.on('end', () => this.#closed())
    socket.on('close', () => this.#closed())
    socket.on('error', (error) => this.#fail(error))
  }

  get usable(): boolean {
    return !this.#dead && this.#socket.writable
  }

  /** Since when an answer has been waited for; undefined while none is, or once it has begun. */
  get waitingSince(): number | undefined {
    const waits = this.#exchange && !this.#answered && !this.#exchange.longRunning
    return waits ? this.#waitingSince : undefined
  }

  send(exchange: Exchange): void {
    this.#exchange = exchange
    this.#answered = false
    this.#waitingSince = performance.now()
    exchange.connection = this
    this.#parser.begin(exchange.request.method)
    const { framing, head } = exchange
    switch (framing.kind) {
      case 'none':
        this.#hold()
        this.#socket.write(head, 'latin1')
        break
      case 'whole':
        this.#hold()
        this.#socket.write(head, 'latin1')
        this.#socket.write(framing.body)
        break
      case 'stream':
        this.#sent = false
        this.#socket.write(head, 'latin1')
        void this.#stream(exchange, framing.chunks, framing.length)
    }
  }

  #hold(): void {
    this.#socket.cork()
    atEndOfTurn(() => this.#socket.uncork())
  }

  resume(): void {
    if (!this.#dead) this.#socket.resume()
  }

  /** Ends the connection; the sink of a request in flight is not told. */
  destroy(): void {
    this.#exchange = undefined
    if (!this.#dead) this.#close()
  }

  /** Ends the connection and the request in flight with it. */
  fail(error: Error): void {
    this.#fail(error)
  }

  async #stream(
    exchange: Exchange,
    chunks: AsyncIterable<Uint8Array>,
    length: number | undefined,
  ): Promise<void> {
    let sent = 0
    try {
      for await (const chunk of chunks) {
        // Leaving the loop ends the source as well.
        if (this.#exchange !== exchange || this.#dead) return
        if (chunk.length === 0) continue
        sent += chunk.length
        if (length !== undefined && sent > length)
          throw new Error('the request body is longer than announced')
        if (!this.#write(chunk, length === undefined)) await this.#drained()
      }
      if (this.#exchange !== exchange || this.#dead) return
      if (length === undefined) this.#socket.write('0\r\n\r\n', 'latin1')
      else if (sent < length) throw new Error('the request body is shorter than announced')
    } catch (error) {
      if (this.#exchange === exchange) this.#fail(error as Error)
      return
    }
    this.#sent = true
  }

  #write(chunk: Uint8Array, chunked: boolean): boolean {
    if (!chunked) return this.#socket.write(chunk)
    this.#socket.cork()
    this.#socket.write(`${chunk.length.toString(16)}\r\n`, 'latin1')
    this.#socket.write(chunk)
    const more = this.#socket.write('\r\n', 'latin1')
    this.#socket.uncork()
    return more
  }

  #drained(): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        this.#socket.off('drain', done)
        this.#socket.off('close', done)
        resolve()
      }
      this.#socket.once('drain', done)
      this.#socket.once('close', done)
      if (this.#socket.destroyed) done()
    })
  }

  #data(chunk: Buffer): void {
    try {
      const rest = this.#parser.push(chunk)
      // The peer speaks unasked, or changes the protocol unasked.
      if (rest !== undefined) this.#fail(new ProtocolError('the server sent more than its answer'))
    } catch (error) {
      this.#fail(error as Error)
    }
  }

  #head(status: number, headers: Headers): void {
    if (status === 101) throw new ProtocolError('the server changed the protocol unasked')
    this.#answered = true
    const seconds = /(?:^|[\s,;])timeout=([0-9]{1,6})/.exec(String(headers['keep-alive'] ?? ''))?.[1]
    this.keepAliveMs = seconds === undefined ? undefined : Number(seconds) * 1000
    this.#exchange?.sink.head(status, headers)
  }

  #end(): void {
    const exchange = this.#exchange
    this.#exchange = undefined
    this.#served++
    // An answer before the request was through: the rest of the request has nowhere to go.
    if (!this.#parser.keepAlive || !this.#sent || this.#socket.destroyed) this.#close()
    else {
      // A sink that was full at the end would otherwise leave the socket paused for the next request.
      this.#socket.resume()
      this.idleSince = performance.now()
      // Not before the sink has heard of the end: it may ask for something more on this very connection.
      queueMicrotask(() => {
        if (!this.#dead) this.#owner.released(this)
      })
    }
    if (exchange) {
      exchange.connection = undefined
      exchange.sink.end()
    }
  }

  #close(): void {
    this.#dead = true
    this.#socket.destroy()
    this.#owner.closed(this)
  }

  /** The peer has closed, or the socket is gone. */
  #closed(): void {
    if (this.#dead) return
    try {
      this.#parser.close()
    } catch (error) {
      this.#fail(error as Error)
      return
    }
    if (!this.#dead) this.#fail(new Error('the connection was closed'))
  }

  #fail(error: Error): void {
    if (this.#dead) return
    this.#dead = true
    const exchange = this.#exchange
    this.#exchange = undefined
    this.#socket.destroy()
    this.#owner.closed(this)
    if (!exchange) return
    exchange.connection = undefined
    // The server may close an idle connection just as we send on it. What was not read it has not answered.
    const stale = this.#served > 0 && !this.#parser.received && !exchange.retried
    if (stale && isSafe(exchange)) {
      exchange.retried = true
      this.#owner.retry(exchange)
    } else if (!exchange.aborted) exchange.sink.fail(error)
  }
}

/** Sending it twice does no more than sending it once, and it can be sent twice. */
function isSafe({ request: { method }, framing }: Exchange): boolean {
  return (method === 'GET' || method === 'HEAD' || method === 'OPTIONS') && framing.kind !== 'stream'
}
