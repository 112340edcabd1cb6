/** What a pod's status says, in the words that controllers use. */
import { type Condition, type Pod } from '../../builtin/types.js'

export interface TimedCondition extends Condition {
  lastTransitionTime?: string | null
  lastUpdateTime?: string | null
  lastProbeTime?: string | null
}

export function conditionOf(
  conditions: readonly Condition[] | undefined,
  type: string,
): Readonly<TimedCondition> | undefined {
  return conditions?.find((condition) => condition.type === type)
}

/** Puts a condition in place of the one of its type; the time of transition moves only with the status. */
export function withCondition<C extends TimedCondition>(
  conditions: readonly C[] | undefined,
  wanted: C,
): C[] {
  const known = conditions?.find(({ type }) => type === wanted.type)
  const next =
    known?.status === wanted.status && known.lastTransitionTime !== undefined
      ? { ...wanted, lastTransitionTime: known.lastTransitionTime }
      : wanted
  if (!known) return [...(conditions ?? []), next]
  return (conditions ?? []).map((condition) => (condition === known ? next : condition))
}

export const isFinished = ({ status }: Readonly<Pod>): boolean =>
  status.phase === 'Succeeded' || status.phase === 'Failed'

export const isEnding = ({ metadata }: { metadata: { deletionTimestamp?: string } }): boolean =>
  metadata.deletionTimestamp !== undefined

/** Counts for whoever keeps a number of pods. */
export const isActive = (pod: Readonly<Pod>): boolean => !isFinished(pod) && !isEnding(pod)

export const isReady = ({ status }: Readonly<Pod>): boolean =>
  conditionOf(status.conditions, 'Ready')?.status === 'True'

/** How long until the pod has been ready for `minReadySeconds`; 0 when it has, undefined when it is not ready. */
export function availableInMs(pod: Readonly<Pod>, minReadySeconds: number, now: number): number | undefined {
  const ready = conditionOf(pod.status.conditions, 'Ready')
  if (ready?.status !== 'True') return undefined
  if (minReadySeconds === 0) return 0
  const since = Date.parse(ready.lastTransitionTime ?? '')
  return Number.isNaN(since) ? minReadySeconds * 1000 : Math.max(0, since + minReadySeconds * 1000 - now)
}

const PHASES = ['Pending', 'Unknown', 'Running']

/** Which of two pods goes first when there are too many: the one that is missed least. */
export function compareForDeletion(
  a: Readonly<Pod>,
  b: Readonly<Pod>,
  sameNode: (pod: Pod) => number,
): number {
  return (
    Number(Boolean(a.spec.nodeName)) - Number(Boolean(b.spec.nodeName)) ||
    PHASES.indexOf(a.status.phase ?? '') - PHASES.indexOf(b.status.phase ?? '') ||
    Number(isReady(a)) - Number(isReady(b)) ||
    sameNode(b) - sameNode(a) ||
    readySince(b) - readySince(a) ||
    restarts(b) - restarts(a) ||
    createdAt(b) - createdAt(a) ||
    0
  )
}

function readySince({ status }: Readonly<Pod>): number {
  const ready = conditionOf(status.conditions, 'Ready')
  return ready?.status === 'True' ? Date.parse(ready.lastTransitionTime ?? '') || 0 : 0
}

export function restarts({ status }: Readonly<Pod>): number {
  return (status.containerStatuses ?? []).reduce((most, { restartCount }) => Math.max(most, restartCount), 0)
}

export function createdAt({ metadata }: { metadata: { creationTimestamp?: string | null } }): number {
  return Date.parse(metadata.creationTimestamp ?? '') || 0
}
