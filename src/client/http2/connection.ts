/**
 * One socket to the server for many requests at a time, RFC 9113.
 *
 * The peer may send as much as it likes on the connection as a whole; each stream has a window of its own, so that one
 * whose reader is slow keeps nobody else waiting.
 */
import { type Socket } from 'node:net'
import { readFrom } from '../http/dial.js'
import {
  type Connection,
  type ConnectionLimits,
  type ConnectionOwner,
  type Exchange,
  isRepeatable,
} from '../http/exchange.js'
import { AnswerHeadReader, type AnswerHead } from './answerhead.js'
import { Code, ConnectionError, Flag, FrameReader, Type } from './frames.js'
import { Liveness } from './liveness.js'
import { Output } from './output.js'
import { Pace } from './pace.js'
import { Peer } from './peer.js'
import { RequestHeadWriter } from './requesthead.js'
import { MAX_FRAME, OURS } from './settings.js'
import { Stream, type StreamOwner } from './stream.js'
import { StreamTable } from './streamtable.js'
import { sendAtOnce, sendBody } from './upload.js'

const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')
/** What the peer may have under way on all streams, and when it is told that so much has come. */
const CONNECTION_WINDOW = 2 ** 30
const CONNECTION_CREDIT = 2 ** 26
const LAST_STREAM = 2 ** 31 - 1
/** How often a request that the server has not looked at is sent again. */
const REPEATS = 5
/** Bytes of payload that frames of a kind have at least. */
const SHORTEST: Readonly<Record<number, number>> = {
  [Type.reset]: 4,
  [Type.ping]: 8,
  [Type.goaway]: 8,
  [Type.windowUpdate]: 4,
}

export class Http2Connection implements Connection, StreamOwner {
  readonly #socket: Socket
  readonly #owner: ConnectionOwner
  readonly #limits: ConnectionLimits
  readonly #output: Output
  readonly #requests: RequestHeadWriter
  readonly #heads = new AnswerHeadReader()
  readonly #streams = new StreamTable()
  readonly #reader: FrameReader
  readonly #peer = new Peer()
  readonly #liveness: Liveness
  readonly #pace: Pace | undefined
  #nextId = 1
  #dead = false
  /** The peer takes no more requests. */
  #isLeaving = false
  #served = 0
  /** Bytes of data that the peer has not heard of. */
  #received = 0
  /** Milliseconds of `performance.now`. */
  #idleSince = performance.now()

