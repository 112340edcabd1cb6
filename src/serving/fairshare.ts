/**
 * Slots for requests that are worked on at the same time, shared fairly.
 *
 * Below the limit everybody goes at once. At the limit requests wait, and a slot that becomes free goes to whoever
 * holds the fewest: a client that asks for everything at once delays itself, not the others. One client never holds
 * all slots. Both queues, of all and of one, are bounded, and nobody waits for ever.
 */
import { tooManyRequests } from '../apimachinery/errors/index.js'
import { type Clock } from '../client/clock.js'

export interface FairShareOptions {
  clock: Clock
  slots: number
  /** Of the slots, what one client may hold; 0 to 1. */
  shareOfOne: number
  waiting: number
  waitingOfOne: number
  patienceMs: number
}

/** Clients that are not forgotten between two requests. */
const KNOWN = 256

interface Waiter {
  go: () => void
}

interface Holder {
  running: number
  readonly waiting: Set<Waiter>
}

export class FairShare {
  readonly #options: FairShareOptions
  readonly #mostOfOne: number
  readonly #holders = new Map<string, Holder>()
  /** Those with somebody waiting. */
  readonly #queued = new Set<Holder>()
  #running = 0
  #waiting = 0

  constructor(options: FairShareOptions) {
    this.#options = options
    this.#mostOfOne = Math.max(1, Math.floor(options.slots * options.shareOfOne))
  }

  get running(): number {
    return this.#running
  }

  get waiting(): number {
    return this.#waiting
  }

  /**
   * Each entry wants one `leave`, unless it was refused.
   *
   * @returns undefined when the request may go at once, else what to wait for
   * @throws StatusError 429, at once or by the promise; so does an abort, with the reason of the signal
   */
  enter(who: string, signal: () => AbortSignal): Promise<void> | undefined {
    const holder = this.#holders.get(who) ?? { running: 0, waiting: new Set<Waiter>() }
    if (
      this.#running < this.#options.slots &&
      holder.running < this.#mostOfOne &&
      holder.waiting.size === 0
    ) {
      this.#holders.set(who, holder)
      this.#take(holder)
      return undefined
    }
    const { waiting, waitingOfOne } = this.#options
    if (holder.waiting.size >= waitingOfOne || this.#waiting >= waiting)
      throw tooManyRequests('too many requests, please try again later')
    this.#holders.set(who, holder)
    return this.#wait(who, holder, signal())
  }

  leave(who: string): void {
    const holder = this.#holders.get(who)
    if (!holder || holder.running === 0) return
    this.#running--
    holder.running--
    this.#forget(who, holder)
    this.#advance()
  }

  #take(holder: Holder): void {
    this.#running++
    holder.running++
  }

  #wait(who: string, holder: Holder, signal: AbortSignal): Promise<void> {
    const { clock, patienceMs } = this.#options
    return new Promise((resolve, reject) => {
      const stop = (): void => {
        clock.clearTimeout(timer)
        signal.removeEventListener('abort', onAbort)
        holder.waiting.delete(waiter)
        if (holder.waiting.size === 0) this.#queued.delete(holder)
        this.#waiting--
      }
      const giveUp = (reason: Error): void => {
        stop()
        this.#forget(who, holder)
        reject(reason)
      }
      const onAbort = (): void => giveUp(signal.reason as Error)
      const timer = clock.setTimeout(
        () => giveUp(tooManyRequests('the server is busy, please try again later')),
        patienceMs,
      )
      const waiter: Waiter = {
        go: () => {
          stop()
          this.#take(holder)
          resolve()
        },
      }
      holder.waiting.add(waiter)
      this.#queued.add(holder)
      this.#waiting++
      signal.addEventListener('abort', onAbort, { once: true })
      if (signal.aborted) onAbort()
    })
  }

  #advance(): void {
    while (this.#running < this.#options.slots) {
      let least: Holder | undefined
      for (const holder of this.#queued)
        if (holder.running < this.#mostOfOne && (!least || holder.running < least.running)) least = holder
      const [next] = least?.waiting ?? []
      if (!least || !next) return
      // Behind the others that hold as few: they take turns.
      this.#queued.delete(least)
      this.#queued.add(least)
      next.go()
    }
  }

  #forget(who: string, holder: Holder): void {
    if (this.#holders.size > KNOWN && holder.running === 0 && holder.waiting.size === 0)
      this.#holders.delete(who)
  }
}
