/** Rows of the core group besides pods and what makes them. */
import { type KubeObject } from '../../../apimachinery/meta/types.js'
import {
  type ObjectReference,
  type PersistentVolumeClaim,
  type ResourceList,
  type Service,
  type StringMap,
} from '../types.js'
import { age } from './age.js'
import { type Row } from './rows.js'
import { accessModes, labelText, NONE, shortened, UNSET } from './text.js'

const countOf = (value: unknown): number =>
  value === undefined || value === null ? 0 : Object.keys(value).length

export const configMap: Row = (object, now) => [
  object.metadata.name,
  countOf(object['data']) + countOf(object['binaryData']),
  age(object.metadata.creationTimestamp, now),
]

export const secret: Row = (object, now) => [
  object.metadata.name,
  object['type'] ?? '',
  countOf(object['data']),
  age(object.metadata.creationTimestamp, now),
]

export const serviceAccount: Row = (object, now) => [
  object.metadata.name,
  countOf(object['secrets']),
  age(object.metadata.creationTimestamp, now),
]

export const namespace: Row = (object, now) => [
  object.metadata.name,
  (object['status'] as { phase?: string } | undefined)?.phase ?? '',
  age(object.metadata.creationTimestamp, now),
]

interface Node extends KubeObject {
  spec: { unschedulable?: boolean }
  status: {
    conditions?: { type: string; status: string }[]
    addresses?: { type: string; address: string }[]
    nodeInfo: {
      kubeletVersion: string
      osImage: string
      kernelVersion: string
      containerRuntimeVersion: string
    }
  }
}

export const node: Row = (object, now) => {
  const { metadata, spec, status } = object as Node
  const ready = status.conditions?.find(({ type }) => type === 'Ready')
  const word = ready === undefined ? 'Unknown' : ready.status === 'True' ? 'Ready' : 'NotReady'
  const address = (wanted: string) => status.addresses?.find(({ type }) => type === wanted)?.address ?? NONE
  const { nodeInfo } = status
  return [
    metadata.name,
    spec.unschedulable ? `${word},SchedulingDisabled` : word,
    rolesOf(metadata.labels ?? {}).join(',') || NONE,
    age(metadata.creationTimestamp, now),
    nodeInfo.kubeletVersion,
    address('InternalIP'),
    address('ExternalIP'),
    nodeInfo.osImage || '<unknown>',
    nodeInfo.kernelVersion || '<unknown>',
    nodeInfo.containerRuntimeVersion || '<unknown>',
  ]
}

const ROLE_PREFIX = 'node-role.kubernetes.io/'

function rolesOf(labels: StringMap): string[] {
  const roles = new Set<string>()
  for (const [key, value] of Object.entries(labels)) {
    if (key.startsWith(ROLE_PREFIX) && key !== ROLE_PREFIX) roles.add(key.slice(ROLE_PREFIX.length))
    else if (key === 'kubernetes.io/role' && value !== '') roles.add(value)
  }
  return [...roles].sort()
}

export const service: Row = (object, now) => {
  const { metadata, spec } = object as Service
  const ports = (spec.ports ?? []).map(
    ({ port, nodePort, protocol }) => `${port}${nodePort ? `:${nodePort}` : ''}/${protocol}`,
  )
  return [
    metadata.name,
    spec.type ?? '',
    spec.clusterIP || NONE,
    externalAddress(object as Service),
    ports.join(',') || NONE,
    age(metadata.creationTimestamp, now),
    labelText(spec.selector),
  ]
}

function externalAddress({ spec, status }: Readonly<Service>): string {
  const own = spec.externalIPs ?? []
  switch (spec.type) {
    case 'LoadBalancer': {
      const given = (status.loadBalancer.ingress ?? []).map(({ ip, hostname }) => ip ?? hostname ?? '')
      return [...given, ...own].join(',') || '<pending>'
    }
    case 'ExternalName':
      return spec.externalName ?? ''
    default:
      return own.join(',') || NONE
  }
}

interface Endpoints extends KubeObject {
  subsets?: { addresses?: { ip: string }[]; ports?: { port: number }[] }[]
}

export const endpoints: Row = (object, now) => {
  const { metadata, subsets = [] } = object as Endpoints
  const all = subsets.flatMap(({ addresses = [], ports = [] }) =>
    ports.length === 0
      ? addresses.map(({ ip }) => ip)
      : ports.flatMap(({ port }) =>
          addresses.map(({ ip }) => (ip.includes(':') ? `[${ip}]:${port}` : `${ip}:${port}`)),
        ),
  )
  return [metadata.name, shortened(all, 3) || NONE, age(metadata.creationTimestamp, now)]
}

