/** Whether a node can take a pod, and how much it is liked. */
import { controllerOf } from '../../../apimachinery/meta/accessors.js'
import { type Pod } from '../../builtin/types.js'
import { nodeMatches, termMatches } from '../../scheduling/nodeaffinity.js'
import { conflictingPort, type HostPort, hostPortsOf } from '../../scheduling/ports.js'
import { type Demand, demandOf, milli, shortages } from '../../scheduling/resources.js'
import { untolerated } from '../../scheduling/taints.js'
import { type Node } from '../../scheduling/types.js'
import { type Neighbours } from './neighbours.js'
import { type PodVolumes, volumesFault } from './volumes.js'

export interface Candidate {
  node: Readonly<Node>
  used: Demand
  ports: readonly HostPort[]
}

/** What no eviction can mend. */
export function placeFault(pod: Readonly<Pod>, node: Readonly<Node>): string | undefined {
  const { spec } = pod
  if (!nodeMatches(spec, node)) return "node(s) didn't match Pod's node affinity"
  const taint = untolerated(node.spec.taints, spec.tolerations, ['NoSchedule', 'NoExecute'])
  if (!taint) return undefined
  if (taint.key === 'node.kubernetes.io/unschedulable') return 'node(s) were unschedulable'
  return `node(s) had taint {${taint.key}: ${taint.value ?? ''}}, that the pod didn't tolerate`
}

/** All reasons against the node, each once. */
export function faultsOf(
  pod: Readonly<Pod>,
  { node, used, ports }: Candidate,
  neighbours: Neighbours,
  volumes: PodVolumes,
): string[] {
  const place = placeFault(pod, node)
  if (place !== undefined) return [place]
  const short = shortages(demandOf(pod), node, used)
  if (short.length > 0)
    return short.map((name) => (name === 'pods' ? 'Too many pods' : `Insufficient ${name}`))
  if (conflictingPort(hostPortsOf(pod), ports)) {
    return ["node(s) didn't have free ports for the requested pod ports"]
  }
  const other = volumesFault(volumes, node) ?? neighbours.fault(node)
  return other === undefined ? [] : [other]
}

/** Emptier nodes first, what the pod prefers before that, pods of one controller apart. */
export function scoreOf(
  pod: Readonly<Pod>,
  { node, used }: Candidate,
  neighbours: Neighbours,
  podsOn: (node: string) => Iterable<Readonly<Pod>>,
): number {
  const { allocatable = {} } = node.status
  const free = (name: string): number => {
    const all = milli(allocatable[name] ?? '0') || 1
    return Math.max(0, 1 - ((used.get(name) ?? 0) + (demandOf(pod).get(name) ?? 0)) / all)
  }
  const preferred = (
    pod.spec.affinity?.nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []
  ).reduce((sum, { weight, preference }) => sum + (termMatches(preference, node) ? weight : 0), 0)
  const avoided = untolerated(node.spec.taints, pod.spec.tolerations, ['PreferNoSchedule']) ? 100 : 0
  const owner = controllerOf(pod)?.uid
  let siblings = 0
  if (owner !== undefined) {
    for (const other of podsOn(node.metadata.name ?? '')) if (controllerOf(other)?.uid === owner) siblings++
  }
  const balance = (free('cpu') + free('memory') + free('pods')) * 30
  return balance + preferred + neighbours.score(node) - avoided - siblings * 10
}
