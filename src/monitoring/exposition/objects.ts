/** Objects as kube-state-metrics tells of them: the series that the shipped recording rules and queries select. */
import { type CachedObject, type Store } from '../../client/cache/interface.js'
import { listAt, read, textAt } from '../../listing/kind.js'
import { WORKSPACE } from '../../tenancy/names.js'
import { podFacts, REPLICAS } from '../sampling/facts.js'
import { amountOf } from '../sampling/usage.js'
import { ExpositionText, type Labels } from './text.js'

export type StoreOf = (resource: string) => Store<never>

/** Resource → the name of its series, and the label with its name. */
const NAMED: Readonly<Record<string, [series: string, label: string]>> = {
  cronjobs: ['cronjob_labels', 'cronjob'],
  daemonsets: ['daemonset_labels', 'daemonset'],
  deployments: ['deployment_labels', 'deployment'],
  endpoints: ['endpoint_labels', 'endpoint'],
  horizontalpodautoscalers: ['horizontalpodautoscaler_labels', 'horizontalpodautoscaler'],
  jobs: ['job_labels', 'job_name'],
  statefulsets: ['statefulset_labels', 'statefulset'],
  replicasets: ['replicaset_labels', 'replicaset'],
  ingresses: ['ingress_labels', 'ingress'],
  services: ['service_info', 'service'],
  secrets: ['secret_info', 'secret'],
  configmaps: ['configmap_info', 'configmap'],
}

const WORKLOADS: Readonly<Record<string, Readonly<Record<'desired' | 'available' | 'unavailable', string>>>> =
  {
    deployments: {
      desired: 'deployment_spec_replicas',
      available: 'deployment_status_replicas_available',
      unavailable: 'deployment_status_replicas_unavailable',
    },
    statefulsets: {
      desired: 'statefulset_replicas',
      available: 'statefulset_status_replicas_current',
      unavailable: '',
    },
    daemonsets: {
      desired: 'daemonset_status_desired_number_scheduled',
      available: 'daemonset_status_number_available',
      unavailable: 'daemonset_status_number_unavailable',
    },
  }

const PHASES = ['Pending', 'Running', 'Succeeded', 'Failed', 'Unknown']

/** Everything that `kube_` series are made of. */
export const OBJECT_STORES = [
  ...['namespaces', 'nodes', 'pods', 'persistentvolumes', 'persistentvolumeclaims', 'resourcequotas'],
  ...Object.keys(NAMED),
]

export function objectsText(store: StoreOf): string {
  const text = new ExpositionText()
  const workspaces = new Map<string, string>()
  for (const { name, labels } of store('namespaces').byName()) workspaces.set(name, labels[WORKSPACE] ?? '')
  const add = (name: string, labels: Labels, value = 1): void =>
    text.add(`kube_${name}`, { ...labels, workspace: workspaces.get(labels['namespace'] ?? '') ?? '' }, value)
  const each = (resource: string, tell: (cached: CachedObject<never>, object: unknown) => void): void => {
    const from = store(resource)
    for (const cached of from.byName()) tell(cached, from.object(cached))
  }

  for (const namespace of workspaces.keys()) add('namespace_labels', { namespace })
  for (const [resource, [series, label]] of Object.entries(NAMED))
    for (const { namespace, name } of store(resource).byName()) add(series, { namespace, [label]: name })
  for (const { name } of store('persistentvolumes').byName())
    add('persistentvolume_labels', { persistentvolume: name })
  each('persistentvolumeclaims', ({ namespace, name }, claim) =>
    add('persistentvolumeclaim_info', {
      namespace,
      persistentvolumeclaim: name,
      storageclass: textAt(claim, 'spec', 'storageClassName'),
    }),
  )
  each('resourcequotas', ({ namespace, name }, quota) => {
    for (const [resource, limit] of Object.entries(read(quota, 'status', 'hard') ?? {}))
      add('resourcequota', { namespace, resourcequota: name, resource, type: 'hard' }, amountOf(limit))
  })
  for (const [resource, series] of Object.entries(WORKLOADS))
    each(resource, ({ namespace, name }, object) => {
      const replicas = REPLICAS[resource]?.(object)
      for (const key of ['desired', 'available', 'unavailable'] as const)
        if (replicas && series[key] !== '')
          add(series[key], { namespace, [resource.slice(0, -1)]: name }, replicas[key])
    })
  each('nodes', ({ name: node, labels }, object) => tellNode(node, labels, object, add))
  each('pods', ({ namespace, name: pod }, object) => tellPod({ namespace, pod }, object, add))
  return text.toString()
}

type Add = (name: string, labels: Labels, value?: number) => void

function tellNode(node: string, labels: Labels, object: unknown, add: Add): void {
  for (const label of Object.keys(labels)) {
    const role = /^node-role\.kubernetes\.io\/(.+)$/.exec(label)?.[1]
    if (role !== undefined) add('node_role', { node, role })
  }
  const pods = read(object, 'status', 'capacity', 'pods')
  add('node_status_capacity', { node, resource: 'pods', unit: 'integer' }, amountOf(pods))
  const ready = listAt(object, 'status', 'conditions').find((one) => textAt(one, 'type') === 'Ready')
  const is = textAt(ready, 'status').toLowerCase() || 'unknown'
  for (const status of ['true', 'false', 'unknown'])
    add('node_status_condition', { node, condition: 'Ready', status }, status === is ? 1 : 0)
}

function tellPod(of: { namespace: string; pod: string }, object: unknown, add: Add): void {
  const { phase, node, ownerKind, ownerName, isReady, isBeingCreated } = podFacts(object)
  add('pod_info', { ...of, node, host_ip: textAt(object, 'status', 'hostIP') })
  add('pod_owner', { ...of, owner_kind: ownerKind, owner_name: ownerName })
  add('pod_status_scheduled', { ...of, condition: 'true' }, node === '' ? 0 : 1)
  for (const each of PHASES) add('pod_status_phase', { ...of, phase: each }, each === phase ? 1 : 0)
  add('pod_status_ready', { ...of, condition: 'true' }, isReady ? 1 : 0)
  if (isBeingCreated) add('pod_container_status_waiting_reason', { ...of, reason: 'ContainerCreating' })
  for (const container of listAt(object, 'spec', 'containers')) {
    const requests = read(container, 'resources', 'requests')
    for (const [resource, unit] of [
      ['cpu', 'core'],
      ['memory', 'byte'],
    ] as const) {
      const amount = read(requests, resource)
      const labels = { ...of, container: textAt(container, 'name'), node, resource, unit }
      if (amount !== undefined) add('pod_container_resource_requests', labels, amountOf(amount))
    }
  }
  for (const volume of listAt(object, 'spec', 'volumes')) {
    const claim = textAt(volume, 'persistentVolumeClaim', 'claimName')
    if (claim !== '')
      add('pod_spec_volumes_persistentvolumeclaims_info', {
        ...of,
        volume: textAt(volume, 'name'),
        persistentvolumeclaim: claim,
      })
  }
}
