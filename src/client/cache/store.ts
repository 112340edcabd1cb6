/**
 * The store of one resource: objects as bytes, and every index that the interface promises, kept up to
 * date with each change.
 *
 * An entry is never changed, a new one takes its place, so whoever holds one keeps a true picture of its
 * moment. Only its slab coordinates move, and what they point at reads the same; and `adopt` fills in fields
 * that nobody had asked for before.
 */
import { eachOf, type Few, withOne, withoutOne } from '../../apimachinery/few/index.js'
import { type KubeObject } from '../../apimachinery/meta/types.js'
import { Arena, bytesOf, NOWHERE, Recent, type Slab, type Tenant } from '../../apimachinery/packing/index.js'
import { typeMetaPrefix, withoutTypeMeta } from './bytes.js'
import {
  type CachedObject,
  type CacheOptions,
  type Change,
  type OrderedView,
  type Store,
} from './interface.js'
import { ByName } from './byname.js'
import { LabelIndex, type LabelSet } from './labels.js'
import { NarrowedOrders } from './narrowed.js'
import { SortedList } from './sorted.js'

const OPEN_BRACE = 0x7b
/** Namespaces that keep orders of their own; the orders of others are made anew when asked for. */
const ORDERED_NAMESPACES = 512
const KNOWN_NAMES = 256
/** Parsed objects kept for repeated reads. */
const MEMO_LIMIT = 128

class Entry<Fields> implements CachedObject<Fields>, Tenant {
  slab: Slab = NOWHERE
  offset = 0
  packedSize = 0
  size = 0

  constructor(
    readonly namespace: string,
    readonly name: string,
    /** Of the uid, which is nearly as long as all else together. */
    readonly uidHash: number,
    /** As a number when it is one that reads the same. */
    readonly version: string | number,
    readonly seconds: number,
    readonly labelSet: LabelSet<Entry<Fields>>,
    public fields: Fields,
    public buckets: readonly Bucket<Fields>[] | undefined,
  ) {}

  get uid(): string {
    return (JSON.parse(this.bytes.toString()) as KubeObject).metadata.uid ?? ''
  }

  get resourceVersion(): string {
    return String(this.version)
  }

  get creationTimestamp(): number {
    return this.seconds * 1000
  }

  get labels(): Readonly<Record<string, string>> {
    return this.labelSet.labels
  }

  get bytes(): Buffer {
    return bytesOf(this)
  }
}

/** One value of a custom index. */
interface Bucket<Fields> {
  readonly value: string
  readonly values: Map<string, Bucket<Fields>>
  readonly members: Set<Entry<Fields>>
}

interface Orders<Fields> {
  byName: SortedList<Entry<Fields>>
  byCreation: SortedList<Entry<Fields>>
}

/** The objects of one namespace. */
class Namespace<Fields> extends ByName<Entry<Fields>> {
  /** Of its own objects, once somebody has asked; of many thousand namespaces most are never listed. */
  orders: Orders<Fields> | undefined

  constructor(readonly name: string) {
    super()
  }
}

function compareName(left: Entry<unknown>, right: Entry<unknown>): number {
  if (left.name !== right.name) return left.name < right.name ? -1 : 1
  if (left.namespace === right.namespace) return 0
  return left.namespace < right.namespace ? -1 : 1
}

function compareCreation(left: Entry<unknown>, right: Entry<unknown>): number {
  return left.seconds - right.seconds || compareName(left, right)
}

export class IndexedStore<Fields = unknown> implements Store<Fields> {
  #options: CacheOptions<Fields> | undefined
  readonly #namespaces = new Map<string, Namespace<Fields>>()
  /** Once somebody has asked: most kinds are never searched by uid. */
  #uids: Map<number, Few<Entry<Fields>>> | undefined
  /** Those with orders, the one asked for last at the end. */
  readonly #ordered = new Set<Namespace<Fields>>()
  readonly #byName = new SortedList<Entry<Fields>>(compareName)
  readonly #byCreation = new SortedList<Entry<Fields>>(compareCreation)
  readonly #whole: Orders<Fields> = { byName: this.#byName, byCreation: this.#byCreation }
  readonly #labels = new LabelIndex<Entry<Fields>>()
  readonly #indexes = new Map<string, Map<string, Bucket<Fields>>>()
  readonly #names = new Names()
  readonly #narrowed = new NarrowedOrders<Entry<Fields>>()
  readonly #arena: Arena
  readonly #memo = new Map<CachedObject<Fields>, KubeObject>()
  readonly #onFault: ((object: KubeObject, error: unknown) => void) | undefined
  #revision = 0
  /** While a list of all is under way: what it has not named yet. */
  #unseen: Set<Entry<Fields>> | undefined

