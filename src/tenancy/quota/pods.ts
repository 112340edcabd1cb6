/**
 * What a pod takes of a quota, and which scopes it is in.
 *
 * A pod that has ended, or that should have been gone by now, takes nothing but its own existence.
 */
import { parseQuantity, type Quantity } from '../../apimachinery/quantity/index.js'
import { type KubeObject } from '../../apimachinery/meta/types.js'
import { add, type Amounts, amountsFrom, ONE, type WrittenAmounts } from './amounts.js'

interface Container {
  name?: string
  restartPolicy?: string
  resources?: { requests?: WrittenAmounts; limits?: WrittenAmounts }
}

export interface PodObject extends KubeObject {
  spec?: {
    containers?: Container[]
    initContainers?: Container[]
    overhead?: WrittenAmounts
    activeDeadlineSeconds?: number
    priorityClassName?: string
    affinity?: Record<string, Record<string, unknown> | undefined>
  }
  status?: { phase?: string }
}

/** Of these a quota asks that every container says how much it takes. */
const MANDATORY = new Set(['cpu', 'memory', 'requests.cpu', 'requests.memory', 'limits.cpu', 'limits.memory'])
const COMPUTE = ['cpu', 'memory', 'ephemeral-storage']
const PLAIN = new Set([
  'pods',
  'count/pods',
  ...COMPUTE,
  ...COMPUTE.flatMap((name) => [`requests.${name}`, `limits.${name}`]),
])
const HUGE_PAGES = 'hugepages-'
const REQUESTS = 'requests.'

export function isOfPods(name: string): boolean {
  if (PLAIN.has(name) || name.startsWith(HUGE_PAGES)) return true
  if (!name.startsWith(REQUESTS)) return false
  const requested = name.slice(REQUESTS.length)
  return requested.startsWith(HUGE_PAGES) || isExtended(requested)
}

export function podUsage(pod: Readonly<PodObject>, now: number): Map<string, Quantity> {
  const usage = new Map([['count/pods', ONE]])
  if (hasEnded(pod, now)) return usage
  usage.set('pods', ONE)
  const { containers = [], initContainers = [], overhead } = pod.spec ?? {}
  for (const kind of ['requests', 'limits'] as const) {
    const taken = add(total(containers, initContainers, kind), amountsFrom(overhead))
    for (const [name, amount] of counted(taken, kind)) usage.set(name, amount)
  }
  return usage
}

/** `requests.cpu` and the like that a container leaves open although `hard` limits it; by name. */
export function unspecified(pod: Readonly<PodObject>, hard: Iterable<string>): string[] {
  const asked = [...hard].filter((name) => MANDATORY.has(name))
  if (asked.length === 0) return []
  const missing = new Set<string>()
  for (const container of [...(pod.spec?.containers ?? []), ...(pod.spec?.initContainers ?? [])]) {
    const said = new Set([
      ...counted(resourcesOf(container, 'requests'), 'requests').keys(),
      ...counted(resourcesOf(container, 'limits'), 'limits').keys(),
    ])
    for (const name of asked) if (!said.has(name)) missing.add(name)
  }
  return [...missing].sort()
}

/** @param operator of a scope selector; a scope that is only named must exist */
export function podIsInScope(
  pod: Readonly<PodObject>,
  scope: string,
  operator = 'Exists',
  values: readonly string[] = [],
): boolean {
  const { activeDeadlineSeconds, priorityClassName = '' } = pod.spec ?? {}
  const terminates = typeof activeDeadlineSeconds === 'number' && activeDeadlineSeconds >= 0
  switch (scope) {
    case 'Terminating':
      return terminates
    case 'NotTerminating':
      return !terminates
    case 'BestEffort':
      return isBestEffort(pod)
    case 'NotBestEffort':
      return !isBestEffort(pod)
    case 'PriorityClass':
      return satisfies(priorityClassName, operator, values)
    case 'CrossNamespacePodAffinity':
      return reachesOtherNamespaces(pod)
    default:
      return false
  }
}

