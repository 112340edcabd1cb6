/** What is asked of an object's metadata again and again. */
import { type KubeObject, type ObjectMeta, type OwnerReference } from './types.js'

/** `namespace/name`, or the name alone of a cluster-scoped object. */
export function objectKey({ metadata }: { readonly metadata: Readonly<ObjectMeta> }): string {
  const name = metadata.name ?? ''
  return metadata.namespace ? `${metadata.namespace}/${name}` : name
}

export function isDeleting(object: { readonly metadata: Readonly<ObjectMeta> }): boolean {
  return Boolean(object.metadata.deletionTimestamp)
}

export function hasFinalizer(object: Readonly<KubeObject>, finalizer: string): boolean {
  return object.metadata.finalizers?.includes(finalizer) ?? false
}

export function labelsOf(object: {
  readonly metadata?: Readonly<ObjectMeta>
}): Readonly<Record<string, string>> {
  return object.metadata?.labels ?? {}
}

export function annotationsOf(object: {
  readonly metadata?: Readonly<ObjectMeta>
}): Readonly<Record<string, string>> {
  return object.metadata?.annotations ?? {}
}

/** The owner that manages the object, if any; there is at most one. */
export function controllerOf(object: Readonly<KubeObject>): OwnerReference | undefined {
  return object.metadata.ownerReferences?.find((owner) => owner.controller === true)
}

/** Makes `owner` the controller of what will carry the reference. */
export function controllerReference(owner: Readonly<KubeObject>): OwnerReference {
  return {
    apiVersion: owner.apiVersion ?? '',
    kind: owner.kind ?? '',
    name: owner.metadata.name ?? '',
    uid: owner.metadata.uid ?? '',
    controller: true,
    blockOwnerDeletion: true,
  }
}
