/** What samples need to know of a pod or a workload: taken out once for each version of the object. */
import { type CachedObject, type Store } from '../../client/cache/interface.js'
import { listAt, numberAt, read, textAt } from '../../listing/kind.js'
import { QUOTAS } from './derived.js'
import { amountOf } from './usage.js'

export interface PodFacts {
  phase: string
  node: string
  /** As kube-state-metrics names it; `<none>` without one. */
  ownerKind: string
  ownerName: string
  isReady: boolean
  /** A container waits for its image or its volumes. */
  isBeingCreated: boolean
}

export const podFacts = (pod: unknown): PodFacts => {
  const owner = listAt(pod, 'metadata', 'ownerReferences').find((one) => read(one, 'controller') === true)
  const conditions = listAt(pod, 'status', 'conditions')
  return {
    phase: textAt(pod, 'status', 'phase'),
    node: textAt(pod, 'spec', 'nodeName'),
    ownerKind: textAt(owner, 'kind') || '<none>',
    ownerName: textAt(owner, 'name') || '<none>',
    isReady: conditions.some(
      (condition) => textAt(condition, 'type') === 'Ready' && textAt(condition, 'status') === 'True',
    ),
    isBeingCreated: listAt(pod, 'status', 'containerStatuses').some(
      (container) => textAt(container, 'state', 'waiting', 'reason') === 'ContainerCreating',
    ),
  }
}

/** Metric → hard limit. */
export function quotaFacts(quota: unknown): Record<string, number> {
  const hard = read(quota, 'status', 'hard') ?? read(quota, 'spec', 'hard')
  return Object.fromEntries(
    Object.entries(QUOTAS).flatMap(([resource, metric]) => {
      const limit = read(hard, resource)
      return limit === undefined ? [] : [[metric, amountOf(limit)]]
    }),
  )
}

export interface Replicas {
  desired: number
  available: number
  unavailable: number
}

export const REPLICAS: Readonly<Record<string, (object: unknown) => Replicas>> = {
  deployments: (object) => ({
    desired: numberAt(object, 'spec', 'replicas'),
    available: numberAt(object, 'status', 'availableReplicas'),
    unavailable: numberAt(object, 'status', 'unavailableReplicas'),
  }),
  statefulsets: (object) => {
    const desired = numberAt(object, 'spec', 'replicas')
    const available = numberAt(object, 'status', 'currentReplicas')
    return { desired, available, unavailable: desired - available }
  },
  daemonsets: (object) => ({
    desired: numberAt(object, 'status', 'desiredNumberScheduled'),
    available: numberAt(object, 'status', 'numberAvailable'),
    unavailable: numberAt(object, 'status', 'numberUnavailable'),
  }),
}

/** Keeps what was taken out of objects until they change. */
export class Facts<T> {
  #known = new Map<string, { version: string; facts: T }>()

  constructor(private readonly take: (object: unknown) => T) {}

  /** Of all objects of the store; forgets those that are gone. */
  *of(store: Store<never>): Iterable<[CachedObject<never>, T]> {
    const known = new Map<string, { version: string; facts: T }>()
    for (const cached of store.byName()) {
      const { uid, resourceVersion: version } = cached
      const before = this.#known.get(uid)
      const entry = before?.version === version ? before : { version, facts: this.take(store.object(cached)) }
      known.set(uid, entry)
      yield [cached, entry.facts]
    }
    this.#known = known
  }
}
