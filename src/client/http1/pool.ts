/**
 * Connections to one server: as many as there is demand for up to a limit, the most recently used first,
 * so that what is too many falls idle and is closed.
 *
 * Long-running requests do not count towards the limit, or a number of watches would keep everybody out.
 */
import { type Socket } from 'node:net'
import { Connection, type ConnectionOwner, type Exchange } from './connection.js'

export interface PoolOptions {
  /** @throws Error when the server cannot be reached; ends within a time limit of its own */
  connect(): Promise<Socket>
  /** Requests in flight that are not long-running. */
  maxSockets: number
  maxQueue: number
  idleMs: number
  /** How long an answer may take to begin. */
  answerMs: number
}

const SWEEP_MS = 1_000
/** A server's own limit is kept clear of by this much. */
const MARGIN_MS = 1_000

export class Pool implements ConnectionOwner {
  readonly #options: PoolOptions
  readonly #all = new Set<Connection>()
  readonly #idle: Connection[] = []
  readonly #waiting: Exchange[] = []
  /** Requests in flight that count. */
  #counted = 0
  #connecting = 0
  #sweeper: NodeJS.Timeout | undefined
  #closed = false
  #dispatching = false
  #again = false

  constructor(options: PoolOptions) {
    this.#options = options
  }

  get sockets(): number {
    return this.#all.size
  }

  get queued(): number {
    return this.#waiting.length
  }

  submit(exchange: Exchange): void {
    if (this.#closed) exchange.sink.fail(new Error('the client is closed'))
    else if (!exchange.longRunning && this.#waiting.length >= this.#options.maxQueue) {
      exchange.sink.fail(new Error('too many requests wait for a connection'))
    } else {
      this.#waiting.push(exchange)
      this.#dispatch()
    }
  }

  abort(exchange: Exchange): void {
    if (exchange.aborted) return
    exchange.aborted = true
    if (exchange.connection) {
      exchange.connection.destroy()
      return
    }
    const at = this.#waiting.indexOf(exchange)
    if (at >= 0) this.#waiting.splice(at, 1)
  }

  close(): void {
    this.#closed = true
    clearInterval(this.#sweeper)
    const error = new Error('the client is closed')
    for (const exchange of this.#waiting.splice(0)) exchange.sink.fail(error)
    for (const connection of [...this.#all]) connection.fail(error)
  }

  released(connection: Connection): void {
    this.#settle(connection)
    if (this.#closed || !connection.usable) connection.destroy()
    else this.#idle.push(connection)
    this.#dispatch()
  }

  closed(connection: Connection): void {
    this.#all.delete(connection)
    const at = this.#idle.lastIndexOf(connection)
    if (at >= 0) this.#idle.splice(at, 1)
    this.#settle(connection)
    this.#dispatch()
  }

  retry(exchange: Exchange): void {
    if (exchange.aborted) return
    this.#waiting.unshift(exchange)
    // The other idle connections are as old as the dead one; only a new one proves anything.
    for (const connection of this.#idle.splice(0)) connection.destroy()
    this.#dispatch()
  }

  #settle(connection: Connection): void {
    const exchange = connection.carries
    connection.carries = undefined
    if (exchange && !exchange.longRunning) this.#counted--
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
    if (!this.#closed) this.#grow()
  }

  #assign(): void {
    for (let i = 0; i < this.#waiting.length;) {
      const exchange = this.#waiting[i] as Exchange
      if (!exchange.longRunning && this.#counted >= this.#options.maxSockets) {
        i++
        continue
      }
      const connection = this.#takeIdle()
      if (!connection) return
      this.#waiting.splice(i, 1)
      this.#carry(connection, exchange)
    }
  }

  #takeIdle(): Connection | undefined {
    for (let connection = this.#idle.pop(); connection; connection = this.#idle.pop()) {
      if (connection.usable) return connection
      connection.destroy()
    }
    return undefined
  }

  #carry(connection: Connection, exchange: Exchange): void {
    connection.carries = exchange
    if (!exchange.longRunning) this.#counted++
    connection.send(exchange)
  }

  #grow(): void {
    const free = Math.max(0, this.#options.maxSockets - this.#counted)
    let eligible = 0
    let short = 0
    for (const { longRunning } of this.#waiting) {
      if (longRunning) eligible++
      else if (short < free) {
        short++
        eligible++
      }
    }
    for (; this.#connecting < eligible;) {
      this.#connecting++
      this.#options.connect().then(
        (socket) => this.#connected(socket),
        (error: unknown) => this.#refused(error as Error),
      )
    }
  }

  #connected(socket: Socket): void {
    this.#connecting--
    const connection = new Connection(socket, this)
    this.#all.add(connection)
    if (this.#closed) {
      connection.destroy()
      return
    }
    this.#sweeper ??= setInterval(() => this.#sweep(), SWEEP_MS).unref()
    connection.idleSince = performance.now()
    this.#idle.push(connection)
    this.#dispatch()
  }

  /** One attempt failed: one request learns of it, the others try for themselves. */
  #refused(error: Error): void {
    this.#connecting--
    this.#waiting.shift()?.sink.fail(error)
    this.#dispatch()
  }

  #sweep(): void {
    const now = performance.now()
    const { idleMs, answerMs } = this.#options
    for (const connection of [...this.#idle]) {
      const limit = Math.min(idleMs, (connection.keepAliveMs ?? Infinity) - MARGIN_MS)
      if (now - connection.idleSince >= limit) connection.destroy()
    }
    for (const connection of [...this.#all]) {
      const since = connection.waitingSince
      if (since !== undefined && now - since >= answerMs) {
        connection.fail(new Error(`no answer within ${answerMs} ms`))
      }
    }
    if (this.#all.size === 0) {
      clearInterval(this.#sweeper)
      this.#sweeper = undefined
    }
  }
}
