/** The simulated nodes themselves: what they say they are, and the heartbeat that keeps them alive. */
import { createHash } from 'node:crypto'
import { equal } from '../../apimachinery/json/value.js'
import { formatMicroTime } from '../../apimachinery/meta/time.js'
import { type KubeObject } from '../../apimachinery/meta/types.js'
import { type Reconciler, type Request, type Result } from '../../controller/index.js'
import { type ResourceList } from '../builtin/types.js'
import { conditionOf } from '../controllers/pods/state.js'
import { type Stored } from '../controllers/stored.js'
import { type Clock, wireTime } from '../registry/clock.js'
import { type Node, type NodeCondition } from '../scheduling/types.js'
import { SIMULATED, WHAT_IT_IS } from './labels.js'

export interface Lease extends KubeObject {
  spec: { holderIdentity?: string; leaseDurationSeconds?: number; renewTime?: string }
}

const NAMESPACE = 'kube-node-lease'
/** Rarely, so that a platform at rest is at rest; leases last accordingly. */
const HEARTBEAT_MS = 120_000
const LEASE_SECONDS = 300
const CONDITIONS: readonly [type: string, status: string, reason: string, message: string][] = [
  ['MemoryPressure', 'False', 'KubeletHasSufficientMemory', 'kubelet has sufficient memory available'],
  ['DiskPressure', 'False', 'KubeletHasNoDiskPressure', 'kubelet has no disk pressure'],
  ['PIDPressure', 'False', 'KubeletHasSufficientPID', 'kubelet has sufficient PID available'],
  ['Ready', 'True', 'KubeletReady', 'simulated node is posting ready status'],
]

export const nodeName = (index: number): string => `simulated-${index}`

export function nodeOf(index: number, kubeletVersion: string): Node {
  const name = nodeName(index)
  const cidr = `10.244.${index % 256}.0/24`
  return {
    metadata: {
      name,
      labels: {
        'beta.kubernetes.io/arch': 'amd64',
        'beta.kubernetes.io/os': 'linux',
        'kubernetes.io/arch': 'amd64',
        'kubernetes.io/hostname': name,
        'kubernetes.io/os': 'linux',
        'node-role.kubernetes.io/worker': '',
        'topology.kubernetes.io/region': 'simulated',
        'topology.kubernetes.io/zone': `simulated-${String.fromCharCode(97 + ((index - 1) % 3))}`,
        [SIMULATED]: 'true',
      },
      annotations: {
        'node.alpha.kubernetes.io/ttl': '0',
        [WHAT_IT_IS]: 'A node that Orrery simulates: its pods run no containers.',
      },
    },
    spec: { podCIDR: cidr, podCIDRs: [cidr], providerID: `simulated://${name}` },
    status: statusOf(name, kubeletVersion, index),
  }
}

/** @param index makes its address; that of a node with a name of its own comes from the name */
function statusOf(name: string, kubeletVersion: string, index = 1000 + indexOf(name)): Node['status'] {
  return {
    capacity: { cpu: '8', memory: '32Gi', 'ephemeral-storage': '100Gi', pods: '110' },
    allocatable: { cpu: '8', memory: '31Gi', 'ephemeral-storage': '90Gi', pods: '110' },
    addresses: [
      { type: 'InternalIP', address: `192.168.${Math.floor(index / 250)}.${10 + (index % 240)}` },
      { type: 'Hostname', address: name },
    ],
    daemonEndpoints: { kubeletEndpoint: { Port: 10250 } },
    nodeInfo: {
      machineID: name,
      systemUUID: name,
      bootID: name,
      kernelVersion: '5.10.0-simulated',
      osImage: 'Orrery simulated node',
      containerRuntimeVersion: 'simulated://1.0',
      kubeletVersion,
      kubeProxyVersion: kubeletVersion,
      operatingSystem: 'linux',
      architecture: 'amd64',
    },
    images: [],
  }
}

const indexOf = (name: string): number => createHash('sha256').update(name).digest().readUInt16BE() % 50_000

/** Requests name nodes. */
export class HeartbeatReconciler implements Reconciler {
  constructor(
    private readonly deps: {
      nodes: Stored<Node>
      leases: Stored<Lease>
      clock: Clock
      kubeletVersion: string
    },
  ) {}

  async reconcile({ name }: Request, signal: AbortSignal): Promise<Result> {
    const { nodes, leases, clock } = this.deps
    const node = nodes.get('', name)
    if (node?.metadata.labels?.[SIMULATED] !== 'true') return
    const now = clock.now()
    const lease = leases.get(NAMESPACE, name)
    const renewed = Date.parse(lease?.spec.renewTime ?? '')
    const left = Number.isNaN(renewed) ? 0 : renewed + HEARTBEAT_MS - now
    const isReady = conditionOf(node.status.conditions, 'Ready')?.status === 'True'
    if (left > 0 && isReady && equal(allocatableOf(node), node.status.allocatable))
      return { requeueAfter: left }
    await this.#report(node, now, signal)
    const renewTime = formatMicroTime(new Date(now))
    if (lease) await leases.update(lease, ({ spec }) => (spec.renewTime = renewTime), signal)
    else {
      const owner = { apiVersion: 'v1', kind: 'Node', name, uid: node.metadata.uid ?? '' }
      const spec = { holderIdentity: name, leaseDurationSeconds: LEASE_SECONDS, renewTime }
      await leases.create(
        { metadata: { name, namespace: NAMESPACE, ownerReferences: [owner] }, spec },
        signal,
      )
    }
    return { requeueAfter: HEARTBEAT_MS }
  }

  async #report(node: Readonly<Node>, now: number, signal: AbortSignal): Promise<void> {
    const time = wireTime(now)
    const conditions = CONDITIONS.map(([type, status, reason, message]): NodeCondition => {
      const known = conditionOf(node.status.conditions, type)
      const lastTransitionTime = known?.status === status ? (known.lastTransitionTime ?? time) : time
      return { type, status, lastHeartbeatTime: time, lastTransitionTime, reason, message }
    })
    // Somebody else has made it, and left it to its kubelet to say what it has.
    const isBare = node.status.allocatable === undefined
    const status = isBare
      ? { ...statusOf(node.metadata.name ?? '', this.deps.kubeletVersion), ...node.status }
      : { ...node.status, allocatable: allocatableOf(node) }
    await this.deps.nodes.updateStatus(node, { ...status, conditions }, signal)
  }
}

/** Of resources that somebody has added to the node, all; of its own, what it kept. */
function allocatableOf({ status: { capacity = {}, allocatable = {} } }: Readonly<Node>): ResourceList {
  const isAdded = ([name]: [string, string]): boolean => name.includes('/')
  const own = Object.entries(allocatable).filter((each) => !isAdded(each))
  return Object.fromEntries([...own, ...Object.entries(capacity).filter(isAdded)])
}
