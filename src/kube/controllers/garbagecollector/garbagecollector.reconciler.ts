/**
 * Takes away objects whose owners are gone, and does what `foregroundDeletion` and `orphan` ask before an owner goes.
 *
 * Keeps a graph of owners from storage events. Requests name storage keys: of an object that has owners, or of one that a
 * finalizer of ours holds. Before anything is deleted, storage is asked whether the owners are really not there.
 */
import { type Reconciler, type Request, type Result, type Source } from '../../../controller/index.js'
import { type KubeObject, type OwnerReference, parseApiVersion } from '../../../apimachinery/meta/types.js'
import { type Objects } from '../../objects.js'
import { parse } from '../../registry/served.js'
import { type Catalogue, type ResourceDefinition } from '../../registry/strategy.js'
import { type Writer } from '../writer.js'

export interface GarbageCollectorDeps {
  objects: Objects
  writer: Writer
  catalogue: Catalogue
}

const FOREGROUND = 'foregroundDeletion'
const ORPHAN = 'orphan'
const OWNERS = Buffer.from('"ownerReferences"')
const FINALIZERS = Buffer.from('"finalizers"')
const HOLDS = [Buffer.from(`"${FOREGROUND}"`), Buffer.from(`"${ORPHAN}"`)]
/** How long an owner waits before it looks again whether its dependents are gone. */
const HELD_MS = 300

/** `waits`: it is being deleted, and goes after what it owns. */
type OwnerState = 'stays' | 'waits' | 'gone'

export class GarbageCollector implements Reconciler {
  /** uid of an owner → keys of what it owns. */
  readonly #dependents = new Map<string, Set<string>>()
  /** Key → uids of the owners it names. */
  readonly #owners = new Map<string, string[]>()

  constructor(private readonly deps: GarbageCollectorDeps) {}

  /** A request's name is a storage key. */
  readonly source: Source = (enqueue) =>
    this.deps.objects.followEntries('/registry/', ({ type, key, value }) => {
      const ownersBefore = this.#owners.get(key)
      if (type === 'delete') {
        this.#forget(key, ownersBefore)
        const uid = parse(value).metadata.uid ?? ''
        for (const dependent of this.#dependents.get(uid) ?? []) enqueue({ namespace: '', name: dependent })
        return
      }
      if (value.includes(OWNERS)) {
        const uids = (parse(value).metadata.ownerReferences ?? []).map(({ uid }) => uid)
        this.#forget(key, ownersBefore)
        this.#owners.set(key, uids)
        for (const uid of uids) this.#ownedBy(uid).add(key)
        enqueue({ namespace: '', name: key })
      } else if (ownersBefore) this.#forget(key, ownersBefore)
      if (value.includes(FINALIZERS) && HOLDS.some((finalizer) => value.includes(finalizer)))
        enqueue({ namespace: '', name: key })
    })

  async reconcile({ name: key }: Request, signal: AbortSignal): Promise<Result> {
    const entry = this.deps.objects.storage.get(key)
    const definition = entry && this.#definitionOf(key)
    if (!entry || !definition) return
    const object = parse(entry.value)
    const { deletionTimestamp, finalizers = [] } = object.metadata
    if (deletionTimestamp !== undefined) {
      if (finalizers.includes(ORPHAN)) return this.#orphan(definition, object, signal)
      if (finalizers.includes(FOREGROUND)) return this.#foreground(definition, object, signal)
      return
    }
    await this.#attempt(definition, object, signal)
  }

  /**
   * What becomes of an object depends on its owners: with one that stays it stays, and forgets the others; with none it goes.
   * One that waits for its dependents takes them with it, dependents first.
   */
  async #attempt(definition: ResourceDefinition, object: KubeObject, signal: AbortSignal): Promise<void> {
    const { ownerReferences = [], name = '', namespace = '', uid } = object.metadata
    const states = ownerReferences.map((reference) => this.#stateOf(reference, object))
    if (states.length === 0 || states.every((state) => state === 'stays')) return
    if (states.includes('stays')) {
      const going = new Set(ownerReferences.flatMap((each, i) => (states[i] === 'stays' ? [] : [each.uid])))
      await this.deps.writer.update(definition, namespace, name, without(going), { signal })
      return
    }
    const dependents = states.includes('waits') ? this.#objectsOf(uid ?? '') : []
    if (dependents.some(({ object: dependent }) => isForeground(dependent)))
      // A circle: each would wait for the next for ever.
      await this.deps.writer.update(definition, namespace, name, unblocking, { signal })
    const { finalizers = [] } = object.metadata
    const first = dependents.length > 0 || finalizers.includes(FOREGROUND)
    await this.deps.writer.delete(
      definition,
      namespace,
      name,
      {
        propagationPolicy: first ? 'Foreground' : finalizers.includes(ORPHAN) ? 'Orphan' : 'Background',
        ...(uid !== undefined && { preconditions: { uid } }),
      },
      signal,
    )
  }

  /** An owner of a kind that is not served stays: nobody can say that it is gone. */
  #stateOf({ apiVersion, kind, name, uid }: OwnerReference, { metadata }: KubeObject): OwnerState {
    const place = parseApiVersion(apiVersion)
    const definition = place && this.deps.catalogue.byKind(place.group, place.version, kind)
    if (!definition) return 'stays'
    // A namespaced owner is one of the same namespace.
    const namespace = definition.namespaced ? (metadata.namespace ?? '') : ''
    const { storage, resource } = definition
    const owner = this.deps.objects.get(storage.group, resource, namespace, name)
    if (owner?.metadata.uid !== uid) return 'gone'
    return isForeground(owner) ? 'waits' : 'stays'
  }