  /**
   * @param onFault told of an object that `extract` or an index function threw on; it is kept with the
   * fields of an empty object, since one odd object must not hold up all others
   * @param recent may be shared with other stores
   */
  constructor(
    options?: CacheOptions<Fields>,
    onFault?: (object: KubeObject, error: unknown) => void,
    recent = new Recent(),
  ) {
    this.#onFault = onFault
    this.#arena = new Arena(recent)
    if (options) this.adopt(options)
  }

  /**
   * Gives a store made without options its options, and every object it holds its fields: whoever asked first
   * needed none. A store that has options keeps them.
   */
  adopt(options: CacheOptions<Fields>): void {
    if (this.#options) return
    this.#options = options
    this.#narrowed.clear() // Their predicates have seen objects without fields.
    for (const name of Object.keys(options.indexes ?? {})) this.#indexes.set(name, new Map())
    for (const entry of this.#byName) {
      const object = JSON.parse(entry.bytes.toString()) as KubeObject
      entry.fields = this.#fieldsOf(object)
      entry.buckets = this.#bucketsOf(object, entry.fields)
      for (const bucket of entry.buckets ?? []) bucket.members.add(entry)
    }
  }

  get size(): number {
    return this.#byName.length
  }

  get revision(): number {
    return this.#revision
  }

  /** Bytes outside the JavaScript heap. */
  get heldBytes(): number {
    return this.#arena.heldBytes
  }

  get(namespace: string, name: string): CachedObject<Fields> | undefined {
    return this.#namespaces.get(namespace)?.get(name)
  }

  byUid(uid: string): CachedObject<Fields> | undefined {
    if (!this.#uids) {
      this.#uids = new Map()
      for (const entry of this.#byName) this.#enterUid(entry)
    }
    for (const entry of eachOf(this.#uids.get(hashOf(uid)))) if (entry.uid === uid) return entry
    return undefined
  }

  byName(namespace?: string): OrderedView<Fields> {
    if (namespace === undefined) return this.#byName.view
    return (this.#ordersOf(namespace)?.byName ?? EMPTY).view
  }

  byCreation(namespace?: string): OrderedView<Fields> {
    if (namespace === undefined) return this.#byCreation.view
    return (this.#ordersOf(namespace)?.byCreation ?? EMPTY).view
  }

  byLabel(key: string, value?: string): Iterable<CachedObject<Fields>> {
    return this.#labels.find(key, value)
  }

  namespaces(): Iterable<string> {
    return this.#namespaces.keys()
  }

  sizeOf(namespace: string): number {
    return this.#namespaces.get(namespace)?.size ?? 0
  }

  index(name: string, value: string): Iterable<CachedObject<Fields>> {
    const values = this.#indexes.get(name)
    if (!values) throw new Error(`cache: no index "${name}" was declared for this resource`)
    return values.get(value)?.members ?? []
  }

  withNameContaining(part: string, namespace?: string): OrderedView<Fields> {
    return this.byName(namespace).containing(part)
  }

  narrowed(
    key: string,
    matches: (object: CachedObject<Fields>) => boolean,
    order: 'name' | 'creation',
    namespace?: string,
  ): OrderedView<Fields> | undefined {
    const byName = order === 'name'
    const whole = (byName ? this.byName(namespace) : this.byCreation(namespace)) as Iterable<Entry<Fields>>
    const inPlace = (entry: Entry<Fields>): boolean =>
      (namespace === undefined || entry.namespace === namespace) && matches(entry)
    const compare = byName ? compareName : compareCreation
    return this.#narrowed.find(`${order}/${namespace ?? '*'}/${key}`, inPlace, whole, compare)
  }

  object<T = KubeObject>(cached: CachedObject<Fields>): Readonly<T> {
    const known = this.#memo.get(cached)
    if (known) return known as unknown as T
    const parsed = JSON.parse(cached.bytes.toString()) as KubeObject
    if (this.#memo.size >= MEMO_LIMIT) {
      const oldest = this.#memo.keys().next()
      if (!oldest.done) this.#memo.delete(oldest.value)
    }
    this.#memo.set(cached, parsed)
    return parsed as unknown as T
  }

  /**
   * Puts an object in, or in place of the one of the same name.
   *
   * @param raw the bytes that `object` was parsed from; copied
   * @returns what changed; undefined when this very version was there already
   */
  upsert(object: KubeObject, raw: Buffer): Change<Fields> | undefined {
    const { metadata } = object
    const name = metadata.name ?? ''
    const namespaceName = metadata.namespace ?? ''
    const namespace = this.#namespaces.get(namespaceName)
    const previous = namespace?.get(name)
    const version = versionOf(metadata.resourceVersion ?? '')
    if (previous && previous.version === version && previous.uidHash === hashOf(metadata.uid)) {
      this.#unseen?.delete(previous)
      return undefined
    }
    const entry = this.#entry(object, raw, previous)
    if (previous) this.#replace(previous, entry)
    else this.#add(entry)
    this.#revision++
    return previous ? { type: 'modified', object: entry, previous } : { type: 'added', object: entry }
  }

  /** @returns the change; undefined when no such object was there */
  delete(namespace: string, name: string): Change<Fields> | undefined {
    const entry = this.#namespaces.get(namespace)?.get(name)
    if (!entry) return undefined
    this.#remove(entry)
    this.#revision++
    return { type: 'deleted', object: entry }
  }

  /** Begins a complete list: what is not put in again before `sweep` was deleted meanwhile. */
  beginPass(): void {
    this.#unseen = this.size === 0 ? undefined : new Set(this.#byName)
  }

  /** Ends a complete list. @returns the objects it no longer named, one deletion each */
  *sweep(): Iterable<Change<Fields>> {
    const gone = this.#unseen ?? []
    this.#unseen = undefined
    for (const { namespace, name } of gone) {
      const change = this.delete(namespace, name)
      if (change) yield change
    }
  }

  #entry(object: KubeObject, raw: Buffer, previous: Entry<Fields> | undefined): Entry<Fields> {
    const { metadata } = object
    const namespaceName = metadata.namespace ?? ''
    const fields = this.#fieldsOf(object)
    const buckets = this.#bucketsOf(object, fields)
    const labels = this.#labels.intern(metadata.labels)

    const entry = new Entry<Fields>(
      previous?.namespace ?? this.#namespaces.get(namespaceName)?.name ?? namespaceName,
      previous?.name ?? this.#names.of(metadata.name ?? ''),
      hashOf(metadata.uid),
      versionOf(metadata.resourceVersion ?? ''),
      secondsOf(metadata.creationTimestamp),
      labels,
      fields,
      buckets,
    )
    this.#arena.add(entry, withoutType(object, raw))
    return entry
  }

  #fieldsOf(object: KubeObject): Fields {
    if (!this.#options) return undefined as Fields
    try {
      return this.#options.extract(object)
    } catch (error) {
      this.#onFault?.(object, error)
      return this.#options.extract({ metadata: object.metadata })
    }
  }

  #bucketsOf(object: KubeObject, fields: Fields): Bucket<Fields>[] | undefined {
    const indexes = this.#options?.indexes
    if (!indexes) return undefined
    const buckets: Bucket<Fields>[] = []
    for (const [name, values] of this.#indexes) {
      for (const value of this.#valuesOf(indexes[name], object, fields)) {
        let bucket = values.get(value)
        if (!bucket) values.set(value, (bucket = { value, values, members: new Set() }))
        buckets.push(bucket)
      }
    }
    return buckets
  }

  #valuesOf(
    index: ((object: KubeObject, fields: Fields) => Iterable<string>) | undefined,
    object: KubeObject,
    fields: Fields,
  ): Set<string> {
    try {
      return new Set(index?.(object, fields))
    } catch (error) {
      this.#onFault?.(object, error)
      return new Set()
    }
  }

  #add(entry: Entry<Fields>): void {
    let namespace = this.#namespaces.get(entry.namespace)
    if (!namespace) {
      namespace = new Namespace(entry.namespace)
      this.#namespaces.set(entry.namespace, namespace)
    }
    namespace.set(entry)
    for (const { byName, byCreation } of this.#ordersWith(namespace)) {
      byName.add(entry)
      byCreation.add(entry)
    }
    this.#narrowed.added(entry)
    this.#enter(entry)
  }

  #replace(previous: Entry<Fields>, entry: Entry<Fields>): void {
    const namespace = this.#namespaces.get(entry.namespace) as Namespace<Fields>
    namespace.set(entry)
    for (const { byName, byCreation } of this.#ordersWith(namespace)) {
      byName.replace(previous, entry)
      if (previous.seconds === entry.seconds) byCreation.replace(previous, entry)
      else {
        byCreation.remove(previous)
        byCreation.add(entry)
      }
    }
    this.#narrowed.replaced(previous, entry)
    this.#leave(previous, entry)
    this.#enter(entry)
    this.#release(previous)
  }

  #remove(entry: Entry<Fields>): void {
    const namespace = this.#namespaces.get(entry.namespace) as Namespace<Fields>
    namespace.delete(entry.name)
    for (const { byName, byCreation } of this.#ordersWith(namespace)) {
      byName.remove(entry)
      byCreation.remove(entry)
    }
    this.#narrowed.removed(entry)
    if (namespace.size === 0) {
      this.#namespaces.delete(entry.namespace)
      this.#ordered.delete(namespace)
    }
    this.#leave(entry)
    this.#release(entry)
  }

