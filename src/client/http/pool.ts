/**
 * Connections to one server: as many as there is demand for up to a limit, the most recently used first,
 * so that what is too many falls idle and is closed.
 *
 * Over HTTP/1.1 a connection carries one request, over HTTP/2 as many as the server lets it; which of the two it is turns out
 * when the first one is there.
 */
import { type Connection, type ConnectionLimits, type ConnectionOwner, type Exchange } from './exchange.js'

export interface PoolOptions extends ConnectionLimits {
  /** @throws Error when the server cannot be reached; ends within a time limit of its own */
  connect(owner: ConnectionOwner, limits: ConnectionLimits): Promise<Opened>
  /** Whether the server may turn out to speak HTTP/2: then it is not asked for many connections at once. */
  maybeMultiplexed: boolean
  /** Requests in flight. */
  maxRequests: number
  maxQueue: number
}

export interface Opened {
  connection: Connection
  /** Carries many requests at a time. */
  multiplexed: boolean
}

const SWEEP_MS = 1_000

export class Pool implements ConnectionOwner {
  readonly #options: PoolOptions
  readonly #all = new Set<Connection>()
  /** Those with room. */
  readonly #open: Connection[] = []
  readonly #waiting: Exchange[] = []
  #inFlight = 0
  #connecting = 0
  #multiplexed: boolean
  #sweeper: NodeJS.Timeout | undefined
  #closed = false
  #dispatching = false
  #again = false

  constructor(options: PoolOptions) {
    this.#options = options
    this.#multiplexed = options.maybeMultiplexed
  }

  get sockets(): number {
    return this.#all.size
  }

  submit(exchange: Exchange): void {
    if (this.#closed) exchange.sink.fail(new Error('the client is closed'))
    else if (this.#waiting.length >= this.#options.maxQueue) {
      exchange.sink.fail(new Error('too many requests wait for a connection'))
    } else {
      this.#waiting.push(exchange)
      this.#dispatch()
    }
  }

  abort(exchange: Exchange): void {
    if (exchange.aborted) return
    exchange.aborted = true
    if (exchange.carrier) {
      exchange.carrier.abort()
      return
    }
    const at = this.#waiting.indexOf(exchange)
    if (at >= 0) this.#waiting.splice(at, 1)
  }

  /** What was proved when the connections were made holds no longer: later requests go on new ones. */
  renew(): void {
    for (const connection of [...this.#all]) connection.retire()
  }

  close(): void {
    this.#closed = true
    clearInterval(this.#sweeper)
    const error = new Error('the client is closed')
    for (const exchange of this.#waiting.splice(0)) exchange.sink.fail(error)
    for (const connection of [...this.#all]) connection.fail(error)
  }

  over(): void {
    const wasLimit = this.#inFlight-- >= this.#options.maxRequests
    if (wasLimit) this.#dispatch()
  }

  freed(connection: Connection): void {
    if (this.#closed) connection.fail(new Error('the client is closed'))
    else if (!this.#open.includes(connection)) this.#open.push(connection)
    this.#dispatch()
  }

  closed(connection: Connection): void {
    this.#all.delete(connection)
    this.#forget(connection)
    this.#dispatch()
  }

  retry(exchange: Exchange): void {
    if (exchange.aborted) return
    exchange.repeats++
    this.#waiting.unshift(exchange)
    // The other idle connections are as old as the dead one; only a new one proves anything.
    for (const connection of [...this.#open]) {
      if (connection.carried === 0) connection.fail(new Error('the connection is too old'))
    }
    this.#dispatch()
  }

  /** Gives waiting requests the connections there are, and makes more where it may. */
  #dispatch(): void {
    // Connections found dead on the way, and sinks that ask for more, come back here.
    this.#again = true
    if (this.#dispatching) return
    this.#dispatching = true
    while (this.#again && !this.#closed) {
      this.#again = false
      this.#assign()
    }
    this.#dispatching = false
    if (!this.#closed && this.#waiting.length > 0) this.#grow()
  }

  #assign(): void {
    while (this.#waiting.length > 0 && this.#inFlight < this.#options.maxRequests) {
      const connection = this.#withRoom()
      if (!connection) return
      this.#inFlight++
      connection.send(this.#waiting.shift() as Exchange)
      if (!connection.hasRoom) this.#forget(connection)
    }
  }

  #withRoom(): Connection | undefined {
    for (let connection = this.#open.at(-1); connection; connection = this.#open.at(-1)) {
      if (connection.hasRoom) return connection
      this.#open.pop()
      if (connection.carried === 0) connection.fail(new Error('the connection was closed'))
    }
    return undefined
  }

  #forget(connection: Connection): void {
    const at = this.#open.lastIndexOf(connection)
    if (at >= 0) this.#open.splice(at, 1)
  }

  #grow(): void {
    const couldGo = Math.min(this.#waiting.length, Math.max(0, this.#options.maxRequests - this.#inFlight))
    const wanted = this.#multiplexed ? Math.min(couldGo, 1) : couldGo
    for (; this.#connecting < wanted;) {
      this.#connecting++
      this.#options.connect(this, this.#options).then(
        (opened) => this.#connected(opened),
        (error: unknown) => this.#refused(error as Error),
      )
    }
  }

  #connected({ connection, multiplexed }: Opened): void {
    this.#connecting--
    this.#multiplexed = multiplexed
    this.#all.add(connection)
    if (this.#closed) {
      connection.fail(new Error('the client is closed'))
      return
    }
    this.#sweeper ??= setInterval(() => this.#sweep(), SWEEP_MS).unref()
    this.#open.push(connection)
    this.#dispatch()
  }

  /** One attempt failed: those learn of it that it was made for. Over HTTP/1.1 the others try for themselves. */
  #refused(error: Error): void {
    this.#connecting--
    const failed = this.#waiting.splice(0, this.#multiplexed ? this.#waiting.length : 1)
    for (const { sink } of failed) sink.fail(error)
    this.#dispatch()
  }

  #sweep(): void {
    const now = performance.now()
    for (const connection of [...this.#all]) connection.sweep(now)
    if (this.#all.size === 0) {
      clearInterval(this.#sweeper)
      this.#sweeper = undefined
    }
  }
}
