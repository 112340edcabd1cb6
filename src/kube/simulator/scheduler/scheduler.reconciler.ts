/** Puts pods on nodes. */
import { isConflict } from '../../../apimachinery/errors/index.js'
import { type EventRecorder, type Reconciler, type Request, type Source } from '../../../controller/index.js'
import { type Pod } from '../../builtin/types.js'
import { type Collection } from '../../controllers/collections.js'
import { type DisruptionBudget } from '../../controllers/disruption/disruption.reconciler.js'
import { subjectOf } from '../../controllers/pods/create.js'
import { conditionOf, isEnding, isFinished, withCondition } from '../../controllers/pods/state.js'
import { requestOf } from '../../controllers/sources.js'
import { type Stored } from '../../controllers/stored.js'
import { type Clock, wireTime } from '../../registry/clock.js'
import { hostPortsOf } from '../../scheduling/ports.js'
import { demandOf, sumOf } from '../../scheduling/resources.js'
import { type Node } from '../../scheduling/types.js'
import { type Candidate, faultsOf, placeFault, scoreOf } from './fit.js'
import { type NeighbourDeps, neighboursOf } from './neighbours.js'
import { expectedOn, priorityOf, sacrificeFor } from './preemption.js'
import { type NodeUsage } from './usage.js'
import { chooseNode, type PodVolumes, type VolumeDeps, volumesOf } from './volumes.js'

export interface SchedulerDeps {
  pods: Stored<Pod>
  nodes: Stored<Node>
  podsOn: (node: string) => ReadonlySet<Readonly<Pod>>
  /** Pods without a node that wait for room made for them there. */
  nominatedTo: (node: string) => ReadonlySet<Readonly<Pod>>
  usage: NodeUsage
  budgets: Collection<DisruptionBudget>
  neighbours: NeighbourDeps
  volumes: VolumeDeps
  recorder: EventRecorder
  clock: Clock
}

export const SCHEDULER = 'default-scheduler'
/** What frees room comes in crowds: those that wait are tried once for all of it. */
const RETRY_MS = 100

const isMine = (pod: Readonly<Pod>): boolean =>
  !pod.spec.nodeName &&
  !isEnding(pod) &&
  !isFinished(pod) &&
  (pod.spec.schedulerName ?? SCHEDULER) === SCHEDULER

export class SchedulerReconciler implements Reconciler {
  /** Pods that found no node, until something changes. */
  readonly #waiting = new Map<string, Request>()
  #retrying = false

  constructor(private readonly deps: SchedulerDeps) {}

  readonly source: Source = (enqueue) => {
    const { pods, nodes, volumes, clock } = this.deps
    const retry = (): void => {
      if (this.#retrying || this.#waiting.size === 0) return
      this.#retrying = true
      clock.after(RETRY_MS, () => {
        this.#retrying = false
        for (const request of this.#byPriority()) enqueue(request)
      })
    }
    const stops = [
      pods.collection.follow(({ object, previous }) => {
        if (object && isMine(object)) {
          if (!previous || !isMine(previous)) enqueue(requestOf(object))
          return
        }
        const known = object ?? previous
        if (known) this.#waiting.delete(keyOf(requestOf(known)))
        // Room was made, or a neighbour has come.
        retry()
      }),
      nodes.collection.onChange(({ object, previous }) => {
        if (judged(object) !== judged(previous)) retry()
      }),
      volumes.claims.collection.onChange(retry),
      volumes.classes.onChange(retry),
    ]
    return () => stops.forEach((stop) => stop())
  }

  #byPriority(): Request[] {
    const priority = ({ namespace, name }: Request): number => {
      const pod = this.deps.pods.get(namespace, name)
      return pod ? priorityOf(pod) : 0
    }
    return [...this.#waiting.values()].sort((a, b) => priority(b) - priority(a))
  }

  async reconcile(request: Request, signal: AbortSignal): Promise<void> {
    const pod = this.deps.pods.get(request.namespace, request.name)
    this.#waiting.delete(keyOf(request))
    if (!pod || !isMine(pod)) return
    const volumes = volumesOf(pod, this.deps.volumes)
    if (volumes.fault !== undefined) return this.#wait(pod, volumes.fault, signal)
    const { nodes, podsOn } = this.deps
    const all = [...nodes.collection.all()]
    if (all.length === 0) return this.#wait(pod, 'no nodes available to schedule pods', signal)
    const neighbours = neighboursOf(pod, this.deps.neighbours)
    const reasons = new Map<string, number>()
    let best: { name: string; score: number } | undefined
    for (const node of all) {
      const { name = '' } = node.metadata
      const candidate = this.#candidate(pod, node)
      const faults = faultsOf(pod, candidate, neighbours, volumes)
      for (const fault of faults) reasons.set(fault, (reasons.get(fault) ?? 0) + 1)
      if (faults.length > 0) continue
      const score = scoreOf(pod, candidate, neighbours, podsOn)
      if (!best || score > best.score) best = { name, score }
    }
    if (best) {
      if (volumes.late.length > 0) {
        this.#waiting.set(keyOf(request), request)
        return chooseNode(volumes, best.name, this.deps.volumes.claims, signal)
      }
      return this.#bind(pod, best.name, signal)
    }
    const why = [...reasons].map(([reason, count]) => `${count} ${reason}`).sort()
    await this.#wait(pod, `0/${all.length} nodes are available: ${why.join(', ')}.`, signal)
    await this.#preempt(pod, volumes, signal)
  }

  /** What is taken there, and what will be by those that room was made for. */
  #candidate(pod: Readonly<Pod>, node: Readonly<Node>): Candidate {
    const { usage, nominatedTo } = this.deps
    const { name = '' } = node.metadata
    const [used, ports] = [usage.used(name), usage.ports(name)]
    const expected = expectedOn(name, pod, nominatedTo)
    if (expected.length === 0) return { node, used, ports }
    return {
      node,
      used: sumOf([used, ...expected.map(demandOf)]),
      ports: [...ports, ...expected.flatMap(hostPortsOf)],
    }
  }

  async #bind(pod: Readonly<Pod>, node: string, signal: AbortSignal): Promise<void> {
    const { pods, recorder, clock } = this.deps
    const scheduled = {
      type: 'PodScheduled',
      status: 'True',
      lastProbeTime: null,
      lastTransitionTime: wireTime(clock.now()),
    }
    try {
      const bound = await pods.update(
        pod,
        (current) => {
          if (current.spec.nodeName) return
          current.spec.nodeName = node
          const conditions = (current.status.conditions ?? []).filter(({ type }) => type !== scheduled.type)
          current.status.conditions = [...conditions, scheduled]
          delete current.status.nominatedNodeName
        },
        signal,
        'binding',
      )
      if (bound?.spec.nodeName !== node) return
    } catch (error) {
      if (isConflict(error)) return
      throw error
    }
    const { namespace = '', name = '' } = pod.metadata
    recorder.event(
      subjectOf(pod),
      'Normal',
      'Scheduled',
      `Successfully assigned ${namespace}/${name} to ${node}`,
    )
  }

