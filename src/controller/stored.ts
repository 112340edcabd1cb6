/** What a reconciler needs of one resource: to read it from the cache and to write it, guarded. */
import { isNotFound } from '../apimachinery/errors/index.js'
import { type KubeObject } from '../apimachinery/meta/types.js'
import { type CachedResource } from '../client/cachedresource.js'
import { type Commit, committer } from './commit.js'

export interface Stored<T extends KubeObject> {
  /** Shared: clone before changing. Without `kind` and `apiVersion`. */
  get(name: string, namespace?: string): Readonly<T> | undefined
  /** Of all namespaces, or of one. */
  list(namespace?: string): Iterable<Readonly<T>>
  labelled(key: string, value: string): Iterable<Readonly<T>>
  /** @throws StatusError 409 when it is there already */
  create(object: T, signal: AbortSignal): Promise<void>
  commit: Commit<T>
  /** This very object; that it is gone already is fine. */
  delete(object: Readonly<T>, signal: AbortSignal, propagationPolicy?: 'Background' | 'Orphan'): Promise<void>
}

/** Writes settle when the cache has them. */
export function storedIn<T extends KubeObject>(resource: CachedResource<T>): Stored<T> {
  return {
    get: (name, namespace) => resource.get(name, namespace),
    list: (namespace) => resource.list(namespace),
    labelled: (key, value) => resource.labelled(key, value),
    async create(object, signal) {
      await resource.create(object, { signal })
    },
    commit: committer(resource),
    async delete({ metadata: { name = '', namespace = '', uid } }, signal, propagationPolicy = 'Background') {
      try {
        await resource.delete(name, {
          namespace,
          signal,
          propagationPolicy,
          ...(uid !== undefined && { preconditions: { uid } }),
        })
      } catch (error) {
        if (!isNotFound(error)) throw error
      }
    },
  }
}
