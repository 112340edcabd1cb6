/** How audit events leave the request path: through a bounded queue that loses what a slow backend cannot take. */
import { type AuditEvent, type AuditSink } from './audit.js'
import { type Logger } from './log.js'

export interface AuditQueueOptions {
  /** Sends one batch. A rejection loses the batch and is logged. */
  deliver(batch: readonly AuditEvent[], signal: AbortSignal): Promise<void>
  logger: Logger
  /** Events that may wait. */
  capacity?: number
  /** And how much their bodies may be together. */
  capacityBytes?: number
  batchSize?: number
  /** Longest wait for a batch. */
  intervalMs?: number
  /** Batches that may be under way at once. */
  senders?: number
  /** How long `close` waits for the backend. */
  closingMs?: number
}

const DEFAULTS = {
  capacity: 10_000,
  capacityBytes: 32 * 1024 * 1024,
  batchSize: 100,
  intervalMs: 3_000,
  senders: 1,
  closingMs: 5_000,
}
/** Of warnings: a backend that is away would fill the log otherwise. */
const WARN_EVERY_MS = 30_000

interface Waiting {
  event: () => AuditEvent
  bytes: number
}

export class AuditQueue implements AuditSink {
  readonly #options: Required<AuditQueueOptions>
  readonly #stop = new AbortController()
  #waiting: Waiting[] = []
  #bytes = 0
  #timer: NodeJS.Timeout | undefined
  readonly #sending = new Set<Promise<void>>()
  #warnedAt = -Infinity
  #closing = false
  /** What has become of the events so far. */
  readonly counts = { delivered: 0, dropped: 0, failed: 0 }

  constructor(options: AuditQueueOptions) {
    this.#options = { ...DEFAULTS, ...options }
  }

  accept(event: () => AuditEvent, bodyBytes = 0): void {
    const { capacity, capacityBytes, batchSize, intervalMs } = this.#options
    const isFull = this.#waiting.length >= capacity || this.#bytes + bodyBytes > capacityBytes
    if (this.#closing || isFull) {
      this.counts.dropped++
      return
    }
    this.#waiting.push({ event, bytes: bodyBytes })
    this.#bytes += bodyBytes
    if (this.#waiting.length >= batchSize) this.#send()
    else this.#timer ??= setTimeout(() => this.#send(), intervalMs).unref()
  }

  /** Takes no more, and sends what is waiting as long as the backend takes it in time. */
  async close(): Promise<void> {
    this.#closing = true
    const limit = setTimeout(() => this.#stop.abort(new Error('the server stops')), this.#options.closingMs)
    while ((this.#waiting.length > 0 || this.#sending.size > 0) && !this.#stop.signal.aborted) {
      this.#send()
      await Promise.race(this.#sending)
    }
    clearTimeout(limit)
    this.counts.dropped += this.#waiting.length
    this.#waiting = []
    this.#stop.abort()
  }

  #send(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    const { batchSize, senders } = this.#options
    while (this.#waiting.length > 0 && this.#sending.size < senders) {
      const sending = this.#deliver(this.#waiting.splice(0, batchSize)).finally(() => {
        this.#sending.delete(sending)
        if (this.#waiting.length > 0 && !this.#stop.signal.aborted) this.#send()
      })
      this.#sending.add(sending)
    }
  }

  /** What is under way counts as held until it is over. */
  async #deliver(batch: readonly Waiting[]): Promise<void> {
    try {
      const events = batch.map(({ event }) => event())
      await this.#options.deliver(events, this.#stop.signal)
      this.counts.delivered += batch.length
    } catch (error) {
      this.counts.failed += batch.length
      const now = performance.now()
      if (now - this.#warnedAt < WARN_EVERY_MS) return
      this.#warnedAt = now
      this.#options.logger.warn({ err: error, events: batch.length }, 'audit events lost')
    } finally {
      for (const { bytes } of batch) this.#bytes -= bytes
    }
  }
}
