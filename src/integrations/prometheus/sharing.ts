/**
 * Asks the same question once: those who ask while it is on its way wait for the one answer, and a range that lies in the
 * past is remembered for one step.
 *
 * A question is cancelled when the last who waits for it has left.
 */
import {
  type CallOptions,
  type MetricMetadata,
  type Prometheus,
  type QueryResult,
  type Range,
} from './types.js'

export interface SharingOptions {
  now?: () => number
  /** Of all that is remembered. */
  limitBytes?: number
}

const LIMIT_BYTES = 16 * 1024 * 1024
/** However long the step: dashboards reload, and what is late must come in some time. */
const LONGEST_MS = 60_000
/** The youngest samples may still be on their way into the store. */
const SETTLED_MS = 30_000
/** Of one sample in memory, roughly. */
const POINT_BYTES = 48

interface Pending {
  result: Promise<QueryResult>
  waiting: number
  cancel: AbortController
}

interface Remembered {
  result: QueryResult
  bytes: number
  until: number
}

export class SharedPrometheus implements Prometheus {
  readonly #pending = new Map<string, Pending>()
  readonly #remembered = new Map<string, Remembered>()
  readonly #now: () => number
  readonly #limitBytes: number
  #bytes = 0

  constructor(
    private readonly upstream: Prometheus,
    { now = Date.now, limitBytes = LIMIT_BYTES }: SharingOptions = {},
  ) {
    this.#now = now
    this.#limitBytes = limitBytes
  }

  query(expression: string, time: number, options: CallOptions): Promise<QueryResult> {
    const key = `${time} ${expression}`
    return this.#shared(key, options, (own) => this.upstream.query(expression, time, own))
  }

  async queryRange(expression: string, range: Range, options: CallOptions): Promise<QueryResult> {
    const { start, end, step } = range
    const key = `${start} ${end} ${step} ${expression}`
    const known = this.#recall(key)
    if (known) return known
    const result = await this.#shared(key, options, (own) => this.upstream.queryRange(expression, range, own))
    if (end * 1_000 <= this.#now() - SETTLED_MS)
      this.#remember(key, result, Math.min(step * 1_000, LONGEST_MS))
    return result
  }

  targetMetadata(match: string, options: CallOptions): Promise<MetricMetadata[]> {
    return this.upstream.targetMetadata(match, options)
  }

  series(
    match: string,
    times: { start: number; end: number },
    options: CallOptions,
  ): Promise<Record<string, string>[]> {
    return this.upstream.series(match, times, options)
  }

  async #shared(
    key: string,
    { signal, ...options }: CallOptions,
    ask: (options: CallOptions) => Promise<QueryResult>,
  ): Promise<QueryResult> {
    signal.throwIfAborted()
    const pending = this.#pending.get(key) ?? this.#start(key, (own) => ask({ ...options, signal: own }))
    pending.waiting += 1
    const leave = (): void => {
      pending.waiting -= 1
      if (pending.waiting > 0) return
      // Whoever asks from now on asks anew.
      if (this.#pending.get(key) === pending) this.#pending.delete(key)
      pending.cancel.abort()
    }
    return new Promise<QueryResult>((resolve, reject) => {
      const onAbort = (): void => {
        leave()
        reject(signal.reason as Error)
      }
      signal.addEventListener('abort', onAbort, { once: true })
      pending.result.then(
        (result) => {
          signal.removeEventListener('abort', onAbort)
          resolve(result)
        },
        (error: unknown) => {
          signal.removeEventListener('abort', onAbort)
          reject(error instanceof Error ? error : new Error(String(error)))
        },
      )
    })
  }

  #start(key: string, ask: (signal: AbortSignal) => Promise<QueryResult>): Pending {
    const cancel = new AbortController()
    const result = ask(cancel.signal).finally(() => {
      if (this.#pending.get(key) === pending) this.#pending.delete(key)
    })
    // Nobody may be left to hear of a failure.
    result.catch(() => undefined)
    const pending: Pending = { result, waiting: 0, cancel }
    this.#pending.set(key, pending)
    return pending
  }

  #recall(key: string): QueryResult | undefined {
    const known = this.#remembered.get(key)
    if (!known) return undefined
    this.#forget(key, known)
    if (known.until <= this.#now()) return undefined
    // The oldest in use is the first to go.
    this.#remembered.set(key, known)
    this.#bytes += known.bytes
    return known.result
  }

  #remember(key: string, result: QueryResult, forMs: number): void {
    const bytes = sizeOf(result) + key.length
    if (bytes > this.#limitBytes / 4) return
    const before = this.#remembered.get(key)
    if (before) this.#forget(key, before)
    this.#remembered.set(key, { result, bytes, until: this.#now() + forMs })
    this.#bytes += bytes
    for (const [oldest, entry] of this.#remembered) {
      if (this.#bytes <= this.#limitBytes) break
      this.#forget(oldest, entry)
    }
  }

  #forget(key: string, { bytes }: Remembered): void {
    this.#remembered.delete(key)
    this.#bytes -= bytes
  }
}

function sizeOf({ result }: QueryResult): number {
  let bytes = 0
  for (const { metric, values } of result) {
    bytes += POINT_BYTES * ((values?.length ?? 1) + 1)
    for (const [label, value] of Object.entries(metric)) bytes += label.length + value.length
  }
  return bytes
}
