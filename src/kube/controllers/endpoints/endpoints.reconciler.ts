/** Keeps the Endpoints of every Service that selects pods. */
import { equal } from '../../../apimachinery/json/value.js'
import { type KubeObject } from '../../../apimachinery/meta/types.js'
import { type Reconciler, type Request } from '../../../controller/index.js'
import { type ObjectReference, type Pod, type Service } from '../../builtin/types.js'
import { type Collection, selectorOfMap } from '../collections.js'
import { type Stored } from '../stored.js'
import { addressesOf, type PodAddress, referenceTo, type ResolvedPort } from './addresses.js'

export interface EndpointAddress {
  ip: string
  hostname?: string
  nodeName?: string
  targetRef?: ObjectReference
}

export interface EndpointSubset {
  addresses?: EndpointAddress[]
  notReadyAddresses?: EndpointAddress[]
  ports?: ResolvedPort[]
}

export interface Endpoints extends KubeObject {
  subsets?: EndpointSubset[]
}

export interface EndpointsDeps {
  services: Collection<Service>
  pods: Collection<Pod>
  endpoints: Stored<Endpoints>
}

export const HEADLESS = 'service.kubernetes.io/headless'
const OVER_CAPACITY = 'endpoints.kubernetes.io/over-capacity'
/** More would not fit one object. */
const LIMIT = 1000

export class EndpointsReconciler implements Reconciler {
  constructor(private readonly deps: EndpointsDeps) {}

  async reconcile({ namespace, name }: Request, signal: AbortSignal): Promise<void> {
    const { services, pods, endpoints } = this.deps
    const service = services.get(namespace, name)
    const known = endpoints.get(namespace, name)
    if (!service) {
      // Those that somebody made for a Service of their own have no label of ours, but its name: they go with it.
      if (known) await endpoints.delete(known, {}, signal)
      return
    }
    const selector = selectorOfMap(service.spec.selector)
    if (selector.matchesNothing) return
    const all = addressesOf(service, pods.select(namespace, selector))
    const subsets = subsetsOf(all.slice(0, LIMIT))
    const labels = {
      ...service.metadata.labels,
      ...(service.spec.clusterIP === 'None' && { [HEADLESS]: '' }),
    }
    const isOver = all.length > LIMIT
    const metadata = {
      name,
      namespace,
      ...(Object.keys(labels).length > 0 && { labels }),
      ...(isOver && { annotations: { [OVER_CAPACITY]: 'truncated' } }),
    }
    if (!known) {
      if (service.metadata.deletionTimestamp) return
      await endpoints.create({ metadata, ...(subsets.length > 0 && { subsets }) }, signal)
      return
    }
    if (
      equal(unversioned(known.subsets ?? []), unversioned(subsets)) &&
      equal(known.metadata.labels ?? {}, labels) &&
      (known.metadata.annotations?.[OVER_CAPACITY] !== undefined) === isOver
    ) {
      return
    }
    await endpoints.update(
      known,
      (current) => {
        if (subsets.length > 0) current.subsets = subsets
        else delete current.subsets
        current.metadata.labels = labels
        const { [OVER_CAPACITY]: _over, ...others } = current.metadata.annotations ?? {}
        current.metadata.annotations = isOver ? { ...others, [OVER_CAPACITY]: 'truncated' } : others
      },
      signal,
    )
  }
}

/** Pods of the same ports are one subset. */
function subsetsOf(all: readonly PodAddress[]): EndpointSubset[] {
  const subsets = new Map<string, EndpointSubset>()
  for (const each of all) {
    const key = JSON.stringify(each.ports)
    const subset = subsets.get(key) ?? { ...(each.ports.length > 0 && { ports: sorted(each.ports) }) }
    subsets.set(key, subset)
    const list = each.ready ? (subset.addresses ??= []) : (subset.notReadyAddresses ??= [])
    const { ip, hostname, nodeName, pod } = each
    list.push({
      ip,
      ...(hostname && { hostname }),
      ...(nodeName && { nodeName }),
      targetRef: referenceTo(pod),
    })
  }
  return [...subsets.values()]
}

function sorted(ports: readonly ResolvedPort[]): ResolvedPort[] {
  return [...ports].sort((a, b) => ((a.name ?? '') < (b.name ?? '') ? -1 : 1))
}

/** That a pod has a new version is no change of its address. */
function unversioned(subsets: readonly EndpointSubset[]): unknown {
  return JSON.parse(
    JSON.stringify(subsets, (key, value: unknown) => (key === 'resourceVersion' ? undefined : value)),
  )
}
