/** Whether there is still somebody at the other end, asked when it has been silent for long. */
import { type Output } from './output.js'
import { Type } from './frames.js'

const SILENCE_MS = 30_000
const ANSWER_MS = 15_000

export class Liveness {
  readonly #output: Pick<Output, 'frame'>
  /** Milliseconds of `performance.now`. */
  #heardAt = performance.now()
  #askedAt: number | undefined

  constructor(output: Pick<Output, 'frame'>) {
    this.#output = output
  }

  heard(): void {
    this.#heardAt = performance.now()
    this.#askedAt = undefined
  }

  /** @returns whether the peer is taken for dead */
  check(now: number): boolean {
    if (this.#askedAt !== undefined) return now - this.#askedAt >= ANSWER_MS
    if (now - this.#heardAt >= SILENCE_MS) {
      this.#askedAt = now
      this.#output.frame(Type.ping, 0, 0, Buffer.alloc(8))
    }
    return false
  }
}
