/** The status of a workspace's quota, from all that is in its namespaces. */
import { type KubeObject } from '../../apimachinery/meta/types.js'
import { type WorkspaceQuotaObject } from '../types.js'
import { add, type Amounts, pick, written } from './amounts.js'
import { evaluatorOf, resourcesOf } from './evaluators.js'
import { type GroupResource } from './objects.js'
import { countsTowards, type Quota, quotaOfWorkspace } from './quotas.js'

/** The objects of a resource in a namespace. */
export type ObjectsIn = (type: GroupResource, namespace: string) => Iterable<Readonly<KubeObject>>

type QuotaStatus = NonNullable<WorkspaceQuotaObject['status']>

/** Of every name that the quota limits; what cannot be counted is 0. @throws InvalidQuantity */
export function usageIn(
  namespace: string,
  quota: Pick<Quota, 'hard' | 'scopes'>,
  objectsIn: ObjectsIn,
  now: number,
): Amounts {
  let used: Amounts = new Map()
  for (const type of resourcesOf(quota.hard.keys())) {
    const evaluator = evaluatorOf(type)
    for (const object of objectsIn(type, namespace))
      if (countsTowards(quota, evaluator, object)) used = add(used, evaluator.usage(object, now))
  }
  return pick(used, quota.hard.keys())
}

/** @param namespaces those that the quota selects, by name. @throws InvalidQuantity */
export function quotaStatus(
  object: Readonly<WorkspaceQuotaObject>,
  namespaces: readonly string[],
  objectsIn: ObjectsIn,
  now: number,
): QuotaStatus {
  const quota = quotaOfWorkspace(object)
  const hard = written(quota.hard)
  const slices = namespaces.map((namespace) => ({
    namespace,
    used: usageIn(namespace, quota, objectsIn, now),
  }))
  const total = slices.reduce<Amounts>((sum, { used }) => add(sum, used), pick(new Map(), quota.hard.keys()))
  return {
    total: { hard, used: written(total) },
    namespaces: slices.map(({ namespace, used }) => ({ namespace, hard, used: written(used) })),
  }
}
