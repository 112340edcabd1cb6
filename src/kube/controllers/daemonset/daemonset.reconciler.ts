/** Keeps one pod of a DaemonSet on every node that suits it, and replaces old ones a few at a time. */
import { type EventRecorder, type Reconciler, type Request, type Result } from '../../../controller/index.js'
import { type KubeObject } from '../../../apimachinery/meta/types.js'
import {
  type IntOrString,
  type Pod,
  type PodSpec,
  type Toleration,
  type Workload,
} from '../../builtin/types.js'
import { type Clock } from '../../registry/clock.js'
import { nodeMatches, targetNode } from '../../scheduling/nodeaffinity.js'
import { untolerated } from '../../scheduling/taints.js'
import { type Node } from '../../scheduling/types.js'
import { type Collection, selectorOf } from '../collections.js'
import { shareOf } from '../intorpercent.js'
import { claim } from '../pods/claim.js'
import { createPod, deletePod, inBatches, podOf, subjectOf } from '../pods/create.js'
import { availableInMs, createdAt, isEnding, isReady, type TimedCondition } from '../pods/state.js'
import { type ControllerRevision, historyOf, REVISION_HASH, truncate } from '../revisions/history.js'
import { type Stored } from '../stored.js'

export interface DaemonSet extends KubeObject {
  spec: Workload['spec'] & {
    updateStrategy: { type?: string; rollingUpdate?: { maxUnavailable?: IntOrString } }
  }
  status: {
    currentNumberScheduled?: number
    numberMisscheduled?: number
    desiredNumberScheduled?: number
    numberReady?: number
    observedGeneration?: number
    updatedNumberScheduled?: number
    numberAvailable?: number
    numberUnavailable?: number
    collisionCount?: number
    conditions?: TimedCondition[]
  }
}

export interface DaemonSetDeps {
  sets: Stored<DaemonSet>
  pods: Stored<Pod>
  revisions: Stored<ControllerRevision>
  nodes: Collection<Node>
  recorder: EventRecorder
  clock: Clock
}

const GENERATION = 'pod-template-generation'
const TEMPLATE_GENERATION = 'deprecated.daemonset.template.generation'
/** Pods of a daemon stay on nodes that others leave. */
const NODE_TAINTS: readonly [key: string, effect: string][] = [
  ['not-ready', 'NoExecute'],
  ['unreachable', 'NoExecute'],
  ['disk-pressure', 'NoSchedule'],
  ['memory-pressure', 'NoSchedule'],
  ['pid-pressure', 'NoSchedule'],
  ['unschedulable', 'NoSchedule'],
]

const nodeOf = ({ spec }: Readonly<Pod>): string => spec.nodeName || targetNode(spec) || ''
const hashOf = ({ metadata }: Readonly<KubeObject>): string => metadata.labels?.[REVISION_HASH] ?? ''

export class DaemonSetReconciler implements Reconciler {
  constructor(private readonly deps: DaemonSetDeps) {}

  async reconcile({ namespace, name }: Request, signal: AbortSignal): Promise<Result> {
    const { sets, pods, revisions } = this.deps
    const set = sets.get(namespace, name)
    if (!set) return
    const selector = selectorOf(set.spec.selector)
    if (selector.isEmpty || isEnding(set)) return
    await claim(pods, set, selector, signal)
    const history = await historyOf(revisions, set, selector, REVISION_HASH, signal)
    if (!history) {
      return sets.updateStatus(set, { collisionCount: (set.status.collisionCount ?? 0) + 1 }, signal)
    }
    const hash = hashOf(history.update)
    await this.#cover(set, hash, signal)
    if (set.spec.updateStrategy.type !== 'OnDelete') await this.#roll(set, hash, signal)
    const live = new Set([...pods.collection.ownedBy(set.metadata.uid ?? '')].map(hashOf))
    await truncate(revisions, set, history, live, hashOf, signal)
    return this.#report(set, hash, signal)
  }

