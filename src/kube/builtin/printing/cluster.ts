/** Rows of networking, storage, access and the other groups of the cluster. */
import { type KubeObject } from '../../../apimachinery/meta/types.js'
import { type LabelSelector } from '../types.js'
import { age } from './age.js'
import { type Row } from './rows.js'
import { NONE, selectorText, shortened, UNSET } from './text.js'

const ageOf = ({ metadata }: Readonly<KubeObject>, now: Date) => age(metadata.creationTimestamp, now)

/** A top-level field, or one of its members. */
function read<T>(object: Readonly<KubeObject>, field: string): T | undefined {
  return object[field] as T | undefined
}

interface Ingress extends KubeObject {
  spec: { ingressClassName?: string; tls?: unknown[]; rules?: { host?: string }[] }
  status: { loadBalancer: { ingress?: { ip?: string; hostname?: string }[] } }
}

export const ingress: Row = (object, now) => {
  const { metadata, spec, status } = object as Ingress
  const hosts = (spec.rules ?? []).map(({ host }) => host ?? '').filter((host) => host !== '')
  const addresses = (status.loadBalancer.ingress ?? []).map(({ ip, hostname }) => ip ?? hostname ?? '')
  return [
    metadata.name,
    spec.ingressClassName ?? metadata.annotations?.['kubernetes.io/ingress.class'] ?? NONE,
    shortened(hosts, 3) || '*',
    addresses.join(','),
    (spec.tls ?? []).length > 0 ? '80, 443' : '80',
    ageOf(object, now),
  ]
}

export const ingressClass: Row = (object, now) => {
  const spec = read<{ controller?: string; parameters?: { apiGroup?: string; kind: string; name: string } }>(
    object,
    'spec',
  )
  const { parameters } = spec ?? {}
  const group = parameters?.apiGroup ? `.${parameters.apiGroup}` : ''
  return [
    object.metadata.name,
    spec?.controller ?? '',
    parameters ? `${parameters.kind}${group}/${parameters.name}` : NONE,
    ageOf(object, now),
  ]
}

export const networkPolicy: Row = (object, now) => [
  object.metadata.name,
  selectorText(read<{ podSelector: LabelSelector }>(object, 'spec')?.podSelector),
  ageOf(object, now),
]

export const endpointSlice: Row = (object, now) => {
  const ports = read<{ port?: number }[] | null>(object, 'ports') ?? []
  const endpoints = read<{ addresses: string[] | null }[] | null>(object, 'endpoints') ?? []
  const addresses = endpoints.flatMap(({ addresses: list }) => list ?? [])
  return [
    object.metadata.name,
    read<string>(object, 'addressType') ?? '',
    shortened(
      ports.map(({ port }) => (port === undefined ? '*' : String(port))),
      3,
    ) || UNSET,
    shortened(addresses, 3) || UNSET,
    ageOf(object, now),
  ]
}

interface Subject {
  kind: string
  name: string
  namespace?: string
}

export const roleBinding: Row = (object, now) => {
  const { kind, name } = read<{ kind: string; name: string }>(object, 'roleRef') ?? { kind: '', name: '' }
  const subjects = read<Subject[]>(object, 'subjects') ?? []
  const namesOf = (wanted: string, print: (subject: Subject) => string) =>
    subjects
      .filter((subject) => subject.kind === wanted)
      .map(print)
      .join(', ')
  return [
    object.metadata.name,
    `${kind}/${name}`,
    ageOf(object, now),
    namesOf('User', (subject) => subject.name),
    namesOf('Group', (subject) => subject.name),
    namesOf(
      'ServiceAccount',
      (subject) => `${subject.namespace ? `${subject.namespace}/` : ''}${subject.name}`,
    ),
  ]
}

/** Name and the time itself, which clients turn into an age. */
export const createdAt: Row = ({ metadata }) => [metadata.name, metadata.creationTimestamp ?? '']

const DEFAULT_CLASS = /^storageclass(\.beta)?\.kubernetes\.io\/is-default-class$/

export const storageClass: Row = (object, now) => {
  const { name = '', annotations = {} } = object.metadata
  const isDefault = Object.entries(annotations).some(
    ([key, value]) => DEFAULT_CLASS.test(key) && value === 'true',
  )
  return [
    isDefault ? `${name} (default)` : name,
    read<string>(object, 'provisioner') ?? '',
    read<string>(object, 'reclaimPolicy') ?? 'Delete',
    read<string>(object, 'volumeBindingMode') ?? 'Immediate',
    read<boolean>(object, 'allowVolumeExpansion') ?? false,
    ageOf(object, now),
  ]
}

export const csiDriver: Row = (object, now) => {
  const spec = read<{ attachRequired?: boolean; podInfoOnMount?: boolean; volumeLifecycleModes?: string[] }>(
    object,
    'spec',
  )
  return [
    object.metadata.name,
    spec?.attachRequired ?? true,
    spec?.podInfoOnMount ?? false,
    (spec?.volumeLifecycleModes ?? []).join(',') || UNSET,
    ageOf(object, now),
  ]
}

