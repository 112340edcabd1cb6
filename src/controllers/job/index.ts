/** The job controller: keeps the history of runs of every Job (iam-tenant.md §7.14). */
import { CachedResource } from '../../client/cachedresource.js'
import {
  type Controller,
  fromInformer,
  type Reconciler,
  type Stored,
  storedIn,
} from '../../controller/index.js'
import { type TenancyControllerDeps } from '../deps.js'
import { whenSynced } from '../synced.js'
import { type JobObject, REVISIONS, revisionsWith } from './revisions.js'

const JOBS = { group: 'batch', version: 'v1', resource: 'jobs', kind: 'Job' }

export function jobController({
  informers,
  client,
}: Pick<TenancyControllerDeps, 'informers' | 'client'>): Controller {
  const jobs = new CachedResource<JobObject>(JOBS, informers, client)
  return {
    name: 'job',
    reconciler: jobReconciler(storedIn(jobs)),
    sources: [whenSynced([jobs.informer], fromInformer(jobs.informer))],
  }
}

export function jobReconciler(jobs: Pick<Stored<JobObject>, 'get' | 'commit'>): Reconciler {
  return {
    async reconcile({ namespace, name }, signal) {
      const job = jobs.get(name, namespace)
      if (job === undefined || job.metadata.deletionTimestamp !== undefined) return
      const revisions = revisionsWith(job)
      if (revisions === undefined) return
      const annotations = { ...job.metadata.annotations, [REVISIONS]: revisions }
      await jobs.commit(job, { ...job, metadata: { ...job.metadata, annotations } }, signal)
    },
  }
}
