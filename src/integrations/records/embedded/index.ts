/**
 * The store of a platform that has no Elasticsearch: SQLite with full-text indexes, in files of the data directory.
 *
 * The thread and the library are loaded at the first record or question, and left again when nobody has needed them
 * for a while: a platform at rest pays nothing. A thread that dies is started again, after a longer rest each time that
 * nothing has been answered in between; until then questions are told that the store is unavailable.
 */
import { type Logger, silent } from '../../../client/log.js'
import { internal, StatusError, tooManyRequests, unavailable } from '../../../apimachinery/errors/index.js'
import { type JsonDocument, type RecordStore, type RecordStores } from '../interface.js'
import { parseInterval } from '../intervals.js'
import { type RecordKind } from '../kinds.js'
import { type Question, type Reply, type ThreadOptions } from './protocol.js'
import { type Cursor } from './segments.js'
import { startThread, type Thread } from './worker.js'

export interface EmbeddedRecordsOptions extends ThreadOptions {
  /** The thread ends when nobody has asked for so long. Never, when records are in memory only. */
  idleMs?: number
  /** Questions that may wait. */
  limit?: number
  logger?: Logger
  now?: () => number
}

interface Waiting {
  question: Question
  signal: AbortSignal | undefined
  resolve: (value: unknown) => void
  reject: (error: Error) => void
}

/** Between the memory of the answers and the number of turns. */
const PORTION = 1_000
/** After so many deaths without an answer in between. */
const RESTS_MS = [0, 1_000, 5_000, 30_000]

export class EmbeddedRecords implements RecordStores {
  readonly logs: RecordStore
  readonly events: RecordStore
  readonly audits: RecordStore
  readonly #options: Required<EmbeddedRecordsOptions>
  readonly #waiting: Waiting[] = []
  /** These go first, and whoever sends them bounds them: no number of queries keeps records from being stored. */
  readonly #appending: Waiting[] = []
  #thread: Promise<Thread> | undefined
  #working: Promise<void> | undefined
  #idle: NodeJS.Timeout | undefined
  #closed = false
  /** Deaths since the last answer, and when the next thread may be started. */
  #deaths = 0
  #restsUntil = -Infinity
  /** Of the thread, so far. */
  failures = 0

  constructor(options: EmbeddedRecordsOptions) {
    this.#options = { idleMs: 60_000, limit: 200, logger: silent, now: () => performance.now(), ...options }
    const storeOf = (kind: RecordKind): RecordStore => new EmbeddedStore(kind, (...all) => this.#ask(...all))
    this.logs = storeOf('logs')
    this.events = storeOf('events')
    this.audits = storeOf('audits')
  }

  /** For tests: whether there is a thread. */
  get isAwake(): boolean {
    return this.#thread !== undefined
  }

  /** Answers what waits, then closes the files. */
  async close(): Promise<void> {
    this.#closed = true
    await this.#working
    await this.#rest()
  }

  #ask(question: Question, signal?: AbortSignal): Promise<unknown> {
    if (this.#closed) return Promise.reject(unavailable('the record store is closed'))
    if (signal?.aborted) return Promise.reject(signal.reason as Error)
    const line = question.ask === 'append' ? this.#appending : this.#waiting
    if (line === this.#waiting && line.length >= this.#options.limit)
      return Promise.reject(tooManyRequests('too many queries wait for the record store'))
    return new Promise((resolve, reject) => {
      line.push({ question, signal, resolve, reject })
      this.#working ??= this.#work()
    })
  }

  async #work(): Promise<void> {
    clearTimeout(this.#idle)
    await Promise.resolve() // What is done below comes after the caller has kept this promise.
    for (;;) {
      const next = this.#appending.shift() ?? this.#waiting.shift()
      if (!next) break
      const { question, signal, resolve, reject } = next
      if (signal?.aborted) {
        reject(signal.reason as Error)
        continue
      }
      try {
        const reply = await (await this.#awake()).ask(question)
        this.#deaths = 0
        if ('value' in reply) resolve(reply.value)
        else reject(errorOf(reply.fault))
      } catch (error) {
        reject(unavailable('the record store has failed and is started again', { cause: error }))
      }
    }
    this.#working = undefined
    if (this.#options.directory !== undefined)
      this.#idle = setTimeout(() => void this.#rest(), this.#options.idleMs).unref()
  }

  #awake(): Promise<Thread> {
    if (this.#thread) return this.#thread
    if (this.#options.now() < this.#restsUntil) return Promise.reject(new Error('it rests after a failure'))
    const starting = startThread(this.#options, {
      onNotice: ({ notice, ...fields }) => this.#options.logger.error(fields, notice),
      onDeath: (error) => this.#died(starting, error),
    })
    this.#thread = starting
    starting.catch((error: unknown) => this.#died(starting, error))
    return starting
  }

  #died(thread: Promise<Thread>, error: unknown): void {
    if (this.#thread !== thread) return
    this.#thread = undefined
    this.failures++
    const rest = RESTS_MS[Math.min(this.#deaths++, RESTS_MS.length - 1)] ?? 0
    this.#restsUntil = this.#options.now() + rest
    this.#options.logger.error({ err: error, restMs: rest }, 'the record store has failed')
  }

  async #rest(): Promise<void> {
    clearTimeout(this.#idle)
    const thread = this.#thread
    this.#thread = undefined
    await (await thread?.catch(() => undefined))?.close()
  }
}

class EmbeddedStore implements RecordStore {
  constructor(
    private readonly kind: RecordKind,
    private readonly ask: (question: Question, signal?: AbortSignal) => Promise<unknown>,
  ) {}

  async append(documents: readonly JsonDocument[], signal?: AbortSignal): Promise<void> {
    await this.ask({ kind: this.kind, ask: 'append', documents }, signal)
  }

  page: RecordStore['page'] = (query, options, signal) =>
    this.ask({ kind: this.kind, ask: 'page', query, options }, signal) as ReturnType<RecordStore['page']>

  statistics: RecordStore['statistics'] = (query, signal) =>
    this.ask({ kind: this.kind, ask: 'statistics', query }, signal) as ReturnType<RecordStore['statistics']>

  async histogram(
    ...[query, interval, signal]: Parameters<RecordStore['histogram']>
  ): ReturnType<RecordStore['histogram']> {
    parseInterval(interval) // Faults are told without waiting.
    return this.ask({ kind: this.kind, ask: 'histogram', query, interval }, signal) as ReturnType<
      RecordStore['histogram']
    >
  }

  async *stream(...[query, limit, signal]: Parameters<RecordStore['stream']>): AsyncIterable<JsonDocument[]> {
    let after: Cursor | undefined
    for (let left = limit; left > 0; left -= PORTION) {
      const question = { kind: this.kind, query, limit: Math.min(left, PORTION), after } as const
      const answer = (await this.ask({ ask: 'portion', ...question }, signal)) as {
        documents: JsonDocument[]
        after: Cursor | undefined
      }
      if (answer.documents.length > 0) yield answer.documents
      after = answer.after
      if (!after) return
    }
  }
}

function errorOf({ code, reason, message }: Extract<Reply, { fault: unknown }>['fault']): Error {
  if (reason === undefined) return internal(`the record store has failed: ${message}`)
  return new StatusError({ code, reason, message } as ConstructorParameters<typeof StatusError>[0])
}
