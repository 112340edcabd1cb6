/** Records on their way to a store: in batches, bounded, and without anybody waiting for them. */
import { type Logger } from '../client/log.js'
import { type JsonDocument, type RecordStore } from '../integrations/records/interface.js'

export interface RecordBatchesOptions {
  store: Pick<RecordStore, 'append'>
  logger: Logger
  capacity?: number
  batchSize?: number
  /** Longest wait for a batch. */
  intervalMs?: number
}

const WARN_EVERY_MS = 30_000

export class RecordBatches {
  readonly #options: Required<RecordBatchesOptions>
  #waiting: JsonDocument[] = []
  #timer: NodeJS.Timeout | undefined
  #sending: Promise<void> | undefined
  #warnedAt = -Infinity
  readonly counts = { delivered: 0, dropped: 0, failed: 0 }

  constructor(options: RecordBatchesOptions) {
    this.#options = { capacity: 10_000, batchSize: 1_000, intervalMs: 1_000, ...options }
  }

  add(document: JsonDocument): void {
    const { capacity, batchSize, intervalMs } = this.#options
    if (this.#waiting.length >= capacity) {
      this.counts.dropped++
      return
    }
    this.#waiting.push(document)
    if (this.#waiting.length >= batchSize) this.#send()
    else this.#timer ??= setTimeout(() => this.#send(), intervalMs).unref()
  }

  /** Sends what waits. */
  async close(): Promise<void> {
    while (this.#waiting.length > 0 || this.#sending) {
      this.#send()
      await this.#sending
    }
  }

  #send(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    if (this.#sending || this.#waiting.length === 0) return
    const batch = this.#waiting.splice(0, this.#options.batchSize)
    this.#sending = this.#deliver(batch).finally(() => {
      this.#sending = undefined
      if (this.#waiting.length > 0) this.#send()
    })
  }

  async #deliver(batch: readonly JsonDocument[]): Promise<void> {
    try {
      await this.#options.store.append(batch)
      this.counts.delivered += batch.length
    } catch (error) {
      this.counts.failed += batch.length
      const now = performance.now()
      if (now - this.#warnedAt < WARN_EVERY_MS) return
      this.#warnedAt = now
      this.#options.logger.warn({ err: error, records: batch.length }, 'records lost')
    }
  }
}
