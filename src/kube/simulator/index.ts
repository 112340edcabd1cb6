/**
 * Simulated nodes: they take pods, move them through the states that real ones have, and run nothing.
 *
 * Every Node labelled `orrery.dev/simulated=true` is played here, those made at the start and those that somebody adds.
 */
import { type KubeObject } from '../../apimachinery/meta/types.js'
import { type EventRecorder, type Manager, type Source } from '../../controller/index.js'
import { type Pod } from '../builtin/types.js'
import { type Collections } from '../controllers/collections.js'
import { type DisruptionBudget } from '../controllers/disruption/disruption.reconciler.js'
import {
  type Claim,
  DEFAULT_CLASS,
  type PersistentVolume,
  SIMULATED_PROVISIONER,
  type StorageClass,
} from '../controllers/persistentvolume/types.js'
import { eachOf } from '../controllers/sources.js'
import { Stored } from '../controllers/stored.js'
import { type Writer } from '../controllers/writer.js'
import { type Objects } from '../objects.js'
import { type Clock } from '../registry/clock.js'
import { type Catalogue } from '../registry/strategy.js'
import { type Node } from '../scheduling/types.js'
import { type Connect } from '../server/api.js'
import { Layers } from './files/layers.js'
import { KubeletReconciler } from './kubelet/kubelet.reconciler.js'
import { SIMULATED, WHAT_IT_IS } from './labels.js'
import { metricsResources } from './metrics/resources.js'
import { HeartbeatReconciler, type Lease, nodeName, nodeOf } from './nodes.js'
import { type Rules } from './rules/index.js'
import { SCHEDULER, SchedulerReconciler } from './scheduler/scheduler.reconciler.js'
import { NodeUsage } from './scheduler/usage.js'
import { connections } from './streams/index.js'

export interface SimulatorDeps {
  objects: Objects
  collections: Collections
  writer: Writer
  manager: Manager
  catalogue: Catalogue
  /** Gets what is answered below pods and nodes. */
  connections: Record<string, Connect>
  clock: Clock
  recorder: (component: string) => EventRecorder
  /** How many there should be. */
  nodes: number
  kubeletVersion: string
  rules: Rules
  /** `scheduler` and `kubelet` can be left out by name, as controllers. */
  isWanted: (name: string) => boolean
}

/** @returns stop what the manager does not */
export async function startSimulator(deps: SimulatorDeps): Promise<() => void> {
  const { objects, collections, writer, manager, clock, recorder, isWanted, rules } = deps
  const stored = <T extends KubeObject>(group: string, version: string, resource: string): Stored<T> =>
    new Stored<T>(collections, writer, group, version, resource)
  const pods = stored<Pod>('', 'v1', 'pods')
  const nodes = stored<Node>('', 'v1', 'nodes')
  const podsOn = pods.collection.indexedBy(({ spec }) => [spec.nodeName ?? ''])
  await keepNodes(nodes, deps)
  await keepClass(stored<StorageClass>('storage.k8s.io', 'v1', 'storageclasses'))
  const stops: (() => void)[] = []

  if (isWanted('kubelet')) {
    const layers = new Layers()
    const parts = { objects, pods: pods.collection, nodes: nodes.collection, podsOn, clock, layers, rules }
    Object.assign(deps.connections, connections(parts))
    for (const definition of metricsResources(parts)) deps.catalogue.set(definition)
    const leases = stored<Lease>('coordination.k8s.io', 'v1', 'leases')
    manager.start({
      name: 'node-heartbeat',
      reconciler: new HeartbeatReconciler({ nodes, leases, clock, kubeletVersion: deps.kubeletVersion }),
      sources: [eachOf(nodes.collection)],
    })
    const kubelet = new KubeletReconciler({
      pods,
      podsOn,
      nodes,
      objects,
      rules,
      recorder: recorder('kubelet'),
      clock,
    })
    const mine: Source = (enqueue) =>
      pods.collection.follow(({ object, previous }) => {
        if (!object && previous) {
          kubelet.forget(previous)
          layers.forget(previous.metadata.uid ?? '')
        } else if (object?.spec.nodeName) {
          enqueue({ namespace: object.metadata.namespace ?? '', name: object.metadata.name ?? '' })
        }
      })
    manager.start({ name: 'kubelet', reconciler: kubelet, sources: [mine], workers: 8 })
  }
  if (isWanted('scheduler')) {
    const usage = new NodeUsage(pods.collection)
    stops.push(() => usage.close())
    const unsociable = pods.collection.indexedBy(({ spec }) =>
      spec.affinity?.podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.length ? ['all'] : [],
    )
    const scheduler = new SchedulerReconciler({
      pods,
      nodes,
      podsOn,
      nominatedTo: pods.collection.indexedBy(({ spec, status }) =>
        !spec.nodeName && status.nominatedNodeName ? [status.nominatedNodeName] : [],
      ),
      usage,
      budgets: collections.of<DisruptionBudget>('policy', 'poddisruptionbudgets'),
      neighbours: { pods: pods.collection, nodes: nodes.collection, unsociable: () => unsociable('all') },
      volumes: {
        claims: stored<Claim>('', 'v1', 'persistentvolumeclaims'),
        volumes: collections.of<PersistentVolume>('', 'persistentvolumes'),
        classes: collections.of<StorageClass>('storage.k8s.io', 'storageclasses'),
      },
      recorder: recorder(SCHEDULER),
      clock,
    })
    // One at a time: each choice counts for the next.
    manager.start({ name: 'scheduler', reconciler: scheduler, sources: [scheduler.source], workers: 1 })
  }
  return () => stops.forEach((stop) => stop())
}

/** As many as are wanted; of those made by an earlier start with more, the rest go. */
async function keepNodes(
  nodes: Stored<Node>,
  { nodes: count, kubeletVersion }: SimulatorDeps,
): Promise<void> {
  const wanted = new Set(Array.from({ length: count }, (_none, i) => nodeName(i + 1)))
  for (const node of [...nodes.collection.all()]) {
    const { name = '', labels } = node.metadata
    const isOurs = labels?.[SIMULATED] === 'true' && /^simulated-\d+$/.test(name)
    if (isOurs && !wanted.has(name)) await nodes.delete(node)
  }
  for (let index = 1; index <= count; index++) {
    if (nodes.get('', nodeName(index))) continue
    const { status, ...node } = nodeOf(index, kubeletVersion)
    const created = await nodes.create({ ...node, status: {} })
    await nodes.updateStatus(created, status)
  }
}

/** Claims that name no class get simulated volumes, unless there is another default. */
async function keepClass(classes: Stored<StorageClass>): Promise<void> {
  const all = [...classes.collection.all()]
  if (all.some(({ metadata }) => metadata.annotations?.[DEFAULT_CLASS] === 'true')) return
  if (classes.get('', 'simulated')) return
  await classes.create({
    metadata: {
      name: 'simulated',
      labels: { [SIMULATED]: 'true' },
      annotations: { [DEFAULT_CLASS]: 'true', [WHAT_IT_IS]: 'Its volumes hold nothing.' },
    },
    provisioner: SIMULATED_PROVISIONER,
    reclaimPolicy: 'Delete',
    volumeBindingMode: 'WaitForFirstConsumer',
  })
}