interface Event extends KubeObject {
  involvedObject: ObjectReference
  reason?: string
  message?: string
  type?: string
  source: { component?: string; host?: string }
  firstTimestamp?: string | null
  lastTimestamp?: string | null
  eventTime?: string | null
  count?: number
  series?: { count?: number; lastObservedTime?: string | null }
}

export const event: Row = (object, now) => {
  const own = object as Event
  const { kind = '', name = '' } = own.involvedObject
  const first = own.firstTimestamp ?? own.eventTime
  const last = own.series?.lastObservedTime ?? own.lastTimestamp ?? own.eventTime
  const source = own.source.host
    ? `${own.source.component ?? ''}, ${own.source.host}`
    : (own.source.component ?? '')
  return [
    last ? age(last, now) : age(first, now),
    own.type ?? '',
    own.reason ?? '',
    name === '' ? kind.toLowerCase() : `${kind.toLowerCase()}/${name}`,
    own.involvedObject.fieldPath ?? '',
    source,
    (own.message ?? '').trim(),
    age(first, now),
    own.series?.count ?? own.count ?? 0,
    own.metadata.name,
  ]
}

const BETA_CLASS = 'volume.beta.kubernetes.io/storage-class'

export const persistentVolumeClaim: Row = (object, now) => {
  const { metadata, spec, status } = object as PersistentVolumeClaim
  const bound = spec.volumeName !== undefined && spec.volumeName !== ''
  return [
    metadata.name,
    metadata.deletionTimestamp === undefined ? (status.phase ?? '') : 'Terminating',
    spec.volumeName ?? '',
    bound ? (status.capacity?.['storage'] ?? '0') : '',
    bound ? accessModes(status.accessModes) : '',
    metadata.annotations?.[BETA_CLASS] ?? spec.storageClassName ?? '',
    age(metadata.creationTimestamp, now),
    spec.volumeMode ?? UNSET,
  ]
}

interface PersistentVolume extends KubeObject {
  spec: {
    capacity?: ResourceList
    accessModes?: string[]
    claimRef?: ObjectReference
    persistentVolumeReclaimPolicy?: string
    storageClassName?: string
    volumeMode?: string
  }
  status: { phase?: string; reason?: string }
}

export const persistentVolume: Row = (object, now) => {
  const { metadata, spec, status } = object as PersistentVolume
  const claim = spec.claimRef
  return [
    metadata.name,
    spec.capacity?.['storage'] ?? '0',
    accessModes(spec.accessModes),
    spec.persistentVolumeReclaimPolicy ?? '',
    metadata.deletionTimestamp === undefined ? (status.phase ?? '') : 'Terminating',
    claim ? `${claim.namespace ?? ''}/${claim.name ?? ''}` : '',
    metadata.annotations?.[BETA_CLASS] ?? spec.storageClassName ?? '',
    status.reason ?? '',
    age(metadata.creationTimestamp, now),
    spec.volumeMode ?? UNSET,
  ]
}

interface Quota extends KubeObject {
  status: { hard?: ResourceList; used?: ResourceList }
}

export const resourceQuota: Row = (object, now) => {
  const { metadata, status } = object as Quota
  const names = Object.keys(status.hard ?? {}).sort()
  const line = (chosen: string[]) =>
    chosen.map((name) => `${name}: ${status.used?.[name] ?? '0'}/${status.hard?.[name]}`).join(', ')
  return [
    metadata.name,
    age(metadata.creationTimestamp, now),
    line(names.filter((name) => !name.startsWith('limits.'))),
    line(names.filter((name) => name.startsWith('limits.'))),
  ]
}

interface ComponentStatus extends KubeObject {
  conditions?: { type: string; status: string; message?: string; error?: string }[]
}

const HEALTH: Readonly<Record<string, string>> = { True: 'Healthy', False: 'Unhealthy' }

export const componentStatus: Row = (object) => {
  const { metadata, conditions } = object as ComponentStatus
  const healthy = conditions?.find(({ type }) => type === 'Healthy')
  const word = HEALTH[healthy?.status ?? ''] ?? 'Unknown'
  return [metadata.name, word, healthy?.message ?? '', healthy?.error ?? '']
}
