/** What keeps an object that is to be deleted, and how its deletion is marked. */
import { type KubeObject } from '../../apimachinery/meta/types.js'
import { wireTime } from './clock.js'
import { type ResourceDefinition } from './strategy.js'

function isNamespace({ group, resource }: ResourceDefinition): boolean {
  return group === '' && resource === 'namespaces'
}

/** A Namespace is kept by `spec.finalizers` besides `metadata.finalizers`. */
function specFinalizers(definition: ResourceDefinition, object: Readonly<KubeObject>): readonly string[] {
  if (!isNamespace(definition)) return []
  return (object.spec as { finalizers?: string[] } | undefined)?.finalizers ?? []
}

/** True while finalizers keep the object. */
export function isHeld(definition: ResourceDefinition, object: Readonly<KubeObject>): boolean {
  return (object.metadata.finalizers?.length ?? 0) > 0 || specFinalizers(definition, object).length > 0
}

/** Marks the beginning of a deletion; `graceSeconds` from now it is due. */
export function markDeleted(
  definition: ResourceDefinition,
  object: KubeObject,
  now: number,
  graceSeconds: number,
): void {
  const { metadata } = object
  metadata.deletionTimestamp = wireTime(now + graceSeconds * 1000)
  if (isNamespace(definition)) {
    object.status = { ...(object.status as object | undefined), phase: 'Terminating' }
    return
  }
  metadata.deletionGracePeriodSeconds = graceSeconds
  if (metadata.generation) metadata.generation++
}

/** Whether a write that leaves `object` behind completes a deletion that only finalizers held up. */
export function completesDeletion(
  definition: ResourceDefinition,
  object: Readonly<KubeObject>,
  previous: Readonly<KubeObject>,
): boolean {
  if (!previous.metadata.deletionTimestamp || isHeld(definition, object)) return false
  if ((previous.metadata.deletionGracePeriodSeconds ?? 0) > 0) return false
  return isHeld(definition, previous)
}
