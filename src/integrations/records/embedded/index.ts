/**
 * The store of a platform that has no Elasticsearch: SQLite with full-text indexes, in files of the data directory.
 *
 * The thread and the library are loaded at the first record or question, and left again when nobody has needed them
 * for a while: a platform at rest pays nothing.
 */
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads'
import { internal, StatusError, tooManyRequests, unavailable } from '../../../apimachinery/errors/index.js'
import { type JsonDocument, type RecordStore, type RecordStores } from '../interface.js'
import { parseInterval } from '../intervals.js'
import { type RecordKind } from '../kinds.js'
import { type Question, type Reply, ROLE, type ThreadOptions } from './protocol.js'
import { type Cursor } from './segments.js'

export interface EmbeddedRecordsOptions extends ThreadOptions {
  /** The thread ends when nobody has asked for so long. Never, when records are in memory only. */
  idleMs?: number
  /** Questions that may wait. */
  limit?: number
}

interface Waiting {
  question: Question
  signal: AbortSignal | undefined
  resolve: (value: unknown) => void
  reject: (error: Error) => void
}

interface Thread {
  ask(question: Question): Promise<Reply>
  close(): Promise<void>
}

/** Between the memory of the answers and the number of turns. */
const PORTION = 1_000

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

  constructor(options: EmbeddedRecordsOptions) {
    this.#options = { idleMs: 60_000, limit: 200, ...options }
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
        const reply = await (await (this.#thread ??= startThread(this.#options))).ask(question)
        if ('value' in reply) resolve(reply.value)
        else reject(errorOf(reply.fault))
      } catch (error) {
        this.#thread = undefined // The next question starts another.
        reject(internal('the record store has failed', { cause: error }))
      }
    }
    this.#working = undefined
    if (this.#options.directory !== undefined)
      this.#idle = setTimeout(() => void this.#rest(), this.#options.idleMs).unref()
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

/** Bounds of the thread's heap; what SQLite holds is besides. */
const LIMITS = { maxOldGenerationSizeMb: 128, maxYoungGenerationSizeMb: 8 }

async function startThread({ directory, retention }: ThreadOptions): Promise<Thread> {
  const options: ThreadOptions = { directory, retention }
  const compiled = new URL('thread.js', import.meta.url)
  // From sources, in tests, there is no file that a worker could run: the same runs behind the same port, in here.
  if (!existsSync(fileURLToPath(compiled))) {
    const { answerQuestions } = await import('./thread.js')
    const { port1, port2 } = new MessageChannel()
    answerQuestions(port2, options)
    return threadBehind(port1)
  }
  return threadBehind(new Worker(compiled, { workerData: { role: ROLE, options }, resourceLimits: LIMITS }))
}

function threadBehind(port: Worker | MessagePort): Thread {
  let settle: { resolve(reply: Reply): void; reject(error: Error): void } | undefined
  let ended: (() => void) | undefined
  const end = (error?: Error): void => {
    settle?.reject(error ?? new Error('the thread has ended'))
    settle = undefined
    ended?.()
  }
  // What both are, of the many overloads of each.
  const emitter = port as unknown as { on(event: string, listener: (value: never) => void): unknown }
  emitter.on('message', (reply: Reply) => {
    const asked = settle
    settle = undefined
    asked?.resolve(reply)
  })
  emitter.on('error', end)
  emitter.on('exit', () => end())
  emitter.on('close', () => end())
  port.unref()
  return {
    ask(question) {
      return new Promise((resolve, reject) => {
        settle = { resolve, reject }
        port.ref() // An answer that is waited for keeps the process.
        port.postMessage(question)
      }).finally(() => port.unref()) as Promise<Reply>
    },
    close() {
      return new Promise((resolve) => {
        ended = resolve
        port.ref()
        port.postMessage('close')
      })
    },
  }
}
