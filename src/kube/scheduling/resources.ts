/** What pods ask of a node, and what a node has. Amounts are thousandths, so that half a CPU is a whole number. */
import { Quantity } from '../../apimachinery/quantity/quantity.js'
import { type Pod, type ResourceList } from '../builtin/types.js'
import { type Node } from './types.js'

export type Demand = ReadonlyMap<string, number>

const known = new WeakMap<object, Demand>()

/** Of all containers together; init containers run one at a time, before the others. */
export function demandOf(pod: Readonly<Pod>): Demand {
  const before = known.get(pod)
  if (before) return before
  const { containers, initContainers = [], overhead } = pod.spec
  const demand = new Map<string, number>()
  for (const { resources } of containers ?? []) add(demand, resources.requests, 1)
  for (const { resources } of initContainers) {
    for (const [name, amount] of Object.entries(resources.requests ?? {})) {
      demand.set(name, Math.max(demand.get(name) ?? 0, milli(amount)))
    }
  }
  add(demand, overhead, 1)
  demand.set('pods', 1000)
  known.set(pod, demand)
  return demand
}

function add(demand: Map<string, number>, amounts: ResourceList | undefined, sign: 1 | -1): void {
  for (const [name, amount] of Object.entries(amounts ?? {})) {
    demand.set(name, (demand.get(name) ?? 0) + sign * milli(amount))
  }
}

const parsed = new Map<string, number>()
const PARSED_LIMIT = 2_000

export function milli(amount: string): number {
  let value = parsed.get(amount)
  if (value === undefined) {
    if (parsed.size >= PARSED_LIMIT) parsed.clear()
    parsed.set(amount, (value = Number(Quantity.parse(amount).milliValue())))
  }
  return value
}

export function sumOf(demands: Iterable<Demand>): Map<string, number> {
  const sum = new Map<string, number>()
  for (const demand of demands) {
    for (const [name, amount] of demand) sum.set(name, (sum.get(name) ?? 0) + amount)
  }
  return sum
}

/** All that does not fit besides what is used already. */
export function shortages(demand: Demand, node: Readonly<Node>, used: Demand): string[] {
  const { allocatable = {} } = node.status
  return [...demand]
    .filter(
      ([name, amount]) => amount > 0 && (used.get(name) ?? 0) + amount > milli(allocatable[name] ?? '0'),
    )
    .map(([name]) => name)
}

export function shortage(
  pod: Readonly<Pod>,
  node: Readonly<Node>,
  others: Iterable<Readonly<Pod>>,
): string | undefined {
  return shortages(demandOf(pod), node, sumOf([...others].map(demandOf)))[0]
}
