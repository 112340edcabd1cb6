/**
 * Requests waiting for a reconciler: each once, never the same one twice at a time, failed ones again
 * after a delay that doubles.
 *
 * A request added while it is being worked on is worked on again afterwards.
 */
import { type Clock, type Request } from './types.js'

export interface WorkQueueOptions {
  clock: Clock
  /** Delay after the first failure. */
  baseDelayMs?: number
  maxDelayMs?: number
}

const LONGEST_MS = 86_400_000

const keyOf = ({ namespace, name }: Request): string => `${namespace}/${name}`

export class WorkQueue {
  readonly #clock: Clock
  readonly #baseDelayMs: number
  readonly #maxDelayMs: number
  /** In the order they came. */
  readonly #waiting = new Map<string, Request>()
  readonly #running = new Set<string>()
  readonly #again = new Map<string, Request>()
  readonly #failures = new Map<string, number>()
  readonly #delayed = new Map<string, { at: number; cancel: () => void }>()
  #wake: (() => void)[] = []
  #closed = false

  constructor({ clock, baseDelayMs = 10, maxDelayMs = 300_000 }: WorkQueueOptions) {
    this.#clock = clock
    this.#baseDelayMs = baseDelayMs
    this.#maxDelayMs = maxDelayMs
  }

  /** Requests that could be worked on now. */
  get length(): number {
    return this.#waiting.size
  }

  get running(): number {
    return this.#running.size
  }

  /** Requests that wait for their time. */
  get delayed(): number {
    return this.#delayed.size
  }

  /** True when nothing waits or runs; what is delayed does not count. */
  get idle(): boolean {
    return this.#waiting.size === 0 && this.#running.size === 0
  }

  add(request: Request): void {
    if (this.#closed) return
    const key = keyOf(request)
    this.#undelay(key)
    if (this.#running.has(key)) this.#again.set(key, request)
    else {
      this.#waiting.set(key, request)
      this.#wake.shift()?.()
    }
  }

  /** An earlier delay of the same request stays as it is. */
  addAfter(request: Request, delayMs: number): void {
    if (this.#closed) return
    if (delayMs <= 0) return this.add(request)
    const key = keyOf(request)
    // Timers know no more than 24 days, and a reconciler called early asks again.
    const waitMs = Math.min(delayMs, LONGEST_MS)
    const at = this.#clock.now() + waitMs
    const known = this.#delayed.get(key)
    if (known && known.at <= at) return
    known?.cancel()
    const cancel = this.#clock.after(waitMs, () => {
      this.#delayed.delete(key)
      this.add(request)
    })
    this.#delayed.set(key, { at, cancel })
  }

  /** Again, later each time. @returns the delay */
  addFailed(request: Request): number {
    const key = keyOf(request)
    const failures = this.#failures.get(key) ?? 0
    this.#failures.set(key, failures + 1)
    const delayMs = Math.min(this.#baseDelayMs * 2 ** Math.min(failures, 30), this.#maxDelayMs)
    this.addAfter(request, delayMs)
    return delayMs
  }

  /** It worked: the next failure counts as the first. */
  forget(request: Request): void {
    this.#failures.delete(keyOf(request))
  }

  /** The next request; it counts as running until `done`. @returns undefined when the queue is closed */
  async take(): Promise<Request | undefined> {
    for (;;) {
      if (this.#closed) return undefined
      const [first] = this.#waiting
      if (first) {
        const [key, request] = first
        this.#waiting.delete(key)
        this.#running.add(key)
        return request
      }
      await new Promise<void>((resolve) => this.#wake.push(resolve))
    }
  }

  done(request: Request): void {
    const key = keyOf(request)
    this.#running.delete(key)
    const again = this.#again.get(key)
    if (!again) return
    this.#again.delete(key)
    this.add(again)
  }

  close(): void {
    this.#closed = true
    for (const { cancel } of this.#delayed.values()) cancel()
    this.#delayed.clear()
    this.#waiting.clear()
    this.#again.clear()
    for (const wake of this.#wake) wake()
    this.#wake = []
  }

  #undelay(key: string): void {
    this.#delayed.get(key)?.cancel()
    this.#delayed.delete(key)
  }
}
