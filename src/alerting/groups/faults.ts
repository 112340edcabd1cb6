/** What is wrong with a group, in the words that clients of the original know. */
import { RE2JS } from 're2js'
import { durationMs } from '../../integrations/prometheus/durations.js'
import { type Level } from '../rulegroups.js'
import { faultsText, ruleFaults } from '../validation.js'
import { builderFault } from './built.js'
import { type GroupObject, type Selector, type SpecRule } from './types.js'

const RULES = 40
const SEVERITIES: ReadonlySet<string> = new Set(['warning', 'error', 'critical'])
const STRATEGIES: ReadonlySet<string> = new Set(['', 'abort', 'warn'])
const MATCHERS: ReadonlySet<string> = new Set(['=', '!=', '=~', '!~'])

const EITHER: Readonly<Record<Level, string>> = {
  namespace: `one of 'expr' and 'exprBuilder.workload' must be set for a RuleGroup`,
  cluster: `one of 'expr' and 'exprBuilder.node' must be set for a ClusterRuleGroup`,
  global: `one of 'expr', 'exprBuilder.workload' and 'exprBuilder.node' must be set for a GlobalRuleGroup`,
}

/** @returns the first fault */
export function groupFault({ metadata, spec }: Readonly<GroupObject>, level: Level): string | undefined {
  const { interval = '', partial_response_strategy: strategy = '', rules } = spec ?? {}
  if (interval !== '' && !(durationMs(interval) ?? 0))
    return `invalid 'interval': not a valid duration string: ${JSON.stringify(interval)}`
  if (!STRATEGIES.has(strategy.toLowerCase()))
    return `invalid 'partial_response_strategy': ${JSON.stringify(strategy)}`
  if ((rules?.length ?? 0) > RULES) return `the rules of a group cannot be more than ${RULES}`
  for (const [index, rule] of (rules ?? []).entries()) {
    const fault = ruleFault(rule, level, metadata.namespace)
    if (fault !== undefined) return `rule ${index + 1}: ${fault}`
  }
  return undefined
}

/** @param namespace of a group that belongs to one */
export function ruleFault(rule: SpecRule, level: Level, namespace: string | undefined): string | undefined {
  const { alert = '', expr = '', for: duration = '', severity = '', labels, annotations } = rule
  if (alert === '') return `'alert' must not be empty`
  const unbuilt = builderFault(rule)
  if (unbuilt !== undefined) return unbuilt
  if (expr === '') return EITHER[level]
  if (duration !== '' && durationMs(duration) === undefined)
    return `invalid 'for': not a valid duration string: ${JSON.stringify(duration)}`
  if (severity !== '' && !SEVERITIES.has(severity))
    return `invalid 'severity': ${JSON.stringify(severity)}: one of warning, error, critical`
  for (const [field, selector] of [
    ['clusterSelector', rule.clusterSelector],
    ['namespaceSelector', rule.namespaceSelector],
  ] as const) {
    const fault = selectorFault(selector)
    if (fault !== undefined) return `invalid '${field}': ${fault}`
  }
  const posted = {
    name: 'rule', // Those of groups may be called anything.
    query: String(expr),
    duration,
    labels: labels ?? {},
    annotations: annotations ?? {},
  }
  const faults = ruleFaults(posted, level === 'namespace' ? (namespace ?? '') : undefined)
  return faults.length > 0 ? faultsText(faults) : undefined
}

function selectorFault(selector: Selector | null | undefined): string | undefined {
  const { type = '', value = '' } = selector?.matcher ?? { type: '=' }
  if (!MATCHERS.has(type)) return `there is no matcher ${JSON.stringify(type)}`
  if (!type.includes('~')) return undefined
  try {
    RE2JS.compile(value)
    return undefined
  } catch {
    return `not a regular expression: ${JSON.stringify(value)}`
  }
}
