/** Runs the pods of a Job until enough have succeeded, too many have failed, or its time is up. */
import { type EventRecorder, type Reconciler, type Request, type Result } from '../../../controller/index.js'
import { type Pod } from '../../builtin/types.js'
import { type Clock, wireTime } from '../../registry/clock.js'
import { selectorOf } from '../collections.js'
import { claim } from '../pods/claim.js'
import { BURST, createPod, deletePod, inBatches, podOf, subjectOf } from '../pods/create.js'
import { compareForDeletion, isActive, isEnding } from '../pods/state.js'
import { type Stored } from '../stored.js'
import { endOf, type Job } from './types.js'

export interface JobDeps {
  jobs: Stored<Job>
  pods: Stored<Pod>
  recorder: EventRecorder
  clock: Clock
}

interface Counts {
  active: Readonly<Pod>[]
  succeeded: number
  failed: Readonly<Pod>[]
}

interface Ending {
  type: 'Complete' | 'Failed'
  reason?: string
  message?: string
}

/** The pause after the first failed pod; each further one doubles it. */
const BACKOFF_MS = 10_000
const BACKOFF_LIMIT_MS = 360_000

export class JobReconciler implements Reconciler {
  constructor(private readonly deps: JobDeps) {}

  async reconcile({ namespace, name }: Request, signal: AbortSignal): Promise<Result> {
    const { jobs, pods, clock } = this.deps
    const job = jobs.get(namespace, name)
    if (!job || endOf(job)) return
    const now = clock.now()
    await claim(pods, job, selectorOf(job.spec.selector), signal, (pod) => !isEnding(pod))
    const counts = this.#count(job)
    const startTime = job.status.startTime ?? wireTime(now)
    const ending = endingOf(job, counts, Date.parse(startTime), now)
    if (ending?.type === 'Failed') await this.#stop(job, counts.active, signal)
    let retryInMs: number | undefined
    let failure: Error | undefined
    if (!ending && !isEnding(job)) {
      retryInMs = pauseMs(counts, now)
      if (retryInMs === 0) failure = await this.#manage(job, counts, signal)
    }
    await this.#report(job, startTime, ending, now, signal)
    if (failure !== undefined) throw failure
    return nextLook(job, startTime, ending ? undefined : retryInMs, now)
  }

  #count(job: Readonly<Job>): Counts {
    const owned = [...this.deps.pods.collection.ownedBy(job.metadata.uid ?? '')]
    return {
      active: owned.filter(isActive),
      succeeded: owned.filter(({ status }) => status.phase === 'Succeeded').length,
      failed: owned.filter(({ status }) => status.phase === 'Failed'),
    }
  }

  /** Makes or removes pods until as many run as should. */
  async #manage(
    job: Readonly<Job>,
    { active, succeeded }: Counts,
    signal: AbortSignal,
  ): Promise<Error | undefined> {
    const { pods, recorder } = this.deps
    const { parallelism = 1, completions } = job.spec
    const open = completions === undefined ? parallelism : Math.min(completions - succeeded, parallelism)
    // A work queue that has had a success starts no more.
    const wanted = completions === undefined && succeeded > 0 ? Math.min(active.length, parallelism) : open
    const missing = Math.max(0, wanted) - active.length
    const work = { pods, owner: job, recorder, signal }
    if (missing > 0) {
      const make = (): Promise<Pod> => createPod(work, podOf(job.spec.template, job, {}))
      return (await inBatches(Math.min(missing, BURST), make)).failure
    }
    const doomed = active.sort((a, b) => compareForDeletion(a, b, () => 0)).slice(0, -missing)
    if (missing === 0) return undefined
    return (await inBatches(doomed.length, (i) => deletePod(work, doomed[i] as Pod))).failure
  }

  async #stop(job: Readonly<Job>, active: readonly Readonly<Pod>[], signal: AbortSignal): Promise<void> {
    const { pods, recorder } = this.deps
    for (const pod of active) await deletePod({ pods, owner: job, recorder, signal }, pod)
  }

  async #report(
    job: Readonly<Job>,
    startTime: string,
    ending: Ending | undefined,
    now: number,
    signal: AbortSignal,
  ): Promise<void> {
    const { active, succeeded, failed } = this.#count(job)
    const stopped = ending?.type === 'Failed' ? active.length : 0
    const time = wireTime(now)
    await this.deps.jobs.updateStatus(
      job,
      {
        startTime,
        active: active.length - stopped || undefined,
        succeeded: succeeded || undefined,
        failed: failed.length + stopped || undefined,
        ...(ending && {
          conditions: [
            ...(job.status.conditions ?? []),
            { ...ending, status: 'True', lastProbeTime: time, lastTransitionTime: time },
          ],
          ...(ending.type === 'Complete' && { completionTime: time }),
        }),
      },
      signal,
    )
    if (!ending) return
    const { type, reason = 'Completed', message = 'Job completed' } = ending
    this.deps.recorder.event(subjectOf(job), type === 'Complete' ? 'Normal' : 'Warning', reason, message)
  }
}