  /** @param host as the server is to be called */
  constructor(socket: Socket, host: string, owner: ConnectionOwner, limits: ConnectionLimits) {
    this.#socket = socket
    this.#owner = owner
    this.#limits = limits
    this.#output = new Output(socket)
    this.#requests = new RequestHeadWriter(host, this.#output)
    this.#liveness = new Liveness(this.#output)
    this.#pace = limits.restMs > 0 ? new Pace(limits.restMs, () => socket.resume()) : undefined
    this.#reader = new FrameReader(
      {
        data: (id, chunk) => {
          this.#took(chunk.length)
          this.#streams.get(id)?.data(chunk)
        },
        padding: (id, bytes) => {
          this.#took(bytes)
          this.#streams.get(id)?.padding(bytes)
        },
        end: (id) => this.#streams.get(id)?.end(),
        frame: (type, flags, id, payload) => this.#frame(type, flags, id, payload),
      },
      MAX_FRAME,
    )
    readFrom(socket, (bytes) => this.#push(bytes))
    // Otherwise nobody would hear of the end.
    socket.resume()
    socket.on('drain', () => this.#peer.wake())
    socket.on('end', () => this.fail(new Error('the connection was closed')))
    socket.on('close', () => this.fail(new Error('the connection was closed')))
    socket.on('error', (error) => this.fail(error))
    this.#output.raw(PREFACE)
    this.#output.frame(Type.settings, 0, 0, OURS)
    this.#output.number(Type.windowUpdate, 0, CONNECTION_WINDOW)
  }

  get carried(): number {
    return this.#streams.size
  }

  get hasRoom(): boolean {
    if (this.#dead || this.#isLeaving || !this.#socket.writable) return false
    return this.#streams.size < this.#peer.settings.maxConcurrentStreams && this.#nextId < LAST_STREAM
  }

  send(exchange: Exchange): void {
    const stream = new Stream(this.#nextId, exchange, this, this.#peer.settings.initialWindowSize)
    this.#nextId += 2
    this.#streams.add(stream)
    exchange.carrier = stream
    const { framing } = exchange
    this.#requests.write(stream.id, exchange, this.#peer.frameSize)
    if (framing.kind === 'none') return
    if (framing.kind === 'whole' && sendAtOnce(stream, framing.body, this.#peer, this.#output)) return
    stream.sending = true
    sendBody(stream, framing, this.#peer, this.#output).then(
      () => (stream.sending = false),
      (error: unknown) => stream.fail(error as Error, Code.cancel),
    )
  }

  widen(stream: Stream, bytes: number): void {
    if (!this.#dead) this.#output.number(Type.windowUpdate, stream.id, bytes)
  }

  over(stream: Stream, code?: number): void {
    const wasFull = !this.hasRoom
    this.#streams.delete(stream.id)
    if (code !== undefined && !this.#dead) this.#output.number(Type.reset, stream.id, code)
    if (stream.sending) this.#peer.wake()
    if (stream.answered) this.#served++
    if (this.#streams.size === 0) this.#idleSince = performance.now()
    if (wasFull && this.hasRoom) this.#owner.freed(this)
    this.#owner.over()
    if (this.#isLeaving && this.#streams.size === 0) this.fail(new Error('the server closes the connection'))
  }

  sweep(now: number): void {
    const { idleMs, answerMs } = this.#limits
    if (this.#streams.size === 0) {
      if (now - this.#idleSince >= idleMs) this.fail(new Error('not used for long'))
      return
    }
    if (this.#liveness.check(now)) {
      this.fail(new Error('the server does not answer'))
      return
    }
    for (const stream of this.#streams.all()) {
      if (stream.answered || now - stream.since < answerMs) continue
      stream.fail(new Error(`no answer within ${answerMs} ms`), Code.cancel)
    }
  }

  retire(): void {
    this.#isLeaving = true
    if (this.#streams.size === 0) this.fail(new Error('the connection is retired'))
  }

  fail(error: Error): void {
    if (this.#dead) return
    this.#dead = true
    this.#output.flush()
    this.#socket.destroy()
    this.#owner.closed(this)
    for (const stream of this.#streams.all()) {
      // The server may close a connection just as we send on it.
      const isStale = this.#served > 0 && !stream.answered && stream.exchange.repeats === 0
      if (isStale && isRepeatable(stream.exchange)) this.#repeat(stream)
      else stream.fail(error)
    }
    this.#peer.gone()
  }

  /** Sends a request again, elsewhere. */
  #repeat(stream: Stream): void {
    stream.leave()
    this.#owner.retry(stream.exchange)
  }

  /** The server says that it has not looked at it. */
  #refused(stream: Stream, error: Error): void {
    const { framing, repeats } = stream.exchange
    if (framing.kind !== 'stream' && repeats < REPEATS) this.#repeat(stream)
    else stream.fail(error)
  }

  /** @returns false when nothing is to be read for now */
  #push(chunk: Buffer): boolean {
    if (this.#dead) return true
    this.#liveness.heard()
    try {
      this.#reader.push(chunk)
    } catch (error) {
      const code = error instanceof ConnectionError ? error.code : Code.protocol
      this.#output.frame(Type.goaway, 0, 0, Buffer.from([0, 0, 0, 0, 0, 0, 0, code]))
      this.fail(error as Error)
    }
    return this.#pace?.read(chunk.length) ?? true
  }

  #took(bytes: number): void {
    this.#received += bytes
    if (this.#received < CONNECTION_CREDIT) return
    this.#output.number(Type.windowUpdate, 0, this.#received)
    this.#received = 0
  }

  #frame(type: number, flags: number, id: number, payload: Buffer): void {
    if (this.#heads.expectsMore && type !== Type.continuation)
      throw new ConnectionError('headers without end')
    if (payload.length < (SHORTEST[type] ?? 0)) throw new ConnectionError('a frame cut short', Code.frameSize)
    switch (type) {
      case Type.headers:
      case Type.continuation: {
        const head = this.#heads.push(type, flags, id, payload)
        if (head) this.#head(head)
        break
      }
      case Type.reset:
        this.#reset(id, payload.readUInt32BE(0))
        break
      case Type.settings:
        if ((flags & Flag.ack) === 0) this.#settings(payload)
        break
      case Type.push:
        throw new ConnectionError('the server pushes, which it was told not to')
      case Type.ping:
        if ((flags & Flag.ack) === 0) this.#output.frame(Type.ping, Flag.ack, 0, payload)
        break
      case Type.goaway:
        this.#goaway(payload)
        break
      case Type.windowUpdate:
        this.#widened(id, payload.readUInt32BE(0) & 0x7fffffff)
      // Frames of other kinds are to be ignored.
    }
  }

  #head({ stream: id, status, headers, isEnd, malformed }: AnswerHead): void {
    const stream = this.#streams.get(id)
    // One that was aborted meanwhile.
    if (!stream) return
    if (malformed !== undefined) stream.fail(new Error(malformed), Code.protocol)
    else if (stream.answered) {
      // Trailers, which nobody here reads.
      if (isEnd) stream.end()
    } else if (status === undefined || status === 101) {
      stream.fail(new Error('an answer without a status'), Code.protocol)
    } else if (status >= 200) {
      stream.head(status, headers)
      if (isEnd) stream.end()
    }
  }

  #reset(id: number, code: number): void {
    const stream = this.#streams.get(id)
    if (!stream) return
    const error = new Error(`the server broke the request off, code ${code}`)
    if (code === Code.refusedStream && !stream.answered) this.#refused(stream, error)
    else stream.fail(error)
  }

  #settings(payload: Buffer): void {
    const wasFull = !this.hasRoom
    const wider = this.#peer.update(payload)
    this.#requests.setTableLimit(this.#peer.settings.headerTableSize)
    if (wider !== 0) for (const stream of this.#streams.all()) stream.sendWindow += wider
    this.#output.frame(Type.settings, Flag.ack, 0, Buffer.alloc(0))
    this.#peer.wake()
    if (wasFull && this.hasRoom) this.#owner.freed(this)
  }

  #goaway(payload: Buffer): void {
    this.#isLeaving = true
    const last = payload.readUInt32BE(0) & 0x7fffffff
    const error = new Error(`the server closes the connection, code ${payload.readUInt32BE(4)}`)
    for (const stream of this.#streams.all()) if (stream.id > last) this.#refused(stream, error)
    if (this.#streams.size === 0) this.fail(error)
  }

  #widened(id: number, bytes: number): void {
    if (id === 0) this.#peer.widen(bytes)
    else {
      const stream = this.#streams.get(id)
      if (!stream) return
      stream.sendWindow += bytes
      if (!Peer.isWindow(stream.sendWindow))
        stream.fail(new Error('the server opens its window too wide'), Code.flowControl)
    }
    this.#peer.wake()
  }
}
