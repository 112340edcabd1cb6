/**
 * The storage itself: checks and orders writes, hands them to a journal, and shows them when the journal says
 * that they are durable. `memory` and `file` differ in the journal only.
 *
 * A write is accepted synchronously: it gets the next revision and joins the queue, where `head` sees it. All
 * that has queued up goes to the journal in one batch (group commit); while that is under way the next batch
 * gathers. When a batch fails, it and everything accepted behind it is rejected and their revisions, which
 * nobody has seen, are given out again.
 */
import { type Change, DEFAULT_HISTORY_LIMITS, type History, type HistoryLimits } from './history.js'
import {
  type KeyValue,
  type ListOptions,
  type ListResult,
  Precondition,
  type Storage,
  type StorageEvent,
  type StorageWatch,
  type StorageWatcher,
  Unwritable,
  type WriteOptions,
} from './interface.js'
import { compareKeys, isWellFormed } from './order.js'
import { build, leaves, lookup, rankBehind, rankOf, slice, type Tree } from './tree.js'
import { sizeOf, Values } from './values.js'
import { Waiters } from './waiters.js'
import { Watchers } from './watchers.js'

/** The whole store at one revision. */
export interface Snapshot {
  readonly revision: number
  readonly tree: Tree
  /** Of keys and values. */
  readonly bytes: number
}

/** Makes writes durable. Calls never overlap. */
export interface Journal {
  /** Calls `run` when the writes of this moment have gathered. */
  gather(run: () => void): void
  /**
   * Settles when the changes, which continue the last batch, are durable. When it rejects, none of them may
   * come back once a later batch was accepted.
   *
   * @param before the store as of the last batch; for compaction
   */
  append(changes: readonly Change[], timeMs: number, before: () => Snapshot): Promise<void>
  /** Replaces everything. */
  replace(snapshot: Snapshot): Promise<void>
  close(): Promise<void>
}

export interface StorageLogger {
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}

export interface StorageOptions {
  /** History kept for old reads and watches; what is left out has the default. */
  history?: Partial<HistoryLimits>
  /** Milliseconds since the epoch. */
  now?: () => number
  logger?: StorageLogger
}

export const SILENT: StorageLogger = { info() {}, warn() {}, error() {} }

export function historyLimits(options: StorageOptions): HistoryLimits {
  return { ...DEFAULT_HISTORY_LIMITS, ...options.history }
}

/** The revision of a store that has never been written; lists of it must not answer 0, which means "any". */
export const FIRST_REVISION = 1

const MAX_BATCH_BYTES = 8 * 1024 * 1024

interface Write extends Change {
  readonly resolve: (entry: KeyValue) => void
  readonly reject: (error: Error) => void
}

export class MvccStorage implements Storage {
  readonly #waiters = new Waiters()
  readonly #watchers: Watchers
  readonly #logger: StorageLogger
  readonly #now: () => number
  /** Accepted, not yet handed to the journal. */
  #queue: Write[] = []
  /** The newest write of each key that has one on its way. */
  readonly #pending = new Map<string, Write>()
  /** The last revision given to a write. */
  #assigned: number
  #liveBytes = 0
  #draining: Promise<void> | undefined
  #loading = false
  #writable = true
  #closing: Promise<void> | undefined
  #closed = false