  /** Every pair of orders that the objects of a namespace are in. */
  #ordersWith({ orders }: Namespace<Fields>): Orders<Fields>[] {
    return orders ? [this.#whole, orders] : [this.#whole]
  }

  #ordersOf(name: string): Orders<Fields> | undefined {
    // Cluster-scoped objects need none beside those of the whole store.
    if (name === '') return this.#whole
    const namespace = this.#namespaces.get(name)
    if (!namespace) return undefined
    this.#ordered.delete(namespace)
    this.#ordered.add(namespace)
    if (namespace.orders) return namespace.orders
    namespace.orders = {
      byName: new SortedList(compareName, [...namespace.values()]),
      byCreation: new SortedList(compareCreation, [...namespace.values()]),
    }
    if (this.#ordered.size > ORDERED_NAMESPACES) {
      const [longest] = this.#ordered
      if (longest) {
        longest.orders = undefined
        this.#ordered.delete(longest)
      }
    }
    return namespace.orders
  }

  /** Label, custom and uid indexes. */
  #enter(entry: Entry<Fields>): void {
    this.#enterUid(entry)
    entry.labelSet.add(entry)
    for (const bucket of entry.buckets ?? []) {
      bucket.members.add(entry)
      // A bucket emptied by the previous version has been dropped from its index.
      bucket.values.set(bucket.value, bucket)
    }
  }

  #leave(entry: Entry<Fields>, successor?: Entry<Fields>): void {
    this.#leaveUid(entry)
    entry.labelSet.delete(entry)
    if (entry.labelSet !== successor?.labelSet) this.#labels.release(entry.labelSet)
    for (const bucket of entry.buckets ?? []) {
      bucket.members.delete(entry)
      if (bucket.members.size === 0) bucket.values.delete(bucket.value)
    }
  }

  #enterUid(entry: Entry<Fields>): void {
    if (entry.uidHash !== NO_UID)
      this.#uids?.set(entry.uidHash, withOne(this.#uids.get(entry.uidHash), entry))
  }

  #leaveUid(entry: Entry<Fields>): void {
    const left = withoutOne(this.#uids?.get(entry.uidHash), entry)
    if (left !== undefined) this.#uids?.set(entry.uidHash, left)
    else this.#uids?.delete(entry.uidHash)
  }

  #release(entry: Entry<Fields>): void {
    this.#unseen?.delete(entry)
    this.#memo.delete(entry)
    this.#arena.free(entry)
  }
}

