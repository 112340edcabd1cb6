/** Nodes: status, and the resource annotations that exist only in answers (resources.md §3.5.8). */
import { formatTime } from '../../apimachinery/meta/index.js'
import { byField, kind, listAt, read, textAt, type AnyKind } from '../kind.js'
import { podKind, NODE_INDEX } from './pods.js'
import { add, bytes, milli, NO_RESOURCES } from './podresources.js'

const HEALTHY: Readonly<Record<string, string>> = {
  MemoryPressure: 'False',
  DiskPressure: 'False',
  PIDPressure: 'False',
  NetworkUnavailable: 'False',
  Ready: 'True',
  KubeletReady: 'True',
  ConfigOK: 'True',
}

function nodeStatus(node: unknown): string {
  if (read(node, 'spec', 'unschedulable') === true) return 'unschedulable'
  const deviates = listAt(node, 'status', 'conditions').some((condition) => {
    const wanted = HEALTHY[textAt(condition, 'type')]
    return wanted !== undefined && textAt(condition, 'status') !== wanted
  })
  return deviates ? 'warning' : 'running'
}

const PREFIX = 'node.kubesphere.io'

export const nodes: AnyKind = kind<{ status: string }>({
  group: '',
  versions: ['v1'],
  resource: 'nodes',
  singular: 'node',
  namespaced: false,
  cache: { extract: (object) => ({ status: nodeStatus(object) }) },
  filters: { status: byField<{ status: string }>(({ status }, value) => status === value) },
  decorate(node, { name }, stores) {
    node.metadata.annotations = {
      ...node.metadata.annotations,
      [`${PREFIX}/last-annotated-at`]: formatTime(stores.now()),
    }
    const pods = stores.of(podKind)
    if (pods.size === 0) return
    const sum = { ...NO_RESOURCES }
    for (const { fields } of pods.index(NODE_INDEX, name)) {
      if (fields.resources && fields.phase !== 'Succeeded' && fields.phase !== 'Failed')
        add(sum, fields.resources)
    }
    const cpu = milli(read(node, 'status', 'allocatable', 'cpu'))
    const memory = bytes(read(node, 'status', 'allocatable', 'memory'))
    node.metadata.annotations = {
      ...node.metadata.annotations,
      [`${PREFIX}/cpu-requests`]: milliText(sum.cpuRequests),
      [`${PREFIX}/cpu-limits`]: milliText(sum.cpuLimits),
      [`${PREFIX}/memory-requests`]: binaryText(sum.memoryRequests),
      [`${PREFIX}/memory-limits`]: binaryText(sum.memoryLimits),
      [`${PREFIX}/cpu-requests-fraction`]: percent(sum.cpuRequests, cpu),
      [`${PREFIX}/cpu-limits-fraction`]: percent(sum.cpuLimits, cpu),
      [`${PREFIX}/memory-requests-fraction`]: percent(sum.memoryRequests, memory),
      [`${PREFIX}/memory-limits-fraction`]: percent(sum.memoryLimits, memory),
    }
  },
})

function percent(part: number, whole: number): string {
  return whole === 0 ? '0%' : `${Math.trunc((part / whole) * 100)}%`
}

/** `1750m`, `2`. */
function milliText(value: number): string {
  return value % 1_000 === 0 ? String(value / 1_000) : `${value}m`
}

const BINARY = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi']

/** The largest binary unit that leaves a whole number: `2218Mi`. */
function binaryText(value: number): string {
  let [number, unit] = [value, 0]
  while (number !== 0 && number % 1_024 === 0 && unit < BINARY.length - 1)
    [number, unit] = [number / 1_024, unit + 1]
  return `${number}${BINARY[unit] ?? ''}`
}
