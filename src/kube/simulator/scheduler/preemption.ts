/** Which pods would have to go so that a more important one has room. */
import { type Pod } from '../../builtin/types.js'
import { type Collection, selectorOf } from '../../controllers/collections.js'
import { type DisruptionBudget } from '../../controllers/disruption/disruption.reconciler.js'
import { isEnding, isFinished } from '../../controllers/pods/state.js'
import { conflictingPort, hostPortsOf } from '../../scheduling/ports.js'
import { demandOf, shortages, sumOf } from '../../scheduling/resources.js'
import { type Node } from '../../scheduling/types.js'
import { placeFault } from './fit.js'
import { type NeighbourDeps, neighboursOf } from './neighbours.js'
import { type PodVolumes, volumesFault } from './volumes.js'

export interface Sacrifice {
  node: string
  /** None: what is ending there already makes room enough. */
  victims: Readonly<Pod>[]
}

export interface PreemptionDeps {
  podsOn: (node: string) => Iterable<Readonly<Pod>>
  /** Those that wait for room on a node, made for them. */
  nominatedTo: (node: string) => Iterable<Readonly<Pod>>
  budgets: Collection<DisruptionBudget>
  neighbours: NeighbourDeps
}

interface Candidate extends Sacrifice {
  /** What decides between nodes, the first difference first; less is better. */
  cost: readonly number[]
}

export const priorityOf = ({ spec }: Readonly<Pod>): number => spec.priority ?? 0

/** Others that will be on the node before the pod is. */
export function expectedOn(
  node: string,
  pod: Readonly<Pod>,
  nominatedTo: PreemptionDeps['nominatedTo'],
): Readonly<Pod>[] {
  return [...nominatedTo(node)].filter(
    (other) =>
      other.metadata.uid !== pod.metadata.uid && !isEnding(other) && priorityOf(other) >= priorityOf(pod),
  )
}

/** The node where least is lost; undefined when none helps. */
export function sacrificeFor(
  pod: Readonly<Pod>,
  nodes: Iterable<Readonly<Node>>,
  volumes: PodVolumes,
  deps: PreemptionDeps,
): Sacrifice | undefined {
  let best: Candidate | undefined
  for (const node of nodes) {
    if (placeFault(pod, node) !== undefined || volumesFault(volumes, node) !== undefined) continue
    const candidate = candidateOn(pod, node, deps)
    if (candidate && (!best || isLess(candidate.cost, best.cost))) best = candidate
  }
  return best
}

function candidateOn(
  pod: Readonly<Pod>,
  node: Readonly<Node>,
  { podsOn, nominatedTo, budgets, neighbours }: PreemptionDeps,
): Candidate | undefined {
  const { name = '' } = node.metadata
  const here = [...podsOn(name)].filter((other) => !isFinished(other))
  const nominated = expectedOn(name, pod, nominatedTo)
  // Those that are going already make room too.
  const going = here.filter(isEnding)
  const staying = here.filter((other) => !isEnding(other))
  const lesser = staying.filter((other) => priorityOf(other) < priorityOf(pod)).sort(byImportance)
  const fits = (gone: readonly Readonly<Pod>[]): boolean => {
    const without = new Set([...going, ...gone])
    const left = [...nominated, ...here.filter((other) => !without.has(other))]
    return (
      shortages(demandOf(pod), node, sumOf(left.map(demandOf))).length === 0 &&
      !conflictingPort(hostPortsOf(pod), left.flatMap(hostPortsOf)) &&
      neighboursOf(pod, { ...neighbours, without }).fault(node) === undefined
    )
  }
  let victims = lesser
  if (!fits(victims)) return undefined
  const { guarded, free } = byBudget(lesser, budgets)
  // Those that a budget guards are spared first, then the most important ones.
  for (const other of [...guarded, ...free]) {
    const fewer = victims.filter((each) => each !== other)
    if (fits(fewer)) victims = fewer
  }
  const priorities = victims.map(priorityOf)
  const most = Math.max(...priorities)
  const oldest = Math.min(...victims.filter((each) => priorityOf(each) === most).map(startedAt))
  const broken = victims.filter((each) => guarded.includes(each)).length
  const sum = priorities.reduce((total, each) => total + each + 2 ** 31, 0)
  return { node: name, victims, cost: [broken, most, sum, victims.length, -oldest] }
}

/** Pods whose end breaks a PodDisruptionBudget, when they go in this order, and the others. */
function byBudget(
  pods: readonly Readonly<Pod>[],
  budgets: Collection<DisruptionBudget>,
): { guarded: Readonly<Pod>[]; free: Readonly<Pod>[] } {
  const allowed = new Map<Readonly<DisruptionBudget>, number>()
  const guarded: Readonly<Pod>[] = []
  const free: Readonly<Pod>[] = []
  for (const pod of pods) {
    const { namespace = '', name = '', labels } = pod.metadata
    let isGuarded = false
    for (const budget of budgets.inNamespace(namespace)) {
      const { selector } = budget.spec
      if (!selector || Object.keys(selector).length === 0 || !selectorOf(selector).matches(labels)) continue
      // Its eviction has been counted already.
      if (budget.status.disruptedPods?.[name] !== undefined) continue
      const left = (allowed.get(budget) ?? budget.status.disruptionsAllowed ?? 0) - 1
      allowed.set(budget, left)
      if (left < 0) isGuarded = true
    }
    ;(isGuarded ? guarded : free).push(pod)
  }
  return { guarded, free }
}

const startedAt = ({ metadata, status }: Readonly<Pod>): number =>
  Date.parse(status.startTime ?? metadata.creationTimestamp ?? '') || 0

const byImportance = (a: Readonly<Pod>, b: Readonly<Pod>): number =>
  priorityOf(b) - priorityOf(a) || startedAt(a) - startedAt(b)

function isLess(a: readonly number[], b: readonly number[]): boolean {
  const at = a.findIndex((each, index) => each !== b[index])
  return at >= 0 && (a[at] ?? 0) < (b[at] ?? 0)
}
