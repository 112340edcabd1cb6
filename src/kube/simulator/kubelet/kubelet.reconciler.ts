/**
 * Plays the part of a node for the pods on simulated nodes: takes them, moves their containers through their stages,
 * stops and removes them.
 *
 * All that counts is in the status of the pod; what is kept here besides are moments more exact than the seconds that
 * are written, and may be lost.
 */
import { equal } from '../../../apimachinery/json/value.js'
import { type EventRecorder, type Reconciler, type Request, type Result } from '../../../controller/index.js'
import { type Container, type Pod } from '../../builtin/types.js'
import { subjectOf } from '../../controllers/pods/create.js'
import { isEnding, isFinished } from '../../controllers/pods/state.js'
import { type Stored } from '../../controllers/stored.js'
import { type Objects } from '../../objects.js'
import { type Clock, wireTime } from '../../registry/clock.js'
import { type Node } from '../../scheduling/types.js'
import { type Behaviour, behaviourOf } from '../behaviour/behaviour.js'
import { environmentOf, missingVolume } from '../behaviour/environment.js'
import { SIMULATED } from '../labels.js'
import { type Rules } from '../rules/index.js'
import { Files } from '../files/files.js'
import { scratchLayer } from '../files/layers.js'
import { run } from '../shell/run.js'
import { PodAddresses } from './addresses.js'
import { refusalOf } from './admission.js'
import { dueStage, pass } from './containers.js'
import {
  concluded,
  type ContainerReport,
  firstReport,
  isInitialized,
  type Report,
  reportOf,
} from './status.js'

export interface KubeletDeps {
  pods: Stored<Pod>
  podsOn: (node: string) => ReadonlySet<Readonly<Pod>>
  nodes: Stored<Node>
  objects: Objects
  recorder: EventRecorder
  rules: Rules
  clock: Clock
}

type List = 'initContainerStatuses' | 'containerStatuses'

/** Containers that are told to stop do so after this. */
const STOP_MS = 1_000
const LOOK_AGAIN_MS = 5_000
/** Containers pass so many stages at most in one pass. */
const STAGES_LIMIT = 100

export class KubeletReconciler implements Reconciler {
  readonly #addresses = new PodAddresses()
  /** uid → container → when it entered its state. */
  readonly #since = new Map<string, Map<string, number>>()
  readonly #stopping = new Map<string, number>()

  constructor(private readonly deps: KubeletDeps) {}

  /** The pod is gone. */
  forget({ metadata: { uid = '' } }: Readonly<Pod>): void {
    this.#since.delete(uid)
    this.#stopping.delete(uid)
  }

