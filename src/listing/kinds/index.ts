/** The tables: which kinds there are, and which path finds which (resources.md §3.2-3.4, §3.6). */
import { type AnyKind } from '../kind.js'
import { clusterKinds } from './cluster.js'
import { fallbackKinds } from './fallback.js'
import { federatedKinds } from './federated.js'
import { iamKinds } from './iam.js'
import { nodes } from './nodes.js'
import { notificationKinds, plainKinds } from './plain.js'
import { pods } from './pods.js'
import { storageKinds } from './storage.js'
import { workloadKinds } from './workloads.js'

export const kinds: readonly AnyKind[] = [
  ...plainKinds,
  ...workloadKinds,
  pods,
  ...storageKinds,
  nodes,
  ...clusterKinds,
  ...iamKinds,
  ...federatedKinds,
  ...notificationKinds,
  ...fallbackKinds,
]

const byResource = new Map(kinds.map((kind) => [kind.resource, kind]))

/**
 * The kind a path names. A path with a namespace finds namespaced kinds only.
 * Group and version are not part of these paths: kinds are found by their plural alone.
 */
export function findKind(resource: string, namespaced: boolean): AnyKind | undefined {
  const found = byResource.get(resource)
  return found && (!namespaced || found.namespaced) ? found : undefined
}
