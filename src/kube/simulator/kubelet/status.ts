/** The status of a pod as a node reports it: phase and conditions follow from the containers. */
import { type Condition, type Pod } from '../../builtin/types.js'
import { wireTime } from '../../registry/clock.js'
import { type TimedCondition, withCondition } from '../../controllers/pods/state.js'

export interface Terminated {
  exitCode: number
  reason?: string
  message?: string
  startedAt?: string | null
  finishedAt?: string | null
  containerID?: string
}

export interface State {
  waiting?: { reason?: string; message?: string }
  running?: { startedAt: string | null }
  terminated?: Terminated
}

export interface ContainerReport {
  name: string
  state?: State
  lastState?: State
  ready: boolean
  restartCount: number
  image: string
  imageID: string
  containerID?: string
  started?: boolean
}

export interface Report {
  phase?: string
  conditions?: TimedCondition[]
  reason?: string
  message?: string
  hostIP?: string
  podIP?: string
  podIPs?: { ip: string }[]
  startTime?: string
  initContainerStatuses?: ContainerReport[]
  containerStatuses?: ContainerReport[]
  qosClass?: string
}

export const reportOf = (pod: Readonly<Pod>): Report => structuredClone(pod.status) as Report

/** Where a pod begins on its node. */
export function firstReport(pod: Readonly<Pod>, now: number, address: { host: string; pod: string }): Report {
  const { initContainers = [], containers } = pod.spec
  const waiting = (reason: string) => ({
    state: { waiting: { reason } },
    lastState: {},
    ready: false,
    restartCount: 0,
  })
  const reports = (list: readonly { name: string; image?: string }[], reason: string): ContainerReport[] =>
    list.map(({ name, image = '' }) => ({ name, ...waiting(reason), image, imageID: '', started: false }))
  return {
    ...reportOf(pod),
    phase: 'Pending',
    hostIP: address.host,
    podIP: address.pod,
    podIPs: [{ ip: address.pod }],
    startTime: wireTime(now),
    ...(initContainers.length > 0 && {
      initContainerStatuses: reports(initContainers, 'PodInitializing').map(
        ({ started: _none, ...each }) => each,
      ),
    }),
    containerStatuses: reports(
      containers ?? [],
      initContainers.length > 0 ? 'PodInitializing' : 'ContainerCreating',
    ),
  }
}

const isDone = ({ state }: ContainerReport): boolean => state?.terminated?.exitCode === 0

export const isInitialized = ({ initContainerStatuses = [] }: Report): boolean =>
  initContainerStatuses.every(isDone)

/** Phase and conditions from what the containers are in. */
export function concluded(pod: Readonly<Pod>, report: Report, now: number): Report {
  const { restartPolicy = 'Always', readinessGates = [] } = pod.spec
  const containers = report.containerStatuses ?? []
  const initialized = isInitialized(report)
  const initFailed =
    restartPolicy === 'Never' &&
    (report.initContainerStatuses ?? []).some(
      ({ state }) => state?.terminated && state.terminated.exitCode !== 0,
    )
  const phase =
    report.phase === 'Failed' && report.reason
      ? 'Failed'
      : phaseOf(containers, restartPolicy, initialized, initFailed)
  const completed = phase === 'Succeeded'
  const unready = containers.filter(({ ready }) => !ready).map(({ name }) => name)
  const gatesOpen = readinessGates.every(({ conditionType }) =>
    report.conditions?.some(({ type, status }) => type === conditionType && status === 'True'),
  )
  const lastTransitionTime = wireTime(now)
  const condition = (
    type: string,
    holds: boolean,
    why?: Pick<Condition, 'reason' | 'message'>,
  ): TimedCondition => ({
    type,
    status: holds ? 'True' : 'False',
    lastProbeTime: null,
    lastTransitionTime,
    ...(!holds && why),
  })
  const message = `containers with unready status: [${unready.join(' ')}]`
  const notReady = completed
    ? { reason: 'PodCompleted' }
    : phase === 'Failed'
      ? { reason: 'PodFailed' }
      : { reason: 'ContainersNotReady', message }
  const incomplete = (report.initContainerStatuses ?? [])
    .filter((each) => !isDone(each))
    .map(({ name }) => name)
  const allReady = unready.length === 0 && initialized
  const wanted = [
    condition('Initialized', initialized || completed, {
      reason: 'ContainersNotInitialized',
      message: `containers with incomplete status: [${incomplete.join(' ')}]`,
    }),
    condition('Ready', allReady && gatesOpen, allReady ? { reason: 'ReadinessGatesNotReady' } : notReady),
    condition('ContainersReady', allReady, notReady),
    condition('PodScheduled', true),
  ]
  return {
    ...report,
    phase,
    conditions: wanted.reduce<TimedCondition[]>(
      (conditions, each) => withCondition(conditions, each),
      report.conditions ?? [],
    ),
  }
}

function phaseOf(
  containers: readonly ContainerReport[],
  restartPolicy: string,
  initialized: boolean,
  initFailed: boolean,
): string {
  if (initFailed) return 'Failed'
  if (!initialized) return 'Pending'
  const ends = containers.map(({ state }) => state?.terminated)
  if (ends.length > 0 && ends.every((end) => end !== undefined)) {
    const failed = ends.some((end) => end.exitCode !== 0)
    if (restartPolicy === 'Never') return failed ? 'Failed' : 'Succeeded'
    if (restartPolicy === 'OnFailure' && !failed) return 'Succeeded'
    return 'Running'
  }
  const begun = containers.some(
    ({ state, lastState }) => state?.running ?? state?.terminated ?? lastState?.terminated,
  )
  const creating = containers.some(({ state, lastState }) => state?.waiting && !lastState?.terminated)
  return creating || !begun ? 'Pending' : 'Running'
}
