/**
 * The read side of an informer: what list pages, authorization and reconcilers are answered from.
 *
 * An object is held as the bytes the API sent, plus the few values that indexes need. Orders are kept
 * incrementally, so a page costs what the page costs, not what the collection costs.
 */
import { type KubeObject } from '../../apimachinery/meta/types.js'

/**
 * One object of the cache. Shared by everyone: never change it. `Fields` are what the kind's `extract`
 * function took out of the object for its filters (`status.phase`, `spec.nodeName`, ...).
 */
export interface CachedObject<Fields = unknown> {
  /** "" for cluster-scoped objects. */
  readonly namespace: string
  readonly name: string
  /** Read from the object each time: not for what is done often. */
  readonly uid: string
  /** Of the uid; costs nothing. */
  readonly uidHash: number
  readonly resourceVersion: string
  /** Milliseconds since the epoch, whole seconds. */
  readonly creationTimestamp: number
  readonly labels: Readonly<Record<string, string>>
  /** The object as JSON, without `kind` and `apiVersion`, whichever way it arrived. */
  readonly bytes: Buffer
  readonly fields: Fields
}

/**
 * A read-only view in a fixed order. Positions are found in O(log n). The view is live: read it in one
 * synchronous go, do not keep it across an await.
 */
export interface OrderedView<Fields = unknown> extends Iterable<CachedObject<Fields>> {
  readonly length: number
  at(position: number): CachedObject<Fields> | undefined
  /** Objects from `start` (inclusive) to `end` (exclusive). */
  slice(start: number, end: number): CachedObject<Fields>[]
  /** From the last to the first. */
  reversed(): Iterable<CachedObject<Fields>>
  /**
   * Those whose name contains `part`, in the same order; its `length` is known without touching an object.
   * Far faster than a scan, and a repeated search only looks at what has changed.
   */
  containing(part: string): OrderedView<Fields>
}

export interface Store<Fields = unknown> {
  /** Objects held. */
  readonly size: number
  /** Goes up with every change; equal revisions mean equal content. */
  readonly revision: number
  get(namespace: string, name: string): CachedObject<Fields> | undefined
  byUid(uid: string): CachedObject<Fields> | undefined
  /** Ascending by name, then namespace. With a namespace: that namespace only. */
  byName(namespace?: string): OrderedView<Fields>
  /** Ascending by creation time, then name, then namespace. */
  byCreation(namespace?: string): OrderedView<Fields>
  /** Objects carrying label `key`, with `value` when given; through an index. */
  byLabel(key: string, value?: string): Iterable<CachedObject<Fields>>
  /** Namespaces that hold at least one object. */
  namespaces(): Iterable<string>
  /** Objects of a namespace. Unlike the length of a view, it makes no order. */
  sizeOf(namespace: string): number
  /** The objects an index maps `value` to. @throws Error when no such index was declared */
  index(name: string, value: string): Iterable<CachedObject<Fields>>
  /** `byName(namespace).containing(part)`. For pages by creation use `byCreation(namespace).containing(part)`. */
  withNameContaining(part: string, namespace?: string): OrderedView<Fields>
  /**
   * The objects of a namespace, or of all, that match: in a kept order, once the same has been asked for before.
   *
   * @param key names `matches`, which must depend on the object alone
   * @returns undefined when the order is not kept; the matches are then found in another way
   */
  narrowed(
    key: string,
    matches: (object: CachedObject<Fields>) => boolean,
    order: 'name' | 'creation',
    namespace?: string,
  ): OrderedView<Fields> | undefined
  /** The parsed object; parsed anew or from a small memo. Never change it: clone first. */
  object<T = KubeObject>(cached: CachedObject<Fields>): Readonly<T>
}

export type ChangeType = 'added' | 'modified' | 'deleted'

export interface Change<Fields = unknown> {
  type: ChangeType
  /** For `deleted`: the last known state. */
  object: CachedObject<Fields>
  /** For `modified`: the state before. */
  previous?: CachedObject<Fields>
}

/** What to keep of a kind besides the common values. */
export interface CacheOptions<Fields> {
  /** Takes out what filters need. Runs once per event; must not keep `object`. */
  extract(object: KubeObject): Fields
  /** Index name → values of an object. */
  indexes?: Record<string, (object: KubeObject, fields: Fields) => Iterable<string>>
}

export interface Informer<Fields = unknown> {
  readonly store: Store<Fields>
  /** True once the first complete list is in the store. Stays true through reconnects. */
  readonly synced: boolean
  /** Settles when synced, or rejects with the signal's reason. */
  whenSynced(signal?: AbortSignal): Promise<void>
  /** Called after the store has changed, synchronously, in order. @returns unsubscribe */
  onChange(listener: (change: Change<Fields>) => void): () => void
}

/**
 * All informers of a process, one per resource, shared. An informer starts on first demand.
 * A resource that the API does not serve yields an empty informer that counts as synced and starts to
 * fill when the resource appears.
 */
export interface InformerSet {
  /**
   * Asking again for the same resource returns the same informer; the first options win. Those who need no
   * fields give none, and leave the choice to others who ask before or after.
   */
  informer<Fields = unknown>(
    resource: { group: string; version: string; resource: string },
    options?: CacheOptions<Fields>,
  ): Informer<Fields>
  /** Those started, with their state, for `/readyz?verbose` and metrics. */
  status(): Iterable<{
    resource: string
    state: 'waiting' | 'listing' | 'synced' | 'absent' | 'failing'
    objects: number
    error?: string
  }>
  close(): Promise<void>
}
