/**
 * One socket to the server, with at most one request in flight.
 *
 * Nothing is ever pipelined: behind a watch or a large list a second request would wait for ever. The
 * connection is only reused after a whole answer to a wholly sent request, with nothing left over.
 */
import { type Socket } from 'node:net'
import { type Headers } from '../transport.js'
import { atEndOfTurn } from '../turn.js'
import {
  type Carrier,
  type Connection,
  type ConnectionLimits,
  type ConnectionOwner,
  type Exchange,
  isRepeatable,
} from '../http/exchange.js'
import { ProtocolError, ResponseParser } from './parser.js'
import { requestHead } from './requesthead.js'

/** A server's own limit is kept clear of by this much. */
const MARGIN_MS = 1_000

export class Http1Connection implements Connection, Carrier {
  readonly #socket: Socket
  readonly #host: string
  readonly #owner: ConnectionOwner
  readonly #limits: ConnectionLimits
  readonly #parser: ResponseParser
  /** Whose answer is being waited for or read. */
  #exchange: Exchange | undefined
  /** The same, until the owner has heard that it is over. */
  #carried: Exchange | undefined
  #answered = false
  #sent = true
  #dead = false
  #isRetired = false
  #served = 0
  /** Since when there is no request, or an answer is waited for; of `performance.now`. */
  #since = performance.now()
  /** What the server said it keeps an idle connection for. */
  #keepAliveMs: number | undefined

  /** @param host as the server is to be called */
  constructor(socket: Socket, host: string, owner: ConnectionOwner, limits: ConnectionLimits) {
    this.#socket = socket
    this.#host = host
    this.#owner = owner
    this.#limits = limits
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
    socket.on('error', (error) => this.fail(error))
  }

  get hasRoom(): boolean {
    return this.#carried === undefined && !this.#dead && !this.#isRetired && this.#socket.writable
  }

  get carried(): number {
    return this.#carried ? 1 : 0
  }

  sweep(now: number): void {
    if (!this.#carried) {
      const limit = Math.min(this.#limits.idleMs, (this.#keepAliveMs ?? Infinity) - MARGIN_MS)
      if (now - this.#since >= limit) this.fail(new Error('not used for long'))
    } else if (this.#exchange && !this.#answered) {
      const { answerMs } = this.#limits
      if (now - this.#since >= answerMs) this.fail(new Error(`no answer within ${answerMs} ms`))
    }
  }

  send(exchange: Exchange): void {
    this.#exchange = exchange
    this.#carried = exchange
    this.#answered = false
    this.#since = performance.now()
    exchange.carrier = this
    this.#parser.begin(exchange.request.method)
    const { framing, fields, request } = exchange
    const head = requestHead({ ...request, host: this.#host, fields, framing })
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
  abort(): void {
    this.#exchange = undefined
    if (!this.#dead) this.#close()
  }

  retire(): void {
    this.#isRetired = true
    if (!this.#carried) this.fail(new Error('the connection is retired'))
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
      if (this.#exchange === exchange) this.fail(error as Error)
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
      if (rest !== undefined) this.fail(new ProtocolError('the server sent more than its answer'))
    } catch (error) {
      this.fail(error as Error)
    }
  }

  #head(status: number, headers: Headers): void {
    if (status === 101) throw new ProtocolError('the server changed the protocol unasked')
    this.#answered = true
    const seconds = /(?:^|[\s,;])timeout=([0-9]{1,6})/.exec(String(headers['keep-alive'] ?? ''))?.[1]
    this.#keepAliveMs = seconds === undefined ? undefined : Number(seconds) * 1000
    this.#exchange?.sink.head(status, headers)
  }

  #end(): void {
    const exchange = this.#exchange
    this.#exchange = undefined
    this.#served++
    // An answer before the request was through: the rest of the request has nowhere to go.
    if (!this.#parser.keepAlive || this.#isRetired || !this.#sent || this.#socket.destroyed) this.#close()
    else {
      // A sink that was full at the end would otherwise leave the socket paused for the next request.
      this.#socket.resume()
      this.#since = performance.now()
      // Not before the sink has heard of the end: it may ask for something more on this very connection.
      queueMicrotask(() => this.#free())
    }
    if (exchange) {
      exchange.carrier = undefined
      exchange.sink.end()
    }
  }

  #free(): void {
    if (this.#dead) return
    const over = this.#carried
    this.#carried = undefined
    this.#owner.freed(this)
    if (over) this.#owner.over()
  }

  #close(): void {
    this.#dead = true
    this.#socket.destroy()
    const over = this.#carried
    this.#carried = undefined
    this.#owner.closed(this)
    if (over) this.#owner.over()
  }

  /** The peer has closed, or the socket is gone. */
  #closed(): void {
    if (this.#dead) return
    try {
      this.#parser.close()
    } catch (error) {
      this.fail(error as Error)
      return
    }
    if (!this.#dead) this.fail(new Error('the connection was closed'))
  }

  fail(error: Error): void {
    if (this.#dead) return
    const exchange = this.#exchange
    this.#exchange = undefined
    this.#close()
    if (!exchange) return
    exchange.carrier = undefined
    // The server may close an idle connection just as we send on it. What was not read it has not answered.
    const stale = this.#served > 0 && !this.#parser.received && exchange.repeats === 0
    if (stale && isRepeatable(exchange)) this.#owner.retry(exchange)
    else if (!exchange.aborted) exchange.sink.fail(error)
  }
}
