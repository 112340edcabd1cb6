/**
 * One resource: read from the cache, written to the API.
 *
 * A write settles when the cache has it too, so that whoever writes and then reads sees the write. A cache that
 * is behind holds nobody up for long: the write has happened either way.
 */
import { isNotFound, notFound } from '../apimachinery/errors/index.js'
import { type GroupVersionResource, type KubeObject } from '../apimachinery/meta/types.js'
import { type CachedObject, type Informer, type InformerSet } from './cache/interface.js'
import { gate, type Gate } from './gate.js'
import {
  canBeName,
  type DeleteCallOptions,
  type PatchType,
  type ResourceClient,
  type RestClient,
  type WriteCallOptions,
} from './rest.js'

/** How long a write waits for the cache. */
const PATIENCE_MS = 1_000

export interface CachedResourceType extends GroupVersionResource {
  kind: string
  /** As error messages name it; default: the plural. */
  singular?: string
}

export class CachedResource<T extends KubeObject> {
  readonly informer: Informer<never>
  readonly client: ResourceClient<T>
  /** To be awaited before reading. */
  readonly pending: Gate

  constructor(
    readonly type: CachedResourceType,
    informers: InformerSet,
    client: RestClient,
  ) {
    this.informer = informers.informer<never>(type)
    this.client = client.resource<T>(type)
    this.pending = gate([this.informer], type.resource)
  }

  /** Shared: clone before changing. Without `kind` and `apiVersion`. */
  get(name: string, namespace = ''): Readonly<T> | undefined {
    const cached = this.informer.store.get(namespace, name)
    return cached && this.object(cached)
  }

  /** @throws StatusError 404 */
  require(name: string, namespace = ''): Readonly<T> {
    const found = this.get(name, namespace)
    if (found === undefined) throw this.missing(name)
    return found
  }

  /**
   * The object also when it is so new that the cache has yet to hear of it: of what the cache misses, the API is
   * asked. Whoever was answered that an object is there may name it in the next request.
   */
  async find(name: string, namespace = '', signal?: AbortSignal): Promise<Readonly<T> | undefined> {
    const cached = this.get(name, namespace)
    if (cached !== undefined || !canBeName(name)) return cached
    try {
      const live = await this.client.get(name, { namespace, ...(signal && { signal }) })
      await this.#seen(live, { ...(signal && { signal }) })
    } catch (error) {
      if (!isNotFound(error)) throw error
    }
    return this.get(name, namespace)
  }

  missing(name: string): Error {
    return notFound({ group: this.type.group, resource: this.type.singular ?? this.type.resource }, name)
  }

  object(cached: CachedObject<never>): Readonly<T> {
    return this.informer.store.object<T>(cached)
  }

  /** Of all namespaces, or of one, by name. */
  *list(namespace?: string): Iterable<Readonly<T>> {
    for (const cached of this.informer.store.byName(namespace)) yield this.object(cached)
  }

  /** Those with the label, through an index. */
  *labelled(key: string, value: string): Iterable<Readonly<T>> {
    for (const cached of this.informer.store.byLabel(key, value)) yield this.object(cached)
  }

  async create(object: T, options: WriteCallOptions = {}): Promise<T> {
    return this.#seen(await this.client.create(object, options), options)
  }

  async update(object: T, options: WriteCallOptions = {}): Promise<T> {
    return this.#seen(await this.client.update(object, options), options)
  }

  async patch(name: string, type: PatchType, patch: unknown, options: WriteCallOptions = {}): Promise<T> {
    return this.#seen(await this.client.patch(name, type, patch, options), options)
  }

  /** @throws StatusError 404 when it is gone already */
  async delete(name: string, options: DeleteCallOptions = {}): Promise<void> {
    const { namespace = '' } = options
    await this.client.delete(name, options)
    if (options.dryRun) return
    const { store } = this.informer
    await this.#until(() => {
      const cached = store.get(namespace, name)
      return cached === undefined || store.object(cached).metadata.deletionTimestamp !== undefined
    }, options.signal)
  }

  async #seen(written: T, { dryRun, signal }: WriteCallOptions): Promise<T> {
    if (dryRun) return written
    const { name = '', namespace = '', resourceVersion = '', uid, deletionTimestamp } = written.metadata
    const { store } = this.informer
    await this.#until(() => {
      const cached = store.get(namespace, name)
      // A write that takes away the last finalizer is seen by the object being gone.
      if (cached?.uid !== uid) return deletionTimestamp !== undefined
      return !isOlder(cached?.resourceVersion ?? '', resourceVersion)
    }, signal)
    return written
  }

  #until(isThere: () => boolean, signal: AbortSignal | undefined): Promise<void> {
    if (isThere() || signal?.aborted) return Promise.resolve()
    return new Promise((resolve) => {
      const finish = (): void => {
        clearTimeout(timer)
        unsubscribe()
        signal?.removeEventListener('abort', finish)
        resolve()
      }
      const unsubscribe = this.informer.onChange(() => {
        if (isThere()) finish()
      })
      const timer = setTimeout(finish, PATIENCE_MS)
      signal?.addEventListener('abort', finish, { once: true })
    })
  }
}

/** Versions are opaque by contract and numbers in fact; others only count when equal. */
function isOlder(version: string, than: string): boolean {
  if (version === than) return false
  const [a, b] = [Number(version), Number(than)]
  return !(Number.isSafeInteger(a) && Number.isSafeInteger(b) && a > b)
}
