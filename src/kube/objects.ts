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
  key: string
  /** Undefined: it is gone. */
  object: KubeObject | undefined
  /** Undefined: it is new. */
  previous: KubeObject | undefined
}

export class Objects {
  constructor(readonly storage: Storage) {}

  get<T = KubeObject>(group: string, resource: string, namespace: string, name: string): T | undefined {
    const prefix = prefixOf(group, resource)
    const entry = this.storage.get(namespace === '' ? `${prefix}/${name}` : `${prefix}/${namespace}/${name}`)
    return entry && (parse(entry.value) as T)
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
      listener({
        key: event.key,
        object: event.type === 'put' ? parse(event.value) : undefined,
        previous: event.previous && parse(event.previous.value),
      })
    })
  }

  /** Calls `listener` after each change below a prefix from now on. @returns stop */
  onChange(prefix: string, listener: () => void): () => void {
    const watch = this.storage.watch(prefix, this.storage.revision, { events: listener, ended() {} })
    return () => watch.close()
  }

  /** The same as events of the storage; what is there already comes as puts without `previous`. */
  followEntries(prefix: string, listener: (event: StorageEvent) => void): () => void {
    const { items, revision } = this.storage.list(prefix)
    for (const { key, value, modRevision } of items) {
      listener({ type: 'put', revision: modRevision, key, value })
    }
    const watch = this.storage.watch(prefix, revision, {
      events: (events) => events.forEach(listener),
      ended() {},
    })
    return () => watch.close()
  }
}