export const csiNode: Row = (object, now) => [
  object.metadata.name,
  read<{ drivers: unknown[] | null }>(object, 'spec')?.drivers?.length ?? 0,
  ageOf(object, now),
]

export const volumeAttachment: Row = (object, now) => {
  const spec = read<{ attacher: string; nodeName: string; source: { persistentVolumeName?: string } }>(
    object,
    'spec',
  )
  return [
    object.metadata.name,
    spec?.attacher ?? '',
    spec?.source.persistentVolumeName ?? '',
    spec?.nodeName ?? '',
    read<{ attached?: boolean }>(object, 'status')?.attached ?? false,
    ageOf(object, now),
  ]
}

export const webhooks: Row = (object, now) => [
  object.metadata.name,
  read<unknown[]>(object, 'webhooks')?.length ?? 0,
  ageOf(object, now),
]

export const priorityClass: Row = (object, now) => [
  object.metadata.name,
  read<number>(object, 'value') ?? 0,
  read<boolean>(object, 'globalDefault') ?? false,
  ageOf(object, now),
]

export const lease: Row = (object, now) => [
  object.metadata.name,
  read<{ holderIdentity?: string }>(object, 'spec')?.holderIdentity ?? '',
  ageOf(object, now),
]

export const runtimeClass: Row = (object, now) => [
  object.metadata.name,
  read<string>(object, 'handler') ?? '',
  ageOf(object, now),
]

interface Condition {
  type: string
  status: string
  reason?: string
}

const conditionOf = (object: Readonly<KubeObject>, type: string) =>
  read<{ conditions?: Condition[] | null }>(object, 'status')?.conditions?.find((each) => each.type === type)

export const apiService: Row = (object, now) => {
  const service = read<{ service?: { namespace?: string; name?: string } | null }>(object, 'spec')?.service
  const available = conditionOf(object, 'Available')
  const status = available?.status ?? 'Unknown'
  return [
    object.metadata.name,
    service ? `${service.namespace ?? ''}/${service.name ?? ''}` : 'Local',
    status === 'True' || !available?.reason ? status : `${status} (${available.reason})`,
    ageOf(object, now),
  ]
}

export const certificateSigningRequest: Row = (object, now) => {
  const spec = read<{ signerName?: string; username?: string }>(object, 'spec')
  const words: string[] = []
  if (conditionOf(object, 'Approved')) words.push('Approved')
  if (conditionOf(object, 'Denied')) words.push('Denied')
  if (conditionOf(object, 'Failed')) words.push('Failed')
  if (words.length === 0) words.push('Pending')
  if (read<{ certificate?: string }>(object, 'status')?.certificate) words.push('Issued')
  return [
    object.metadata.name,
    ageOf(object, now),
    spec?.signerName ?? NONE,
    spec?.username ?? '',
    words.join(','),
  ]
}

interface FlowSchemaSpec {
  priorityLevelConfiguration: { name: string }
  matchingPrecedence?: number
  distinguisherMethod?: { type: string }
}

export const flowSchema: Row = (object, now) => {
  const spec = read<FlowSchemaSpec>(object, 'spec')
  return [
    object.metadata.name,
    spec?.priorityLevelConfiguration.name ?? '',
    spec?.matchingPrecedence ?? 0,
    spec?.distinguisherMethod?.type ?? NONE,
    ageOf(object, now),
    conditionOf(object, 'Dangling')?.status ?? '?',
  ]
}

interface PriorityLevelSpec {
  type: string
  limited?: {
    assuredConcurrencyShares?: number
    limitResponse: { queuing?: { queues?: number; handSize?: number; queueLengthLimit?: number } }
  }
}

export const priorityLevel: Row = (object, now) => {
  const spec = read<PriorityLevelSpec>(object, 'spec')
  const queuing = spec?.limited?.limitResponse.queuing
  return [
    object.metadata.name,
    spec?.type ?? '',
    spec?.limited?.assuredConcurrencyShares ?? NONE,
    queuing?.queues ?? NONE,
    queuing?.handSize ?? NONE,
    queuing?.queueLengthLimit ?? NONE,
    ageOf(object, now),
  ]
}

interface SecurityPolicySpec {
  privileged?: boolean
  allowedCapabilities?: string[]
  readOnlyRootFilesystem?: boolean
  volumes?: string[]
  seLinux: { rule: string }
  runAsUser: { rule: string }
  fsGroup: { rule: string }
  supplementalGroups: { rule: string }
}

export const podSecurityPolicy: Row = (object) => {
  const spec = read<SecurityPolicySpec>(object, 'spec')
  return [
    object.metadata.name,
    String(spec?.privileged ?? false),
    (spec?.allowedCapabilities ?? []).join(','),
    spec?.seLinux.rule ?? '',
    spec?.runAsUser.rule ?? '',
    spec?.fsGroup.rule ?? '',
    spec?.supplementalGroups.rule ?? '',
    String(spec?.readOnlyRootFilesystem ?? false),
    (spec?.volumes ?? []).join(','),
  ]
}
