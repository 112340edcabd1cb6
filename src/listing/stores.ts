/**
 * The caches behind the kinds: one informer per kind, on the first version of it that the cluster serves, started
 * by the first request that needs it.
 */
import { setMaxListeners } from 'node:events'
import { unavailable } from '../apimachinery/errors/index.js'
import { type Informer, type InformerSet } from '../client/cache/interface.js'
import { type AnyKind, type KindDefinition, type Stores } from './kind.js'
import { kinds } from './kinds/index.js'

export interface StoresDeps {
  informers: InformerSet
  /** Whether the API serves this version of the resource, as far as discovery knows. */
  serves(resource: { group: string; version: string; resource: string }): boolean
  now(): Date
}

/** What answers of a kind are made from, besides its own cache. */
const ALSO_NEEDED: Readonly<Record<string, readonly string[]>> = {
  nodes: ['pods'],
  pods: ['services'],
  persistentvolumeclaims: ['pods'],
  storageclasses: ['persistentvolumeclaims'],
  users: ['rolebindings', 'workspacerolebindings', 'clusterrolebindings', 'globalrolebindings'],
  ippools: ['namespaces'],
}

/** Longest wait of a request for the first list of a kind. */
const FIRST_LIST_MS = 10_000

export class KindStores implements Stores {
  readonly #deps: StoresDeps
  readonly #definitions = new Map(kinds.map((kind) => [kind.resource, kind]))

  constructor(deps: StoresDeps) {
    this.#deps = deps
  }

  now(): Date {
    return this.#deps.now()
  }

  of<Fields>(kind: KindDefinition<Fields>): Informer<Fields>['store'] {
    return this.#informer(kind as unknown as AnyKind).store
  }

  /**
   * Waits until the kind, and what its answers are decorated from, is there to be read.
   * @param client a signal, or what has one: it is only made when there is something to wait for
   * @throws StatusError 503 when the first list does not come
   */
  async ready(
    resources: readonly string[],
    client: AbortSignal | { readonly signal: AbortSignal },
  ): Promise<void> {
    if (resources.every((resource) => this.#isReady(resource))) return
    const needed = resources.flatMap((resource) => [resource, ...(ALSO_NEEDED[resource] ?? [])])
    const waiting = needed.flatMap((resource) => {
      const kind = this.#definitions.get(resource)
      const informer = kind && this.#informer(kind)
      return informer && !informer.synced ? [{ resource, informer }] : []
    })
    if (waiting.length === 0) return
    const signal = client instanceof AbortSignal ? client : client.signal
    const limit = AbortSignal.any([signal, AbortSignal.timeout(FIRST_LIST_MS)])
    setMaxListeners(waiting.length, limit)
    await Promise.all(
      waiting.map(async ({ resource, informer }) => {
        try {
          await informer.whenSynced(limit)
        } catch (error) {
          signal.throwIfAborted()
          throw unavailable(`the cache of ${resource} is not filled yet`, { cause: error })
        }
      }),
    )
  }

  /** Most of the time; found without making anything. */
  #isReady(resource: string): boolean {
    const kind = this.#definitions.get(resource)
    if (kind !== undefined && !this.#informer(kind).synced) return false
    return ALSO_NEEDED[resource]?.every((needed) => this.#isReady(needed)) ?? true
  }

  /** Starts all informers, so that first requests find them filled. */
  start(): void {
    for (const kind of kinds) this.#informer(kind)
  }

  /** Each kind shares one cache, whichever definition asks for it. */
  #informer(asked: AnyKind): Informer<never> {
    const kind = this.#definitions.get(asked.resource) ?? asked
    const { group, resource, versions } = kind
    const version =
      versions.find((candidate) => this.#deps.serves({ group, version: candidate, resource })) ??
      versions[0] ??
      ''
    return this.#deps.informers.informer<never>({ group, version, resource }, kind.cache)
  }
}
