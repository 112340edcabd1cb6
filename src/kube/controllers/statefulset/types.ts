/** StatefulSets as the controller sees them, and the identity of their pods. */
import { type KubeObject } from '../../../apimachinery/meta/types.js'
import {
  type PersistentVolumeClaim,
  type Pod,
  type PodTemplateSpec,
  type Workload,
} from '../../builtin/types.js'
import { podOf } from '../pods/create.js'
import { type TimedCondition } from '../pods/state.js'
import { REVISION_HASH } from '../revisions/history.js'

export interface StatefulSetStatus {
  observedGeneration?: number
  replicas?: number
  readyReplicas?: number
  currentReplicas?: number
  updatedReplicas?: number
  currentRevision?: string
  updateRevision?: string
  collisionCount?: number
  conditions?: TimedCondition[]
}

export interface StatefulSet extends KubeObject {
  spec: Workload['spec'] & {
    serviceName: string
    podManagementPolicy?: string
    updateStrategy: { type?: string; rollingUpdate?: { partition?: number } }
    volumeClaimTemplates?: PersistentVolumeClaim[]
  }
  status: StatefulSetStatus
}

export const POD_NAME = 'statefulset.kubernetes.io/pod-name'

/** @returns undefined when the name is none of the set's */
export function ordinalOf(set: Readonly<StatefulSet>, pod: Readonly<KubeObject>): number | undefined {
  const prefix = `${set.metadata.name ?? ''}-`
  const { name = '' } = pod.metadata
  const rest = name.slice(prefix.length)
  return name.startsWith(prefix) && /^\d+$/.test(rest) ? Number(rest) : undefined
}

export function claimNameOf(
  set: Readonly<StatefulSet>,
  template: Readonly<KubeObject>,
  ordinal: number,
): string {
  return `${template.metadata.name ?? ''}-${set.metadata.name ?? ''}-${ordinal}`
}

export function podAt(
  set: Readonly<StatefulSet>,
  template: Readonly<PodTemplateSpec>,
  revision: string,
  ordinal: number,
): Pod {
  const name = `${set.metadata.name ?? ''}-${ordinal}`
  const pod = podOf(template, set, { name, labels: { [POD_NAME]: name, [REVISION_HASH]: revision } })
  pod.spec.hostname = name
  if (set.spec.serviceName) pod.spec.subdomain = set.spec.serviceName
  const claims = set.spec.volumeClaimTemplates ?? []
  const others = (pod.spec.volumes ?? []).filter((volume) =>
    claims.every(({ metadata }) => metadata.name !== volume.name),
  )
  const own = claims.map((claim) => ({
    name: claim.metadata.name ?? '',
    persistentVolumeClaim: { claimName: claimNameOf(set, claim, ordinal) },
  }))
  if (own.length + others.length > 0) pod.spec.volumes = [...own, ...others]
  return pod
}

export function claimAt(
  set: Readonly<StatefulSet>,
  template: Readonly<PersistentVolumeClaim>,
  ordinal: number,
): PersistentVolumeClaim {
  const { labels, annotations } = template.metadata
  return {
    metadata: {
      name: claimNameOf(set, template, ordinal),
      namespace: set.metadata.namespace ?? '',
      labels: { ...labels, ...set.spec.selector?.matchLabels },
      ...(annotations && { annotations: { ...annotations } }),
    },
    spec: structuredClone(template.spec),
    status: {},
  }
}
