/** Counts what a namespace uses of its ResourceQuotas. */
import { type KubeObject } from '../../../apimachinery/meta/types.js'
import { type Reconciler, type Request, type Source } from '../../../controller/index.js'
import {
  amountsFrom,
  type GroupResource,
  type NamespaceQuotaObject,
  quotaOfNamespace,
  resourcesOf,
  written,
} from '../../../tenancy/quota/index.js'
import { usageIn } from '../../../tenancy/quota/usage.js'
import { type Pod } from '../../builtin/types.js'
import { type Clock } from '../../registry/clock.js'
import { type Collections } from '../collections.js'
import { isFinished } from '../pods/state.js'
import { requestOf } from '../sources.js'
import { type Stored } from '../stored.js'

export interface ResourceQuotaDeps {
  quotas: Stored<NamespaceQuotaObject>
  collections: Collections
  clock: Clock
}

export class ResourceQuotaReconciler implements Reconciler {
  constructor(private readonly deps: ResourceQuotaDeps) {}

  async reconcile({ namespace, name }: Request, signal: AbortSignal): Promise<void> {
    const { quotas, collections, clock } = this.deps
    const object = quotas.get(namespace, name)
    if (!object) return
    const objectsIn = ({ group, resource }: GroupResource, at: string): Iterable<Readonly<KubeObject>> =>
      collections.of(group, resource).inNamespace(at)
    const { hard, scopes } = quotaOfNamespace(object)
    const used = usageIn(namespace, { hard, scopes }, objectsIn, clock.now())
    await quotas.updateStatus(object, { hard: written(hard), used: written(used) }, signal)
  }

  /** Requests for the quotas that a change may concern; resources that no quota counts are not followed. */
  readonly source: Source = (enqueue) => {
    const { quotas, collections } = this.deps
    const followed = new Map<string, () => void>()
    const follow = (type: GroupResource): void => {
      const key = `${type.group}/${type.resource}`
      if (followed.has(key)) return
      const stop = collections.of(type.group, type.resource).onChange(({ object, previous }) => {
        if (object && previous && !mayCount(object, previous)) return
        const { namespace = '' } = (object ?? previous)?.metadata ?? {}
        for (const quota of quotas.collection.inNamespace(namespace)) enqueue(requestOf(quota))
      })
      followed.set(key, stop)
    }
    const stop = quotas.collection.follow(({ object }) => {
      if (!object) return
      for (const type of resourcesOf(amountsFrom(object.spec?.hard).keys())) follow(type)
      enqueue(requestOf(object))
    })
    return () => {
      stop()
      for (const each of followed.values()) each()
    }
  }
}

/** A status that moves counts only when it ends a pod. */
function mayCount(object: Readonly<KubeObject>, previous: Readonly<KubeObject>): boolean {
  if (object.kind !== 'Pod') return true
  const [after, before] = [object as Pod, previous as Pod]
  return (
    isFinished(after) !== isFinished(before) ||
    object.metadata.deletionTimestamp !== previous.metadata.deletionTimestamp
  )
}
