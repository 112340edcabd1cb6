/** What simulated containers use: around what they ask for, moving with time, the same at the same time. */
import { type Container, type Pod, type ResourceList } from '../../builtin/types.js'
import { milli } from '../../scheduling/resources.js'
import { share } from '../stages/engine.js'

export interface Usage {
  cpuNano: number
  memoryBytes: number
}

const HOUR_MS = 3_600_000
const SAMPLE_MS = 15_000
const MIB = 1024 * 1024

export function containerUsage(pod: Readonly<Pod>, container: Readonly<Container>, now: number): Usage {
  const seed = `${pod.metadata.uid ?? ''}/${container.name}`
  const { requests = {}, limits = {} } = container.resources
  const asked = (name: string): number | undefined => {
    const amount = requests[name] ?? limits[name]
    return amount === undefined ? undefined : milli(amount)
  }
  // Without requests: a few thousandths of a CPU, some dozen MiB.
  const cpuMilli = asked('cpu') ?? 5 + share(`${seed}/cpu`) * 45
  const memory = (asked('memory') ?? 0) / 1000 || (20 + share(`${seed}/memory`) * 180) * MIB
  const wave = Math.sin((now / HOUR_MS + share(seed)) * 2 * Math.PI)
  const noise = share(`${seed}/${Math.floor(now / SAMPLE_MS)}`) - 0.5
  return {
    cpuNano: Math.round(cpuMilli * 1e6 * (0.5 + 0.25 * wave + 0.2 * noise)),
    memoryBytes: Math.round(memory * (0.7 + 0.1 * wave + 0.05 * noise)),
  }
}

export function isMeasured({ status }: Readonly<Pod>): boolean {
  return status.phase === 'Running'
}

export function podUsage(pod: Readonly<Pod>, now: number): Usage {
  return total((pod.spec.containers ?? []).map((container) => containerUsage(pod, container, now)))
}

export function total(parts: readonly Usage[]): Usage {
  return parts.reduce(
    (sum, { cpuNano, memoryBytes }) => ({
      cpuNano: sum.cpuNano + cpuNano,
      memoryBytes: sum.memoryBytes + memoryBytes,
    }),
    { cpuNano: 0, memoryBytes: 0 },
  )
}

/** The system's own besides its pods. */
export function nodeUsage(name: string, pods: Iterable<Readonly<Pod>>, now: number): Usage {
  const noise = share(`${name}/${Math.floor(now / SAMPLE_MS)}`)
  const own = {
    cpuNano: Math.round((150 + 50 * noise) * 1e6),
    memoryBytes: Math.round((900 + 50 * noise) * MIB),
  }
  return total([own, ...[...pods].filter(isMeasured).map((pod) => podUsage(pod, now))])
}

export function written({ cpuNano, memoryBytes }: Usage): ResourceList {
  return { cpu: `${cpuNano}n`, memory: `${Math.round(memoryBytes / 1024)}Ki` }
}