  async reconcile({ namespace, name }: Request, signal: AbortSignal): Promise<Result> {
    const { pods, nodes, clock } = this.deps
    const pod = pods.get(namespace, name)
    const node = pod?.spec.nodeName ? nodes.get('', pod.spec.nodeName) : undefined
    if (!pod || node?.metadata.labels?.[SIMULATED] !== 'true') return
    if (isEnding(pod)) return this.#stop(pod, signal)
    if (isFinished(pod)) return
    const now = clock.now()
    let report = reportOf(pod)
    if (report.startTime === undefined) {
      const refusal = refusalOf(pod, node, this.deps.podsOn(node.metadata.name ?? ''))
      if (refusal) {
        this.deps.recorder.event(subjectOf(pod), 'Warning', refusal.reason, refusal.message)
        return pods.updateStatus(pod, { phase: 'Failed', startTime: wireTime(now), ...refusal }, signal)
      }
      report = firstReport(pod, now, this.#addressesOf(pod, node))
      this.#enter(pod, '', now)
    }
    const { next, againMs } = this.#advance(pod, report, now)
    if (!equal(next, pod.status)) await pods.updateStatus(pod, next as Record<string, unknown>, signal)
    return againMs === undefined ? undefined : { requeueAfter: Math.max(1, againMs) }
  }

  #addressesOf(pod: Readonly<Pod>, node: Readonly<Node>): { host: string; pod: string } {
    const host = node.status.addresses?.find(({ type }) => type === 'InternalIP')?.address ?? '127.0.0.1'
    if (pod.spec.hostNetwork) return { host, pod: host }
    return { host, pod: this.#addresses.give(node, this.deps.podsOn(node.metadata.name ?? '')) }
  }

  #advance(pod: Readonly<Pod>, report: Report, now: number): { next: Report; againMs: number | undefined } {
    const { activeDeadlineSeconds } = pod.spec
    const deadline =
      activeDeadlineSeconds === undefined
        ? Infinity
        : Date.parse(report.startTime ?? '') + activeDeadlineSeconds * 1000 - now
    if (deadline <= 0) return { next: this.#expired(pod, report, now), againMs: undefined }
    const missing = missingVolume(this.deps.objects, pod)
    if (missing !== undefined && report.phase === 'Pending' && !hasRun(report)) {
      this.deps.recorder.event(subjectOf(pod), 'Warning', 'FailedMount', missing)
      return { next: concluded(pod, report, now), againMs: LOOK_AGAIN_MS }
    }
    let soonest = deadline
    for (const [list, index] of this.#active(pod, report)) {
      soonest = Math.min(soonest, this.#move(pod, report, list, index, now))
    }
    // The last init container has ended: now the others begin.
    if (
      isInitialized(report) &&
      (report.containerStatuses ?? []).every(({ state }) => state?.waiting?.reason === 'PodInitializing')
    ) {
      for (let index = 0; index < (report.containerStatuses ?? []).length; index++) {
        soonest = Math.min(soonest, this.#move(pod, report, 'containerStatuses', index, now))
      }
    }
    const next = concluded(pod, report, now)
    const done = next.phase === 'Succeeded' || next.phase === 'Failed'
    return { next, againMs: done || soonest === Infinity ? undefined : soonest }
  }

  /** The containers whose turn it is: the first init container that is not done, or all others. */
  #active(pod: Readonly<Pod>, report: Report): [List, number][] {
    const first = (report.initContainerStatuses ?? []).findIndex(
      ({ state }) => state?.terminated?.exitCode !== 0,
    )
    if (first >= 0) return [['initContainerStatuses', first]]
    return (pod.spec.containers ?? []).map((_container, index) => ['containerStatuses', index])
  }

  /** @returns how long until the container's next stage */
  #move(pod: Readonly<Pod>, report: Report, list: List, index: number, now: number): number {
    const isInit = list === 'initContainerStatuses'
    const container = (isInit ? pod.spec.initContainers : pod.spec.containers)?.[index]
    if (!container) return Infinity
    const { behaviour, missing } = this.#behaviour({ ...pod, status: report }, container)
    const context = { pod, container, behaviour, missing, isInit }
    for (let count = 0; count < STAGES_LIMIT; count++) {
      const current = report[list]?.[index]
      const due = current && dueStage(current, context, this.deps.rules.stages())
      if (!current || !due) break
      const since = this.#sinceOf(pod, current, report)
      const at = since + due.delayMs
      if (at > now) return at - now
      const { report: next, told } = pass(current, due.stage, context, Math.max(at, since))
      report[list]![index] = next
      if (stateName(next) !== stateName(current) || due.stage.restart) this.#enter(pod, container.name, at)
      for (const { type, reason, message } of told)
        this.deps.recorder.event(subjectOf(pod), type, reason, message)
    }
    return missing === undefined ? Infinity : LOOK_AGAIN_MS
  }

  #behaviour(
    pod: Readonly<Pod>,
    container: Readonly<Container>,
  ): { behaviour: Behaviour; missing: string | undefined } {
    const environment = environmentOf(this.deps.objects, pod, container)
    return {
      behaviour: behaviourOf(pod, container, environment, this.deps.rules),
      missing: environment.missing,
    }
  }

