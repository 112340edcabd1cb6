/**
 * An answer of somebody else on its way to the client, piece by piece and at the client's pace.
 *
 * Pieces go straight to the socket, framed here, those of one turn together: `ServerResponse.write` makes three writes of
 * each. Head and end stay with the response, which so knows as always whether the connection lives on.
 */
import { type ServerResponse } from 'node:http'
import { type Socket } from 'node:net'
import { atEndOfTurn, soon } from '../client/turn.js'
import { giveStagingBack, STAGING, takeStaging } from './staging.js'

/** Bytes that wait for the end of the turn, at most: a write that wakes the reader for less costs as much. */
const TOGETHER = STAGING
/** Up to here one text is cheaper than many pieces: a socket takes it without memory of its own. */
const ONE_TEXT = 15 * 1024

const NONE: Uint8Array[] = []

export interface AnswerTraits {
  /** Somebody has put himself in front of `response.write`. */
  isLookedAt: boolean
  /** It has no end of its own, or much later than its head. */
  isLongRunning: boolean
}

export class PassedAnswer {
  readonly #response: ServerResponse
  readonly #onDrain: () => void
  /** Undefined where the response has to see each piece: it waits for its turn on the connection, or is looked at. */
  #socket: Socket | undefined
  #isChunked = false
  #hasBody = true
  #isHeadOut = false
  /** What has come in this turn. */
  #held: Uint8Array[] = NONE
  /** Copies of what was lent, so many bytes of it. */
  #staging: Buffer | undefined
  #staged = 0
  /** Where in it the last of what is held begins; negative when that is not there. */
  #run = -1
  #heldBytes = 0
  #isScheduled = false
  #isFull = false
  #isWhole = false
  #isClosed = false

  /** @param onDrain the client can take more, after `write` has said that it cannot */
  constructor(response: ServerResponse, onDrain: () => void) {
    this.#response = response
    this.#onDrain = onDrain
  }

  begin(
    status: number,
    headers: Record<string, string | string[]>,
    { isLookedAt, isLongRunning }: AnswerTraits,
  ): void {
    const response = this.#response
    response.writeHead(status, headers)
    this.#hasBody = response.req.method !== 'HEAD' && status !== 204 && status !== 304
    this.#isChunked = response.chunkedEncoding
    if (response.socket && !isLookedAt) this.#socket = response.socket
    else response.on('drain', this.#drained)
    // A watch may have nothing to say for long; its client waits for the head. Otherwise the body is about to come.
    if (isLongRunning) this.#schedule()
    else soon(this.#headOut)
  }

  /**
   * @param isLent its memory is used again once this returns
   * @returns false when the client cannot take more for now
   */
  write(piece: Uint8Array, isLent = false): boolean {
    if (this.#isClosed || !this.#hasBody || piece.length === 0) return true
    if (!this.#socket) return this.#response.write(isLent ? Buffer.from(piece) : piece)
    if (isLent) this.#stage(piece)
    else this.#hold(piece)
    return !this.#isFull
  }

  #stage(piece: Uint8Array): void {
    if (piece.length > STAGING) return this.#hold(Buffer.from(piece))
    if (this.#staged + piece.length > STAGING) {
      this.#flush()
      this.#release()
    }
    const staging = (this.#staging ??= takeStaging())
    if (this.#run < 0) {
      this.#run = this.#staged
      this.#add(staging.subarray(0, 0))
    }
    staging.set(piece, this.#staged)
    this.#staged += piece.length
    // Pieces that follow one another are one.
    this.#held[this.#held.length - 1] = staging.subarray(this.#run, this.#staged)
    this.#count(piece.length)
  }

  #hold(piece: Uint8Array): void {
    this.#run = -1
    this.#add(piece)
    this.#count(piece.length)
  }

  #add(piece: Uint8Array): void {
    if (this.#held === NONE) this.#held = [piece]
    else this.#held.push(piece)
  }

  #count(bytes: number): void {
    this.#heldBytes += bytes
    if (this.#heldBytes >= TOGETHER) this.#flush()
    else this.#schedule()
  }

  /** Nothing more comes. */
  end(): void {
    this.#isWhole = true
    this.#schedule()
  }

  /** Breaks off where it is; what the client has got is no whole answer. */
  destroy(): void {
    this.#close()
    this.#response.destroy()
  }

  #close(): void {
    this.#isClosed = true
    this.#letGo()
    this.#socket?.off('drain', this.#drained)
    this.#response.off('drain', this.#drained)
  }

  /** What is written until the end of the turn goes out together, and with the answers of others. */
  #schedule(): void {
    if (this.#isScheduled) return
    this.#isScheduled = true
    atEndOfTurn(this.#atEndOfTurn)
  }

  readonly #atEndOfTurn = (): void => {
    this.#isScheduled = false
    if (this.#isClosed) return
    // The mark of the end goes out with the last pieces; `end` lets go of all.
    if (this.#isWhole && this.#isChunked) this.#socket?.cork()
    this.#flush()
    if (!this.#isWhole) return
    this.#response.end()
    this.#release()
    this.#close()
  }

  readonly #headOut = (): void => {
    if (!this.#isHeadOut && !this.#isClosed) this.#schedule()
  }

  #flush(): void {
    const socket = this.#socket
    const isFirst = !this.#isHeadOut
    this.#isHeadOut = true
    if (!socket || this.#heldBytes === 0) {
      // The end of an answer without a body takes the head along.
      if (isFirst && !this.#isWhole) this.#response.flushHeaders()
      return
    }
    const bytes = this.#heldBytes
    const pieces: (string | Uint8Array)[] = bytes <= ONE_TEXT ? [this.#held.map(textOf).join('')] : this.#held
    this.#letGo()
    socket.cork()
    if (isFirst && !this.#isChunked && typeof pieces[0] === 'string') {
      // The response makes one text of head and body.
      this.#response.write(pieces[0], 'latin1')
    } else {
      if (isFirst) this.#response.flushHeaders()
      this.#write(socket, pieces, bytes)
    }
    socket.uncork()
    // Until then the bytes are still to be read.
    if (socket.writableCorked === 0) this.#release()
    if (!socket.writableNeedDrain || this.#isFull) return
    this.#isFull = true
    socket.once('drain', this.#drained)
  }

  #write(socket: Socket, pieces: (string | Uint8Array)[], bytes: number): void {
    if (!this.#isChunked) for (const piece of pieces) socket.write(piece, 'latin1')
    else if (typeof pieces[0] === 'string')
      socket.write(`${bytes.toString(16)}\r\n${pieces[0]}\r\n`, 'latin1')
    else {
      socket.write(`${bytes.toString(16)}\r\n`, 'latin1')
      for (const piece of pieces) socket.write(piece)
      socket.write('\r\n', 'latin1')
    }
  }

  #letGo(): void {
    this.#held = NONE
    this.#heldBytes = 0
    this.#run = -1
  }

  /** What was staged has been written, or is the socket's now. */
  #release(): void {
    if (this.#staging && this.#socket?.writableLength === 0) giveStagingBack(this.#staging)
    this.#staging = undefined
    this.#staged = 0
  }

  readonly #drained = (): void => {
    this.#isFull = false
    this.#onDrain()
  }
}

function textOf(piece: Uint8Array): string {
  const { buffer, byteOffset, byteLength } = piece
  return (Buffer.isBuffer(piece) ? piece : Buffer.from(buffer, byteOffset, byteLength)).toString('latin1')
}
