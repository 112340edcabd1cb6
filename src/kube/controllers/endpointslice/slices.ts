/** EndpointSlices: at most a hundred endpoints each, changed as few at a time as can be. */
import { equal } from '../../../apimachinery/json/value.js'
import { controllerReference } from '../../../apimachinery/meta/accessors.js'
import { type KubeObject, type OwnerReference } from '../../../apimachinery/meta/types.js'
import { type ObjectReference } from '../../builtin/types.js'
import { type Stored } from '../stored.js'

export interface SliceEndpoint {
  addresses: string[]
  conditions: { ready?: boolean; serving?: boolean; terminating?: boolean }
  hostname?: string
  nodeName?: string
  targetRef?: ObjectReference & { resourceVersion?: string }
  zone?: string
}

export interface SlicePort {
  name: string
  protocol: string
  port?: number
  appProtocol?: string
}

export interface EndpointSlice extends KubeObject {
  addressType: string
  endpoints: SliceEndpoint[] | null
  ports?: SlicePort[] | null
}

/** Endpoints that share their ports. */
export interface SliceGroup {
  addressType: string
  ports: SlicePort[]
  endpoints: SliceEndpoint[]
}

export const SERVICE_NAME = 'kubernetes.io/service-name'
export const MANAGED_BY = 'endpointslice.kubernetes.io/managed-by'
const LIMIT = 100

const keyOf = ({ targetRef, addresses }: SliceEndpoint): string => targetRef?.uid ?? addresses.join(',')
const groupKey = (addressType: string, ports: readonly SlicePort[]): string =>
  JSON.stringify([addressType, ports.map(({ name, protocol, port }) => [name, protocol, port])])

/** Brings the slices of an owner to what the groups say. */
export async function writeSlices(
  slices: Stored<EndpointSlice>,
  owner: Readonly<KubeObject>,
  existing: readonly Readonly<EndpointSlice>[],
  groups: readonly SliceGroup[],
  labels: Record<string, string>,
  signal: AbortSignal,
): Promise<void> {
  const left = new Map(groups.map((group) => [groupKey(group.addressType, group.ports), group]))
  const missing = new Map<SliceGroup, Map<string, SliceEndpoint>>(
    groups.map((group) => [group, new Map(group.endpoints.map((each) => [keyOf(each), each]))]),
  )
  const kept: { slice: Readonly<EndpointSlice>; group: SliceGroup; endpoints: SliceEndpoint[] }[] = []
  for (const slice of existing) {
    const group = left.get(groupKey(slice.addressType, slice.ports ?? []))
    const open = group && missing.get(group)
    const endpoints = (slice.endpoints ?? []).flatMap((endpoint) => {
      const key = keyOf(endpoint)
      const wanted = open?.get(key)
      open?.delete(key)
      return wanted ? [wanted] : []
    })
    if (group && (endpoints.length > 0 || group.endpoints.length > 0)) kept.push({ slice, group, endpoints })
    else await slices.delete(slice, {}, signal)
  }
  for (const { slice, group, endpoints } of kept) {
    const open = missing.get(group) ?? new Map<string, SliceEndpoint>()
    for (const [key, endpoint] of open) {
      if (endpoints.length >= LIMIT) break
      endpoints.push(endpoint)
      open.delete(key)
    }
    if (endpoints.length === 0) await slices.delete(slice, {}, signal)
    else await change(slices, slice, endpoints, labels, signal)
  }
  for (const [group, open] of missing) {
    for (const all = [...open.values()]; all.length > 0;) {
      await create(slices, owner, group, all.splice(0, LIMIT), labels, signal)
    }
  }
}

async function change(
  slices: Stored<EndpointSlice>,
  slice: Readonly<EndpointSlice>,
  endpoints: SliceEndpoint[],
  labels: Record<string, string>,
  signal: AbortSignal,
): Promise<void> {
  const known = { ...slice.metadata.labels, ...labels }
  if (equal(unversioned(slice.endpoints), unversioned(endpoints)) && equal(known, slice.metadata.labels))
    return
  await slices.update(
    slice,
    (current) => {
      current.endpoints = endpoints
      current.metadata.labels = { ...current.metadata.labels, ...labels }
    },
    signal,
  )
}

async function create(
  slices: Stored<EndpointSlice>,
  owner: Readonly<KubeObject>,
  { addressType, ports }: SliceGroup,
  endpoints: SliceEndpoint[],
  labels: Record<string, string>,
  signal: AbortSignal,
): Promise<void> {
  const { namespace = '', name = '' } = owner.metadata
  const reference: OwnerReference = controllerReference(owner)
  await slices.create(
    {
      metadata: { generateName: `${name}-`, namespace, labels, ownerReferences: [reference] },
      addressType,
      endpoints,
      ports,
    },
    signal,
  )
}

/** That a pod has a new version is no change of its endpoint. */
function unversioned(endpoints: readonly SliceEndpoint[] | null): unknown {
  return JSON.parse(
    JSON.stringify(endpoints ?? [], (key, value: unknown) => (key === 'resourceVersion' ? undefined : value)),
  )
}
