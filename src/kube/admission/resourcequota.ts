/**
 * ResourceQuota: no object comes into a namespace that its quotas have no room for.
 *
 * What is used is counted from what is stored, not read from the quota's status, which a controller brings up to date
 * a moment later. From the look at the count to the end of the write nobody else may look in that namespace, so of two
 * requests for the last place one is refused. Only namespaces that have quotas are counted at all.
 */
import { type KubeObject } from '../../apimachinery/meta/types.js'
import {
  type Amounts,
  evaluatorOf,
  judge,
  type NamespaceQuotaObject,
  quotaOfNamespace,
} from '../../tenancy/quota/index.js'
import { pick } from '../../tenancy/quota/amounts.js'
import { countsTowards } from '../../tenancy/quota/quotas.js'
import { type Objects, prefixOf } from '../objects.js'
import { type AdmissionPlugin, type AdmissionRequest } from '../registry/strategy.js'
import { Locks } from './locks.js'
import { refusal } from './refusal.js'
import { Tallies, Tally } from './tally.js'

/** Only these take another amount when they change. */
const GROWING = new Set(['services', 'persistentvolumeclaims'])

export function resourceQuota(objects: Objects): AdmissionPlugin & { close(): void } {
  const locks = new Locks()
  const tallies = new Tallies()

  async function validate(
    request: AdmissionRequest,
    written: readonly Readonly<NamespaceQuotaObject>[],
  ): Promise<void> {
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
    const release = await locks.take(namespace, context.caller)
    // A dry run takes no place.
    if (context.dryRun) release()
    else request.whenSettled(release)
    const now = context.now.getTime()
    const prefix = `${prefixOf(definition.storage.group, definition.resource)}/${namespace}/`
    const quotas = concerned.map((quota) => {
      const { scopes } = quota
      const tally = tallies.of(namespace, prefix + JSON.stringify(scopes), () => {
        const counts = (each: Readonly<KubeObject>): boolean =>
          scopes.every(({ scopeName, operator, values }) =>
            evaluator.isInScope(each, scopeName, operator, values),
          )
        return new Tally(objects, prefix, (each, at) => (counts(each) ? evaluator.usage(each, at) : NOTHING))
      })
      return { ...quota, used: pick(tally.total(now), quota.covered) }
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
      const quotas = objects.sharedList<NamespaceQuotaObject>('', 'resourcequotas', namespace)
      if (quotas.length > 0) return validate(request, quotas)
      return tallies.forget(namespace)
    },
    close: () => tallies.close(),
  }
}

const NOTHING: Amounts = new Map()
