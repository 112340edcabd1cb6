/** Which pods would have to go so that a more important one has room. */
import { type Pod } from '../../builtin/types.js'
import { isEnding, isFinished } from '../../controllers/pods/state.js'
import { conflictingPort, hostPortsOf } from '../../scheduling/ports.js'
import { demandOf, shortages, sumOf } from '../../scheduling/resources.js'
import { type Node } from '../../scheduling/types.js'
import { placeFault } from './fit.js'

export interface Sacrifice {
  node: string
  victims: Readonly<Pod>[]
}

export const priorityOf = ({ spec }: Readonly<Pod>): number => spec.priority ?? 0

/** The node where the least important pods go, and fewest of them; undefined when none helps. */
export function sacrificeFor(
  pod: Readonly<Pod>,
  nodes: Iterable<Readonly<Node>>,
  podsOn: (node: string) => Iterable<Readonly<Pod>>,
): Sacrifice | undefined {
  let best: (Sacrifice & { cost: number }) | undefined
  for (const node of nodes) {
    if (placeFault(pod, node) !== undefined) continue
    const { name = '' } = node.metadata
    const victims = victimsOn(
      pod,
      node,
      [...podsOn(name)].filter((other) => !isFinished(other)),
    )
    if (!victims || victims.length === 0) continue
    const cost = Math.max(...victims.map(priorityOf))
    if (!best || cost < best.cost || (cost === best.cost && victims.length < best.victims.length)) {
      best = { node: name, victims, cost }
    }
  }
  return best
}

function victimsOn(
  pod: Readonly<Pod>,
  node: Readonly<Node>,
  here: Readonly<Pod>[],
): Readonly<Pod>[] | undefined {
  const fits = (left: readonly Readonly<Pod>[]): boolean =>
    shortages(demandOf(pod), node, sumOf(left.map(demandOf))).length === 0 &&
    !conflictingPort(hostPortsOf(pod), left.flatMap(hostPortsOf))
  // Those that are going already make room too.
  const staying = here.filter((other) => !isEnding(other))
  const lesser = staying.filter((other) => priorityOf(other) < priorityOf(pod))
  let left = staying.filter((other) => !lesser.includes(other))
  if (!fits(left)) return undefined
  const victims: Readonly<Pod>[] = []
  // The most important ones are spared first.
  for (const other of lesser.sort((a, b) => priorityOf(b) - priorityOf(a))) {
    if (fits([...left, other])) left = [...left, other]
    else victims.push(other)
  }
  return victims
}
