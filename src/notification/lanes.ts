/**
 * A lane for each receiver: it sends one message after the other, and waits by itself after a failure, so that a receiver
 * that is down delays nobody else.
 */
import { createHash } from 'node:crypto'
import { setMaxListeners } from 'node:events'
import { type Logger } from '../serving/log.js'
import { type Directory } from './directory.js'
import { RetryableError } from './http.js'
import { dataOf } from './message/alerts.js'
import { type Delivery, type Journal } from './queue/journal.js'
import { type Sender } from './sender.js'
import { Slots } from './slots.js'

export interface LanesDeps {
  directory: Directory
  sender: Sender
  journal: Journal
  logger: Logger
}

const MOST_SENDING = 192
const MOST_AILING = 64
/** Who takes longer than this is not to keep those waiting that do not. */
const SLOW_MS = 1_000
const FIRST_PAUSE_MS = 1_000
const LONGEST_PAUSE_MS = 60_000
const GIVE_UP_MS = 3_600_000
const MOST_ATTEMPTS = 30

export class Lanes {
  readonly counts = { delivered: 0, failed: 0, retried: 0 }
  readonly #deps: LanesDeps
  readonly #stop = new AbortController()
  readonly #lanes = new Map<string, Promise<void>>()
  readonly #healthy = new Slots(MOST_SENDING)
  readonly #ailing = new Slots(MOST_AILING)

  constructor(deps: LanesDeps) {
    this.#deps = deps
    // One for each receiver that waits.
    setMaxListeners(0, this.#stop.signal)
  }

  /** Something waits for this receiver. */
  open(receiver: string, channel: string): void {
    const key = `${receiver}/${channel}`
    if (this.#lanes.has(key) || this.#stop.signal.aborted) return
    const lane = this.#work(key, receiver, channel).catch((error: unknown) => {
      this.#lanes.delete(key)
      this.#deps.logger.error({ err: error, receiver, channel }, 'messages cannot be sent now')
      // It is not the receiver's fault, and nobody else would come back to what waits.
      void this.#pause(LONGEST_PAUSE_MS / 2).then(() => this.open(receiver, channel))
    })
    this.#lanes.set(key, lane)
  }

  async close(): Promise<void> {
    this.#stop.abort()
    this.#healthy.open()
    this.#ailing.open()
    await Promise.allSettled(this.#lanes.values())
  }

  async #work(key: string, receiver: string, channel: string): Promise<void> {
    const { journal } = this.#deps
    let slots = this.#healthy
    // The map has to know of this lane before it ends.
    await Promise.resolve()
    for (;;) {
      const delivery = this.#stop.signal.aborted ? undefined : journal.next(receiver, channel)
      if (!delivery) {
        // At once, and not when somebody hears of the end: what comes in between would find a lane that works no more.
        this.#lanes.delete(key)
        return
      }
      const waitMs = delivery.due - Date.now()
      if (waitMs > 0) {
        await this.#pause(waitMs)
        continue
      }
      const used = slots
      await used.take()
      try {
        if (this.#stop.signal.aborted) continue
        const start = Date.now()
        const isSent = await this.#deliver(delivery)
        slots = isSent && Date.now() - start < SLOW_MS ? this.#healthy : this.#ailing
      } finally {
        used.give()
      }
    }
  }

  /** @returns whether the receiver took it */
  async #deliver(delivery: Delivery): Promise<boolean> {
    const { journal, sender, directory } = this.#deps
    const { receiver, channel, tenant, alerts } = delivery
    const target = directory.target(receiver, channel)
    // It may be gone, or somebody else's, by now.
    if (target?.tenant !== tenant) {
      await journal.finish(delivery, 'failed', 'the receiver is gone', Date.now())
      return true
    }
    try {
      const data = dataOf(alerts, directory.manager().groupLabels)
      const progress = { key: keyOf(delivery), done: delivery.done, save: () => journal.progress(delivery) }
      await sender.send(target, data, this.#stop.signal, { progress })
    } catch (error) {
      if (!this.#stop.signal.aborted) await this.#failed(delivery, error as Error)
      return false
    }
    this.counts.delivered += alerts.length
    await journal.finish(delivery, 'delivered', '', Date.now(), this.#isReported())
    return true
  }

  async #failed(delivery: Delivery, error: Error): Promise<void> {
    const { journal, logger } = this.#deps
    const { receiver, channel, alerts, createdAt } = delivery
    delivery.attempts++
    const isOver = delivery.attempts >= MOST_ATTEMPTS || Date.now() - createdAt > GIVE_UP_MS
    if (error instanceof RetryableError && !isOver) {
      this.counts.retried++
      const ceiling = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (delivery.attempts - 1))
      const pauseMs = error.retryAfterMs ?? ceiling * (0.5 + Math.random() / 2)
      await journal.postpone(delivery, Date.now() + Math.ceil(pauseMs))
      logger.debug({ receiver, channel, pauseMs, err: error }, 'a message is tried again later')
      return
    }
    this.counts.failed += alerts.length
    logger.warn({ receiver, channel, err: error }, 'a message could not be sent')
    await journal.finish(delivery, 'failed', error.message, Date.now(), this.#isReported())
  }

  #isReported(): boolean {
    return this.#deps.directory.manager().history?.webhook !== undefined
  }

  async #pause(milliseconds: number): Promise<void> {
    const { signal } = this.#stop
    if (signal.aborted) return
    await new Promise<void>((resolve) => {
      const end = (): void => {
        clearTimeout(timer)
        signal.removeEventListener('abort', end)
        resolve()
      }
      const timer = setTimeout(end, milliseconds)
      signal.addEventListener('abort', end, { once: true })
    })
  }
}

/** Of one message, in every attempt of every process. */
function keyOf({ receiver, channel, createdAt, alerts }: Delivery): string {
  const what = [receiver, channel, createdAt, ...alerts.map(({ id }) => id)].join(' ')
  return createHash('sha256').update(what).digest('hex').slice(0, 32)
}
