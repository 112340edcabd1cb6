/** Taints nodes that are cordoned or not ready, and removes pods that do not bear a node's NoExecute taints. */
import { type EventRecorder, type Reconciler, type Request, type Result } from '../../../controller/index.js'
import { type Pod } from '../../builtin/types.js'
import { type Clock, wireTime } from '../../registry/clock.js'
import { type Taint, tolerates } from '../../scheduling/taints.js'
import { type Node } from '../../scheduling/types.js'
import { subjectOf } from '../pods/create.js'
import { conditionOf, createdAt, isEnding } from '../pods/state.js'
import { type Stored } from '../stored.js'

export interface NodeLifecycleDeps {
  nodes: Stored<Node>
  pods: Stored<Pod>
  podsOn: (node: string) => ReadonlySet<Readonly<Pod>>
  recorder: EventRecorder
  clock: Clock
}

const CORDONED = 'node.kubernetes.io/unschedulable'
const NOT_READY = 'node.kubernetes.io/not-ready'
const UNREACHABLE = 'node.kubernetes.io/unreachable'
/** What this controller taints with; people's own taints it leaves alone. */
const OURS = [CORDONED, NOT_READY, UNREACHABLE]

export class NodeLifecycleReconciler implements Reconciler {
  constructor(private readonly deps: NodeLifecycleDeps) {}

  async reconcile({ name }: Request, signal: AbortSignal): Promise<Result> {
    const { nodes } = this.deps
    const node = nodes.get('', name)
    if (!node) return
    const wanted = wantedTaints(node)
    const known = (node.spec.taints ?? []).filter(isOurs)
    if (known.length !== wanted.length || !wanted.every((taint) => known.some(isSame(taint)))) {
      await nodes.update(node, (current) => this.#taint(current), signal)
      return
    }
    const taints = (node.spec.taints ?? []).filter(({ effect }) => effect === 'NoExecute')
    return taints.length > 0 ? this.#evict(name, taints, signal) : undefined
  }

  #taint(node: Node): void {
    const timeAdded = wireTime(this.deps.clock.now())
    const known = node.spec.taints ?? []
    const ours = wantedTaints(node).map((taint) => known.find(isSame(taint)) ?? { ...taint, timeAdded })
    const taints = [...known.filter((taint) => !isOurs(taint)), ...ours]
    if (taints.length > 0) node.spec.taints = taints
    else delete node.spec.taints
  }

  async #evict(node: string, taints: readonly Taint[], signal: AbortSignal): Promise<Result> {
    const { pods, podsOn, clock, recorder } = this.deps
    let soonest = Infinity
    for (const pod of [...podsOn(node)]) {
      if (isEnding(pod)) continue
      const left = toleratedForMs(pod, taints, clock.now())
      if (left === undefined) continue
      if (left > 0) {
        soonest = Math.min(soonest, left)
        continue
      }
      const { namespace = '', name = '' } = pod.metadata
      recorder.event(
        subjectOf(pod),
        'Normal',
        'TaintManagerEviction',
        `Marking for deletion Pod ${namespace}/${name}`,
      )
      await pods.delete(pod, {}, signal)
    }
    return soonest === Infinity ? undefined : { requeueAfter: soonest }
  }
}

const isOurs = ({ key }: Taint): boolean => OURS.includes(key)
const isSame =
  (one: Taint) =>
  (other: Taint): boolean =>
    one.key === other.key && one.effect === other.effect

function wantedTaints({ spec, status }: Readonly<Node>): Taint[] {
  const taints: Taint[] = spec.unschedulable ? [{ key: CORDONED, effect: 'NoSchedule' }] : []
  const ready = conditionOf(status.conditions, 'Ready')
  // A node that nobody has reported on keeps the taint that admission gave it.
  if (!ready) return [...taints, ...(spec.taints ?? []).filter(({ key }) => key === NOT_READY)]
  if (ready.status === 'True') return taints
  const key = ready.status === 'Unknown' ? UNREACHABLE : NOT_READY
  return [...taints, { key, effect: 'NoSchedule' }, { key, effect: 'NoExecute' }]
}

/** @returns undefined for ever, 0 for no longer */
function toleratedForMs(pod: Readonly<Pod>, taints: readonly Taint[], now: number): number | undefined {
  let least: number | undefined
  for (const taint of taints) {
    const bearing = (pod.spec.tolerations ?? []).filter((toleration) => tolerates([toleration], taint))
    if (bearing.length === 0) return 0
    const seconds = bearing.flatMap(({ tolerationSeconds }) => tolerationSeconds ?? [])
    if (seconds.length < bearing.length && seconds.length === 0) continue
    const since = Math.max(Date.parse(taint.timeAdded ?? '') || 0, createdAt(pod))
    const left = Math.max(0, since + Math.min(...seconds) * 1000 - now)
    least = least === undefined ? left : Math.min(least, left)
  }
  return least
}
