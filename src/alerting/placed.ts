/** Takes the alerting rules out of PrometheusRule objects. */
import { ruleId } from './ruleid.js'
import { type PlacedRule, type PrometheusRuleObject, type StoredRule } from './types.js'

export function* placedRules({ metadata, spec }: Readonly<PrometheusRuleObject>): Iterable<PlacedRule> {
  const { namespace = '', name: resource = '' } = metadata
  for (const { name: group, rules } of spec?.groups ?? [])
    for (const rule of rules ?? [])
      if (rule.alert) yield { id: idOf(group, rule), namespace, resource, group, rule }
}

export function idOf(
  group: string,
  { alert = '', expr, for: duration = '', labels = {} }: StoredRule,
): string {
  return ruleId({ group, name: alert, query: String(expr), duration, labels })
}
