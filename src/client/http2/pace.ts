/**
 * Leaves a connection unread for a moment on which much comes in small pieces, such as the events of busy watches.
 *
 * To be woken, to decrypt and to pass on costs more than what comes; after a rest it is done once for all that has come
 * meanwhile. The first to come after a while is read at once, and so is what is much.
 */

/** Pieces that follow one another within so many rests are many. */
const CLOSE = 2
/** Bytes that cost more to read than to be woken for; behind them more may be waiting. */
const MUCH = 8 * 1024

export class Pace {
  readonly #restMs: number
  readonly #onRested: () => void
  #timer: NodeJS.Timeout | undefined
  #isResting = false
  /** Milliseconds of `performance.now`. */
  #readAt = -Infinity

  /**
   * @param restMs as long as that it may be left unread
   * @param onRested it may be read again
   */
  constructor(restMs: number, onRested: () => void) {
    this.#restMs = restMs
    this.#onRested = onRested
  }

  /** So many bytes have come. @returns whether to read on at once */
  read(bytes: number): boolean {
    if (this.#isResting) return false
    const now = performance.now()
    const isBusy = now - this.#readAt < CLOSE * this.#restMs && bytes < MUCH
    this.#readAt = now
    if (!isBusy) return true
    this.#isResting = true
    this.#timer = this.#timer?.refresh() ?? setTimeout(this.#restEnds, this.#restMs)
    return false
  }

  readonly #restEnds = (): void => {
    this.#isResting = false
    this.#onRested()
  }
}
