/** One at a time per key: who needs several keys waits for all of them, and nobody waits for ever for another. */
export class Serialized {
  readonly #last = new Map<string, Promise<unknown>>()

  /** Runs when all that came before under one of the keys has settled. */
  run<T>(keys: readonly string[], work: () => Promise<T>): Promise<T> {
    const before = keys.flatMap((key) => this.#last.get(key) ?? [])
    const result = Promise.allSettled(before).then(work)
    const settled = result.then(
      () => undefined,
      () => undefined,
    )
    for (const key of keys) this.#last.set(key, settled)
    void settled.then(() => {
      for (const key of keys) if (this.#last.get(key) === settled) this.#last.delete(key)
    })
    return result
  }
}
