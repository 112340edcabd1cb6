/** Takes back the steps of a change that fails half-way, the last one first. */
export class Undo {
  readonly #steps: (() => Promise<unknown>)[] = []

  push(step: () => Promise<unknown>): void {
    this.#steps.push(step)
  }

  /** @returns what to throw: the failure, with those of taking back when there were any */
  async after(failure: unknown): Promise<unknown> {
    const more: unknown[] = []
    for (let step = this.#steps.pop(); step; step = this.#steps.pop()) {
      try {
        await step()
      } catch (error) {
        more.push(error)
      }
    }
    return more.length === 0
      ? failure
      : new AggregateError([failure, ...more], 'a change failed half-way and could not be taken back')
  }
}

/** @throws what the action throws, when all that it did has been taken back */
export async function wholly<T>(action: (undo: Undo) => Promise<T>): Promise<T> {
  const undo = new Undo()
  try {
    return await action(undo)
  } catch (error) {
    throw await undo.after(error)
  }
}