  constructor(
    private readonly journal: Journal,
    private readonly history: History,
    options: StorageOptions,
  ) {
    this.#logger = options.logger ?? SILENT
    this.#now = options.now ?? Date.now
    this.#assigned = history.revision
    for (const entries of leaves(history.tree)) for (const entry of entries) this.#liveBytes += sizeOf(entry)
    this.#watchers = new Watchers((error) =>
      this.#logger.error({ err: error }, 'storage watcher failed and was ended'),
    )
  }

  get revision(): number {
    return this.history.revision
  }

  get oldestRevision(): number {
    return this.history.oldest
  }

  get(key: string): KeyValue | undefined {
    this.#assertOpen()
    return lookup(this.history.tree, key)
  }

  getAt(key: string, revision: number): KeyValue | undefined {
    this.#assertOpen()
    return lookup(this.history.treeAt(revision), key)
  }

  list(prefix: string, options: ListOptions = {}): ListResult {
    this.#assertOpen()
    const { start = prefix, limit = 0, revision = this.revision } = options
    const tree = this.history.treeAt(revision)
    const end = rankBehind(tree, prefix)
    const from = Math.min(rankOf(tree, start.startsWith(prefix) ? start : prefix), end)
    const to = limit > 0 ? Math.min(from + limit, end) : end
    return { items: slice(tree, from, to), revision, remaining: end - to }
  }

  count(prefix: string): number {
    this.#assertOpen()
    return rankBehind(this.history.tree, prefix) - rankOf(this.history.tree, prefix)
  }

  head(key: string): KeyValue | undefined {
    this.#assertOpen()
    const pending = this.#pending.get(key)
    if (!pending) return lookup(this.history.tree, key)
    return pending.type === 'put' ? pending.entry : undefined
  }

  put(key: string, encode: (revision: number) => Buffer, options?: WriteOptions): Promise<KeyValue> {
    return this.#accept('put', key, encode, options)
  }

  delete(key: string, encode: (revision: number) => Buffer, options?: WriteOptions): Promise<KeyValue> {
    return this.#accept('delete', key, encode, options)
  }

  watch(prefix: string, fromRevision: number, watcher: StorageWatcher): StorageWatch {
    this.#assertOpen()
    const backlog = this.history.eventsAfter(fromRevision, prefix)
    return this.#watchers.add(prefix, Math.max(fromRevision, this.revision), backlog, watcher)
  }

  async waitFor(revision: number, timeoutMs: number, signal?: AbortSignal): Promise<boolean> {
    this.#assertOpen()
    if (revision <= this.revision) return true
    return this.#waiters.wait(revision, timeoutMs, signal)
  }

  compact(revision: number): void {
    this.#assertOpen()
    this.history.compact(revision)
  }

  async load(entries: Iterable<KeyValue>, revision: number): Promise<void> {
    this.#assertWritable()
    if (this.history.tree.size > 0 || this.#assigned !== this.revision) {
      throw new Error('storage: can only load into an empty store')
    }
    const values = new Values()
    const snapshot = snapshotOf(entries, Math.max(revision, this.revision + 1), values)
    this.#loading = true
    try {
      await this.journal.replace(snapshot)
    } catch (cause) {
      throw new Unwritable('storage: cannot write what is loaded', { cause })
    } finally {
      this.#loading = false
    }
    this.history.reset(snapshot.tree, snapshot.revision, values)
    this.#assigned = snapshot.revision
    this.#liveBytes = snapshot.bytes
    this.#waiters.release(this.revision)
    this.#watchers.end(new Error('storage: the whole content was replaced'))
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    await this.#draining
    this.#closed = true
    this.#watchers.end()
    this.#waiters.fail(new Error('storage: closed'))
    await this.journal.close()
  }

  #accept(
    type: 'put' | 'delete',
    key: string,
    encode: (revision: number) => Buffer,
    options: WriteOptions = {},
  ): Promise<KeyValue> {
    return new Promise((resolve, reject) => {
      const entry = this.#entry(type, key, encode, options)
      const write: Write = { type, entry, resolve, reject }
      this.#queue.push(write)
      this.#pending.set(key, write)
      this.#draining ??= new Promise((done) => this.journal.gather(() => done(this.#drain())))
    })
  }

  /** What is to be written, under the next revision. */
  #entry(
    type: 'put' | 'delete',
    key: string,
    encode: (revision: number) => Buffer,
    { expected }: WriteOptions,
  ): KeyValue {
    this.#assertWritable()
    const previous = this.head(key)
    if (expected !== undefined && expected !== (previous?.modRevision ?? 0)) {
      throw new Precondition(key, previous)
    }
    if (type === 'delete' && !previous) throw new Precondition(key, undefined)
    if (!previous && !isWellFormed(key)) throw new TypeError('storage: key is not well-formed Unicode')

    const revision = this.#assigned + 1
    const value = encode(revision)
    if (this.#assigned + 1 !== revision) throw new Error('storage: encode must not write')
    this.#assigned = revision
    return { key, value, createRevision: previous?.createRevision ?? revision, modRevision: revision }
  }

  async #drain(): Promise<void> {
    while (this.#queue.length > 0) {
      const batch = this.#take()
      const timeMs = this.#now()
      try {
        await this.journal.append(batch, timeMs, () => this.#snapshot())
      } catch (cause) {
        this.#refuse(batch, cause)
        continue
      }
      this.#commit(batch, timeMs)
    }
    this.#draining = undefined
  }

  /** The next batch: all that is queued, up to a limit of bytes. */
  #take(): Write[] {
    const queue = this.#queue
    let bytes = 0
    let length = 0
    while (length < queue.length && bytes < MAX_BATCH_BYTES) bytes += sizeOf(queue[length++]!.entry)
    this.#queue = queue.slice(length)
    return length === queue.length ? queue : queue.slice(0, length)
  }

  #commit(batch: readonly Write[], timeMs: number): void {
    const events: StorageEvent[] = []
    for (const write of batch) {
      const event = this.history.append(write, timeMs)
      events.push(event)
      if (this.#pending.get(write.entry.key) === write) this.#pending.delete(write.entry.key)
      if (event.previous) this.#liveBytes -= sizeOf(event.previous)
      if (write.type === 'put') this.#liveBytes += sizeOf(write.entry)
    }
    this.history.trim(timeMs)
    if (!this.#writable) {
      this.#writable = true
      this.#logger.info({ revision: this.revision }, 'storage accepts writes again')
    }

    for (const { resolve, entry } of batch) resolve(entry)
    this.#waiters.release(this.revision)
    this.#watchers.dispatch(events)
  }

  #refuse(batch: readonly Write[], cause: unknown): void {
    const refused = [...batch, ...this.#queue]
    this.#queue = []
    this.#pending.clear()
    this.#assigned = this.revision
    if (this.#writable) {
      this.#writable = false
      this.#logger.error({ err: cause, writes: refused.length }, 'storage cannot write')
    }
    const message = cause instanceof Error ? cause.message : String(cause)
    for (const { reject } of refused) reject(new Unwritable(`storage: cannot write: ${message}`, { cause }))
  }

  #snapshot(): Snapshot {
    return { revision: this.revision, tree: this.history.tree, bytes: this.#liveBytes }
  }

  #assertOpen(): void {
    if (this.#closed) throw new Error('storage: closed')
  }

  #assertWritable(): void {
    if (this.#closing) throw new Error('storage: closed')
    if (this.#loading) throw new Unwritable('storage: a load is under way')
  }
}

function snapshotOf(entries: Iterable<KeyValue>, atLeast: number, values: Values): Snapshot {
  const sorted: KeyValue[] = []
  let revision = atLeast
  let bytes = 0
  for (const { key, value, createRevision, modRevision } of entries) {
    if (!isWellFormed(key)) throw new TypeError('storage: key is not well-formed Unicode')
    if (!Number.isSafeInteger(modRevision) || !Number.isSafeInteger(createRevision) || modRevision < 1) {
      throw new TypeError(`storage: entry ${key} has no valid revision`)
    }
    const entry = values.keep({ key, value, createRevision, modRevision })
    sorted.push(entry)
    bytes += sizeOf(entry)
    revision = Math.max(revision, modRevision)
  }
  sorted.sort((a, b) => compareKeys(a.key, b.key))
  for (let i = 1; i < sorted.length; i++) {
    if (sorted[i]!.key === sorted[i - 1]!.key) {
      throw new TypeError(`storage: key ${sorted[i]!.key} is loaded twice`)
    }
  }
  return { revision, tree: build(sorted), bytes }
}
