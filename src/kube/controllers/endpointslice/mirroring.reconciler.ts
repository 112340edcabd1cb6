/** Mirrors Endpoints that people keep by hand into EndpointSlices, for those who read only these. */
import { isIP } from 'node:net'
import { type Reconciler, type Request } from '../../../controller/index.js'
import { type Service } from '../../builtin/types.js'
import { type Collection, selectorOfMap } from '../collections.js'
import { type EndpointAddress, type Endpoints } from '../endpoints/endpoints.reconciler.js'
import { type Stored } from '../stored.js'
import {
  type EndpointSlice,
  MANAGED_BY,
  SERVICE_NAME,
  type SliceEndpoint,
  type SliceGroup,
  writeSlices,
} from './slices.js'

export interface MirroringDeps {
  services: Collection<Service>
  endpoints: Collection<Endpoints>
  slices: Stored<EndpointSlice>
  slicesOf: (key: string) => ReadonlySet<Readonly<EndpointSlice>>
}

export const MIRROR_MANAGER = 'endpointslicemirroring-controller.k8s.io'
const SKIP = 'endpointslice.kubernetes.io/skip-mirror'
const LEADER = 'control-plane.alpha.kubernetes.io/leader'

export class MirroringReconciler implements Reconciler {
  constructor(private readonly deps: MirroringDeps) {}

  async reconcile({ namespace, name }: Request, signal: AbortSignal): Promise<void> {
    const { services, endpoints, slices, slicesOf } = this.deps
    const own = [...slicesOf(`${namespace}/${name}`)].filter(
      ({ metadata }) => metadata.labels?.[MANAGED_BY] === MIRROR_MANAGER,
    )
    const source = endpoints.get(namespace, name)
    const service = services.get(namespace, name)
    if (!source || !service || !isMirrored(source, service)) {
      for (const slice of own) await slices.delete(slice, {}, signal)
      return
    }
    const { [SKIP]: _skip, ...given } = source.metadata.labels ?? {}
    const labels = { ...given, [SERVICE_NAME]: name, [MANAGED_BY]: MIRROR_MANAGER }
    await writeSlices(slices, source, own, groupsOf(source), labels, signal)
  }
}

function isMirrored({ metadata }: Readonly<Endpoints>, service: Readonly<Service>): boolean {
  if (metadata.deletionTimestamp || metadata.annotations?.[LEADER] !== undefined) return false
  return metadata.labels?.[SKIP] !== 'true' && selectorOfMap(service.spec.selector).matchesNothing
}

function groupsOf({ subsets = [] }: Readonly<Endpoints>): SliceGroup[] {
  return subsets.flatMap(({ addresses = [], notReadyAddresses = [], ports = [] }) => {
    const all = [
      ...addresses.map((address) => endpointOf(address, true)),
      ...notReadyAddresses.map((address) => endpointOf(address, false)),
    ]
    const named = ports.map(({ name = '', ...port }) => ({ name, ...port }))
    return [4, 6].flatMap((family) => {
      const endpoints = all.filter(({ addresses: [ip = ''] }) => isIP(ip) === family)
      return endpoints.length > 0 ? [{ addressType: `IPv${family}`, ports: named, endpoints }] : []
    })
  })
}

function endpointOf({ ip, hostname, nodeName, targetRef }: EndpointAddress, ready: boolean): SliceEndpoint {
  return {
    addresses: [ip],
    conditions: { ready },
    ...(hostname && { hostname }),
    ...(nodeName && { nodeName }),
    ...(targetRef && { targetRef }),
  }
}
