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
const HOLDS = [Buffer.from(`"${FOREGROUND}"`), Buffer.from(`"${ORPHAN}"`)]
/** How long an owner waits before it looks again whether its dependents are gone. */
const HELD_MS = 300

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
      if (HOLDS.some((finalizer) => value.includes(finalizer))) enqueue({ namespace: '', name: key })
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
    const references = object.metadata.ownerReferences ?? []
    if (references.length === 0 || references.some((reference) => this.#isThere(reference, object))) return
    const { name = '', namespace = '', uid } = object.metadata
    await this.deps.writer.delete(
      definition,
      namespace,
      name,
      { propagationPolicy: 'Background', ...(uid !== undefined && { preconditions: { uid } }) },
      signal,
    )
  }

  /** True also for owners of kinds that are not served: nobody can say that they are gone. */
  #isThere({ apiVersion, kind, name, uid }: OwnerReference, { metadata }: KubeObject): boolean {
    const place = parseApiVersion(apiVersion)
    const definition = place && this.deps.catalogue.byKind(place.group, place.version, kind)
    if (!definition) return true
    // A namespaced owner is one of the same namespace.
    const namespace = definition.namespaced ? (metadata.namespace ?? '') : ''
    const { storage, resource } = definition
    return this.deps.objects.get(storage.group, resource, namespace, name)?.metadata.uid === uid
  }

  /** Dependents lose their reference and stay. */
  async #orphan(definition: ResourceDefinition, owner: KubeObject, signal: AbortSignal): Promise<void> {
    const uid = owner.metadata.uid ?? ''
    for (const key of [...(this.#dependents.get(uid) ?? [])]) {
      const entry = this.deps.objects.storage.get(key)
      const kind = this.#definitionOf(key)
      if (!entry || !kind) continue
      const { namespace = '', name = '' } = parse(entry.value).metadata
      const release = (current: KubeObject): KubeObject => {
        const left = (current.metadata.ownerReferences ?? []).filter((reference) => reference.uid !== uid)
        const { ownerReferences: _all, ...metadata } = current.metadata
        return { ...current, metadata: left.length > 0 ? { ...metadata, ownerReferences: left } : metadata }
      }
      await this.deps.writer.update(kind, namespace, name, release, { signal })
    }
    await this.#release(definition, owner, ORPHAN, signal)
  }

  /** Dependents go first; those that block the owner are waited for. */
  async #foreground(definition: ResourceDefinition, owner: KubeObject, signal: AbortSignal): Promise<Result> {
    const uid = owner.metadata.uid ?? ''
    let blocked = false
    for (const key of [...(this.#dependents.get(uid) ?? [])]) {
      const entry = this.deps.objects.storage.get(key)
      const kind = this.#definitionOf(key)
      if (!entry || !kind) continue
      const { metadata } = parse(entry.value)
      const reference = metadata.ownerReferences?.find((each) => each.uid === uid)
      const others = (metadata.ownerReferences ?? []).filter((each) => each.uid !== uid)
      if (others.some((each) => this.#isThere(each, { metadata }))) continue
      blocked ||= reference?.blockOwnerDeletion === true
      if (metadata.deletionTimestamp !== undefined) continue
      await this.deps.writer.delete(
        kind,
        metadata.namespace ?? '',
        metadata.name ?? '',
        {
          propagationPolicy: 'Foreground',
          ...(metadata.uid !== undefined && { preconditions: { uid: metadata.uid } }),
        },
        signal,
      )
    }
    if (blocked) return { requeueAfter: HELD_MS }
    await this.#release(definition, owner, FOREGROUND, signal)
  }

  async #release(
    definition: ResourceDefinition,
    { metadata }: KubeObject,
    finalizer: string,
    signal: AbortSignal,
  ): Promise<void> {
    const without = (current: KubeObject): KubeObject => ({
      ...current,
      metadata: {
        ...current.metadata,
        finalizers: (current.metadata.finalizers ?? []).filter((each) => each !== finalizer),
      },
    })
    await this.deps.writer.update(definition, metadata.namespace ?? '', metadata.name ?? '', without, {
      signal,
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
