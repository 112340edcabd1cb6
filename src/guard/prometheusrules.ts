/**
 * Rules for Prometheus: rulers read the metrics of every project, so a rule that somebody of a project writes may read
 * those of the project alone, and say nothing about others.
 */
import { PROMETHEUS_RULES } from '../alerting/names.js'
import { type PrometheusRuleObject, type StoredRule } from '../alerting/types.js'
import { expressionOf, ruleFaults } from '../alerting/validation.js'
import { forbidden } from '../apimachinery/errors/index.js'
import { isObject } from '../apimachinery/json/index.js'
import { print } from '../integrations/prometheus/promql/print.js'
import { type Policy } from '../serving/guard/policy.js'
import { type GuardDeps } from './deps.js'

const { group, resource } = PROMETHEUS_RULES

export function prometheusRulePolicy({ rights }: Pick<GuardDeps, 'rights'>): Policy {
  return {
    group,
    resource,
    indifferentTo: ['delete'],
    judge({ caller, name, namespace, after }) {
      if (after === undefined || rights.holdsAll(caller, { level: 'cluster' })) return
      for (const rule of rulesOf(after)) {
        const fault = faultOf(rule, namespace)
        if (fault !== undefined)
          throw forbidden(PROMETHEUS_RULES, name, `User "${caller.name}" is no administrator, and ${fault}`)
      }
    },
  }
}

function rulesOf(object: PrometheusRuleObject): readonly unknown[] {
  const groups: unknown = object.spec?.groups
  return listed(groups).flatMap((one) => (isObject(one) ? listed(one['rules']) : []))
}

function faultOf(rule: unknown, namespace: string): string | undefined {
  // A shape that is none is refused by the Kubernetes API; a recorded series could be named after another project's.
  if (!isObject(rule) || typeof rule['alert'] !== 'string' || rule['record'] !== undefined)
    return 'a project has alerting rules only'
  const { expr, labels, annotations } = rule as unknown as StoredRule
  const query = String(expr)
  const posted = {
    name: 'rule',
    query,
    duration: '',
    labels: textsOf(labels),
    annotations: textsOf(annotations),
  }
  const [fault] = ruleFaults(posted, namespace)
  if (fault !== undefined) return fault
  if (print(query) === print(expressionOf(query, namespace))) return undefined
  return `every selector must be confined: ${expressionOf(query, namespace)}`
}

/** Values of another type are refused later, by the schema. */
function textsOf(value: unknown): Record<string, string> {
  const entries = isObject(value) ? Object.entries(value) : []
  return Object.fromEntries(entries.map(([name, text]) => [name, String(text)]))
}

function listed(value: unknown): unknown[] {
  return Array.isArray(value) ? (value as unknown[]) : []
}
