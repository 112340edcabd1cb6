/** What nodes and containers use, as metrics.k8s.io tells it: a metrics-server, or the simulated nodes. */
import { StatusError } from '../../apimachinery/errors/index.js'
import { parseQuantity } from '../../apimachinery/quantity/index.js'
import { type RestClient } from '../../client/rest.js'

export interface Usage {
  /** Cores. */
  cpu: number
  /** Bytes of the working set. */
  memory: number
}

export interface MeasuredPod {
  containers: ReadonlyMap<string, Usage>
  whole: Usage
}

export interface Usages {
  nodes: ReadonlyMap<string, Usage>
  /** `namespace/pod` */
  pods: ReadonlyMap<string, MeasuredPod>
}

const ROOT = '/apis/metrics.k8s.io/v1beta1'

interface NodeMetrics {
  metadata: { name: string }
  usage?: Record<string, string>
}

interface PodMetrics {
  metadata: { name: string; namespace: string }
  containers?: { name: string; usage?: Record<string, string> }[]
}

/** @returns undefined where nobody measures. @throws the signal's reason */
export async function readUsages(client: RestClient, signal: AbortSignal): Promise<Usages | undefined> {
  try {
    const [nodes, pods] = await Promise.all([
      client.json<{ items?: NodeMetrics[] }>('GET', `${ROOT}/nodes`, { signal }),
      client.json<{ items?: PodMetrics[] }>('GET', `${ROOT}/pods`, { signal }),
    ])
    return {
      nodes: new Map((nodes.items ?? []).map(({ metadata, usage }) => [metadata.name, usageOf(usage)])),
      pods: new Map(
        (pods.items ?? []).map(({ metadata, containers = [] }) => [
          `${metadata.namespace}/${metadata.name}`,
          measured(new Map(containers.map(({ name, usage }) => [name, usageOf(usage)]))),
        ]),
      ),
    }
  } catch (error) {
    if (error instanceof StatusError) return undefined
    throw error
  }
}

export const NOTHING: Usage = { cpu: 0, memory: 0 }

export function plus(a: Usage, b: Usage): Usage {
  return { cpu: a.cpu + b.cpu, memory: a.memory + b.memory }
}

function measured(containers: ReadonlyMap<string, Usage>): MeasuredPod {
  return { containers, whole: [...containers.values()].reduce(plus, NOTHING) }
}

function usageOf(usage: Record<string, string> = {}): Usage {
  return { cpu: amountOf(usage['cpu']), memory: amountOf(usage['memory']) }
}

/** Of a quantity; 0 for what is none. */
export function amountOf(quantity: unknown): number {
  if (typeof quantity !== 'string' && typeof quantity !== 'number') return 0
  try {
    return Number(parseQuantity(String(quantity)).toNumber())
  } catch {
    return 0
  }
}
