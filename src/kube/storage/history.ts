/**
 * What happened lately: one record per revision, oldest first, each with the event and the tree after it.
 *
 * Revisions are dense, so a revision is an index. Kept within limits of age, bytes and number; what falls out
 * raises `oldest`, and reads or watches below that throw `Compacted`. The newest tree is always kept.
 */
import { Compacted, type KeyValue, type StorageEvent } from './interface.js'
import { insert, lookup, remove, type Tree } from './tree.js'
import { lengthOf, Values } from './values.js'

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
}

interface HistoryRecord {
  /** Its values are read from where they are kept. */
  event: KeptEvent
  tree: Tree
  timeMs: number
  /** Of values that only this record keeps: those that were replaced or deleted by it. */
  bytes: number
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
  #values: Values

  /** @param values where those of the tree are kept */
  constructor(
    private readonly limits: HistoryLimits,
    tree: Tree,
    revision: number,
    values = new Values(),
  ) {
    this.#values = values
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
   * Adds the next revision: the entry's modRevision must be `revision + 1`.
   *
   * @returns the event for those who watch, with the value as it was given
   */
  append({ type, entry }: Change, timeMs: number): StorageEvent {
    const { key, modRevision: revision } = entry
    const previous = lookup(this.tree, key)
    const kept = this.#values.keep(entry)
    const tree = type === 'put' ? insert(this.tree, kept) : remove(this.tree, key)
    const before = previous && { previous }
    let bytes = BYTES_PER_RECORD
    if (type === 'delete') bytes += lengthOf(kept)
    if (previous) bytes += lengthOf(previous)
    this.#records.push({ event: new KeptEvent(type, kept, previous), tree, timeMs, bytes })
    this.#bytes += bytes
    return { type, revision, key, value: entry.value, ...before }
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
  reset(tree: Tree, revision: number, values: Values): void {
    this.#values = values
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
    this.#bytes -= record.bytes
    // No tree that can be asked for has them any more.
    if (record.event.previous) this.#values.release(record.event.previous)
    if (record.event.type === 'delete') this.#values.release(record.event.kept)
    this.#records[this.#head] = undefined
    this.#head++
  }

  #shrink(): void {
    if (this.#head < COMPACT_ARRAY_FROM || this.#head * 2 < this.#records.length) return
    this.#records = this.#records.slice(this.#head)
    this.#head = 0
  }
}

class KeptEvent implements StorageEvent {
  constructor(
    readonly type: StorageEvent['type'],
    readonly kept: KeyValue,
    readonly previous: KeyValue | undefined,
  ) {}

  get key(): string {
    return this.kept.key
  }

  get revision(): number {
    return this.kept.modRevision
  }

  get value(): Buffer {
    return this.kept.value
  }
}
