/** How the pods of a Deployment are spread over its ReplicaSets: while it rolls out, and when it is scaled. */
import { byAge, type Sets } from './revisions.js'
import {
  type Deployment,
  DESIRED_REPLICAS,
  MAX_REPLICAS,
  maxSurge,
  maxUnavailable,
  type ReplicaSet,
  sum,
  wantedReplicas,
} from './types.js'

/** A ReplicaSet, and how many pods it should have. */
export type Scaling = [set: Readonly<ReplicaSet>, replicas: number]

const sizeOf = (set: Readonly<ReplicaSet>): number => wantedReplicas(set)

/** How many pods the current ReplicaSet may have now, when the others have as many as they have. */
export function currentSize(
  deployment: Readonly<Deployment>,
  all: readonly Readonly<ReplicaSet>[],
  size: number,
): number {
  const wanted = wantedReplicas(deployment)
  if (deployment.spec.strategy.type !== 'RollingUpdate') return wanted
  const room = wanted + maxSurge(deployment) - sum(all, sizeOf)
  return room <= 0 ? size : size + Math.min(room, wanted - size)
}

/** One step of a rolling update: first the new one grows, then the old ones shrink. */
export function rollingStep(deployment: Readonly<Deployment>, { current, old, all }: Sets): Scaling[] {
  if (!current) return []
  const wanted = wantedReplicas(deployment)
  const size = sizeOf(current)
  const next = size > wanted ? wanted : size === wanted ? size : currentSize(deployment, all, size)
  return next !== size ? [[current, next]] : shrinkOld(deployment, current, old, all)
}

function shrinkOld(
  deployment: Readonly<Deployment>,
  current: Readonly<ReplicaSet>,
  old: readonly Readonly<ReplicaSet>[],
  all: readonly Readonly<ReplicaSet>[],
): Scaling[] {
  if (sum(old, sizeOf) === 0) return []
  const least = wantedReplicas(deployment) - maxUnavailable(deployment)
  const notYet = sizeOf(current) - (current.status.availableReplicas ?? 0)
  const most = sum(all, sizeOf) - least - notYet
  if (most <= 0) return []
  const sizes = new Map(old.map((set) => [set, sizeOf(set)]))
  // Pods that do not serve anyway go first.
  let left = most
  for (const [set, size] of [...sizes].sort(([a], [b]) => byAge(a, b))) {
    const gone = Math.min(left, Math.max(0, size - (set.status.availableReplicas ?? 0)))
    sizes.set(set, size - gone)
    left -= gone
  }
  let spare = sum(all, ({ status }) => status.availableReplicas) - least
  for (const [set, size] of [...sizes].sort(([a], [b]) => byAge(a, b))) {
    const gone = Math.max(0, Math.min(size, spare))
    sizes.set(set, size - gone)
    spare -= gone
  }
  return [...sizes].filter(([set, size]) => size !== sizeOf(set))
}

/** The number of pods was changed, which moves no template: all ReplicaSets take their part. */
export function scaled(deployment: Readonly<Deployment>, sets: Sets): Scaling[] {
  const wanted = wantedReplicas(deployment)
  const only = activeOrLatest(sets)
  if (only) return sizeOf(only) === wanted ? [] : [[only, wanted]]
  const active = sets.all.filter((set) => sizeOf(set) > 0)
  if (sets.current && isSaturated(deployment, sets.current)) {
    return active.filter((set) => set !== sets.current).map((set) => [set, 0])
  }
  if (deployment.spec.strategy.type !== 'RollingUpdate') return []
  return proportional(deployment, active)
}

function proportional(deployment: Readonly<Deployment>, active: Readonly<ReplicaSet>[]): Scaling[] {
  const wanted = wantedReplicas(deployment)
  const allowed = wanted > 0 ? wanted + maxSurge(deployment) : 0
  const toAdd = allowed - sum(active, sizeOf)
  const order = toAdd > 0 ? -1 : 1
  const sorted = [...active].sort((a, b) => sizeOf(b) - sizeOf(a) || order * byAge(a, b))
  let added = 0
  const next = sorted.map((set): Scaling => {
    const fraction = toAdd === 0 ? 0 : fractionOf(deployment, set)
    const left = toAdd - added
    const part = toAdd > 0 ? Math.min(fraction, left) : Math.max(fraction, left)
    added += part
    return [set, sizeOf(set) + part]
  })
  // What rounding left over is the largest one's.
  const first = next[0]
  if (first) first[1] = Math.max(0, first[1] + toAdd - added)
  return next
}

function fractionOf(deployment: Readonly<Deployment>, set: Readonly<ReplicaSet>): number {
  const wanted = wantedReplicas(deployment)
  if (wanted === 0) return -sizeOf(set)
  const most = Number(set.metadata.annotations?.[MAX_REPLICAS]) || deployment.status.replicas || 1
  return Math.round((sizeOf(set) * (wanted + maxSurge(deployment))) / most) - sizeOf(set)
}

function activeOrLatest({ current, old, all }: Sets): Readonly<ReplicaSet> | undefined {
  const active = all.filter((set) => sizeOf(set) > 0)
  if (active.length === 0) return current ?? old.at(-1)
  return active.length === 1 ? active[0] : undefined
}

function isSaturated(deployment: Readonly<Deployment>, set: Readonly<ReplicaSet>): boolean {
  const wanted = wantedReplicas(deployment)
  return (
    set.metadata.annotations?.[DESIRED_REPLICAS] === String(wanted) &&
    sizeOf(set) === wanted &&
    (set.status.availableReplicas ?? 0) === wanted
  )
}

/** Whether the number of pods was changed since the ReplicaSets were last sized. */
export function isScaling(deployment: Readonly<Deployment>, { all }: Sets): boolean {
  return all.some((set) => {
    const desired = set.metadata.annotations?.[DESIRED_REPLICAS]
    return sizeOf(set) > 0 && desired !== undefined && desired !== String(wantedReplicas(deployment))
  })
}
