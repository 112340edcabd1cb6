/**
 * One request and its answer on a connection that others share.
 *
 * While the sink is full, what still comes is kept; the peer may send no more than the window that it was given, and gets
 * none back until the sink has taken what is there.
 */
import { type Carrier, type Exchange } from '../http/exchange.js'
import { type Headers } from '../transport.js'
import { Code } from './frames.js'

/** Bytes the peer may send before it hears that they were taken. */
export const WINDOW = 256 * 1024
/** … twice as many each time that half of them were, up to so many, while the sink takes what comes. */
const WIDE_WINDOW = 2 * 1024 * 1024

/** The connection as its streams see it. */
export interface StreamOwner {
  /** The peer may send so many bytes more. */
  widen(stream: Stream, bytes: number): void
  /** The stream has ended. @param code tells the peer, where it does not know */
  over(stream: Stream, code?: number): void
}

export class Stream implements Carrier {
  readonly id: number
  readonly exchange: Exchange
  /** Milliseconds of `performance.now`. */
  readonly since: number
  /** Of the table it is in. */
  next: Stream | undefined
  answered = false
  /** What the peer lets us send; may be negative. */
  sendWindow: number
  /** There is more of the body to send. */
  sending = false
  readonly #owner: StreamOwner
  #kept: Buffer[] | undefined
  #isFull = false
  /** What it takes is the measure then: more would only be kept. */
  #wasFull = false
  #hasEnded = false
  #isComplete = false
  #isOver = false
  /** Bytes that have come and that the peer was not given back. */
  #used = 0
  #window = WINDOW
  /** Bytes of the body still to come; undefined where that was not announced. */
  #left: number | undefined

  constructor(id: number, exchange: Exchange, owner: StreamOwner, sendWindow: number) {
    this.id = id
    this.exchange = exchange
    this.since = performance.now()
    this.sendWindow = sendWindow
    this.#owner = owner
  }

  get isOver(): boolean {
    return this.#isOver
  }

  head(status: number, headers: Headers): void {
    this.answered = true
    const length = headers['content-length']
    const hasBody = this.exchange.request.method !== 'HEAD' && status !== 204 && status !== 304
    if (length !== undefined && hasBody) this.#left = Number(length)
    try {
      this.exchange.sink.head(status, headers)
    } catch (error) {
      this.#thrown(error)
    }
  }

  /** @param chunk good until the call returns */
  data(chunk: Buffer): void {
    if (this.#isOver) return
    this.#used += chunk.length
    if (this.#left !== undefined) this.#left -= chunk.length
    if (!this.answered || (this.#left ?? 0) < 0) {
      this.fail(new Error('the server sent more than its answer'), Code.protocol)
    } else if (this.#used > this.#window) {
      this.fail(new Error('the server sent more than it may'), Code.flowControl)
    } else if (this.#isFull) (this.#kept ??= []).push(Buffer.from(chunk))
    else {
      const isLent = this.exchange.sink.borrows === true
      this.#give(isLent ? chunk : Buffer.from(chunk), isLent)
      if (this.#left === 0) this.#complete()
      else this.#widen()
    }
  }

  padding(bytes: number): void {
    this.#used += bytes
    this.#widen()
  }

  end(): void {
    if (this.#isOver) return
    if (!this.answered) {
      this.fail(new Error('the stream ended without an answer'))
      return
    }
    this.#hasEnded = true
    if (this.#kept === undefined) this.#finish()
  }

  resume(): void {
    this.#isFull = false
    const kept = this.#kept ?? []
    this.#kept = undefined
    let given = 0
    while (given < kept.length && !this.#isFull && !this.#isOver) this.#give(kept[given++] as Buffer, false)
    if (this.#isOver) return
    if (given < kept.length) {
      this.#kept = kept.slice(given)
      return
    }
    if (this.#hasEnded) this.#finish()
    else if (this.#left === 0) this.#complete()
    else this.#widen()
  }

  abort(): void {
    this.leave(Code.cancel)
  }

  /** Ends it; the sink hears of it unless nobody listens any more. */
  fail(error: Error, code?: number): void {
    if (this.#isOver) return
    this.leave(code)
    if (!this.exchange.aborted && !this.#isComplete) this.exchange.sink.fail(error)
  }

  /** Ends it without a word to the sink. @param code tells the peer */
  leave(code?: number): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#kept = undefined
    this.exchange.carrier = undefined
    this.#owner.over(this, code)
  }

  #give(chunk: Buffer, isLent: boolean): void {
    try {
      if (!this.exchange.sink.data(chunk, isLent)) this.#isFull = this.#wasFull = true
    } catch (error) {
      this.#thrown(error)
    }
  }

  #widen(): void {
    if (this.#hasEnded || this.#isOver || this.#isFull || this.#used < this.#window / 2) return
    const window = this.#wasFull ? WINDOW : Math.min(2 * this.#window, WIDE_WINDOW)
    const more = this.#used + window - this.#window
    if (more <= 0) return
    this.#owner.widen(this, more)
    this.#used = 0
    this.#window = window
  }

  #finish(): void {
    if ((this.#left ?? 0) > 0) {
      this.fail(new Error('the answer broke off'))
      return
    }
    // A body that was still being sent has nowhere to go.
    this.leave(this.sending ? Code.cancel : undefined)
    this.#complete()
  }

  /** All that was announced is there: the sink need not wait for the peer to say that this was all. */
  #complete(): void {
    if (this.#isComplete || this.exchange.aborted) return
    this.#isComplete = true
    this.exchange.carrier = undefined
    try {
      this.exchange.sink.end()
    } catch (error) {
      this.#thrown(error)
    }
  }

  /** What a sink throws is its own failure, and not that of the others on the connection. */
  #thrown(error: unknown): void {
    this.fail(error as Error, Code.cancel)
  }
}
