/** Many waits of one length, in the order of their ends: one timer for all of them. */
import { type Clock } from '../registry/clock.js'

interface Wait {
  at: number
  expire: () => void
}

export class Deadlines {
  readonly #waiting = new Set<Wait>()
  #armed = false

  constructor(
    private readonly clock: Clock,
    private readonly lengthMs: number,
  ) {}

  /** @returns cancel */
  add(expire: () => void): () => void {
    const entry = { at: this.clock.now() + this.lengthMs, expire }
    this.#waiting.add(entry)
    this.#arm(this.lengthMs)
    return () => this.#waiting.delete(entry)
  }

  #arm(ms: number): void {
    if (this.#armed) return
    this.#armed = true
    this.clock.after(ms, () => {
      this.#armed = false
      const now = this.clock.now()
      for (const entry of this.#waiting) {
        if (entry.at > now) return this.#arm(entry.at - now)
        this.#waiting.delete(entry)
        entry.expire()
      }
    })
  }
}
