/**
 * Keeps a crowd of watchers from taking all the time. A write to a socket costs ten times what is in it, so a crowd is
 * written to in rounds, and what happens between two of them goes out to a watcher in one write: a server that falls
 * behind catches up this way instead of falling further. A round is no burst that others wait for: one turn of the
 * event loop writes to so many and no more.
 */

/** Fewer writes in a turn cost nothing that matters. */
const CROWD = 100
/** The rest after a round, in times of what it took: a crowd has at most a third of the server's time. */
const REST = 2
const LONGEST_REST_MS = 35

export class Pace {
  /** In the order of their turns. */
  readonly #waiting = new Set<() => void>()
  /** In this turn of the event loop, outside rounds. */
  #written = 0
  #inRounds = false
  #isTheirTurn = false

  /**
   * To be asked before each write of news.
   *
   * @returns false when it has to wait; then `resume` is called once
   */
  admits(resume: () => void): boolean {
    if (this.#isTheirTurn) return true
    if (this.#inRounds || this.#written >= CROWD) {
      this.#waiting.add(resume)
      return false
    }
    if (this.#written++ === 0) {
      const startedAt = performance.now()
      setImmediate(() => this.#over(startedAt))
    }
    return true
  }

  #over(startedAt: number): void {
    this.#inRounds = this.#written >= CROWD
    this.#written = 0
    if (this.#inRounds) this.#turn(this.#waiting.size, startedAt)
  }

  /** @param left so many of those who wait belong to this round */
  #turn(left: number, startedAt: number): void {
    if (left === 0) return this.#rest(performance.now() - startedAt)
    let count = 0
    this.#isTheirTurn = true
    for (const resume of this.#waiting) {
      this.#waiting.delete(resume)
      resume()
      if (++count === Math.min(left, CROWD)) break
    }
    this.#isTheirTurn = false
    setImmediate(() => this.#turn(left - count, startedAt))
  }

  #rest(tookMs: number): void {
    setTimeout(
      () => {
        this.#inRounds = this.#waiting.size > 0
        if (this.#inRounds) this.#turn(this.#waiting.size, performance.now())
      },
      Math.min(tookMs * REST, LONGEST_REST_MS),
    )
  }
}
