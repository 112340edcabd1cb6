/** The objects that quotas count, from caches that start when a quota first counts their kind. */
import { type KubeObject } from '../../apimachinery/meta/types.js'
import { type Change, type Informer, type InformerSet } from '../../client/cache/interface.js'
import { type Discovery } from '../../client/discovery.js'
import { type GroupResource } from './objects.js'
import { type ObjectsIn } from './usage.js'

export interface CountedObjectsDeps {
  informers: InformerSet
  /** Quotas do not say of which version their objects are. */
  discovery: Pick<Discovery, 'resourceNamed'>
  /** Told of every change of an object that is counted. */
  onChange?: (type: GroupResource, informer: Informer, change: Change) => void
}

/** Pods are asked for by every other quota: their version is known. */
const KNOWN: Readonly<Record<string, string>> = {
  'pods.': 'v1',
  'services.': 'v1',
  'persistentvolumeclaims.': 'v1',
}

const keyOf = ({ group, resource }: GroupResource): string => `${resource}.${group}`

export class CountedObjects {
  readonly #caches = new Map<string, Informer>()

  constructor(private readonly deps: CountedObjectsDeps) {}

  /** Settles when `in` answers for these; kinds that are not served have no objects. */
  async ready(types: Iterable<GroupResource>, signal: AbortSignal): Promise<void> {
    for (const type of types) {
      const cache = this.#caches.get(keyOf(type)) ?? (await this.#start(type))
      await cache?.whenSynced(signal)
    }
  }

  readonly in: ObjectsIn = (type, namespace) => objectsIn(this.#caches.get(keyOf(type)), namespace)

  /** Whether the cache has the object. */
  has(type: GroupResource, namespace: string, name: string): boolean {
    return this.#caches.get(keyOf(type))?.store.get(namespace, name) !== undefined
  }

  async #start(type: GroupResource): Promise<Informer | undefined> {
    const version = KNOWN[keyOf(type)] ?? (await this.deps.discovery.resourceNamed(type))?.version
    if (version === undefined) return undefined
    const started = this.#caches.get(keyOf(type)) // By somebody else, meanwhile.
    if (started) return started
    const cache = this.deps.informers.informer({ ...type, version })
    this.#caches.set(keyOf(type), cache)
    const { onChange } = this.deps
    if (onChange) cache.onChange((change) => onChange(type, cache, change))
    return cache
  }
}

function* objectsIn(cache: Informer | undefined, namespace: string): Iterable<Readonly<KubeObject>> {
  for (const cached of cache?.store.byName(namespace) ?? []) yield (cache as Informer).store.object(cached)
}