  /** Should a pod be started there; may one that is there stay. */
  #suits(set: Readonly<DaemonSet>, node: Readonly<Node>): { start: boolean; stay: boolean } {
    const { spec } = set.spec.template
    if (spec.nodeName && spec.nodeName !== node.metadata.name) return { start: false, stay: false }
    if (!nodeMatches(spec, node)) return { start: false, stay: false }
    const tolerations = tolerationsOf(spec)
    const { taints } = node.spec
    return {
      start: !untolerated(taints, tolerations, ['NoSchedule', 'NoExecute']),
      stay: !untolerated(taints, tolerations, ['NoExecute']),
    }
  }

  #podsByNode(set: Readonly<DaemonSet>): Map<string, Readonly<Pod>[]> {
    const found = new Map<string, Readonly<Pod>[]>()
    for (const pod of this.deps.pods.collection.ownedBy(set.metadata.uid ?? '')) {
      const node = nodeOf(pod)
      found.set(node, [...(found.get(node) ?? []), pod])
    }
    return found
  }

  async #cover(set: Readonly<DaemonSet>, hash: string, signal: AbortSignal): Promise<void> {
    const { pods, nodes, recorder } = this.deps
    const work = { pods, owner: set, recorder, signal }
    const byNode = this.#podsByNode(set)
    const missing: string[] = []
    for (const node of nodes.all()) {
      const { name = '' } = node.metadata
      const here = (byNode.get(name) ?? []).filter((pod) => !isEnding(pod))
      const leaving = (byNode.get(name) ?? []).length > here.length
      byNode.delete(name)
      const { start, stay } = this.#suits(set, node)
      if (!stay) {
        for (const pod of here) await deletePod(work, pod)
        continue
      }
      const failed = here.filter(({ status }) => status.phase === 'Failed')
      for (const pod of failed) {
        const message = `Found failed daemon pod ${set.metadata.namespace ?? ''}/${pod.metadata.name ?? ''} on node ${name}, will try to kill it`
        recorder.event(subjectOf(set), 'Warning', 'FailedDaemonPod', message)
        await deletePod(work, pod)
      }
      const running = here.filter((pod) => !failed.includes(pod)).sort((a, b) => createdAt(a) - createdAt(b))
      for (const pod of running.slice(1)) await deletePod(work, pod)
      if (start && here.length === 0 && !leaving) missing.push(name)
    }
    // What is left was meant for nodes that are gone.
    for (const pod of [...byNode.values()].flat()) if (!pod.spec.nodeName) await deletePod(work, pod)
    const { failure } = await inBatches(missing.length, (i) =>
      createPod(work, this.#podFor(set, missing[i] ?? '', hash)),
    )
    if (failure !== undefined) throw failure
  }

  #podFor(set: Readonly<DaemonSet>, node: string, hash: string): Pod {
    const generation = set.metadata.annotations?.[TEMPLATE_GENERATION] ?? '1'
    const pod = podOf(set.spec.template, set, { labels: { [REVISION_HASH]: hash, [GENERATION]: generation } })
    pod.spec.tolerations = tolerationsOf(pod.spec)
    const onlyThere = { matchFields: [{ key: 'metadata.name', operator: 'In', values: [node] }] }
    const { affinity = {} } = pod.spec
    // The node was judged by the template's own terms already.
    pod.spec.affinity = {
      ...affinity,
      nodeAffinity: {
        ...affinity.nodeAffinity,
        requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [onlyThere] },
      },
    }
    return pod
  }

  async #roll(set: Readonly<DaemonSet>, hash: string, signal: AbortSignal): Promise<void> {
    const { pods, nodes, recorder, clock } = this.deps
    const wanted = [...nodes.all()].filter((node) => this.#suits(set, node).start)
    const most = shareOf(set.spec.updateStrategy.rollingUpdate?.maxUnavailable, wanted.length, 'up')
    const byNode = this.#podsByNode(set)
    const isAvailable = (pod: Readonly<Pod>): boolean =>
      availableInMs(pod, set.spec.minReadySeconds ?? 0, clock.now()) === 0
    const unavailable = wanted.filter(
      ({ metadata }) =>
        !(byNode.get(metadata.name ?? '') ?? []).some((pod) => !isEnding(pod) && isAvailable(pod)),
    ).length
    const old = [...byNode.values()].flat().filter((pod) => hashOf(pod) !== hash && !isEnding(pod))
    // Those that serve nobody may all go; of the others, as many as may be missed.
    const doomed = [
      ...old.filter((pod) => !isAvailable(pod)),
      ...old.filter(isAvailable).slice(0, Math.max(0, most - unavailable)),
    ]
    for (const pod of doomed) await deletePod({ pods, owner: set, recorder, signal }, pod)
  }

  async #report(set: Readonly<DaemonSet>, hash: string, signal: AbortSignal): Promise<Result> {
    const { nodes, clock, sets } = this.deps
    const byNode = this.#podsByNode(set)
    let [desired, current, misplaced, ready, updated, available, soonest] = [0, 0, 0, 0, 0, 0, Infinity]
    for (const node of nodes.all()) {
      const here = (byNode.get(node.metadata.name ?? '') ?? []).filter((pod) => !isEnding(pod))
      if (!this.#suits(set, node).start) {
        if (here.length > 0) misplaced++
        continue
      }
      desired++
      const pod = here.sort((a, b) => createdAt(a) - createdAt(b))[0]
      if (!pod) continue
      current++
      if (hashOf(pod) === hash) updated++
      if (!isReady(pod)) continue
      ready++
      const wait = availableInMs(pod, set.spec.minReadySeconds ?? 0, clock.now()) ?? Infinity
      if (wait === 0) available++
      else soonest = Math.min(soonest, wait)
    }
    await sets.updateStatus(
      set,
      {
        currentNumberScheduled: current,
        numberMisscheduled: misplaced,
        desiredNumberScheduled: desired,
        numberReady: ready,
        observedGeneration: set.metadata.generation,
        updatedNumberScheduled: updated || undefined,
        numberAvailable: available || undefined,
        numberUnavailable: desired - available || undefined,
      },
      signal,
    )
    return soonest === Infinity ? undefined : { requeueAfter: soonest }
  }
}

function tolerationsOf(spec: Readonly<PodSpec>): Toleration[] {
  const keys = [
    ...NODE_TAINTS,
    ...(spec.hostNetwork ? ([['network-unavailable', 'NoSchedule']] as const) : []),
  ]
  const added = keys.map(([key, effect]) => ({
    key: `node.kubernetes.io/${key}`,
    operator: 'Exists',
    effect,
  }))
  const known = spec.tolerations ?? []
  return [
    ...known,
    ...added.filter((each) => !known.some(({ key, effect }) => key === each.key && effect === each.effect)),
  ]
}
