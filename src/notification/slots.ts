/** How many may send at the same time. Those that are slow, or fail, wait among themselves. */
export class Slots {
  readonly #waiting: (() => void)[] = []
  #free: number

  constructor(count: number) {
    this.#free = count
  }

  async take(): Promise<void> {
    if (this.#free > 0) this.#free--
    else await new Promise<void>((resolve) => this.#waiting.push(resolve))
  }

  give(): void {
    const next = this.#waiting.shift()
    if (next) next()
    else this.#free++
  }

  /** Nobody is to wait any longer. */
  open(): void {
    this.#free = Number.MAX_SAFE_INTEGER
    for (const next of this.#waiting.splice(0)) next()
  }
}
