/** One look at the cluster: objects from caches, usage from the metrics API, put together by level. */
import { type GroupVersionResource } from '../../apimachinery/meta/types.js'
import { type Informer, type InformerSet, type Store } from '../../client/cache/interface.js'
import { findKind } from '../../listing/kinds/index.js'
import { type KindStores } from '../../listing/stores.js'
import { WORKSPACE } from '../../tenancy/names.js'
import { COUNTED } from './derived.js'
import { Facts, podFacts, type PodFacts, quotaFacts, REPLICAS } from './facts.js'
import { type NodeFacts, nodeFacts, nodeSeries } from './nodes.js'
import { type SampledSeries, type Snapshot } from './series.js'
import {
  machineValues,
  type Place,
  placeValues,
  PodCounts,
  rounded,
  usageValues,
  type Values,
} from './tally.js'
import { NOTHING, plus, type Usages } from './usage.js'

/** Not among the kinds that can be listed: only samples need their caches. */
const OWN: Readonly<Record<string, GroupVersionResource>> = {
  resourcequotas: { group: '', version: 'v1', resource: 'resourcequotas' },
  endpoints: { group: '', version: 'v1', resource: 'endpoints' },
  replicasets: { group: 'apps', version: 'v1', resource: 'replicasets' },
}

const LISTED = [
  ...['namespaces', 'nodes', 'pods', 'persistentvolumes', 'configmaps'],
  ...Object.values(COUNTED).filter((resource) => !(resource in OWN)),
]

/** `namespace/workload` → what is known of it. */
type Workloads = Map<string, { namespace: string; workload: string; values: Values }>

const WORKLOADS = { deployments: 'Deployment', statefulsets: 'StatefulSet', daemonsets: 'DaemonSet' } as const

export class Snapshots {
  readonly #pods = new Facts(podFacts)
  readonly #quotas = new Facts(quotaFacts)
  readonly #replicas = new Map(
    Object.entries(REPLICAS).map(([resource, take]) => [resource, new Facts(take)]),
  )

  /** Started by the first look: the start of the server has no time for them. */
  readonly #own = new Map<string, Informer<never>>()

  constructor(
    private readonly stores: KindStores,
    private readonly informers: InformerSet,
  ) {}

  /** Waits until there is something to look at. @throws the signal's reason */
  async ready(signal: AbortSignal): Promise<void> {
    for (const [name, type] of Object.entries(OWN))
      if (!this.#own.has(name)) this.#own.set(name, this.informers.informer<never>(type))
    await this.stores.ready(LISTED, signal)
    await Promise.all([...this.#own.values()].map((informer) => informer.whenSynced(signal)))
  }

  /** @param usages undefined where nobody measures */
  take(time: number, usages: Usages | undefined): Snapshot {
    const workspaceOf = new Map<string, string>()
    for (const { name, labels } of this.#store('namespaces').byName())
      workspaceOf.set(name, labels[WORKSPACE] ?? '')

    const cluster: Place = { pods: new PodCounts(), counts: {} }
    const namespaces = new Map<string, Place>()
    for (const name of workspaceOf.keys()) namespaces.set(name, { pods: new PodCounts(), counts: {} })
    const machines = this.#nodeFacts()
    const nodes = new Map<string, PodCounts>()
    const workloads: Workloads = new Map()
    const pods: SampledSeries[] = []
    const containers: SampledSeries[] = []

    for (const [{ namespace, name }, facts] of this.#pods.of(this.#store('pods'))) {
      const measured = usages?.pods.get(`${namespace}/${name}`)
      cluster.pods.add(facts, undefined)
      namespaces.get(namespace)?.pods.add(facts, measured?.whole)
      if (facts.node !== '') at(nodes, facts.node, () => new PodCounts()).add(facts, undefined)
      if (!measured) continue
      const { ownerKind: owner_kind, ownerName: owner_name, node } = facts
      pods.push({
        labels: { namespace, pod: name, node, owner_kind, owner_name },
        values: usageValues('pod', measured.whole),
      })
      for (const [container, usage] of measured.containers)
        containers.push({
          labels: { namespace, pod: name, container },
          values: usageValues('container', usage),
        })
      const workload = workloadOf(facts)
      if (workload === undefined) continue
      const values = valuesOf(workloads, namespace, workload)
      for (const [metric, value] of Object.entries(usageValues('workload', measured.whole)))
        values[metric] = rounded((values[metric] ?? 0) + value)
    }
    this.#addReplicas(workloads)
    for (const [key, resource] of Object.entries({ ...COUNTED, configmap: 'configmaps' })) {
      const store = this.#store(resource)
      cluster.counts[key] = store.size
      for (const namespace of store.namespaces()) {
        const place = namespaces.get(namespace)
        if (place) place.counts[key] = store.sizeOf(namespace)
      }
    }
    return {
      time,
      levels: {
        cluster: [{ labels: {}, values: this.#clusterValues(cluster, machines, usages) }],
        node: nodeSeries(machines, nodes, usages),
        workspace: workspacesOf(namespaces, workspaceOf, usages !== undefined),
        namespace: this.#namespaces(namespaces, workspaceOf, usages !== undefined),
        workload: [...workloads.values()].map(({ namespace, workload, values }) => ({
          labels: {
            namespace,
            workload,
            owner_kind: workload.slice(0, workload.indexOf(':')),
            workspace: workspaceOf.get(namespace) ?? '',
          },
          values,
        })),
        pod: pods,
        container: containers,
      },
    }
  }

  #store(resource: string): Store<never> {
    const own = this.#own.get(resource)
    if (own) return own.store
    const kind = findKind(resource, true) ?? findKind(resource, false)
    if (!kind) throw new Error(`no cache of ${resource}`)
    return this.stores.of<never>(kind)
  }

  #addReplicas(workloads: Workloads): void {
    for (const [resource, kind] of Object.entries(WORKLOADS)) {
      const prefix = `workload_${kind.toLowerCase()}`
      for (const [{ namespace, name }, replicas] of this.#replicas.get(resource)?.of(this.#store(resource)) ??
        []) {
        const workload = `${kind}:${name}`
        const values = valuesOf(workloads, namespace, workload)
        values[`${prefix}_replica`] = replicas.desired
        values[`${prefix}_replica_available`] = replicas.available
        values[`${prefix}_unavailable_replicas_ratio`] = replicas.unavailable / replicas.desired
      }
    }
  }

  #clusterValues({ pods, counts }: Place, nodes: readonly NodeFacts[], usages: Usages | undefined): Values {
    const total = { cpu: sum(nodes, ({ cpu }) => cpu), memory: sum(nodes, ({ memory }) => memory) }
    const used = [...(usages?.nodes.values() ?? [])].reduce(plus, NOTHING)
    const quota = sum(nodes, ({ isReady, pods: capacity }) => (isReady ? capacity : 0))
    const offline = nodes.filter(({ isReady }) => !isReady).length
    return {
      ...machineValues('cluster', total, usages && used),
      cluster_namespace_count: this.#store('namespaces').size,
      cluster_pv_count: this.#store('persistentvolumes').size,
      ...Object.fromEntries(Object.entries(counts).map(([key, count]) => [`cluster_${key}_count`, count])),
      cluster_pod_count: pods.scheduled,
      cluster_pod_quota: quota,
      cluster_pod_utilisation: pods.running / sum(nodes, ({ pods: capacity }) => capacity),
      cluster_pod_running_count: pods.running,
      cluster_pod_succeeded_count: pods.succeeded,
      cluster_pod_abnormal_count: pods.abnormal,
      cluster_pod_abnormal_ratio: pods.abnormal / pods.unfinished,
      cluster_node_online: nodes.length - offline,
      cluster_node_offline: offline,
      cluster_node_total: nodes.length,
      cluster_node_offline_ratio: offline / nodes.length,
    }
  }

  #nodeFacts(): NodeFacts[] {
    const store = this.#store('nodes')
    return [...store.byName()].map((cached) => nodeFacts(cached.name, store.object(cached)))
  }

  #namespaces(
    places: ReadonlyMap<string, Place>,
    workspaceOf: ReadonlyMap<string, string>,
    isMeasured: boolean,
  ): SampledSeries[] {
    const quotas = this.#quotasByNamespace()
    return [...places].map(([namespace, place]) => ({
      labels: { namespace, workspace: workspaceOf.get(namespace) ?? '' },
      values: { ...placeValues('namespace', place, isMeasured), ...quotas.get(namespace) },
    }))
  }

  /** The smallest of several; the one named `quota` is the platform's own. */
  #quotasByNamespace(): Map<string, Values> {
    const found = new Map<string, Values>()
    for (const [{ namespace, name }, hard] of this.#quotas.of(this.#store('resourcequotas'))) {
      if (name === 'quota') continue
      const values = at(found, namespace, (): Values => ({}))
      for (const [metric, limit] of Object.entries(hard))
        values[metric] = Math.min(values[metric] ?? Infinity, limit)
    }
    return found
  }
}

