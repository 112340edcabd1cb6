/**
 * Writes that come close together share one transaction and one `fsync`: ten thousand messages need not wait for ten
 * thousand disks. The disk is waited for elsewhere, so that nobody else has to wait meanwhile.
 */
import { type Store } from './store.js'

interface Pending {
  work: () => void
  done: () => void
  failed: (error: unknown) => void
}

/** Then others have their turn. */
const LONGEST_MS = 10

export class GroupCommit {
  #pending: Pending[] = []
  /** Written, and perhaps not on disk. */
  #written: Pending[] = []
  #isScheduled = false
  #isSyncing = false

  constructor(private readonly store: Store) {}

  /** Settles when what was written is on disk. */
  write(work: () => void): Promise<void> {
    return new Promise((done, failed) => {
      this.#pending.push({ work, done, failed })
      this.#schedule()
    })
  }

  /** All of it; the store's own end brings it to disk. */
  close(): void {
    while (this.#pending.length > 0) this.#flush()
    for (const { done } of this.#written.splice(0)) done()
  }

  #schedule(): void {
    if (this.#isScheduled) return
    this.#isScheduled = true
    // After all that the sockets have brought by then.
    setImmediate(() => {
      this.#isScheduled = false
      this.#flush()
      if (this.#pending.length > 0) this.#schedule()
      void this.#sync()
    })
  }

  #flush(): void {
    if (this.#pending.length === 0) return
    const all: Pending[] = []
    try {
      this.store.atOnce(() => {
        const end = performance.now() + LONGEST_MS
        for (let one = this.#pending.shift(); one; one = this.#pending.shift()) {
          all.push(one)
          one.work()
          if (performance.now() > end) break
        }
      })
      this.#written.push(...all)
    } catch {
      // One of them spoils it for all: each for itself, to fail alone.
      for (const one of all) this.#alone(one)
    }
  }

  #alone(one: Pending): void {
    try {
      this.store.atOnce(one.work)
      this.#written.push(one)
    } catch (error) {
      one.failed(error)
    }
  }

  async #sync(): Promise<void> {
    if (this.#isSyncing) return
    this.#isSyncing = true
    while (this.#written.length > 0) {
      const all = this.#written.splice(0)
      try {
        await this.store.sync()
        for (const { done } of all) done()
      } catch (error) {
        for (const { failed } of all) failed(error)
      }
    }
    this.#isSyncing = false
  }
}
