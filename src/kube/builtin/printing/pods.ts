/** The status of a pod in one word, and the rest of its row. */
import { type ContainerState, type ContainerStatus, type Pod } from '../types.js'
import { age } from './age.js'
import { NONE } from './text.js'

export function podCells(pod: Readonly<Pod>, now: Date): unknown[] {
  const { metadata, spec, status } = pod
  const { word, ready, restarts } = summary(pod)
  const gates = spec.readinessGates ?? []
  const open = gates.filter(({ conditionType }) =>
    status.conditions?.some((condition) => condition.type === conditionType && condition.status === 'True'),
  )
  return [
    metadata.name,
    `${ready}/${spec.containers?.length ?? 0}`,
    word,
    restarts,
    age(metadata.creationTimestamp, now),
    status.podIPs?.[0]?.ip ?? status.podIP ?? NONE,
    spec.nodeName || NONE,
    status.nominatedNodeName || NONE,
    gates.length === 0 ? NONE : `${open.length}/${gates.length}`,
  ]
}

interface Summary {
  word: string
  ready: number
  restarts: number
}

function summary(pod: Readonly<Pod>): Summary {
  const { metadata, status } = pod
  const initial = initializing(pod)
  const result = initial ?? running(pod)
  if (metadata.deletionTimestamp === undefined) return result
  return { ...result, word: status.reason === 'NodeLost' ? 'Unknown' : 'Terminating' }
}

/** What a pod waits for while its init containers run; undefined when they are done. */
function initializing({ spec, status }: Readonly<Pod>): Summary | undefined {
  let restarts = 0
  for (const [index, container] of (status.initContainerStatuses ?? []).entries()) {
    restarts += container.restartCount
    const { terminated, waiting } = container.state ?? {}
    if (terminated?.exitCode === 0) continue
    const word = terminated
      ? `Init:${endOf(terminated)}`
      : waiting?.reason && waiting.reason !== 'PodInitializing'
        ? `Init:${waiting.reason}`
        : `Init:${index}/${spec.initContainers?.length ?? 0}`
    return { word, ready: 0, restarts }
  }
  return undefined
}

function endOf(terminated: NonNullable<ContainerState['terminated']>): string {
  if (terminated.reason) return terminated.reason
  return terminated.signal ? `Signal:${terminated.signal}` : `ExitCode:${terminated.exitCode}`
}

/** The first container that has something to tell gives the word. */
function running({ status }: Readonly<Pod>): Summary {
  let word = status.reason || status.phase || ''
  let ready = 0
  let restarts = 0
  let hasRunning = false
  const containers: readonly ContainerStatus[] = status.containerStatuses ?? []
  for (const container of [...containers].reverse()) {
    restarts += container.restartCount
    const { waiting, terminated, running: isRunning } = container.state ?? {}
    if (waiting?.reason) word = waiting.reason
    else if (terminated) word = endOf(terminated)
    else if (container.ready && isRunning) {
      hasRunning = true
      ready++
    }
  }
  if (word === 'Completed' && hasRunning) {
    const isReady = status.conditions?.some(({ type, status: value }) => type === 'Ready' && value === 'True')
    word = isReady ? 'Running' : 'NotReady'
  }
  return { word, ready, restarts }
}
