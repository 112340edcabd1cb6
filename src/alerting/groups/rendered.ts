/** A group as its ruler reads it: confined, labelled, and without what is disabled. */
import { confine } from '../../integrations/prometheus/promql/confine.js'
import { print } from '../../integrations/prometheus/promql/print.js'
import {
  equal,
  literally,
  type Matcher,
  matching,
  type MatchOperator,
} from '../../integrations/prometheus/promql/text.js'
import { ALERT_TYPE } from '../names.js'
import { type Level } from '../rulegroups.js'
import { type StoredGroup, type StoredRule } from '../types.js'
import { expressionOf } from '../validation.js'
import { ruleFault } from './faults.js'
import { type GroupObject, type Selector, type SpecRule } from './types.js'

export interface Rendered {
  /** Undefined when no rule is left. */
  group?: StoredGroup
  /** Rules that are left out because a ruler would refuse them, and with them the whole file. */
  faults: string[]
}

/**
 * Rules are checked again: a group may have been stored while nobody was there to admit it, and what is of a
 * namespace must stay in it however it came about.
 */
export function rendered({ metadata, spec }: Readonly<GroupObject>, level: Level): Rendered {
  const { name = '', namespace } = metadata
  const rules: StoredRule[] = []
  const faults: string[] = []
  for (const rule of spec?.rules ?? []) {
    if (rule.disable) continue
    const fault = ruleFault(rule, level, namespace)
    if (fault === undefined) rules.push(ruleOf(rule, level, name, namespace))
    else faults.push(`${rule.alert ?? ''}: ${fault}`)
  }
  if (rules.length === 0) return { faults }
  const { interval = '', partial_response_strategy: strategy = '' } = spec ?? {}
  const group: StoredGroup = {
    name,
    ...(interval !== '' && { interval }),
    ...(strategy !== '' && { partial_response_strategy: strategy }),
    rules,
  }
  return { group, faults }
}

function ruleOf(rule: SpecRule, level: Level, group: string, namespace: string | undefined): StoredRule {
  const { alert = '', for: duration = '', severity = '', labels, annotations } = rule
  return {
    alert,
    expr: expressionIn(rule, level, namespace),
    ...(duration !== '' && { for: duration }),
    labels: {
      ...labels,
      [ALERT_TYPE]: 'metric',
      rule_level: level,
      rule_group: group,
      rule_type: rule.exprBuilder?.workload || rule.exprBuilder?.node ? 'template' : 'custom',
      ...(severity !== '' && { severity }),
      ...(level === 'namespace' && namespace !== undefined && { namespace }),
    },
    ...(annotations && { annotations }),
  }
}

function expressionIn(rule: SpecRule, level: Level, namespace: string | undefined): string {
  const query = String(rule.expr ?? '')
  if (level === 'namespace') return expressionOf(query, namespace ?? '')
  if (level === 'cluster') return query
  const matchers = [
    ...matchersOf('cluster', rule.clusterSelector),
    ...matchersOf('namespace', rule.namespaceSelector),
  ]
  return matchers.reduce((expression, matcher) => confine(print(expression), matcher), query)
}

function matchersOf(label: string, selector: Selector | null | undefined): Matcher[] {
  const { matcher, inValues } = selector ?? {}
  if (matcher)
    return [{ label, operator: (matcher.type ?? '=') as MatchOperator, value: matcher.value ?? '' }]
  const [only, ...more] = inValues ?? []
  if (only === undefined) return []
  return [more.length === 0 ? equal(label, only) : matching(label, [only, ...more].map(literally).join('|'))]
}
