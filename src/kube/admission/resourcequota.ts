/**
 * ResourceQuota: no object comes into a namespace that its quotas have no room for.
 *
 * What is used is counted from what is stored, not read from the quota's status, which a controller brings up to date
 * a moment later. From the count to the end of the write nobody else may count in that namespace, so of two requests
 * for the last place one is refused. Counting looks at the objects of one resource in one namespace, and only where a
 * quota limits it; of each stored object the amounts are worked out once.
 */
import { type KubeObject } from '../../apimachinery/meta/types.js'
import {
  type Amounts,
  evaluatorOf,
  judge,
  type NamespaceQuotaObject,
  type Quota,
  quotaOfNamespace,
} from '../../tenancy/quota/index.js'
import { add, pick } from '../../tenancy/quota/amounts.js'
import { countsTowards } from '../../tenancy/quota/quotas.js'
import { type Objects } from '../objects.js'
import { parse } from '../registry/served.js'
import { type AdmissionPlugin, type AdmissionRequest } from '../registry/strategy.js'
import { Locks } from './locks.js'
import { refusal } from './refusal.js'

/** Only these take another amount when they change. */
const GROWING = new Set(['services', 'persistentvolumeclaims'])

export function resourceQuota(objects: Objects): AdmissionPlugin {
  const locks = new Locks()
  const usage = new UsageOfStored()

  async function validate(request: AdmissionRequest, written: NamespaceQuotaObject[]): Promise<void> {
    const { definition, namespace, context, object, previous } = request
    if (!object) return
    const type = { group: definition.group, resource: definition.resource }
    const evaluator = evaluatorOf(type)
    const concerned = written
      .map(quotaOfNamespace)
      .filter((quota) => countsTowards(quota, evaluator, object))
      .map((quota) => ({
        ...quota,
        covered: [...quota.hard.keys()].filter((name) => evaluator.covers(name)),
      }))
    if (concerned.length === 0) return
    const release = await locks.take(namespace, context.signal)
    // A dry run takes no place.
    if (context.dryRun) release()
    else request.whenSettled(release)
    const now = context.now.getTime()
    const quotas = concerned.map((quota) => {
      const entries = objects.entries(definition.storage.group, definition.resource, namespace)
      let used: Amounts = new Map()
      for (const { value } of entries) used = add(used, usage.of(value, quota, type, now))
      return { ...quota, used: pick(used, quota.covered) }
    })
    const { refusal: why } = judge({ type, object, before: previous, quotas, now })
    if (why !== undefined) throw refusal(request, why)
  }

  return {
    name: 'ResourceQuota',
    validate(request) {
      const { operation, definition, subresource, namespace } = request
      if (namespace === '' || subresource !== '' || !definition.namespaced) return
      const grows = operation === 'UPDATE' && definition.group === '' && GROWING.has(definition.resource)
      if (operation !== 'CREATE' && !grows) return
      const quotas = objects.list<NamespaceQuotaObject>('', 'resourcequotas', namespace)
      return quotas.length === 0 ? undefined : validate(request, quotas)
    },
  }
}

const NOTHING: Amounts = new Map()

/** Amounts of stored objects. Bytes that are stored never change, so what they amount to is kept with them. */
class UsageOfStored {
  readonly #known = new WeakMap<Buffer, Amounts>()

  of(value: Buffer, quota: Quota, type: { group: string; resource: string }, now: number): Amounts {
    const known = quota.scopes.length === 0 ? this.#known.get(value) : undefined
    if (known) return known
    const object: KubeObject = parse(value)
    const evaluator = evaluatorOf(type)
    if (!countsTowards(quota, evaluator, object)) return NOTHING
    const amounts = evaluator.usage(object, now)
    // A pod on its way out takes less once its time has come.
    if (object.metadata.deletionTimestamp === undefined) this.#known.set(value, amounts)
    return amounts
  }
}
