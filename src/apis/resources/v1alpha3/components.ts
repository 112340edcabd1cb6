/** Health of the system's own components, told from Services and the pods behind them (resources.md §3.7). */
import { StatusError } from '../../../apimachinery/errors/index.js'
import { formatTime } from '../../../apimachinery/meta/index.js'
import { type CachedObject } from '../../../client/cache/interface.js'
import { listAt, read, textAt, type KindDefinition, type Stores } from '../../../listing/kind.js'
import { podKind } from '../../../listing/kinds/pods.js'

/** Where components are looked for, in this order. */
const NAMESPACES = [
  'kubesphere-system',
  'kubesphere-logging-system',
  'kubesphere-monitoring-system',
  'openpitrix-system',
  'kube-system',
  'istio-system',
  'kubesphere-devops-system',
  'porter-system',
]

export interface ComponentStatus {
  name: string
  namespace: string
  selfLink: string
  /** The selector of the Service. */
  label: Record<string, string>
  startedAt: string
  totalBackends: number
  healthyBackends: number
}

export interface HealthStatus {
  kubesphereStatus: ComponentStatus[]
  nodeStatus: { totalNodes: number; healthyNodes: number }
}

export const serviceKind: KindDefinition = {
  group: '',
  versions: ['v1'],
  resource: 'services',
  singular: 'service',
  namespaced: true,
}

export const nodeKind: KindDefinition = {
  group: '',
  versions: ['v1'],
  resource: 'nodes',
  singular: 'node',
  namespaced: false,
}

export function componentStatuses(stores: Stores): ComponentStatus[] {
  const services = stores.of(serviceKind)
  return NAMESPACES.flatMap((namespace) =>
    [...services.byName(namespace)].flatMap((service) => statusOf(service, stores) ?? []),
  )
}

/** @throws StatusError 500 when no such component exists, as the original answers */
export function componentStatus(name: string, stores: Stores): ComponentStatus {
  const services = stores.of(serviceKind)
  for (const namespace of NAMESPACES) {
    const service = services.get(namespace, name)
    const status = service && statusOf(service, stores)
    if (status) return status
  }
  throw new StatusError({ code: 500, reason: 'NotFound', message: `component "${name}" not found` })
}

export function health(stores: Stores): HealthStatus {
  const nodes = stores.of(nodeKind)
  let healthyNodes = 0
  for (const node of nodes.byName()) {
    const ready = listAt(nodes.object(node), 'status', 'conditions').some(
      (condition) => textAt(condition, 'type') === 'Ready' && textAt(condition, 'status') === 'True',
    )
    if (ready) healthyNodes++
  }
  return {
    kubesphereStatus: componentStatuses(stores),
    nodeStatus: { totalNodes: nodes.size, healthyNodes },
  }
}

/** @returns undefined for a Service without a selector */
function statusOf(service: CachedObject, stores: Stores): ComponentStatus | undefined {
  const selector = read(stores.of(serviceKind).object(service), 'spec', 'selector')
  if (selector === null || typeof selector !== 'object') return undefined
  const label = selector as Record<string, string>
  const wanted = Object.entries(label)
  if (wanted.length === 0) return undefined
  const pods = stores.of(podKind)
  let totalBackends = 0
  let healthyBackends = 0
  for (const pod of pods.byName(service.namespace)) {
    if (!wanted.every(([key, value]) => pod.labels[key] === value)) continue
    totalBackends++
    const containers = listAt(pods.object(pod), 'status', 'containerStatuses')
    if (
      pod.fields.phase === 'Running' &&
      containers.every((container) => read(container, 'ready') === true)
    ) {
      healthyBackends++
    }
  }
  return {
    name: service.name,
    namespace: service.namespace,
    selfLink: '',
    label,
    startedAt: formatTime(new Date(service.creationTimestamp)),
    totalBackends,
    healthyBackends,
  }
}
