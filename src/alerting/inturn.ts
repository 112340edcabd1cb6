/** Lets those who change the same thing do it one after the other, within this process. */
export class InTurn {
  readonly #last = new Map<string, Promise<unknown>>()

  /** @throws what `work` throws, or the signal's reason before its turn has come */
  async of<T>(key: string, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    const before = this.#last.get(key) ?? Promise.resolve()
    const mine = before.then(() => {
      signal.throwIfAborted()
      return work()
    })
    const settled = mine.catch(() => undefined)
    this.#last.set(key, settled)
    void settled.then(() => {
      if (this.#last.get(key) === settled) this.#last.delete(key)
    })
    return mine
  }
}
