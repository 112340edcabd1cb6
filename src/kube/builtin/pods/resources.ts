/** Requests and limits: their faults and the quality of service that follows from them. */
import { type Faults, invalidValue, qualifiedName, required } from '../faults.js'
import { type PodSpec, type ResourceRequirements } from '../types.js'
import { compareQuantities, isNegative, isWhole } from '../wire/quantity.js'
import { containersOf } from './defaults.js'

const STANDARD = new Set(['cpu', 'memory', 'ephemeral-storage'])

const isHugePages = (name: string) => name.startsWith('hugepages-')

/** Resources of other vendors: whole numbers, the same in request and limit. */
function isExtended(name: string): boolean {
  return name.includes('/') && !name.includes('kubernetes.io/') && !name.startsWith('requests.')
}

export function resourceFaults(field: string, { limits = {}, requests = {} }: ResourceRequirements): Faults {
  const faults: Faults = []
  const check = (part: string, name: string, quantity: string) => {
    const at = `${field}.${part}[${name}]`
    faults.push(...containerResourceName(at, name))
    if (isNegative(quantity)) faults.push(invalidValue(at, quantity, 'must be greater than or equal to 0'))
    if (isExtended(name) && !isWhole(quantity)) faults.push(invalidValue(at, quantity, 'must be an integer'))
  }
  for (const [name, quantity] of Object.entries(limits)) check('limits', name, quantity)
  for (const [name, request] of Object.entries(requests)) {
    check('requests', name, request)
    const limit = limits[name]
    if (limit === undefined) {
      if (isExtended(name) || isHugePages(name)) {
        faults.push(required(`${field}.limits`, `Limit must be set for non overcommitable resources`))
      }
      continue
    }
    const order = compareQuantities(request, limit)
    if (order !== 0 && (isExtended(name) || isHugePages(name))) {
      faults.push(invalidValue(`${field}.requests`, request, `must be equal to ${name} limit`))
    } else if (order > 0) {
      faults.push(invalidValue(`${field}.requests`, request, `must be less than or equal to ${name} limit`))
    }
  }
  return faults
}

const COUNTED = new Set([
  ...['pods', 'services', 'replicationcontrollers', 'resourcequotas', 'secrets', 'configmaps'],
  ...['persistentvolumeclaims', 'storage', 'services.nodeports', 'services.loadbalancers'],
  ...['requests.cpu', 'requests.memory', 'requests.storage', 'requests.ephemeral-storage'],
  ...['limits.cpu', 'limits.memory', 'limits.ephemeral-storage'],
])

function containerResourceName(field: string, name: string): Faults {
  const faults = resourceName(field, name)
  if (name.includes('/') || STANDARD.has(name) || isHugePages(name)) return faults
  return [...faults, invalidValue(field, name, 'must be a standard resource for containers')]
}

/** A name of quotas, limit ranges and capacities: one that Kubernetes counts, or a qualified one. */
export function resourceName(field: string, name: string): Faults {
  const faults = qualifiedName(field, name)
  if (faults.length > 0 || name.includes('/')) return faults
  if (STANDARD.has(name) || COUNTED.has(name) || isHugePages(name)) return []
  return [invalidValue(field, name, 'must be a standard resource type or fully qualified')]
}

const COMPUTE = ['cpu', 'memory'] as const

/** Guaranteed: every container has cpu and memory limits equal to its requests. BestEffort: none has any. */
export function qosClassOf(spec: PodSpec): 'Guaranteed' | 'Burstable' | 'BestEffort' {
  let anything = false
  let guaranteed = true
  for (const { resources } of containersOf(spec)) {
    for (const name of COMPUTE) {
      const request = resources.requests?.[name] ?? '0'
      const limit = resources.limits?.[name] ?? '0'
      if (request !== '0' || limit !== '0') anything = true
      if (limit === '0' || compareQuantities(request, limit) !== 0) guaranteed = false
    }
  }
  if (!anything) return 'BestEffort'
  return guaranteed ? 'Guaranteed' : 'Burstable'
}
