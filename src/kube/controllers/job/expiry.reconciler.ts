/** Removes finished Jobs once their `ttlSecondsAfterFinished` is over. */
import { type Reconciler, type Request, type Result } from '../../../controller/index.js'
import { type Clock } from '../../registry/clock.js'
import { isEnding } from '../pods/state.js'
import { type Stored } from '../stored.js'
import { endedAt, endOf, type Job } from './types.js'

export class JobExpiryReconciler implements Reconciler {
  constructor(private readonly deps: { jobs: Stored<Job>; clock: Clock }) {}

  async reconcile({ namespace, name }: Request, signal: AbortSignal): Promise<Result> {
    const { jobs, clock } = this.deps
    const job = jobs.get(namespace, name)
    const ttl = job?.spec.ttlSecondsAfterFinished
    if (!job || ttl === undefined || !endOf(job) || isEnding(job)) return
    const left = endedAt(job) + ttl * 1000 - clock.now()
    if (left > 0) return { requeueAfter: left }
    await jobs.delete(job, { propagationPolicy: 'Foreground' }, signal)
  }
}
