/** Many waits of one length, in the order of their ends: one timer for all of them. */
import { InFlight } from '../../apimachinery/inflight/index.js'
import { type Clock } from '../registry/clock.js'

interface Wait {
  at: number
  expire: () => void
}

export class Deadlines {
  readonly #waiting = new InFlight<Wait>()
  #armed = false

  constructor(
    private readonly clock: Clock,
    private readonly lengthMs: number,
  ) {}

  /** @returns cancel */
  add(expire: () => void): () => void {
    const place = this.#waiting.add({ at: this.clock.now() + this.lengthMs, expire })
    this.#arm(this.lengthMs)
    return () => this.#waiting.delete(place)
  }

  #arm(ms: number): void {
    if (this.#armed) return
    this.#armed = true
    this.clock.after(ms, () => {
      this.#armed = false
      const now = this.clock.now()
      for (let place = this.#waiting.first; place?.value; place = this.#waiting.first) {
        const { at, expire } = place.value
        if (at > now) return this.#arm(at - now)
        this.#waiting.delete(place)
        expire()
      }
    })
  }
}
