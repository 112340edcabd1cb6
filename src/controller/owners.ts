/** Finalizers and owner references of an object, changed on a copy: what comes from a cache is shared. */
import { apiVersionOf, type KubeObject, type OwnerReference } from '../apimachinery/meta/types.js'

/** The object itself when it has the finalizer. */
export function withFinalizer<T extends KubeObject>(object: Readonly<T>, finalizer: string): T {
  const { finalizers = [] } = object.metadata
  if (finalizers.includes(finalizer)) return object
  return { ...object, metadata: { ...object.metadata, finalizers: [...finalizers, finalizer] } }
}

/** The object itself when it has none of them. */
export function withoutFinalizers<T extends KubeObject>(object: Readonly<T>, ...gone: string[]): T {
  const { finalizers = [] } = object.metadata
  const left = finalizers.filter((finalizer) => !gone.includes(finalizer))
  return left.length === finalizers.length
    ? object
    : { ...object, metadata: { ...object.metadata, finalizers: left } }
}

/**
 * A controller reference. What comes from a cache does not say its kind.
 *
 * @param type as of the `CachedResource` the owner was read from
 */
export function controllerOwner(
  type: { group: string; version: string; kind: string },
  { metadata: { name = '', uid = '' } }: Readonly<KubeObject>,
): OwnerReference {
  return {
    apiVersion: apiVersionOf(type),
    kind: type.kind,
    name,
    uid,
    controller: true,
    blockOwnerDeletion: true,
  }
}

/**
 * Makes `owner` the object's controller, in place of owners of the kinds in `instead`. The object itself when it is
 * owned that way already, or when a controller of yet another kind has it: two cannot control one object.
 */
export function withController<T extends KubeObject>(
  object: Readonly<T>,
  owner: OwnerReference,
  instead: readonly string[] = [owner.kind],
): T {
  const { ownerReferences = [] } = object.metadata
  const others = ownerReferences.filter(({ kind }) => !instead.includes(kind))
  if (others.some(({ controller }) => controller)) return object
  const replaced = ownerReferences.filter(({ kind }) => instead.includes(kind))
  const [only] = replaced
  const isSet = only?.uid === owner.uid && only.kind === owner.kind && only.controller === true
  if (replaced.length === 1 && isSet) return object
  return { ...object, metadata: { ...object.metadata, ownerReferences: [...others, owner] } }
}

/** The object itself when no owner is of that kind. */
export function withoutOwners<T extends KubeObject>(object: Readonly<T>, kind: string): T {
  const { ownerReferences = [] } = object.metadata
  const left = ownerReferences.filter((owner) => owner.kind !== kind)
  return left.length === ownerReferences.length
    ? object
    : { ...object, metadata: { ...object.metadata, ownerReferences: left } }
}
