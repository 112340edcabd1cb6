/** The rule backends of the configuration, and the rules they load. */
import { BuiltinRules } from '../alerting/builtinrules.js'
import { CustomRules } from '../alerting/customrules.js'
import { labelsIn, PROMETHEUS_RULES, PROMETHEUSES, THANOS_RULERS } from '../alerting/names.js'
import {
  CLUSTER_RULE_GROUPS,
  GLOBAL_RULE_GROUPS,
  type Level,
  RULE_GROUPS,
  RuleGroups,
} from '../alerting/rulegroups.js'
import { Rulers } from '../alerting/rulers.js'
import { RuleWrites } from '../alerting/rulewrites.js'
import { type PrometheusRuleObject, type RulerObject } from '../alerting/types.js'
import { type AlertingDeps } from '../apis/alerting/v2alpha1/index.js'
import { type RuleGroupsDeps } from '../apis/alerting/v2beta1/index.js'
import { type InformerSet } from '../client/cache/interface.js'
import { CachedResource, type CachedResourceType } from '../client/cachedresource.js'
import { type RestClient } from '../client/rest.js'
import { type Options } from '../configuration/options.js'
import { PrometheusClient } from '../integrations/prometheus/client.js'
import { type Ruler } from '../integrations/prometheus/rules.js'
import { type Stores } from '../listing/kind.js'
import { type TenancyResources } from '../tenancy/resources.js'

export interface AlertingParts {
  options: Pick<Options, 'alerting'>
  resources: Pick<TenancyResources, 'namespaces'>
  informers: InformerSet
  client: RestClient
  stores: Stores
  now: () => Date
}

export interface Alerting extends AlertingDeps {
  ruleGroups: RuleGroupsDeps
  close(): void
}

export function createAlerting(parts: AlertingParts): Alerting {
  const { options, resources, informers, client, stores, now } = parts
  const { prometheusEndpoint, thanosRulerEndpoint, thanosRuleResourceLabels } = options.alerting
  const prometheus = clientOf(prometheusEndpoint)
  const thanosRuler = clientOf(thanosRulerEndpoint)
  const rules = new CachedResource<PrometheusRuleObject>(PROMETHEUS_RULES, informers, client)
  const rulers = new Rulers(
    new CachedResource<RulerObject>(THANOS_RULERS, informers, client),
    new CachedResource<RulerObject>(PROMETHEUSES, informers, client),
    resources.namespaces,
  )
  const custom = new CustomRules({ rules, rulers, namespaces: resources.namespaces, ruler: thanosRuler })
  const groupsOf = (level: Level, type: CachedResourceType, ruler: Ruler): RuleGroups =>
    new RuleGroups(level, { groups: new CachedResource(type, informers, client), ruler, stores })
  return {
    enabled: prometheus !== undefined || thanosRuler !== undefined,
    custom,
    writes: new RuleWrites({ rules, custom, resourceLabels: labelsIn(thanosRuleResourceLabels), now }),
    builtin: new BuiltinRules({ rules, rulers, ruler: prometheus }),
    ruleGroups: thanosRuler && {
      namespaced: groupsOf('namespace', RULE_GROUPS, thanosRuler),
      cluster: groupsOf('cluster', CLUSTER_RULE_GROUPS, thanosRuler),
      global: groupsOf('global', GLOBAL_RULE_GROUPS, thanosRuler),
    },
    close() {
      prometheus?.close()
      thanosRuler?.close()
    },
  }
}

function clientOf(endpoint: string): PrometheusClient | undefined {
  return endpoint === '' ? undefined : new PrometheusClient({ endpoint })
}
