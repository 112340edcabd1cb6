/** Names that rules are stored under, and labels they are known by. */
import { type CachedResourceType } from '../client/cachedresource.js'

/** Where rules of the cluster are, and the objects that describe rulers. */
export const MONITORING_NAMESPACE = 'kubesphere-monitoring-system'

export const RULE_LEVEL = 'custom-alerting-rule-level'
export const OBJECT_PREFIX = 'custom-alerting-rule-'
export const GROUP_PREFIX = 'alerting.custom.defaults.'
export const RULE_ID = 'rule_id'
export const ALERT_TYPE = 'alerttype'
export const UPDATE_TIME = 'rule_update_time'

const coreos = (resource: string, kind: string): CachedResourceType => ({
  group: 'monitoring.coreos.com',
  version: 'v1',
  resource,
  kind,
})
export const PROMETHEUS_RULES = coreos('prometheusrules', 'PrometheusRule')
export const PROMETHEUSES = coreos('prometheuses', 'Prometheus')
export const THANOS_RULERS = coreos('thanosrulers', 'ThanosRuler')

/** Labels of rule objects as they are configured, `k=v,k=v`; the form has been checked with the configuration. */
export function labelsIn(text: string): Record<string, string> {
  const pairs = text.split(',').filter((pair) => pair !== '')
  return Object.fromEntries(
    pairs.map((pair) => [pair.slice(0, pair.indexOf('=')).trim(), pair.slice(pair.indexOf('=') + 1).trim()]),
  )
}