function satisfies(value: string, operator: string, values: readonly string[]): boolean {
  switch (operator) {
    case 'In':
      return values.includes(value)
    case 'NotIn':
      return !values.includes(value)
    case 'DoesNotExist':
      return value === ''
    default:
      return value !== ''
  }
}

function hasEnded({ metadata, status }: Readonly<PodObject>, now: number): boolean {
  if (status?.phase === 'Failed' || status?.phase === 'Succeeded') return true
  const { deletionTimestamp, deletionGracePeriodSeconds } = metadata
  if (deletionTimestamp === undefined || typeof deletionGracePeriodSeconds !== 'number') return false
  return Date.parse(deletionTimestamp) + deletionGracePeriodSeconds * 1000 < now
}

/** A request that is not made is as large as the limit. */
function resourcesOf({ resources = {} }: Container, kind: 'requests' | 'limits'): Map<string, Quantity> {
  return amountsFrom(kind === 'limits' ? resources.limits : { ...resources.limits, ...resources.requests })
}

/**
 * Containers run side by side, and with them the init containers that go on running; the others run before, one by
 * one, beside those started earlier.
 */
function total(containers: Container[], initContainers: Container[], kind: 'requests' | 'limits'): Amounts {
  let staying: Amounts = new Map()
  let peak: Amounts = new Map()
  for (const container of initContainers) {
    const own = resourcesOf(container, kind)
    if (container.restartPolicy === 'Always') staying = add(staying, own)
    peak = larger(peak, container.restartPolicy === 'Always' ? staying : add(staying, own))
  }
  for (const container of containers) staying = add(staying, resourcesOf(container, kind))
  return larger(peak, staying)
}

function larger(left: Amounts, right: Amounts): Amounts {
  const result = new Map(left)
  for (const [name, amount] of right) {
    const other = result.get(name)
    if (other === undefined || other.compare(amount) < 0) result.set(name, amount)
  }
  return result
}

/** Under the names that quotas use. */
function counted(amounts: Amounts, kind: 'requests' | 'limits'): Map<string, Quantity> {
  const result = new Map<string, Quantity>()
  for (const [name, amount] of amounts) {
    if (kind === 'limits') {
      if (COMPUTE.includes(name)) result.set(`limits.${name}`, amount)
    } else if (COMPUTE.includes(name) || name.startsWith(HUGE_PAGES)) {
      result.set(name, amount)
      result.set(`${REQUESTS}${name}`, amount)
    } else if (isExtended(name)) result.set(`${REQUESTS}${name}`, amount)
  }
  return result
}

/** `nvidia.com/gpu`: of a domain that is not Kubernetes' own. */
function isExtended(name: string): boolean {
  const [domain = '', rest] = name.split('/')
  return (
    rest !== undefined &&
    !name.startsWith(REQUESTS) &&
    !/(^|\.)kubernetes\.io$/.test(domain) &&
    !isClass(name)
  )
}

/** `gold.storageclass.storage.k8s.io/requests.storage` is of claims. */
function isClass(name: string): boolean {
  return name.includes('.storageclass.storage.k8s.io/')
}

function isBestEffort({ spec = {} }: Readonly<PodObject>): boolean {
  const all = [...(spec.containers ?? []), ...(spec.initContainers ?? [])]
  return all.every(({ resources = {} }) =>
    [resources.requests, resources.limits].every(
      (amounts) => !['cpu', 'memory'].some((name) => parseQuantity(String(amounts?.[name] ?? 0)).sign > 0),
    ),
  )
}

interface AffinityTerm {
  namespaces?: unknown[]
  namespaceSelector?: unknown
  podAffinityTerm?: AffinityTerm
}

function reachesOtherNamespaces({ spec = {} }: Readonly<PodObject>): boolean {
  const terms = ['podAffinity', 'podAntiAffinity'].flatMap((kind) =>
    Object.values(spec.affinity?.[kind] ?? {}).flatMap((list) =>
      Array.isArray(list) ? (list as AffinityTerm[]) : [],
    ),
  )
  return terms.some((term) => {
    const { namespaces = [], namespaceSelector } = term.podAffinityTerm ?? term
    return namespaces.length > 0 || (namespaceSelector !== undefined && namespaceSelector !== null)
  })
}
