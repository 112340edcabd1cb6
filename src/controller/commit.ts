/**
 * How a reconciler writes an object that it has read: as a merge patch of what it changed, which fails when somebody
 * else has changed the object since.
 */
import { createMergePatch } from '../apimachinery/patch/index.js'
import { type KubeObject } from '../apimachinery/meta/types.js'
import { type CachedResource } from '../client/cachedresource.js'

/**
 * Sends what differs between the two, nothing when nothing does. Settles when the cache has it.
 *
 * @returns whether something was written
 * @throws StatusError 409 when `before` is no longer what is stored, 404 when it is gone
 */
export type Commit<T extends KubeObject> = (
  before: Readonly<T>,
  after: Readonly<T>,
  signal: AbortSignal,
) => Promise<boolean>

export function committer<T extends KubeObject>(resource: CachedResource<T>): Commit<T> {
  return async (before, after, signal) => {
    const changes = createMergePatch(before, after)
    if (changes === undefined) return false
    const { name = '', namespace = '', uid, resourceVersion } = before.metadata
    const patch = { ...changes, metadata: { ...(changes.metadata as object), uid, resourceVersion } }
    await resource.patch(name, 'merge', patch, { namespace, signal })
    return true
  }
}
