/** Many waits of one length, in the order of their ends: one timer for all of them. */
import { InFlight } from './index.js'

interface Wait {
  at: number
  expire: () => void
}

/** Milliseconds. */
export interface Timer {
  now(): number
  /** Calls `action` once after `ms`. */
  after(ms: number, action: () => void): unknown
}

export class Deadlines {
  readonly #waiting = new InFlight<Wait>()
  #isArmed = false

  constructor(
    private readonly timer: Timer,
    private readonly lengthMs: number,
  ) {}

  get size(): number {
    return this.#waiting.size
  }

  /** @returns cancel */
  add(expire: () => void): () => void {
    const place = this.#waiting.add({ at: this.timer.now() + this.lengthMs, expire })
    this.#arm(this.lengthMs)
    return () => this.#waiting.delete(place)
  }

  #arm(ms: number): void {
    if (this.#isArmed) return
    this.#isArmed = true
    this.timer.after(ms, () => {
      this.#isArmed = false
      const now = this.timer.now()
      for (let place = this.#waiting.first; place?.value; place = this.#waiting.first) {
        const { at, expire } = place.value
        if (at > now) return this.#arm(at - now)
        this.#waiting.delete(place)
        expire()
      }
    })
  }
}