  #sinceOf(pod: Readonly<Pod>, { name, state = {} }: ContainerReport, report: Report): number {
    const known = this.#since.get(pod.metadata.uid ?? '')
    const exact = known?.get(name)
    if (exact !== undefined) return exact
    const written = state.running?.startedAt ?? state.terminated?.finishedAt
    if (written) return Date.parse(written)
    const begun = known?.get('') ?? Date.parse(report.startTime ?? '')
    // Containers behind init containers begin when these have ended.
    const ends = (report.initContainerStatuses ?? []).map((init) => known?.get(init.name) ?? begun)
    return state.waiting?.reason === 'PodInitializing' ? Math.max(begun, ...ends) : begun
  }

  #enter({ metadata: { uid = '' } }: Readonly<Pod>, container: string, at: number): void {
    let known = this.#since.get(uid)
    if (!known) this.#since.set(uid, (known = new Map<string, number>()))
    known.set(container, at)
  }

  #expired(pod: Readonly<Pod>, report: Report, now: number): Report {
    const message = 'Pod was active on the node longer than the specified deadline'
    this.deps.recorder.event(subjectOf(pod), 'Normal', 'DeadlineExceeded', message)
    const stopped = stoppedContainers(report, now, 137)
    return concluded(pod, { ...stopped, phase: 'Failed', reason: 'DeadlineExceeded', message }, now)
  }

  async #stop(pod: Readonly<Pod>, signal: AbortSignal): Promise<Result> {
    const { pods, clock, recorder } = this.deps
    const { uid = '', deletionGracePeriodSeconds = 0, finalizers = [] } = pod.metadata
    const now = clock.now()
    const running = (pod.status.containerStatuses ?? []).filter(({ state }) => state?.running)
    let begun = this.#stopping.get(uid)
    if (begun === undefined) {
      this.#stopping.set(uid, (begun = now))
      for (const { name } of running)
        recorder.event(subjectOf(pod), 'Normal', 'Killing', `Stopping container ${name}`)
    }
    const takes =
      running.length > 0 ? Math.min(deletionGracePeriodSeconds * 1000, STOP_MS + preStopMs(pod)) : 0
    const left = begun + takes - now
    if (left > 0) return { requeueAfter: left }
    if (finalizers.length > 0 && running.length > 0) {
      const stopped = concluded(pod, stoppedContainers(reportOf(pod), now, 0), now)
      await pods.updateStatus(pod, { ...stopped, phase: pod.status.phase }, signal)
    }
    if (deletionGracePeriodSeconds > 0 || finalizers.length === 0) {
      await pods.delete(pod, { gracePeriodSeconds: 0 }, signal)
    }
    return undefined
  }
}

const stateName = ({ state }: ContainerReport): string =>
  state?.running ? 'running' : state?.terminated ? 'terminated' : (state?.waiting?.reason ?? '')

const hasRun = ({ containerStatuses = [], initContainerStatuses = [] }: Report): boolean =>
  [...containerStatuses, ...initContainerStatuses].some(
    ({ state, lastState }) => state?.running ?? state?.terminated ?? lastState?.terminated,
  )

function stoppedContainers(report: Report, now: number, exitCode: number): Report {
  const stop = (all: ContainerReport[] | undefined): ContainerReport[] | undefined =>
    all?.map((each) => {
      if (!each.state?.running) return each
      const { startedAt } = each.state.running
      const { containerID } = each
      const terminated = {
        exitCode,
        reason: exitCode === 0 ? 'Completed' : 'Error',
        startedAt,
        finishedAt: wireTime(now),
        ...(containerID !== undefined && { containerID }),
      }
      return { ...each, ready: false, started: false, state: { terminated } }
    })
  const [init, main] = [stop(report.initContainerStatuses), stop(report.containerStatuses)]
  return { ...report, ...(init && { initContainerStatuses: init }), ...(main && { containerStatuses: main }) }
}

/** How long the slowest hook before the stop takes; the grace period bounds it. */
function preStopMs(pod: Readonly<Pod>): number {
  return Math.max(
    0,
    ...(pod.spec.containers ?? []).map(({ lifecycle }) => {
      const command = lifecycle?.preStop?.exec?.command
      if (!command) return 0
      const files = new Files({ files: {} }, scratchLayer(), () => 0)
      const machine = { env: {}, files, hostname: '', startedAt: 0, program: () => ({ exitCode: 0 }) }
      let ms = 0
      try {
        const steps = run(command, machine)
        for (let step = steps.next(), count = 0; !step.done && count < 1000; step = steps.next(), count++) {
          if ('waitMs' in step.value) ms += step.value.waitMs
        }
      } catch {
        return 0
      }
      return ms
    }),
  )
}
