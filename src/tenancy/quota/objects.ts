/** What services, claims and any other objects take of a quota. */
import { parseQuantity, Quantity } from '../../apimachinery/quantity/index.js'
import { type KubeObject } from '../../apimachinery/meta/types.js'
import { ONE } from './amounts.js'

interface ServiceObject extends KubeObject {
  spec?: {
    type?: string
    ports?: { nodePort?: number }[]
    allocateLoadBalancerNodePorts?: boolean
  }
}

interface ClaimObject extends KubeObject {
  spec?: { storageClassName?: string | null; resources?: { requests?: Record<string, string> } }
  status?: { capacity?: Record<string, string> }
}

const CLASS_ANNOTATION = 'volume.beta.kubernetes.io/storage-class'
const OF_CLASS = '.storageclass.storage.k8s.io/'
const STORAGE = 'requests.storage'
const CLAIMS = 'persistentvolumeclaims'
const SERVICES = new Set(['services', 'count/services', 'services.nodeports', 'services.loadbalancers'])

export function isOfServices(name: string): boolean {
  return SERVICES.has(name)
}

export function serviceUsage({ spec = {} }: Readonly<ServiceObject>): Map<string, Quantity> {
  const { type = 'ClusterIP', ports = [], allocateLoadBalancerNodePorts: allocates = true } = spec
  const usage = new Map([
    ['services', ONE],
    ['count/services', ONE],
  ])
  if (type === 'LoadBalancer') usage.set('services.loadbalancers', ONE)
  if (type === 'NodePort' || (type === 'LoadBalancer' && allocates))
    usage.set('services.nodeports', Quantity.of(ports.length))
  else if (type === 'LoadBalancer')
    usage.set('services.nodeports', Quantity.of(ports.filter(({ nodePort = 0 }) => nodePort > 0).length))
  return usage
}

export function isOfClaims(name: string): boolean {
  if (name.includes(OF_CLASS)) return [STORAGE, CLAIMS].some((what) => name.endsWith(OF_CLASS + what))
  return name === STORAGE || name === CLAIMS || name === `count/${CLAIMS}`
}

/** A claim takes what it asks for, or what it was given when that is more. */
export function claimUsage({
  metadata,
  spec = {},
  status = {},
}: Readonly<ClaimObject>): Map<string, Quantity> {
  const usage = new Map([
    [CLAIMS, ONE],
    [`count/${CLAIMS}`, ONE],
  ])
  const [asked, given] = [spec.resources?.requests?.['storage'], status.capacity?.['storage']].map(
    (amount) => (amount === undefined ? undefined : parseQuantity(amount)),
  )
  const size = asked && given && given.compare(asked) > 0 ? given : asked
  const storageClass = metadata.annotations?.[CLASS_ANNOTATION] ?? spec.storageClassName ?? ''
  if (size) usage.set(STORAGE, size)
  if (storageClass === '') return usage
  usage.set(`${storageClass}${OF_CLASS}${CLAIMS}`, ONE)
  if (size) usage.set(`${storageClass}${OF_CLASS}${STORAGE}`, size)
  return usage
}

/** Resources of the core group that quotas also count under their bare name. */
const BARE = new Set(['configmaps', 'secrets', 'replicationcontrollers', 'resourcequotas'])

export interface GroupResource {
  group: string
  resource: string
}

/** `count/deployments.apps`, `count/secrets`. */
export function countName({ group, resource }: GroupResource): string {
  return group === '' ? `count/${resource}` : `count/${resource}.${group}`
}

/** The names under which one object of the resource counts as one. */
export function countNames(type: GroupResource): string[] {
  return type.group === '' && BARE.has(type.resource) ? [countName(type), type.resource] : [countName(type)]
}

/** What a name counts objects of. @returns undefined for other names */
export function countedBy(name: string): GroupResource | undefined {
  if (BARE.has(name)) return { group: '', resource: name }
  if (!name.startsWith('count/')) return undefined
  const [resource = '', ...group] = name.slice('count/'.length).split('.')
  return { group: group.join('.'), resource }
}
