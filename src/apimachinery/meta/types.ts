/** The shapes every Kubernetes object shares, and how resources are named. */

export interface OwnerReference {
  apiVersion: string
  kind: string
  name: string
  uid: string
  controller?: boolean
  blockOwnerDeletion?: boolean
}

export interface ManagedFieldsEntry {
  manager?: string
  operation?: 'Apply' | 'Update'
  apiVersion?: string
  time?: string
  fieldsType?: 'FieldsV1'
  fieldsV1?: Record<string, unknown>
  subresource?: string
}

/** Times are RFC 3339 UTC with whole seconds, as on the wire. */
export interface ObjectMeta {
  name?: string
  generateName?: string
  namespace?: string
  selfLink?: string
  uid?: string
  resourceVersion?: string
  generation?: number
  creationTimestamp?: string | null
  deletionTimestamp?: string
  deletionGracePeriodSeconds?: number
  labels?: Record<string, string>
  annotations?: Record<string, string>
  ownerReferences?: OwnerReference[]
  finalizers?: string[]
  managedFields?: ManagedFieldsEntry[]
}

/** Any object of the API; `metadata` is there once a server has seen it. */
export interface KubeObject {
  apiVersion?: string
  kind?: string
  metadata: ObjectMeta
  [field: string]: unknown
}

export interface ListMeta {
  resourceVersion?: string
  continue?: string
  remainingItemCount?: number
}

export interface KubeList<T = KubeObject> {
  apiVersion?: string
  kind?: string
  metadata: ListMeta
  items: T[]
}

export interface GroupVersion {
  group: string
  version: string
}

export interface GroupVersionKind extends GroupVersion {
  kind: string
}

/** `resource` is plural and lower case. */
export interface GroupVersionResource extends GroupVersion {
  resource: string
}

/** `v1`, `apps/v1`. */
export function apiVersionOf({ group, version }: GroupVersion): string {
  return group === '' ? version : `${group}/${version}`
}

/** @returns undefined when the text has more than one slash or an empty version */
export function parseApiVersion(text: string): GroupVersion | undefined {
  const parts = text.split('/')
  if (parts.length === 1 && parts[0]) return { group: '', version: parts[0] }
  if (parts.length === 2 && parts[0] && parts[1]) return { group: parts[0], version: parts[1] }
  return undefined
}

/** Who a request comes from. `extra` values are lists of strings, as in authentication.k8s.io. */
export interface UserInfo {
  name: string
  uid?: string
  groups: readonly string[]
  extra?: Readonly<Record<string, readonly string[]>>
}

export const ANONYMOUS: UserInfo = { name: 'system:anonymous', groups: ['system:unauthenticated'] }
