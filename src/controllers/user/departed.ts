/** Names of objects that have gone a short while ago. */
import { type Informer } from '../../client/cache/interface.js'

/** Longer than any write that was on its way when the object went. */
const REMEMBERED_MS = 10 * 60_000

export class Departed {
  /** Oldest first. */
  readonly #names = new Map<string, number>()

  constructor(
    informer: Pick<Informer, 'onChange'>,
    private readonly now: () => number,
  ) {
    informer.onChange(({ type, object: { name } }) => {
      this.#names.delete(name)
      if (type === 'deleted') this.#names.set(name, this.now())
      this.#forgetOld()
    })
  }

  has(name: string): boolean {
    const at = this.#names.get(name)
    return at !== undefined && this.now() - at < REMEMBERED_MS
  }

  #forgetOld(): void {
    for (const [name, at] of this.#names) {
      if (this.now() - at < REMEMBERED_MS) return
      this.#names.delete(name)
    }
  }
}
