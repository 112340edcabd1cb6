/** Lets changes that must not overlap come one after another, by key. */
export class Turns {
  readonly #last = new Map<string, Promise<unknown>>()

  /** Runs the action when those of the same key that came before are done, however they ended. */
  async take<T>(key: string, action: () => Promise<T>): Promise<T> {
    const before = this.#last.get(key)
    const turn = (async () => {
      await before?.catch(() => undefined)
      return action()
    })()
    this.#last.set(key, turn)
    try {
      return await turn
    } finally {
      if (this.#last.get(key) === turn) this.#last.delete(key)
    }
  }
}
