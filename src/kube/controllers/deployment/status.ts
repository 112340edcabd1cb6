/** The status of a Deployment: counts, and the conditions by which `kubectl rollout status` judges it. */
import { wireTime } from '../../registry/clock.js'
import { conditionOf, type TimedCondition } from '../pods/state.js'
import { type Sets } from './revisions.js'
import {
  type Deployment,
  type DeploymentStatus,
  maxUnavailable,
  NO_LIMIT,
  sum,
  wantedReplicas,
} from './types.js'

export const DONE = 'NewReplicaSetAvailable'
const TIMED_OUT = 'ProgressDeadlineExceeded'

type Conditions = readonly TimedCondition[] | undefined

/** The time of transition moves with the status only; one of the same status and reason stays as it is. */
export function put(
  conditions: Conditions,
  now: number,
  wanted: { type: string; status: string; reason: string; message: string },
  touch = false,
): TimedCondition[] {
  const known = conditionOf(conditions, wanted.type)
  if (!touch && known?.status === wanted.status && known.reason === wanted.reason)
    return [...(conditions ?? [])]
  const time = wireTime(now)
  const lastTransitionTime = known?.status === wanted.status ? (known.lastTransitionTime ?? time) : time
  return [...without(conditions, wanted.type), { ...wanted, lastUpdateTime: time, lastTransitionTime }]
}

const without = (conditions: Conditions, type: string): TimedCondition[] =>
  (conditions ?? []).filter((condition) => condition.type !== type)

export function countedStatus(
  deployment: Readonly<Deployment>,
  { current, all }: Sets,
  now: number,
): DeploymentStatus {
  const available = sum(all, ({ status }) => status.availableReplicas)
  const isAvailable = available >= wantedReplicas(deployment) - maxUnavailable(deployment)
  const unavailable = Math.max(0, sum(all, wantedReplicas) - available)
  return {
    observedGeneration: deployment.metadata.generation ?? 0,
    ...counted(
      'replicas',
      sum(all, ({ status }) => status.replicas),
    ),
    ...counted('updatedReplicas', current?.status.replicas),
    ...counted(
      'readyReplicas',
      sum(all, ({ status }) => status.readyReplicas),
    ),
    ...counted('availableReplicas', available),
    ...counted('unavailableReplicas', unavailable),
    ...counted('collisionCount', deployment.status.collisionCount),
    conditions: put(deployment.status.conditions, now, {
      type: 'Available',
      status: isAvailable ? 'True' : 'False',
      reason: isAvailable ? 'MinimumReplicasAvailable' : 'MinimumReplicasUnavailable',
      message: isAvailable
        ? 'Deployment has minimum availability.'
        : 'Deployment does not have minimum availability.',
    }),
  }
}

/** Zero is written as nothing. */
function counted(field: keyof DeploymentStatus, value: number | undefined): DeploymentStatus {
  return value ? { [field]: value } : {}
}

export function isComplete(deployment: Readonly<Deployment>, status: DeploymentStatus): boolean {
  const wanted = wantedReplicas(deployment)
  const { updatedReplicas = 0, replicas = 0, availableReplicas = 0, observedGeneration = 0 } = status
  return (
    updatedReplicas === wanted &&
    replicas === wanted &&
    availableReplicas === wanted &&
    observedGeneration >= (deployment.metadata.generation ?? 0)
  )
}

/** The counted status with what is to be said of progress and failures. */
export function rolloutStatus(deployment: Readonly<Deployment>, sets: Sets, now: number): DeploymentStatus {
  const status = countedStatus(deployment, sets, now)
  const before = conditionOf(deployment.status.conditions, 'Progressing')
  let { conditions } = status
  if (deadlineMs(deployment) === undefined) conditions = without(conditions, 'Progressing')
  else if ((status.replicas ?? 0) !== (status.updatedReplicas ?? 0) || before?.reason !== DONE) {
    conditions = progress(deployment, sets, status, now)
  }
  const failure = [...(sets.current ? [sets.current] : []), ...sets.old]
    .map((set) => conditionOf(set.status.conditions, 'ReplicaFailure'))
    .find((found) => found !== undefined)
  conditions = failure
    ? put(conditions, now, {
        type: 'ReplicaFailure',
        status: failure.status,
        reason: failure.reason ?? '',
        message: failure.message ?? '',
      })
    : without(conditions, 'ReplicaFailure')
  return { ...status, conditions }
}

function progress(
  deployment: Readonly<Deployment>,
  { current }: Sets,
  status: DeploymentStatus,
  now: number,
): TimedCondition[] {
  const type = 'Progressing'
  const subject = current
    ? `ReplicaSet ${JSON.stringify(current.metadata.name)}`
    : `Deployment ${JSON.stringify(deployment.metadata.name)}`
  if (isComplete(deployment, status)) {
    const message = `${subject} has successfully progressed.`
    return put(status.conditions, now, { type, status: 'True', reason: DONE, message })
  }
  if (hasMoved(deployment.status, status)) {
    const message = `${subject} is progressing.`
    return put(status.conditions, now, { type, status: 'True', reason: 'ReplicaSetUpdated', message }, true)
  }
  const left = timeLeftMs(deployment, now)
  if (left !== undefined && left <= 0) {
    const message = `${subject} has timed out progressing.`
    return put(status.conditions, now, { type, status: 'False', reason: TIMED_OUT, message })
  }
  return [...(status.conditions ?? [])]
}

function hasMoved(before: DeploymentStatus, after: DeploymentStatus): boolean {
  const old = ({ replicas = 0, updatedReplicas = 0 }: DeploymentStatus): number => replicas - updatedReplicas
  const grew = (field: 'updatedReplicas' | 'readyReplicas' | 'availableReplicas'): boolean =>
    (after[field] ?? 0) > (before[field] ?? 0)
  return (
    grew('updatedReplicas') || old(after) < old(before) || grew('readyReplicas') || grew('availableReplicas')
  )
}

function deadlineMs({ spec }: Readonly<Deployment>): number | undefined {
  const { progressDeadlineSeconds } = spec
  return progressDeadlineSeconds === undefined || progressDeadlineSeconds === NO_LIMIT
    ? undefined
    : progressDeadlineSeconds * 1000
}

/** Until the rollout counts as stuck; undefined when nothing is waited for. */
export function timeLeftMs(deployment: Readonly<Deployment>, now: number): number | undefined {
  const deadline = deadlineMs(deployment)
  const condition = conditionOf(deployment.status.conditions, 'Progressing')
  if (deadline === undefined || !condition || deployment.spec.paused) return undefined
  if (condition.reason === DONE || condition.reason === TIMED_OUT) return undefined
  return (Date.parse(condition.lastUpdateTime ?? '') || now) + deadline - now
}

/** Paused or resumed: the clock of the deadline stands still in between. @returns undefined when nothing changes */
export function pauseConditions(deployment: Readonly<Deployment>, now: number): TimedCondition[] | undefined {
  const known = conditionOf(deployment.status.conditions, 'Progressing')
  if (deadlineMs(deployment) === undefined || known?.reason === TIMED_OUT) return undefined
  const isMarked = known?.reason === 'DeploymentPaused'
  if (Boolean(deployment.spec.paused) === isMarked) return undefined
  return put(deployment.status.conditions, now, {
    type: 'Progressing',
    status: 'Unknown',
    reason: isMarked ? 'DeploymentResumed' : 'DeploymentPaused',
    message: isMarked ? 'Deployment is resumed' : 'Deployment is paused',
  })
}
