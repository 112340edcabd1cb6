/** `nodes/NAME/proxy/stats/summary`: what a kubelet tells of itself and its pods. */
import { type Pod } from '../../builtin/types.js'
import { wireTime } from '../../registry/clock.js'
import { milli } from '../../scheduling/resources.js'
import { type Node } from '../../scheduling/types.js'
import { share } from '../stages/engine.js'
import { containerUsage, isMeasured, nodeUsage, podUsage, type Usage } from './usage.js'

const GIB = 1024 ** 3

export function summaryOf(node: Readonly<Node>, pods: Iterable<Readonly<Pod>>, now: number): object {
  const { name = '', creationTimestamp } = node.metadata
  const all = [...pods]
  const memory = milli(node.status.allocatable?.['memory'] ?? '0') / 1000
  const usage = nodeUsage(name, all, now)
  return {
    node: {
      nodeName: name,
      startTime: creationTimestamp ?? null,
      ...parts(usage, now, memory),
      network: { time: wireTime(now), name: 'eth0', ...traffic(name, now) },
      fs: filesystem(name, now, 100 * GIB),
      runtime: { imageFs: filesystem(`${name}/images`, now, 100 * GIB) },
    },
    pods: all.filter(isMeasured).map((pod) => podSummary(pod, now)),
  }
}

function podSummary(pod: Readonly<Pod>, now: number): object {
  const { name = '', namespace = '', uid = '' } = pod.metadata
  return {
    podRef: { name, namespace, uid },
    startTime: (pod.status as { startTime?: string }).startTime ?? null,
    containers: (pod.spec.containers ?? []).map((container) => ({
      name: container.name,
      startTime: (pod.status as { startTime?: string }).startTime ?? null,
      ...parts(containerUsage(pod, container, now), now),
    })),
    ...parts(podUsage(pod, now), now),
    network: { time: wireTime(now), name: 'eth0', ...traffic(uid, now) },
  }
}

function parts({ cpuNano, memoryBytes }: Usage, now: number, available?: number): object {
  const time = wireTime(now)
  return {
    cpu: { time, usageNanoCores: cpuNano, usageCoreNanoSeconds: Math.round((cpuNano * now) / 1e6) },
    memory: {
      time,
      ...(available !== undefined && { availableBytes: Math.max(0, available - memoryBytes) }),
      usageBytes: Math.round(memoryBytes * 1.1),
      workingSetBytes: memoryBytes,
      rssBytes: Math.round(memoryBytes * 0.8),
      pageFaults: 0,
      majorPageFaults: 0,
    },
  }
}

/** Counters: they only grow. */
function traffic(seed: string, now: number): object {
  const seconds = Math.floor(now / 1000)
  const rate = 200 + Math.floor(share(seed) * 2000)
  return { rxBytes: seconds * rate, rxErrors: 0, txBytes: seconds * Math.floor(rate / 2), txErrors: 0 }
}

function filesystem(seed: string, now: number, capacityBytes: number): object {
  const usedBytes = Math.round(capacityBytes * (0.1 + 0.2 * share(seed)))
  return {
    time: wireTime(now),
    availableBytes: capacityBytes - usedBytes,
    capacityBytes,
    usedBytes,
    inodesFree: 6_000_000,
    inodes: 6_553_600,
    inodesUsed: 553_600,
  }
}