  /** Dependents lose their reference and stay. */
  async #orphan(definition: ResourceDefinition, owner: KubeObject, signal: AbortSignal): Promise<void> {
    const uid = owner.metadata.uid ?? ''
    for (const { definition: kind, object } of this.#objectsOf(uid)) {
      const { namespace = '', name = '' } = object.metadata
      await this.deps.writer.update(kind, namespace, name, without(new Set([uid])), { signal })
    }
    await this.#release(definition, owner, ORPHAN, signal)
  }

  /** Dependents go first; those that block the owner are waited for. */
  async #foreground(definition: ResourceDefinition, owner: KubeObject, signal: AbortSignal): Promise<Result> {
    const uid = owner.metadata.uid ?? ''
    for (const { definition: kind, object } of this.#objectsOf(uid))
      if (object.metadata.deletionTimestamp === undefined) await this.#attempt(kind, object, signal)
    const blocked = this.#objectsOf(uid).some(({ object: { metadata } }) =>
      metadata.ownerReferences?.some((each) => each.uid === uid && each.blockOwnerDeletion === true),
    )
    if (blocked) return { requeueAfter: HELD_MS }
    await this.#release(definition, owner, FOREGROUND, signal)
  }

  async #release(
    definition: ResourceDefinition,
    { metadata }: KubeObject,
    finalizer: string,
    signal: AbortSignal,
  ): Promise<void> {
    const released = (current: KubeObject): KubeObject => ({
      ...current,
      metadata: {
        ...current.metadata,
        finalizers: (current.metadata.finalizers ?? []).filter((each) => each !== finalizer),
      },
    })
    await this.deps.writer.update(definition, metadata.namespace ?? '', metadata.name ?? '', released, {
      signal,
    })
  }

  /** What an owner owns, as it is stored now. */
  #objectsOf(uid: string): { definition: ResourceDefinition; object: KubeObject }[] {
    return [...(this.#dependents.get(uid) ?? [])].flatMap((key) => {
      const entry = this.deps.objects.storage.get(key)
      const definition = entry && this.#definitionOf(key)
      return entry && definition ? [{ definition, object: parse(entry.value) }] : []
    })
  }

  /** The served definition whose objects are stored under the key; the stored version where that is served. */
  #definitionOf(key: string): ResourceDefinition | undefined {
    const [, , group = '', resource = ''] = key.split('/')
    const { catalogue } = this.deps
    const name = group === 'core' ? '' : group
    let found: ResourceDefinition | undefined
    for (const { name: served, versions } of catalogue.groups()) {
      if (served !== name) continue
      for (const version of versions) {
        const definition = catalogue.get(name, version, resource)
        if (definition && (!found || definition.version === definition.storage.version)) found = definition
      }
    }
    return found
  }

  #ownedBy(uid: string): Set<string> {
    let keys = this.#dependents.get(uid)
    if (!keys) this.#dependents.set(uid, (keys = new Set()))
    return keys
  }

  #forget(key: string, uids: readonly string[] | undefined): void {
    for (const uid of uids ?? []) {
      const keys = this.#dependents.get(uid)
      keys?.delete(key)
      if (keys?.size === 0) this.#dependents.delete(uid)
    }
    this.#owners.delete(key)
  }
}

function isForeground({ metadata }: KubeObject): boolean {
  return metadata.deletionTimestamp !== undefined && metadata.finalizers?.includes(FOREGROUND) === true
}

/** Takes references to these owners away. */
function without(owners: ReadonlySet<string>): (object: KubeObject) => KubeObject {
  return (current) => {
    const { ownerReferences = [], ...metadata } = current.metadata
    const left = ownerReferences.filter(({ uid }) => !owners.has(uid))
    return { ...current, metadata: left.length > 0 ? { ...metadata, ownerReferences: left } : metadata }
  }
}

function unblocking(current: KubeObject): KubeObject {
  const ownerReferences = (current.metadata.ownerReferences ?? []).map((each) => ({
    ...each,
    blockOwnerDeletion: false,
  }))
  return { ...current, metadata: { ...current.metadata, ownerReferences } }
}