function endingOf(job: Readonly<Job>, counts: Counts, startedAt: number, now: number): Ending | undefined {
  const { backoffLimit = 6, activeDeadlineSeconds, completions } = job.spec
  const { active, succeeded, failed } = counts
  if (failed.length > backoffLimit || restartsExceed(job, active, backoffLimit)) {
    const message = 'Job has reached the specified backoff limit'
    return { type: 'Failed', reason: 'BackoffLimitExceeded', message }
  }
  if (activeDeadlineSeconds !== undefined && now - startedAt >= activeDeadlineSeconds * 1000) {
    const message = 'Job was active longer than specified deadline'
    return { type: 'Failed', reason: 'DeadlineExceeded', message }
  }
  const isComplete =
    completions === undefined ? succeeded > 0 && active.length === 0 : succeeded >= completions
  return isComplete && !isEnding(job) ? { type: 'Complete' } : undefined
}

/** Pods that restart in place fail without ending. */
function restartsExceed(job: Readonly<Job>, active: readonly Readonly<Pod>[], limit: number): boolean {
  if (job.spec.template.spec.restartPolicy !== 'OnFailure') return false
  const count = active.reduce(
    (sum, { status }) =>
      [...(status.initContainerStatuses ?? []), ...(status.containerStatuses ?? [])].reduce(
        (restarts, container) => restarts + container.restartCount,
        sum,
      ),
    0,
  )
  return limit === 0 ? count > 0 : count >= limit
}

/** How long new pods have to wait after failed ones. */
function pauseMs({ failed }: Counts, now: number): number {
  if (failed.length === 0) return 0
  const last = Math.max(...failed.map(failedAt))
  const delay = Math.min(BACKOFF_MS * 2 ** Math.min(failed.length - 1, 10), BACKOFF_LIMIT_MS)
  return Math.max(0, last + delay - now)
}

function failedAt({ status, metadata }: Readonly<Pod>): number {
  const ends = (status.containerStatuses ?? []).map(({ state }) =>
    Date.parse(state?.terminated?.finishedAt ?? ''),
  )
  const known = ends.filter((end) => !Number.isNaN(end))
  return known.length > 0 ? Math.max(...known) : Date.parse(metadata.creationTimestamp ?? '') || 0
}

function nextLook(job: Readonly<Job>, startTime: string, retryInMs: number | undefined, now: number): Result {
  const times: number[] = retryInMs ? [retryInMs] : []
  const { activeDeadlineSeconds } = job.spec
  if (activeDeadlineSeconds !== undefined) {
    const left = Date.parse(startTime) + activeDeadlineSeconds * 1000 - now
    if (left > 0) times.push(left)
  }
  return times.length > 0 ? { requeueAfter: Math.min(...times) } : undefined
}
