/** Moves one container through its stages. */
import { applyMergePatch } from '../../../apimachinery/patch/index.js'
import { type Container, type Pod } from '../../builtin/types.js'
import { wireTime } from '../../registry/clock.js'
import { type Behaviour } from '../behaviour/behaviour.js'
import { imageFits } from '../behaviour/images.js'
import { type Stage } from '../rules/index.js'
import { type Due, filled, nextStage, share, type View } from '../stages/engine.js'
import { type ContainerReport } from './status.js'

export interface Told {
  type: 'Normal' | 'Warning'
  reason: string
  message: string
}

export interface ContainerContext {
  pod: Readonly<Pod>
  container: Readonly<Container>
  behaviour: Behaviour
  /** What its environment names and nobody has. */
  missing: string | undefined
  isInit: boolean
}

/** A run of this length makes earlier crashes forgotten. */
const FORGET_MS = 600_000

/** The stage that the container is in for; undefined when it stays as it is. */
export function dueStage(
  report: ContainerReport,
  context: ContainerContext,
  stages: readonly Stage[],
): Due | undefined {
  const { image = '' } = context.container
  const isMeant = ({ when }: Stage): boolean =>
    typeof when['image'] !== 'string' || imageFits(when['image'], image)
  return nextStage(stages.filter(isMeant), viewOf(report, context, 0))
}

/** @returns the container's next report, and what people are told */
export function pass(
  report: ContainerReport,
  { restart, next, events = [] }: Stage,
  context: ContainerContext,
  now: number,
): { report: ContainerReport; told: Told[] } {
  const before: ContainerReport = restart
    ? {
        ...report,
        restartCount: report.restartCount + 1,
        lastState: report.state?.terminated
          ? { terminated: report.state.terminated }
          : (report.lastState ?? {}),
        containerID: containerIdOf(context, report.restartCount + 1),
      }
    : report
  const { image = '' } = context.container
  const view = viewOf(before, context, now)
  const { state, ...others } = filled(next, view.texts) as Partial<ContainerReport>
  const started = state?.running !== undefined
  return {
    report: {
      ...applyMergePatch<ContainerReport>(before, others),
      // A state is one of three: it replaces the other two.
      ...(state && { state }),
      ...(started && {
        image,
        imageID: `simulated://sha256:${digits(image)}`,
        containerID: containerIdOf(context, before.restartCount),
      }),
      ...(context.isInit && started && { ready: false }),
      ...(context.isInit && state?.terminated?.exitCode === 0 && { ready: true }),
    },
    told: events.map(([type, reason, message]) => ({ type, reason, message: filled(message, view.texts) })),
  }
}

function viewOf(report: ContainerReport, context: ContainerContext, now: number): View {
  const { pod, container, behaviour, missing, isInit } = context
  const { state = {}, restartCount } = report
  const { name = '', namespace = '', uid = '' } = pod.metadata
  const { waiting, running, terminated } = state
  const policy = pod.spec.restartPolicy ?? 'Always'
  const failed = terminated !== undefined && terminated.exitCode !== 0
  const restarts =
    policy === 'Never' ? false : isInit || policy === 'OnFailure' ? failed : terminated !== undefined
  const crashes = restartCount === 0 || ranLong(report) ? 'first' : 'many'
  const backoff = Math.min(10 * 2 ** Math.min(Math.max(0, restartCount - 1), 10), 300)
  const endsByItself = behaviour.runMs !== undefined
  return {
    seed: `${uid}/${container.name}/${restartCount}`,
    facts: {
      state: waiting ? 'waiting' : running ? 'running' : terminated ? 'terminated' : undefined,
      reason: waiting?.reason,
      pull: behaviour.pull,
      config: missing === undefined ? 'complete' : 'missing',
      // An init container is done, not ready.
      ready: report.ready || isInit,
      probe: behaviour.readyMs === undefined ? 'fails' : 'succeeds',
      liveness: behaviour.unhealthyMs === undefined ? 'succeeds' : 'fails',
      ends: endsByItself,
      restarts,
      crashes,
    },
    durations: {
      backoff,
      run: (behaviour.runMs ?? 0) / 1000,
      ready: (behaviour.readyMs ?? 0) / 1000,
      unhealthy: (behaviour.unhealthyMs ?? 0) / 1000,
    },
    texts: {
      now: wireTime(now),
      image: container.image ?? '',
      container: container.name,
      pod: name,
      namespace,
      uid,
      missing,
      pullMessage: behaviour.pullMessage,
      exitCode: behaviour.exitCode,
      endReason: behaviour.exitCode === 0 ? 'Completed' : 'Error',
      startedAt: running?.startedAt ?? wireTime(now),
      containerID: report.containerID,
      terminated: terminated ?? {},
      backoffText: backoff < 60 ? `${backoff}s` : `${Math.floor(backoff / 60)}m${backoff % 60}s`,
    },
  }
}

function ranLong({ state }: ContainerReport): boolean {
  const { startedAt, finishedAt } = state?.terminated ?? {}
  return Date.parse(finishedAt ?? '') - Date.parse(startedAt ?? '') >= FORGET_MS
}

function containerIdOf({ pod, container }: ContainerContext, restart: number): string {
  return `simulated://${digits(`${pod.metadata.uid ?? ''}/${container.name}/${restart}`)}`
}

/** Sixty-four hexadecimal digits, the same for the same text. */
function digits(text: string): string {
  return Array.from({ length: 8 }, (_none, i) =>
    Math.floor(share(`${text}#${i}`) * 2 ** 32)
      .toString(16)
      .padStart(8, '0'),
  ).join('')
}
