/** One deadline for many requests, all equally long: one timer for all of them. */
import { type Clock } from '../client/clock.js'

interface Entry {
  readonly at: number
  readonly expire: () => void
}

export class Deadlines {
  /** In the order of their times. */
  readonly #waiting = new Set<Entry>()
  #isArmed = false

  constructor(
    private readonly clock: Clock,
    private readonly ms: number,
  ) {}

  get size(): number {
    return this.#waiting.size
  }

  /** @returns cancel */
  add(expire: () => void): () => void {
    const entry = { at: this.clock.now() + this.ms, expire }
    this.#waiting.add(entry)
    this.#arm(this.ms)
    return () => this.#waiting.delete(entry)
  }

  #arm(ms: number): void {
    if (this.#isArmed) return
    this.#isArmed = true
    this.clock.setTimeout(() => {
      this.#isArmed = false
      const now = this.clock.now()
      for (const entry of this.#waiting) {
        if (entry.at > now) return this.#arm(entry.at - now)
        this.#waiting.delete(entry)
        entry.expire()
      }
    }, ms)
  }
}
