/** Nodes: what samples need to know of one, and its series. */
import { listAt, read, textAt } from '../../listing/kind.js'
import { type SampledSeries } from './series.js'
import { machineValues, PodCounts } from './tally.js'
import { amountOf, type Usage, type Usages } from './usage.js'

/** With its capacity. */
export interface NodeFacts extends Usage {
  name: string
  address: string
  role: string
  isReady: boolean
  pods: number
}

export function nodeFacts(name: string, node: unknown): NodeFacts {
  const capacity = read(node, 'status', 'capacity')
  const typed = (list: string, type: string): unknown =>
    listAt(node, 'status', list).find((one) => textAt(one, 'type') === type)
  const labels = Object.keys(read(node, 'metadata', 'labels') ?? {})
  const isMaster = labels.some((label) => /^node-role\.kubernetes\.io\/(master|control-plane)$/.test(label))
  return {
    name,
    address: textAt(typed('addresses', 'InternalIP'), 'address'),
    role: isMaster ? 'master' : 'worker',
    isReady: textAt(typed('conditions', 'Ready'), 'status') === 'True',
    cpu: amountOf(read(capacity, 'cpu')),
    memory: amountOf(read(capacity, 'memory')),
    pods: amountOf(read(capacity, 'pods')),
  }
}

/** @param counts of the pods on each */
export function nodeSeries(
  nodes: readonly NodeFacts[],
  counts: ReadonlyMap<string, PodCounts>,
  usages: Usages | undefined,
): SampledSeries[] {
  return nodes.map(({ name, address, role, isReady, pods: capacity, ...total }) => {
    const pods = counts.get(name) ?? new PodCounts()
    return {
      labels: { node: name, host_ip: address, role },
      values: {
        ...machineValues('node', total, usages?.nodes.get(name)),
        node_pod_count: pods.scheduled,
        ...(isReady && { node_pod_quota: capacity }),
        node_pod_utilisation: pods.running / capacity,
        node_pod_running_count: pods.running,
        node_pod_succeeded_count: pods.succeeded,
        node_pod_abnormal_count: pods.abnormal,
        node_pod_abnormal_ratio: pods.abnormal / pods.unfinished,
      },
    }
  })
}
