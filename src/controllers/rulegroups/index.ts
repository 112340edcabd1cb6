/** The rule group controllers: groups of alerting rules become rules of the ruler (observability.md §3.12). */
import { type GroupObject } from '../../alerting/groups/types.js'
import { labelsIn, MONITORING_NAMESPACE, PROMETHEUS_RULES } from '../../alerting/names.js'
import {
  CLUSTER_RULE_GROUPS,
  GLOBAL_RULE_GROUPS,
  type Level,
  RULE_GROUPS,
} from '../../alerting/rulegroups.js'
import { type PrometheusRuleObject } from '../../alerting/types.js'
import { apiVersionOf } from '../../apimachinery/meta/types.js'
import { CachedResource, type CachedResourceType } from '../../client/cachedresource.js'
import { type Controller, fromInformer, type Request, storedIn } from '../../controller/index.js'
import { type TenancyControllerDeps } from '../deps.js'
import { whenSynced } from '../synced.js'
import { OWNER_LEVEL, OWNER_NAMESPACE, RuleGroupsReconciler } from './rulegroups.reconciler.js'

const THE_CLUSTER: Request = { namespace: '', name: '' }

export function ruleGroupControllers(deps: TenancyControllerDeps): Controller[] {
  const { informers, client } = deps
  const objects = new CachedResource<PrometheusRuleObject>(PROMETHEUS_RULES, informers, client)
  return [
    controllerOf(deps, objects, CLUSTER_RULE_GROUPS, 'cluster'),
    controllerOf(deps, objects, GLOBAL_RULE_GROUPS, 'global'),
    controllerOf(deps, objects, RULE_GROUPS, 'namespace'),
  ]
}

function controllerOf(
  { informers, client, events, options }: TenancyControllerDeps,
  objects: CachedResource<PrometheusRuleObject>,
  type: CachedResourceType,
  level: Level,
): Controller {
  const name = type.kind.toLowerCase()
  const groups = new CachedResource<GroupObject>(type, informers, client)
  const recorder = events.recorder(`${name}-controller`)
  const reconciler = new RuleGroupsReconciler({
    level,
    groups: storedIn(groups),
    objects: storedIn(objects),
    resourceLabels: labelsIn(options.alerting.thanosRuleResourceLabels),
    tellFaults({ metadata }, faults) {
      const about = { apiVersion: apiVersionOf(type), kind: type.kind, metadata }
      recorder.event(about, 'Warning', 'RulesLeftOut', faults.join('; '))
    },
  })
  const placeOf = (namespace: string): Request => ({ namespace: '', name: namespace })
  const sources = [
    fromInformer(groups.informer, ({ namespace }) => [
      level === 'namespace' ? placeOf(namespace) : THE_CLUSTER,
    ]),
    // What somebody else changes or removes is put back.
    fromInformer(objects.informer, ({ namespace, labels }) => {
      if (namespace !== MONITORING_NAMESPACE || labels[OWNER_LEVEL] !== level) return []
      return [level === 'namespace' ? placeOf(labels[OWNER_NAMESPACE] ?? '') : THE_CLUSTER]
    }),
  ]
  const read = [groups.informer, objects.informer]
  return { name, workers: 1, reconciler, sources: sources.map((source) => whenSynced(read, source)) }
}
