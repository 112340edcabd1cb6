/**
 * What a pod asks of its node, as the scheduler adds it up: containers together, each init container alone,
 * whichever is more, plus overhead (resources.md §3.5.8).
 *
 * Kept per pod as four numbers: CPU in milli-units, memory in bytes. Sums over a node's pods stay exact below 2^53.
 */
import { parseQuantity } from '../../apimachinery/quantity/index.js'
import { listAt, read } from '../kind.js'

export interface PodResources {
  cpuRequests: number
  cpuLimits: number
  memoryRequests: number
  memoryLimits: number
}

export const NO_RESOURCES: Readonly<PodResources> = {
  cpuRequests: 0,
  cpuLimits: 0,
  memoryRequests: 0,
  memoryLimits: 0,
}

export function podResources(pod: unknown): PodResources | undefined {
  const total = { ...NO_RESOURCES }
  for (const container of listAt(pod, 'spec', 'containers')) add(total, resourcesOf(container))
  for (const container of listAt(pod, 'spec', 'initContainers')) {
    const init = resourcesOf(container)
    for (const key of KEYS) total[key] = Math.max(total[key], init[key])
  }
  const overhead = read(pod, 'spec', 'overhead')
  if (overhead !== undefined) {
    const cpu = milli(read(overhead, 'cpu'))
    const memory = bytes(read(overhead, 'memory'))
    total.cpuRequests += cpu
    total.memoryRequests += memory
    if (total.cpuLimits > 0) total.cpuLimits += cpu
    if (total.memoryLimits > 0) total.memoryLimits += memory
  }
  return KEYS.some((key) => total[key] > 0) ? total : undefined
}

const KEYS = ['cpuRequests', 'cpuLimits', 'memoryRequests', 'memoryLimits'] as const

export function add(sum: PodResources, part: Readonly<PodResources>): void {
  for (const key of KEYS) sum[key] += part[key]
}

function resourcesOf(container: unknown): PodResources {
  return {
    cpuRequests: milli(read(container, 'resources', 'requests', 'cpu')),
    cpuLimits: milli(read(container, 'resources', 'limits', 'cpu')),
    memoryRequests: bytes(read(container, 'resources', 'requests', 'memory')),
    memoryLimits: bytes(read(container, 'resources', 'limits', 'memory')),
  }
}

/** Thousandths; 0 for what is not a quantity. */
export function milli(value: unknown): number {
  return quantity(value)?.milliValue() ?? 0
}

/** Whole units; 0 for what is not a quantity. */
export function bytes(value: unknown): number {
  return quantity(value)?.value() ?? 0
}

function quantity(value: unknown): { milliValue(): number; value(): number } | undefined {
  if (typeof value !== 'string' && typeof value !== 'number') return undefined
  try {
    const parsed = parseQuantity(String(value))
    return { milliValue: () => Number(parsed.milliValue()), value: () => Number(parsed.value()) }
  } catch {
    return undefined
  }
}