function workspacesOf(
  namespaces: ReadonlyMap<string, Place>,
  workspaceOf: ReadonlyMap<string, string>,
  isMeasured: boolean,
): SampledSeries[] {
  const whole = new Map<string, Values>()
  for (const [namespace, place] of namespaces) {
    const workspace = workspaceOf.get(namespace) ?? ''
    if (workspace === '') continue
    const values = at(whole, workspace, (): Values => ({}))
    const { workspace_pod_abnormal_ratio: _ratio, ...summed } = placeValues('workspace', place, isMeasured)
    for (const [metric, value] of Object.entries({ ...summed, unfinished: place.pods.unfinished }))
      values[metric] = (values[metric] ?? 0) + value
  }
  return [...whole].map(([workspace, { unfinished = 0, ...values }]) => ({
    labels: { workspace },
    values: {
      ...values,
      ...(isMeasured && { workspace_cpu_usage: rounded(values['workspace_cpu_usage'] ?? 0) }),
      ...(unfinished > 0 && {
        workspace_pod_abnormal_ratio: (values['workspace_pod_abnormal_count'] ?? 0) / unfinished,
      }),
    },
  }))
}

/** `Deployment:web`; the name of its ReplicaSet ends in a dash and a hash. */
function workloadOf({ ownerKind, ownerName }: PodFacts): string | undefined {
  if (ownerKind === 'ReplicaSet') return `Deployment:${ownerName.replace(/-[^-]+$/, '')}`
  return ownerKind === 'StatefulSet' || ownerKind === 'DaemonSet' ? `${ownerKind}:${ownerName}` : undefined
}

function valuesOf(workloads: Workloads, namespace: string, workload: string): Values {
  const make = () => ({ namespace, workload, values: {} })
  return at(workloads, `${namespace}/${workload}`, make).values
}

function at<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  const found = map.get(key)
  if (found !== undefined) return found
  const made = make()
  map.set(key, made)
  return made
}

function sum<T>(all: readonly T[], of: (one: T) => number): number {
  return all.reduce((total, one) => total + of(one), 0)
}
