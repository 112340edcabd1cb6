/** Deployments and their ReplicaSets as the controller sees them. */
import { type KubeObject } from '../../../apimachinery/meta/types.js'
import { type IntOrString, type Workload } from '../../builtin/types.js'
import { shareOf } from '../intorpercent.js'
import { type TimedCondition } from '../pods/state.js'
import { type ReplicaOwner } from '../replicaset/replicas.reconciler.js'

export type ReplicaSet = ReplicaOwner

export interface DeploymentStatus {
  observedGeneration?: number
  replicas?: number
  updatedReplicas?: number
  readyReplicas?: number
  availableReplicas?: number
  unavailableReplicas?: number
  collisionCount?: number
  conditions?: TimedCondition[]
}

export interface Deployment extends KubeObject {
  spec: Workload['spec'] & {
    strategy: { type?: string; rollingUpdate?: { maxUnavailable?: IntOrString; maxSurge?: IntOrString } }
    paused?: boolean
    progressDeadlineSeconds?: number
  }
  status: DeploymentStatus
}

export const REVISION = 'deployment.kubernetes.io/revision'
export const REVISION_HISTORY = 'deployment.kubernetes.io/revision-history'
export const DESIRED_REPLICAS = 'deployment.kubernetes.io/desired-replicas'
export const MAX_REPLICAS = 'deployment.kubernetes.io/max-replicas'
export const TEMPLATE_HASH = 'pod-template-hash'
/** Written where no limit is meant. */
export const NO_LIMIT = 2147483647

export const wantedReplicas = ({ spec }: { readonly spec: { replicas?: number } }): number =>
  spec.replicas ?? 1

export function maxSurge({ spec }: Readonly<Deployment>): number {
  return spec.strategy.type === 'RollingUpdate'
    ? shareOf(spec.strategy.rollingUpdate?.maxSurge, spec.replicas ?? 1, 'up')
    : 0
}

export function maxUnavailable({ spec }: Readonly<Deployment>): number {
  const replicas = spec.replicas ?? 1
  if (spec.strategy.type !== 'RollingUpdate' || replicas === 0) return 0
  const { rollingUpdate = {} } = spec.strategy
  const share = shareOf(rollingUpdate.maxUnavailable, replicas, 'down')
  // Both may round to nothing; then nothing could ever move.
  const least = share === 0 && shareOf(rollingUpdate.maxSurge, replicas, 'up') === 0 ? 1 : share
  return Math.min(least, replicas)
}

export function sum(
  sets: readonly Readonly<ReplicaSet>[],
  of: (set: Readonly<ReplicaSet>) => number | undefined,
): number {
  return sets.reduce((total, set) => total + (of(set) ?? 0), 0)
}
