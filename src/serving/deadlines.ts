/** One deadline for many requests, all equally long: one timer for all of them. */
import { InFlight } from '../apimachinery/inflight/index.js'
import { type Clock } from '../client/clock.js'

interface Entry {
  readonly at: number
  readonly expire: () => void
}

export class Deadlines {
  /** In the order of their times. */
  readonly #waiting = new InFlight<Entry>()
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
    const place = this.#waiting.add({ at: this.clock.now() + this.ms, expire })
    this.#arm(this.ms)
    return () => this.#waiting.delete(place)
  }

  #arm(ms: number): void {
    if (this.#isArmed) return
    this.#isArmed = true
    this.clock.setTimeout(() => {
      this.#isArmed = false
      const now = this.clock.now()
      for (let place = this.#waiting.first; place?.value; place = this.#waiting.first) {
        const { at, expire } = place.value
        if (at > now) return this.#arm(at - now)
        this.#waiting.delete(place)
        expire()
      }
    }, ms)
  }
}
