/**
 * Stored objects for code that runs inside the server: admission, authorization, controllers.
 *
 * Reads see what is durable, at once and without a request; objects come in their storage version, parsed
 * anew for each call, so the caller owns them.
 */
import { type KubeObject } from '../apimachinery/meta/types.js'
import { parse } from './registry/served.js'
import { type KeyValue, type Storage, type StorageEvent } from './storage/interface.js'

/** `/registry/<group>/<resource>`; the core group is `core`. */
export function prefixOf(group: string, resource: string): string {
  return `/registry/${group === '' ? 'core' : group}/${resource}`
}

export interface ObjectChange {
  readonly key: string
  /** Undefined: it is gone. */
  readonly object: KubeObject | undefined
  /** Undefined: it is new. */
  readonly previous: KubeObject | undefined
}

/** Most listeners look at one of the two objects only. */
class ParsedChange implements ObjectChange {
  readonly key: string
  readonly #event: StorageEvent
  #object: KubeObject | undefined
  #previous: KubeObject | undefined

  constructor(event: StorageEvent) {
    this.key = event.key
    this.#event = event
  }

  get object(): KubeObject | undefined {
    if (this.#event.type === 'delete') return undefined
    return (this.#object ??= parse(this.#event.value))
  }

  get previous(): KubeObject | undefined {
    const { previous } = this.#event
    return previous && (this.#previous ??= parse(previous.value))
  }
}

/** So many objects are kept parsed for `shared`. */
const SHARED = 256

export class Objects {
  readonly #shared = new Map<string, { revision: number; object: KubeObject }>()
  readonly #lists = new Map<string, Map<string, KubeObject[]>>()

  constructor(readonly storage: Storage) {}

  get<T = KubeObject>(group: string, resource: string, namespace: string, name: string): T | undefined {
    const prefix = prefixOf(group, resource)
    const entry = this.storage.get(namespace === '' ? `${prefix}/${name}` : `${prefix}/${namespace}/${name}`)
    return entry && (parse(entry.value) as T)
  }

  /** The same, shared with all who ask: never to be changed. For what every other request asks for. */
  shared<T = KubeObject>(
    group: string,
    resource: string,
    namespace: string,
    name: string,
  ): Readonly<T> | undefined {
    const prefix = prefixOf(group, resource)
    const key = namespace === '' ? `${prefix}/${name}` : `${prefix}/${namespace}/${name}`
    const entry = this.storage.get(key)
    const known = this.#shared.get(key)
    if (entry && known?.revision === entry.modRevision) return known.object as T
    this.#shared.delete(key)
    if (!entry) return undefined
    const object = parse(entry.value)
    const [oldest] = this.#shared.keys()
    if (this.#shared.size >= SHARED && oldest !== undefined) this.#shared.delete(oldest)
    this.#shared.set(key, { revision: entry.modRevision, object })
    return object as T
  }

  /** All of a resource in a namespace, shared likewise. For resources of which there are few, and which seldom change. */
  sharedList<T = KubeObject>(group: string, resource: string, namespace = ''): readonly Readonly<T>[] {
    const prefix = `${prefixOf(group, resource)}/`
    let lists = this.#lists.get(prefix)
    if (!lists) {
      const made = (lists = new Map<string, KubeObject[]>())
      this.storage.watch(prefix, this.storage.revision, {
        events: () => made.clear(),
        ended: () => this.#lists.delete(prefix),
      })
      this.#lists.set(prefix, lists)
    }
    let list = lists.get(namespace)
    if (!list) {
      if (lists.size >= SHARED) lists.clear()
      lists.set(namespace, (list = this.list(group, resource, namespace)))
    }
    return list as unknown as readonly T[]
  }

  list<T = KubeObject>(group: string, resource: string, namespace = ''): T[] {
    return this.entries(group, resource, namespace).map(({ value }) => parse(value) as T)
  }

  /** The same as bytes. */
  entries(group: string, resource: string, namespace = ''): KeyValue[] {
    const prefix = prefixOf(group, resource)
    return this.storage.list(namespace === '' ? `${prefix}/` : `${prefix}/${namespace}/`).items
  }

  /**
   * Calls `listener` for each object there is, then for each change, synchronously and in order.
   *
   * @returns stop
   */
  follow(group: string, resource: string, listener: (change: ObjectChange) => void): () => void {
    const prefix = `${prefixOf(group, resource)}/`
    return this.followEntries(prefix, (event) => {
      listener(new ParsedChange(event))
    })
  }

  /** Calls `listener` after each change below a prefix from now on. @returns stop */
  onChange(prefix: string, listener: () => void): () => void {
    const watch = this.storage.watch(prefix, this.storage.revision, { events: listener, ended() {} })
    return () => watch.close()
  }

  /** The same as events of the storage; what is there already comes as puts without `previous`. */
  followEntries(prefix: string, listener: (event: StorageEvent) => void): () => void {
    for (const { key, value, modRevision } of this.storage.list(prefix).items) {
      listener({ type: 'put', revision: modRevision, key, value })
    }
    return this.followNews(prefix, listener)
  }

  /** The same, from now on. */
  followNews(prefix: string, listener: (event: StorageEvent) => void): () => void {
    const watch = this.storage.watch(prefix, this.storage.revision, {
      events: (events) => events.forEach(listener),
      ended() {},
    })
    return () => watch.close()
  }
}