  async #wait(pod: Readonly<Pod>, message: string, signal: AbortSignal): Promise<void> {
    const request = requestOf(pod)
    this.#waiting.set(keyOf(request), request)
    const known = conditionOf(pod.status.conditions, 'PodScheduled')
    if (known?.message === message) return
    const { pods, recorder, clock } = this.deps
    recorder.event(subjectOf(pod), 'Warning', 'FailedScheduling', message)
    const condition = {
      type: 'PodScheduled',
      status: 'False',
      lastProbeTime: null,
      lastTransitionTime: wireTime(clock.now()),
      reason: 'Unschedulable',
      message,
    }
    await pods.updateStatus(pod, { conditions: withCondition(pod.status.conditions, condition) }, signal)
  }

  async #preempt(pod: Readonly<Pod>, volumes: PodVolumes, signal: AbortSignal): Promise<void> {
    if (pod.spec.preemptionPolicy === 'Never') return
    const { pods, nodes, podsOn, recorder } = this.deps
    const nominated = nodes.get('', pod.status.nominatedNodeName ?? '')
    // Its victims are still on their way out.
    if (
      nominated &&
      placeFault(pod, nominated) === undefined &&
      [...podsOn(nominated.metadata.name ?? '')].some(
        (other) => isEnding(other) && priorityOf(other) < priorityOf(pod),
      )
    )
      return
    const sacrifice = sacrificeFor(pod, nodes.collection.all(), volumes, this.deps)
    if (!sacrifice) {
      // Nothing is kept free for who cannot come.
      return pods.updateStatus(pod, { nominatedNodeName: undefined }, signal)
    }
    const { node, victims } = sacrifice
    if (victims.length === 0) return
    const { namespace = '', name = '' } = pod.metadata
    await pods.updateStatus(pod, { nominatedNodeName: node }, signal)
    for (const victim of victims) {
      const message = `Preempted by ${namespace}/${name} on node ${node}`
      recorder.event(subjectOf(victim), 'Normal', 'Preempted', message)
      await pods.delete(victim, {}, signal)
    }
    // Less important ones that the same room was promised to look for another.
    for (const other of [...this.deps.nominatedTo(node)]) {
      if (priorityOf(other) < priorityOf(pod)) {
        await pods.updateStatus(other, { nominatedNodeName: undefined }, signal)
      }
    }
  }
}

const keyOf = ({ namespace, name }: Request): string => `${namespace}/${name}`

/** What the scheduler judges a node by. */
function judged(node: Readonly<Node> | undefined): string {
  return JSON.stringify([
    node?.metadata.labels,
    node?.spec.taints,
    node?.spec.unschedulable,
    node?.status.allocatable,
  ])
}
