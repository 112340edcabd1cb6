/**
 * What happened lately: one record per revision, oldest first, each with the event and the tree after it.
 *
 * Revisions are dense, so a revision is an index. Kept within limits of age, bytes and number; what falls out
 * raises `oldest`, and reads or watches below that throw `Compacted`. The newest tree is always kept.
 */
import { Compacted, type KeyValue, type StorageEvent } from './interface.js'
import { insert, remove, type Tree } from './tree.js'

export interface HistoryLimits {
  maxAgeMs: number
  /** Of values that only history holds, plus an estimate of the trees' own size. */
  maxBytes: number
  maxEvents: number
}

export const DEFAULT_HISTORY_LIMITS: HistoryLimits = {
  maxAgeMs: 5 * 60_000,
  // Some 25,000 writes. Only a watch that was away for longer, or further behind, lists again.
  maxBytes: 24 * 1024 * 1024,
  maxEvents: 200_000,
}

/** One write, before or after it is durable. */
export interface Change {
  readonly type: 'put' | 'delete'
  readonly entry: KeyValue
  readonly previous: KeyValue | undefined
}

interface HistoryRecord {
  event: StorageEvent
  tree: Tree
  timeMs: number
}

/** Nodes copied for one write, and the records themselves; measured, roughly. */
const BYTES_PER_RECORD = 1_000
const COMPACT_ARRAY_FROM = 1_024

export class History {
  #records: (HistoryRecord | undefined)[] = []
  #head = 0
  #bytes = 0
  #oldest: number
  #oldestTree: Tree

  constructor(
    private readonly limits: HistoryLimits,
    tree: Tree,
    revision: number,
  ) {
    this.#oldestTree = tree
    this.#oldest = revision
  }

  get oldest(): number {
    return this.#oldest
  }

  get revision(): number {
    return this.#oldest + this.#records.length - this.#head
  }

  /** The tree at the newest revision. */
  get tree(): Tree {
    return this.#records.at(-1)?.tree ?? this.#oldestTree
  }

  /**
   * Adds the next revision: the entry's modRevision must be `revision + 1`, and `previous` what the key held.
   */
  append(change: Change, timeMs: number): StorageEvent {
    const { type, entry, previous } = change
    const tree = type === 'put' ? insert(this.tree, entry) : remove(this.tree, entry.key)
    const event: StorageEvent = { type, revision: entry.modRevision, key: entry.key, value: entry.value }
    if (previous) event.previous = previous
    this.#records.push({ event, tree, timeMs })
    this.#bytes += weight(event)
    return event
  }

  /** Drops what is beyond the limits. */
  trim(nowMs: number): void {
    const { maxAgeMs, maxBytes, maxEvents } = this.limits
    let record
    while ((record = this.#records[this.#head])) {
      const kept = this.#records.length - this.#head
      if (kept <= maxEvents && this.#bytes <= maxBytes && nowMs - record.timeMs <= maxAgeMs) break
      this.#drop(record)
    }
    this.#shrink()
  }

  /** Drops everything before `revision`, which itself can still be read. */
  compact(revision: number): void {
    let record
    while (this.#oldest < revision && (record = this.#records[this.#head])) this.#drop(record)
    this.#shrink()
  }

  /** Starts over at a revision, with no past. */
  reset(tree: Tree, revision: number): void {
    this.#records = []
    this.#head = 0
    this.#bytes = 0
    this.#oldest = revision
    this.#oldestTree = tree
  }

  /** @throws Compacted; RangeError for a revision not reached yet */
  treeAt(revision: number): Tree {
    if (revision < this.#oldest) throw new Compacted(this.#oldest, this.revision)
    if (revision > this.revision) {
      throw new RangeError(`storage: revision ${revision} is ahead of ${this.revision}`)
    }
    if (revision === this.#oldest) return this.#oldestTree
    return this.#records[this.#head + revision - this.#oldest - 1]!.tree
  }

  /** Events after `revision` for keys with the prefix. @throws Compacted */
  eventsAfter(revision: number, prefix: string): StorageEvent[] {
    if (revision < this.#oldest) throw new Compacted(this.#oldest, this.revision)
    const out: StorageEvent[] = []
    for (let i = this.#head + revision - this.#oldest; i < this.#records.length; i++) {
      const { event } = this.#records[i]!
      if (event.key.startsWith(prefix)) out.push(event)
    }
    return out
  }

  #drop(record: HistoryRecord): void {
    this.#oldestTree = record.tree
    this.#oldest = record.event.revision
    this.#bytes -= weight(record.event)
    this.#records[this.#head] = undefined
    this.#head++
  }

  #shrink(): void {
    if (this.#head < COMPACT_ARRAY_FROM || this.#head * 2 < this.#records.length) return
    this.#records = this.#records.slice(this.#head)
    this.#head = 0
  }
}

/** Bytes that would be free without this record: values that were replaced or deleted by it. */
function weight(event: StorageEvent): number {
  const own = event.type === 'delete' ? event.value.length : 0
  return own + (event.previous?.value.length ?? 0) + BYTES_PER_RECORD
}
