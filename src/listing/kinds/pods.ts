/** Pods (resources.md §3.5.4), and what other kinds ask about pods. */
import { type CachedObject } from '../../client/cache/interface.js'
import {
  byField,
  kind,
  listAt,
  numberAt,
  read,
  textAt,
  type AnyKind,
  type FilterPlan,
  type KindDefinition,
} from '../kind.js'
import { podResources, type PodResources } from './podresources.js'

export interface PodFields {
  phase: string
  /** The reason as kubectl prints it. */
  reason: string
  nodeName: string
  /** What the pod asks of its node; undefined when it asks nothing. */
  resources: PodResources | undefined
}

const PHASES = new Set(['Running', 'Pending', 'Succeeded', 'Failed', 'Unknown'])

/** Index of pods by the claims they mount: `<namespace>/<claim>`. */
export const CLAIM_INDEX = 'claim'
export const NODE_INDEX = 'node'

const podKind: KindDefinition<PodFields> = {
  group: '',
  versions: ['v1'],
  resource: 'pods',
  singular: 'pod',
  namespaced: true,
  cache: {
    extract: (object) => ({
      phase: textAt(object, 'status', 'phase'),
      reason: printedReason(object),
      nodeName: textAt(object, 'spec', 'nodeName'),
      resources: podResources(object),
    }),
    indexes: {
      [NODE_INDEX]: (_object, { nodeName }) => (nodeName === '' ? [] : [nodeName]),
      [CLAIM_INDEX]: (object) =>
        listAt(object, 'spec', 'volumes').flatMap((volume) => {
          const claim = textAt(volume, 'persistentVolumeClaim', 'claimName')
          return claim === '' ? [] : [`${object.metadata.namespace ?? ''}/${claim}`]
        }),
    },
  },
  filters: {
    nodeName: (value, { store }) => ({
      matches: ({ fields }) => fields.nodeName === value,
      ...(value !== '' && { candidates: store.index(NODE_INDEX, value) }),
    }),
    pvcName(value, { store, namespace }) {
      const mounts = (object: CachedObject<PodFields>): boolean =>
        listAt(store.object(object), 'spec', 'volumes').some(
          (volume) => textAt(volume, 'persistentVolumeClaim', 'claimName') === value,
        )
      if (namespace === undefined) return { matches: mounts }
      return { matches: mounts, candidates: store.index(CLAIM_INDEX, `${namespace}/${value}`) }
    },
    serviceName(value, { stores }): FilterPlan<PodFields> {
      const services = stores.of(serviceKind)
      return {
        matches(pod) {
          const service = services.get(pod.namespace, value)
          const selector = service && read(services.object(service), 'spec', 'selector')
          if (selector === null || typeof selector !== 'object') return false
          const wanted = Object.entries(selector)
          return wanted.length > 0 && wanted.every(([key, label]) => pod.labels[key] === label)
        },
      }
    },
    phase: byField(({ phase }, value) => phase === value),
    // A phase as in v3.2, or one of the words of v3.4 that are no phase.
    status: byField(({ phase, reason }, value) =>
      PHASES.has(value) ? phase === value : displayStatus(reason) === value,
    ),
  },
}

export const pods: AnyKind = kind(podKind)
export { podKind }

/** Only for `serviceName`; the same cache as the `services` kind. */
const serviceKind: KindDefinition = {
  group: '',
  versions: ['v1'],
  resource: 'services',
  singular: 'service',
  namespaced: true,
}

/** Waiting, Running, Error or Completed (v3.4). */
export function displayStatus(reason: string): string {
  if (reason === 'Running') return 'Running'
  if (reason === 'Failed' || reason === 'Error' || reason.startsWith('OutOf')) return 'Error'
  if (reason === 'Completed') return 'Completed'
  return 'Waiting'
}

/** The STATUS column of `kubectl get pods`. */
export function printedReason(pod: unknown): string {
  const status = read(pod, 'status')
  let reason = textAt(status, 'reason') || textAt(status, 'phase')
  if (reason === 'Succeeded' && hasCondition(status, 'Ready', 'PodCompleted')) reason = 'Completed'
  const init = initReason(status, listAt(pod, 'spec', 'initContainers').length)
  if (init !== undefined) {
    reason = init
  } else {
    let hasRunning = false
    for (const container of listAt(status, 'containerStatuses').reverse()) {
      const waiting = textAt(container, 'state', 'waiting', 'reason')
      const terminated = read(container, 'state', 'terminated')
      if (waiting !== '') reason = waiting
      else if (terminated !== undefined) reason = terminatedReason(terminated)
      else if (read(container, 'ready') === true && read(container, 'state', 'running') !== undefined)
        hasRunning = true
    }
    if (reason === 'Completed' && hasRunning) {
      reason = hasCondition(status, 'Ready') ? 'Running' : 'NotReady'
    }
  }
  if (read(pod, 'metadata', 'deletionTimestamp') !== undefined) {
    return textAt(status, 'reason') === 'NodeLost' ? 'Unknown' : 'Terminating'
  }
  return reason
}

function initReason(status: unknown, total: number): string | undefined {
  const containers = listAt(status, 'initContainerStatuses')
  for (const [position, container] of containers.entries()) {
    const terminated = read(container, 'state', 'terminated')
    if (terminated !== undefined && numberAt(terminated, 'exitCode') === 0) continue
    if (terminated !== undefined) return `Init:${terminatedReason(terminated)}`
    const waiting = textAt(container, 'state', 'waiting', 'reason')
    if (waiting !== '' && waiting !== 'PodInitializing') return `Init:${waiting}`
    return `Init:${position}/${total}`
  }
  return undefined
}

function terminatedReason(terminated: unknown): string {
  const reason = textAt(terminated, 'reason')
  if (reason !== '') return reason
  const signal = numberAt(terminated, 'signal')
  return signal !== 0 ? `Signal:${signal}` : `ExitCode:${numberAt(terminated, 'exitCode')}`
}

function hasCondition(status: unknown, type: string, reason?: string): boolean {
  return listAt(status, 'conditions').some(
    (condition) =>
      textAt(condition, 'type') === type &&
      (reason === undefined
        ? textAt(condition, 'status') === 'True'
        : textAt(condition, 'reason') === reason),
  )
}
