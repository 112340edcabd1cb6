/** What samples need to know of a node. */
import { listAt, read, textAt } from '../../listing/kind.js'
import { amountOf, type Usage } from './usage.js'

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
