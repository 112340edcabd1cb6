/** Makes a Job whenever a CronJob's schedule says so, and keeps the last few. */
import { isAlreadyExists } from '../../../apimachinery/errors/index.js'
import { controllerReference } from '../../../apimachinery/meta/accessors.js'
import { type KubeObject, type ObjectMeta } from '../../../apimachinery/meta/types.js'
import { type EventRecorder, type Reconciler, type Request, type Result } from '../../../controller/index.js'
import { type JobSpec } from '../../builtin/batch/job.js'
import { type ObjectReference } from '../../builtin/types.js'
import { type Clock, wireTime } from '../../registry/clock.js'
import { endOf, type Job } from '../job/types.js'
import { isTerminating, subjectOf } from '../pods/create.js'
import { isEnding } from '../pods/state.js'
import { type Stored } from '../stored.js'
import { parseSchedule, type Schedule } from './schedule.js'

export interface CronJob extends KubeObject {
  spec: {
    schedule: string
    startingDeadlineSeconds?: number
    concurrencyPolicy?: string
    suspend?: boolean
    jobTemplate: { metadata: ObjectMeta; spec: JobSpec }
    successfulJobsHistoryLimit?: number
    failedJobsHistoryLimit?: number
  }
  status: { active?: ObjectReference[]; lastScheduleTime?: string }
}

export interface CronJobDeps {
  cronJobs: Stored<CronJob>
  jobs: Stored<Job>
  recorder: EventRecorder
  clock: Clock
}

/** Starts missed beyond this many are not counted one by one. */
const MISSED_LIMIT = 100
const LONGEST_WAIT_MS = 86_400_000

export class CronJobReconciler implements Reconciler {
  constructor(private readonly deps: CronJobDeps) {}

  async reconcile({ namespace, name }: Request, signal: AbortSignal): Promise<Result> {
    const { cronJobs, jobs, clock } = this.deps
    const cron = cronJobs.get(namespace, name)
    if (!cron) return
    const owned = [...jobs.collection.ownedBy(cron.metadata.uid ?? '')]
    await this.#trim(cron, owned, signal)
    const running = owned.filter((job) => !endOf(job))
    this.#tellFinished(cron, owned)
    await cronJobs.updateStatus(cron, { active: referencesTo(cron, running) }, signal)
    if (isEnding(cron) || cron.spec.suspend) return

    const now = clock.now()
    const schedule = parseSchedule(cron.spec.schedule)
    const due = this.#due(cron, schedule, now)
    if (due !== undefined) await this.#start(cron, due, running, signal)
    const next = schedule.next(now)
    // A moment later, so that the time has really come.
    return next === undefined ? undefined : { requeueAfter: Math.min(next - now + 100, LONGEST_WAIT_MS) }
  }

