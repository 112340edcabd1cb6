/** Nodes as scheduling sees them. */
import { type KubeObject } from '../../apimachinery/meta/types.js'
import { type ResourceList } from '../builtin/types.js'
import { type TimedCondition } from '../controllers/pods/state.js'
import { type Taint } from './taints.js'

export interface NodeCondition extends TimedCondition {
  lastHeartbeatTime?: string
}

export interface Node extends KubeObject {
  spec: {
    unschedulable?: boolean
    taints?: Taint[]
    podCIDR?: string
    podCIDRs?: string[]
    providerID?: string
  }
  status: {
    capacity?: ResourceList
    allocatable?: ResourceList
    conditions?: NodeCondition[]
    addresses?: { type: string; address: string }[]
    images?: { names: string[]; sizeBytes?: number }[]
    nodeInfo?: Record<string, string>
    [field: string]: unknown
  }
}
