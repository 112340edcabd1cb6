/** Which dependents belong to an owner: it adopts what its selector picks, and lets go of what it no longer picks. */
import { type Selector } from '../../../apimachinery/labels/index.js'
import { controllerOf, controllerReference } from '../../../apimachinery/meta/accessors.js'
import { type KubeObject } from '../../../apimachinery/meta/types.js'
import { type Stored } from '../stored.js'
import { isEnding } from './state.js'

/**
 * @param mayAdopt what may be taken besides what the selector picks
 * @returns what the owner owns, as stored now
 */
export async function claim<T extends KubeObject>(
  stored: Stored<T>,
  owner: Readonly<KubeObject>,
  selector: Selector,
  signal: AbortSignal,
  mayAdopt: (object: Readonly<T>) => boolean = () => true,
): Promise<Readonly<T>[]> {
  const { namespace = '', uid = '' } = owner.metadata
  const owned: Readonly<T>[] = []
  for (const object of [...stored.collection.ownedBy(uid)]) {
    if (selector.matches(object.metadata.labels)) owned.push(object)
    else if (!isEnding(owner)) await release(stored, object, uid, signal)
  }
  if (isEnding(owner)) return owned
  const orphans = stored.collection.orphans(namespace)
  if (orphans.size === 0) return owned
  for (const object of [...orphans]) {
    if (isEnding(object) || !selector.matches(object.metadata.labels) || !mayAdopt(object)) continue
    const adopted = await stored.update(
      object,
      (current) => {
        if (controllerOf(current)) return
        const { ownerReferences = [] } = current.metadata
        current.metadata.ownerReferences = [...ownerReferences, controllerReference(owner)]
      },
      signal,
    )
    if (adopted && controllerOf(adopted)?.uid === uid) owned.push(adopted)
  }
  return owned
}

async function release<T extends KubeObject>(
  stored: Stored<T>,
  object: Readonly<T>,
  uid: string,
  signal: AbortSignal,
): Promise<void> {
  await stored.update(
    object,
    ({ metadata }) => {
      const left = (metadata.ownerReferences ?? []).filter((reference) => reference.uid !== uid)
      if (left.length > 0) metadata.ownerReferences = left
      else delete metadata.ownerReferences
    },
    signal,
  )
}
