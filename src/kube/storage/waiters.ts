/** Callers that wait until a revision is visible, in order of revision. */

interface Waiter {
  readonly revision: number
  settle(reached: boolean): void
  fail(error: unknown): void
}

export class Waiters {
  /** Ascending by revision. */
  readonly #waiting: Waiter[] = []

  /** @returns whether the revision became visible in time @throws the signal's reason */
  wait(revision: number, timeoutMs: number, signal?: AbortSignal): Promise<boolean> {
    return new Promise((resolve, reject) => {
      signal?.throwIfAborted()
      const leave = () => {
        clearTimeout(timer)
        signal?.removeEventListener('abort', abort)
        const at = this.#waiting.indexOf(waiter)
        if (at >= 0) this.#waiting.splice(at, 1)
      }
      const waiter: Waiter = {
        revision,
        settle(reached) {
          leave()
          resolve(reached)
        },
        fail(error) {
          leave()
          // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- the signal's own reason
          reject(error)
        },
      }
      const abort = () => waiter.fail(signal?.reason)
      const timer = setTimeout(() => waiter.settle(false), timeoutMs)
      signal?.addEventListener('abort', abort, { once: true })

      let at = this.#waiting.length
      while (at > 0 && this.#waiting[at - 1]!.revision > revision) at--
      this.#waiting.splice(at, 0, waiter)
    })
  }

  /** Settles everyone who waits for this revision or an earlier one. */
  release(revision: number): void {
    while (this.#waiting[0] && this.#waiting[0].revision <= revision) this.#waiting[0].settle(true)
  }

  fail(error: Error): void {
    while (this.#waiting[0]) this.#waiting[0].fail(error)
  }
}
