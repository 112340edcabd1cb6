/**
 * The storage of the embedded Kubernetes API, reduced to what the API server needs.
 *
 * Keys are `/registry/<group>/<resource>/<namespace>/<name>` style paths compared by bytes; values are
 * bytes. One dense revision counts all writes of the whole store, deletions too; it never goes back and is
 * never used twice, across restarts as well. Reads are synchronous and see only what is durable; a write
 * settles when it is durable, and becomes visible to readers and watchers then, in revision order.
 *
 * `memory` and `file` implement it; both run `conformance.ts`.
 */

export interface KeyValue {
  readonly key: string
  /** Made anew when it is asked for, perhaps; shared, never to be changed. */
  readonly value: Buffer
  /** Revision of the write that created this incarnation of the key. */
  readonly createRevision: number
  /** Revision of the last write. */
  readonly modRevision: number
}

export interface WriteOptions {
  /**
   * What the key must be at the moment of the write: a modRevision, 0 for absent, undefined for anything.
   */
  expected?: number
}

/** The key was not as `expected`. `current` is what is there, as later writers see it (maybe not durable yet). */
export class Precondition extends Error {
  override readonly name = 'Precondition'
  constructor(
    readonly key: string,
    readonly current: KeyValue | undefined,
  ) {
    super(`storage: precondition failed for ${key}`)
  }
}

/** The revision asked for is older than the history kept. */
export class Compacted extends Error {
  override readonly name = 'Compacted'
  constructor(
    /** Oldest revision that can still be read or watched from. */
    readonly oldest: number,
    readonly current: number,
  ) {
    super(`storage: revision compacted (oldest ${oldest}, current ${current})`)
  }
}

/** The store can no longer accept writes (disk full, I/O error). Reads go on. */
export class Unwritable extends Error {
  override readonly name = 'Unwritable'
}

export interface ListOptions {
  /** First key wanted, inclusive; must start with the prefix. */
  start?: string
  limit?: number
  /** Read as of this revision. @throws Compacted */
  revision?: number
}

export interface ListResult {
  items: KeyValue[]
  /** The revision the list was read at. */
  revision: number
  /** Keys behind the last item, at that revision; 0 when the list is complete. */
  remaining: number
}

export interface StorageEvent {
  readonly type: 'put' | 'delete'
  readonly revision: number
  readonly key: string
  /** New value; for a delete the value passed to `delete` (the last state carrying the deletion's revision). */
  readonly value: Buffer
  /** What was there before. */
  readonly previous?: KeyValue | undefined
}

export interface StorageWatch {
  /** Stops it; no more calls after this. */
  close(): void
}

export interface StorageWatcher {
  /**
   * Events in revision order, each once, grouped by commit. Called synchronously: return quickly; buffer and
   * drop yourself when slow.
   */
  events(events: readonly StorageEvent[]): void
  /** The watch ends for a reason of the storage (closed). */
  ended(error?: Error): void
}

export interface Storage {
  /** Newest visible revision. A store never written is at 1, so no list answers 0. */
  readonly revision: number
  /** Watches and reads below this revision throw Compacted. */
  readonly oldestRevision: number

  get(key: string): KeyValue | undefined
  /** @throws Compacted; RangeError for a revision not reached yet, as `list` does: `waitFor` first */
  getAt(key: string, revision: number): KeyValue | undefined
  /** Keys with the prefix, ascending by bytes. */
  list(prefix: string, options?: ListOptions): ListResult
  /** Number of keys with the prefix. */
  count(prefix: string): number

  /**
   * Writes a value. `encode` gets the revision this write will have, runs synchronously before `put` returns,
   * and yields the bytes to store.
   *
   * @throws Precondition, Unwritable (as rejections)
   */
  put(key: string, encode: (revision: number) => Buffer, options?: WriteOptions): Promise<KeyValue>
  /**
   * @returns the entry with the value `encode` gave, for watchers and the answer
   * @throws Precondition (also when the key is absent), Unwritable
   */
  delete(key: string, encode: (revision: number) => Buffer, options?: WriteOptions): Promise<KeyValue>
  /**
   * The entry as the next writer will find it: the newest write, durable or not. For read-modify-write loops only.
   */
  head(key: string): KeyValue | undefined

  /**
   * Events after `fromRevision` for keys with the prefix, those of the past first. Never calls the watcher
   * before it has returned. A watcher that throws is ended.
   * @throws Compacted
   */
  watch(prefix: string, fromRevision: number, watcher: StorageWatcher): StorageWatch

  /** Settles when `revision` is visible or the timeout has passed; tells which. */
  waitFor(revision: number, timeoutMs: number, signal?: AbortSignal): Promise<boolean>

  /** Forgets history below `revision`. Old lists and watches answer Compacted. */
  compact(revision: number): void
  /**
   * Loads entries with their revisions into an empty store and moves the counter to at least `revision`.
   * For restore.
   */
  load(entries: Iterable<KeyValue>, revision: number): Promise<void>
  /** Settles when everything accepted is durable and files are closed. Further use throws. */
  close(): Promise<void>
}
