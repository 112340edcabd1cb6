/** What a group is given when it is stored: expressions of thresholds, the scopes they name, and ids. */
import { RULE_ID } from '../names.js'
import { builtExpression } from './built.js'
import { type GroupObject, type ScopedNames, type Selector, type SpecRule } from './types.js'

/** @returns a copy; the group itself when nothing is missing */
export function withDefaults<T extends GroupObject>(group: T, newId: () => string): T {
  const rules = group.spec?.rules ?? []
  const filled = rules.map((rule) => ruleWithDefaults(rule, newId))
  return filled.every((rule, index) => rule === rules[index])
    ? group
    : { ...group, spec: { ...group.spec, rules: filled } }
}

function ruleWithDefaults(rule: SpecRule, newId: () => string): SpecRule {
  const expr = builtExpression(rule)
  const hasId = (rule.labels?.[RULE_ID] ?? '') !== ''
  if (hasId && expr === undefined) return rule
  return {
    ...rule,
    ...(expr !== undefined && { expr, ...scopesOf(rule) }),
    ...(!hasId && { labels: { ...rule.labels, [RULE_ID]: newId() } }),
  }
}

/** Of global rules. A union: `a/x` and `b/y` also allow `a/y`. */
function scopesOf({ exprBuilder }: SpecRule): { clusterSelector?: Selector; namespaceSelector?: Selector } {
  const names = exprBuilder?.workload?.names ?? exprBuilder?.node?.names ?? []
  const scoped = names.filter((name): name is ScopedNames => typeof name !== 'string')
  const clusters = distinct(scoped.map(({ cluster }) => cluster))
  const namespaces = distinct(scoped.flatMap(({ namespace }) => namespace ?? []))
  return {
    ...(clusters.length > 0 && { clusterSelector: { inValues: clusters } }),
    ...(namespaces.length > 0 && { namespaceSelector: { inValues: namespaces } }),
  }
}

const distinct = (values: string[]): string[] => [...new Set(values)]
