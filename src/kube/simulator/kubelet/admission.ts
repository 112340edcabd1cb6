/** Whether a node can take a pod that was put on it, whoever put it there. */
import { type Pod } from '../../builtin/types.js'
import { isFinished } from '../../controllers/pods/state.js'
import { conflictingPort, hostPortsOf } from '../../scheduling/ports.js'
import { shortage } from '../../scheduling/resources.js'
import { type Node } from '../../scheduling/types.js'

export interface Refusal {
  reason: string
  message: string
}

export function refusalOf(
  pod: Readonly<Pod>,
  node: Readonly<Node>,
  others: Iterable<Readonly<Pod>>,
): Refusal | undefined {
  const admitted = [...others].filter(
    (other) =>
      other.metadata.uid !== pod.metadata.uid &&
      !isFinished(other) &&
      (other.status as { startTime?: string }).startTime !== undefined,
  )
  if (conflictingPort(hostPortsOf(pod), admitted.flatMap(hostPortsOf))) {
    const message =
      "Pod Predicate NodePorts failed: node(s) didn't have free ports for the requested pod ports"
    return { reason: 'NodePorts', message }
  }
  const short = shortage(pod, node, admitted)
  if (!short) return undefined
  const message = `Node didn't have enough resource: ${short}`
  return { reason: `OutOf${short}`, message: `Pod ${message}` }
}