/** @returns what may be overwritten by the next call */
function withoutType(object: KubeObject, raw: Buffer): Buffer {
  const prefix = typeMetaPrefix(raw)
  if (prefix === 0) {
    return object.kind === undefined && object.apiVersion === undefined ? raw : withoutTypeMeta(raw)
  }
  const length = raw.length - prefix + 1
  if (scratch.length < length) scratch = Buffer.allocUnsafeSlow(length * 2)
  raw.copy(scratch, 1, prefix)
  scratch[0] = OPEN_BRACE
  return scratch.subarray(0, length)
}

let scratch = Buffer.allocUnsafeSlow(16 * 1024)

const EMPTY = new SortedList<Entry<never>>(compareName)

/** Every namespace has a `default` account and the same few roles: their names are held once. */
class Names {
  readonly #known = new Map<string, string>()

  of(name: string): string {
    const known = this.#known.get(name)
    if (known === undefined && this.#known.size < KNOWN_NAMES) this.#known.set(name, name)
    return known ?? name
  }
}

const NO_UID = 0

/** @returns what fits into a field without an object of its own */
function hashOf(uid: string | undefined): number {
  if (!uid) return NO_UID
  let hash = 1
  for (let i = 0; i < uid.length; i++) hash = (Math.imul(hash, 31) + uid.charCodeAt(i)) | 0
  return hash & 0x3fffffff || 1
}

function versionOf(text: string): string | number {
  const version = Number(text)
  return version < 2 ** 31 && String(version) === text ? version : text
}

/** @returns 0 for an absent or unreadable time */
function secondsOf(time: string | null | undefined): number {
  if (!time) return 0
  const seconds = Math.floor(Date.parse(time) / 1000)
  return Number.isNaN(seconds) ? 0 : seconds
}
