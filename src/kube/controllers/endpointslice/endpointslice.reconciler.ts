/** Keeps the EndpointSlices of every Service that selects pods. */
import { type Reconciler, type Request } from '../../../controller/index.js'
import { type Pod, type Service } from '../../builtin/types.js'
import { type Collection, selectorOfMap } from '../collections.js'
import { addressesOf, type PodAddress, referenceTo } from '../endpoints/addresses.js'
import { HEADLESS } from '../endpoints/endpoints.reconciler.js'
import { type Stored } from '../stored.js'
import { type EndpointSlice, MANAGED_BY, SERVICE_NAME, type SliceGroup, writeSlices } from './slices.js'

export interface EndpointSliceDeps {
  services: Collection<Service>
  pods: Collection<Pod>
  slices: Stored<EndpointSlice>
  /** By `namespace/service`. */
  slicesOf: (key: string) => ReadonlySet<Readonly<EndpointSlice>>
}

export const SLICE_MANAGER = 'endpointslice-controller.k8s.io'

export class EndpointSliceReconciler implements Reconciler {
  constructor(private readonly deps: EndpointSliceDeps) {}

  async reconcile({ namespace, name }: Request, signal: AbortSignal): Promise<void> {
    const { services, pods, slices, slicesOf } = this.deps
    const service = services.get(namespace, name)
    if (!service || service.metadata.deletionTimestamp) return // Its slices are owned: they go with it.
    const selector = selectorOfMap(service.spec.selector)
    if (selector.matchesNothing) return
    const groups = groupsOf(addressesOf(service, pods.select(namespace, selector), { ending: true }))
    const own = [...slicesOf(`${namespace}/${name}`)].filter(
      ({ metadata }) => metadata.labels?.[MANAGED_BY] === SLICE_MANAGER,
    )
    const labels = {
      ...service.metadata.labels,
      [SERVICE_NAME]: name,
      [MANAGED_BY]: SLICE_MANAGER,
      ...(service.spec.clusterIP === 'None' && { [HEADLESS]: '' }),
    }
    await writeSlices(slices, service, own, groups, labels, signal)
  }
}

function groupsOf(all: readonly PodAddress[]): SliceGroup[] {
  const groups = new Map<string, SliceGroup>()
  for (const each of all) {
    const { ip, pod, ready, serving, terminating, hostname, nodeName } = each
    const ports = each.ports.map(({ name = '', ...port }) => ({ name, ...port }))
    const key = JSON.stringify(ports)
    const group = groups.get(key) ?? { addressType: 'IPv4', ports, endpoints: [] }
    groups.set(key, group)
    group.endpoints.push({
      addresses: [ip],
      conditions: { ready, ...(terminating && { serving, terminating }) },
      ...(hostname && { hostname }),
      ...(nodeName && { nodeName }),
      targetRef: referenceTo(pod),
    })
  }
  return [...groups.values()]
}