  /** The last time that should have had its Job and has not; undefined when there is none, or it is too late. */
  #due(cron: Readonly<CronJob>, schedule: Schedule, now: number): number | undefined {
    const { startingDeadlineSeconds } = cron.spec
    const begin = Date.parse(cron.status.lastScheduleTime ?? cron.metadata.creationTimestamp ?? '')
    const earliest = startingDeadlineSeconds === undefined ? 0 : now - startingDeadlineSeconds * 1000
    let from = Math.max(begin, earliest)
    let due: number | undefined
    for (let missed = 0; ; missed++) {
      const time = schedule.next(from)
      if (time === undefined || time > now) break
      // Long ago: the interval of now is what counts.
      if (missed > MISSED_LIMIT && now - time > 4 * 86_400_000) from = now - 4 * 86_400_000
      else from = time
      due = time
    }
    return due
  }

  async #start(
    cron: Readonly<CronJob>,
    due: number,
    running: readonly Readonly<Job>[],
    signal: AbortSignal,
  ): Promise<void> {
    const { jobs, cronJobs, recorder } = this.deps
    const subject = subjectOf(cron)
    const { concurrencyPolicy } = cron.spec
    if (concurrencyPolicy === 'Forbid' && running.length > 0) {
      const message = 'Not starting job because prior execution is running and concurrency policy is Forbid'
      recorder.event(subject, 'Normal', 'JobAlreadyActive', message)
      return
    }
    if (concurrencyPolicy === 'Replace') {
      for (const job of running) {
        await jobs.delete(job, { propagationPolicy: 'Background' }, signal)
        recorder.event(subject, 'Normal', 'SuccessfulDelete', `Deleted job ${job.metadata.name ?? ''}`)
      }
    }
    try {
      const job = await jobs.create(jobOf(cron, due), signal)
      recorder.event(subject, 'Normal', 'SuccessfulCreate', `Created job ${job.metadata.name ?? ''}`)
    } catch (error) {
      if (isTerminating(error)) return
      if (!isAlreadyExists(error)) {
        const why = error instanceof Error ? error.message : String(error)
        recorder.event(subject, 'Warning', 'FailedCreate', `Error creating job: ${why}`)
        throw error
      }
    }
    const active = [...jobs.collection.ownedBy(cron.metadata.uid ?? '')].filter((job) => !endOf(job))
    await cronJobs.updateStatus(
      cron,
      { active: referencesTo(cron, active), lastScheduleTime: wireTime(due) },
      signal,
    )
  }

  #tellFinished(cron: Readonly<CronJob>, owned: readonly Readonly<Job>[]): void {
    const known = new Set((cron.status.active ?? []).map(({ uid }) => uid))
    for (const job of owned) {
      const end = endOf(job)
      if (!end || !known.has(job.metadata.uid ?? '')) continue
      const message = `Saw completed job: ${job.metadata.name ?? ''}, status: ${end}`
      this.deps.recorder.event(subjectOf(cron), 'Normal', 'SawCompletedJob', message)
    }
  }

  async #trim(cron: Readonly<CronJob>, owned: readonly Readonly<Job>[], signal: AbortSignal): Promise<void> {
    const { successfulJobsHistoryLimit, failedJobsHistoryLimit } = cron.spec
    const started = ({ status }: Readonly<Job>): number => Date.parse(status.startTime ?? '') || 0
    for (const [end, limit] of [
      ['Complete', successfulJobsHistoryLimit],
      ['Failed', failedJobsHistoryLimit],
    ] as const) {
      if (limit === undefined) continue
      const done = owned.filter((job) => endOf(job) === end).sort((a, b) => started(a) - started(b))
      for (const job of done.slice(0, Math.max(0, done.length - limit))) {
        if (!isEnding(job)) await this.deps.jobs.delete(job, { propagationPolicy: 'Background' }, signal)
      }
    }
  }
}

/** The name follows from the time: one start makes one Job, however often it is tried. */
function jobOf(cron: Readonly<CronJob>, due: number): Job {
  const { metadata, spec } = structuredClone(cron.spec.jobTemplate)
  return {
    metadata: {
      name: `${cron.metadata.name ?? ''}-${Math.floor(due / 60_000)}`,
      namespace: cron.metadata.namespace ?? '',
      ...(metadata.labels && { labels: metadata.labels }),
      ...(metadata.annotations && { annotations: metadata.annotations }),
      ownerReferences: [controllerReference(cron)],
    },
    spec,
    status: {},
  }
}

/** A reference stays as it was first written: the version of a Job moves with its status. */
function referencesTo(
  cron: Readonly<CronJob>,
  jobs: readonly Readonly<Job>[],
): ObjectReference[] | undefined {
  if (jobs.length === 0) return undefined
  const known = new Map((cron.status.active ?? []).map((reference) => [reference.uid, reference]))
  return jobs
    .map(({ metadata: { name = '', namespace = '', uid = '', resourceVersion = '' } }) => {
      const reference = { kind: 'Job', namespace, name, uid, apiVersion: 'batch/v1', resourceVersion }
      return known.get(uid) ?? reference
    })
    .sort((a, b) => ((a.name ?? '') < (b.name ?? '') ? -1 : 1))
}
