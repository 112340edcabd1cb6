/**
 * What Prometheus is told to read: it reads for everybody, with rights and files of its own. A monitor of a project looks
 * at the project alone, says nothing of others, and names nothing that lies in the pod of Prometheus.
 *
 * Without this a project could have the token of Prometheus sent to a pod of its own (`bearerTokenFile`), copy the
 * metrics of others into its namespace, or write into theirs.
 */
import { forbidden } from '../apimachinery/errors/index.js'
import { isObject } from '../apimachinery/json/index.js'
import { type Policy } from '../serving/guard/policy.js'
import { demandAdministrator, type GuardDeps } from './deps.js'

const GROUP = 'monitoring.coreos.com'
const MONITORS = ['servicemonitors', 'podmonitors', 'probes']

export function monitorPolicies(deps: GuardDeps): Policy[] {
  return [...MONITORS.map((resource) => monitorPolicy(deps, resource)), scrapeConfigPolicy(deps)]
}

function monitorPolicy({ rights }: GuardDeps, resource: string): Policy {
  return {
    group: GROUP,
    resource,
    indifferentTo: ['delete'],
    judge({ caller, namespace, name, after }) {
      if (after === undefined || rights.holdsAll(caller, { level: 'cluster' })) return
      const fault = faultIn(after['spec'], namespace)
      if (fault !== undefined)
        throw forbidden(
          { group: GROUP, resource },
          name,
          `User "${caller.name}" is no administrator, and ${fault}`,
        )
    },
  }
}

/** These name whatever addresses and files they like. */
function scrapeConfigPolicy(deps: GuardDeps): Policy {
  const resource = { group: GROUP, resource: 'scrapeconfigs' }
  return {
    ...resource,
    indifferentTo: ['delete'],
    judge: ({ caller, name }) =>
      demandAdministrator(deps, caller, { level: 'cluster' }, resource, name, 'this names any address'),
  }
}

type Check = (value: unknown, namespace: string) => string | undefined

/** Field → what is wrong with its value; wherever the field is, since the kinds nest differently. */
const CHECKS: Readonly<Record<string, Check>> = {
  namespaceSelector: (selector, namespace) =>
    isOwn(selector, namespace) ? undefined : 'a monitor selects in its own namespace',
  honorLabels: (honors) =>
    honors === true ? 'labels of targets would count for more than those of the namespace' : undefined,
  bearerTokenFile: inPrometheus,
  caFile: inPrometheus,
  certFile: inPrometheus,
  keyFile: inPrometheus,
  credentialsFile: inPrometheus,
  relabelings: relabelFault,
  metricRelabelings: relabelFault,
  relabelConfigs: relabelFault,
  metricRelabelConfigs: relabelFault,
  relabelingConfigs: relabelFault,
  /** Of static targets. */
  labels: (labels) =>
    isObject(labels) && 'namespace' in labels ? 'the label namespace says whose a series is' : undefined,
}

/** Labels that select objects, rather than being given to series. */
const SELECTORS = new Set(['selector', 'matchLabels', 'matchExpressions'])

/** Deeper than any monitor is. */
const DEPTH = 20

function faultIn(value: unknown, namespace: string, depth = DEPTH): string | undefined {
  if (depth === 0) return 'no monitor is nested so deeply'
  if (Array.isArray(value))
    return first(value.map((item: unknown) => () => faultIn(item, namespace, depth - 1)))
  if (!isObject(value)) return undefined
  return first(
    Object.entries(value).map(([field, part]) => () => {
      if (SELECTORS.has(field)) return undefined
      const check = Object.hasOwn(CHECKS, field) ? CHECKS[field] : undefined
      return check?.(part, namespace) ?? faultIn(part, namespace, depth - 1)
    }),
  )
}

function first(checks: readonly (() => string | undefined)[]): string | undefined {
  for (const check of checks) {
    const fault = check()
    if (fault !== undefined) return fault
  }
  return undefined
}

function inPrometheus(path: unknown): string | undefined {
  return path === undefined || path === null || path === ''
    ? undefined
    : 'files of Prometheus are not for projects'
}

function isOwn(selector: unknown, namespace: string): boolean {
  if (selector === undefined || selector === null) return true
  if (!isObject(selector)) return false
  const names = selector['matchNames'] ?? []
  return selector['any'] !== true && Array.isArray(names) && names.every((name) => name === namespace)
}

function relabelFault(rules: unknown): string | undefined {
  if (rules === undefined || rules === null) return undefined
  const isHarmless = Array.isArray(rules) && rules.every((rule) => isObject(rule) && keepsPlace(rule))
  return isHarmless
    ? undefined
    : 'relabelling could move a series to another namespace, or the scrape elsewhere'
}

/** Rules on whole sets of labels can reach any; so can a target with a part that is filled in later. */
function keepsPlace({ action = 'replace', targetLabel = '' }: Readonly<Record<string, unknown>>): boolean {
  if (typeof action !== 'string' || typeof targetLabel !== 'string') return false
  if (['keep', 'drop'].includes(action.toLowerCase())) return true
  if (!['replace', 'hashmod', 'lowercase', 'uppercase'].includes(action.toLowerCase())) return false
  const isReserved = targetLabel.startsWith('__') && !targetLabel.startsWith('__tmp')
  return targetLabel !== 'namespace' && !targetLabel.includes('$') && !isReserved
}
