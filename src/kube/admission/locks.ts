/** One at a time, by name: who takes a lock waits for all who asked before. */
import { type Caller } from '../registry/strategy.js'

export class Locks {
  readonly #last = new Map<string, Promise<void>>()

  /** @returns gives the lock back @throws the reason of the caller's signal when the wait is given up */
  async take(name: string, caller?: Caller): Promise<() => void> {
    const before = this.#last.get(name)
    let release = (): void => {}
    const mine = new Promise<void>((resolve) => (release = resolve))
    const turn = before ? before.then(() => mine) : mine
    this.#last.set(name, turn)
    const done = (): void => {
      release()
      if (this.#last.get(name) === turn) this.#last.delete(name)
    }
    if (before === undefined) return done
    await before
    const signal = caller?.signal
    if (!signal?.aborted) return done
    done()
    throw signal.reason
  }
}
