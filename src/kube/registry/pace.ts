/**
 * Keeps a crowd of watchers from taking all the time: when one round of frames went to many of them, what comes next is
 * held for as long as that round took, and goes out together. A write to a socket costs ten times what is in it, so a
 * server that falls behind catches up this way instead of falling further.
 */

/** Fewer frames in a round cost nothing that matters. */
const CROWD = 100
const LONGEST_MS = 50

export class Pace {
  readonly #waiting = new Set<() => void>()
  #frames = 0
  #isResting = false

  /**
   * To be asked before each frame.
   *
   * @returns false when it has to wait; then `resume` is called once
   */
  admits(resume: () => void): boolean {
    if (this.#isResting) {
      this.#waiting.add(resume)
      return false
    }
    if (this.#frames++ === 0) {
      const startedAt = performance.now()
      // Sockets are written to at the end of this turn of the event loop.
      setImmediate(() => this.#rested(performance.now() - startedAt))
    }
    return true
  }

  #rested(tookMs: number): void {
    const isCrowd = this.#frames >= CROWD
    this.#frames = 0
    if (!isCrowd) return
    this.#isResting = true
    setTimeout(
      () => {
        this.#isResting = false
        const waiting = [...this.#waiting]
        this.#waiting.clear()
        for (const resume of waiting) resume()
      },
      Math.min(tookMs, LONGEST_MS),
    )
  }
}
