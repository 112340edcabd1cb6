import { describe, expect, it } from 'vitest'
import { held } from '../../../test/fixtures/stored.js'
import { jobReconciler } from './index.js'
import { type JobObject, revisionsWith } from './revisions.js'

const EARLIER = {
  status: 'completed',
  desire: 1,
  uid: 'earlier',
  'start-time': '2021-03-01T08:00:00Z',
  'completion-time': '2021-03-01T08:01:00Z',
}

const job = (status: JobObject['status'], revisions?: string): JobObject => ({
  metadata: {
    name: 'backup',
    namespace: 'demo',
    uid: 'now',
    creationTimestamp: '2026-11-22T19:52:09Z',
    ...(revisions !== undefined && { annotations: { revisions } }),
  },
  spec: { completions: 1 },
  ...(status && { status }),
})

const written = (of: JobObject): unknown => JSON.parse(revisionsWith(of) ?? 'null')

describe('the history of a Job', () => {
  it('begins with a run that goes on', () => {
    expect(revisionsWith(job({}))).toBe(
      '{"1":{"status":"running","desire":1,"uid":"now","start-time":"2026-11-22T19:52:09Z",' +
        '"completion-time":"0001-01-01T00:00:00Z"}}',
    )
  })

  it('gets another run behind those of the same name', () => {
    const completed = {
      conditions: [{ type: 'Complete', status: 'True' }],
      completionTime: '2026-11-22T19:53:00Z',
      succeeded: 1,
    }

    expect(written(job(completed, JSON.stringify({ 1: EARLIER })))).toEqual({
      1: EARLIER,
      2: {
        status: 'completed',
        succeed: 1,
        desire: 1,
        uid: 'now',
        'start-time': '2026-11-22T19:52:09Z',
        'completion-time': '2026-11-22T19:53:00Z',
      },
    })
  })

  it('says why a run failed, in its own place', () => {
    const failed = {
      conditions: [{ type: 'Failed', status: 'True', reason: 'BackoffLimitExceeded', message: 'no more' }],
      failed: 3,
    }
    const before = JSON.stringify({ 1: { ...EARLIER, uid: 'now', status: 'running' }, 2: EARLIER })

    expect(written(job(failed, before))).toMatchObject({
      1: {
        status: 'failed',
        reasons: ['BackoffLimitExceeded'],
        messages: ['no more'],
        failed: 3,
        uid: 'now',
      },
      2: EARLIER,
    })
  })

  it('is begun anew when it cannot be read', () => {
    for (const text of ['{', '[]', '{"1":5}'])
      expect(written(job({}, text))).toMatchObject({ 1: { status: 'running' } })
  })

  it('is written only when there is something new, and not for a Job that goes', async () => {
    const jobs = held(job({}))
    const pass = () =>
      jobReconciler(jobs).reconcile({ namespace: 'demo', name: 'backup' }, new AbortController().signal)

    await pass()
    await pass()
    expect(jobs.writes).toEqual(['commit demo/backup'])

    const going = job({})
    const leaving = held<JobObject>({
      ...going,
      metadata: { ...going.metadata, deletionTimestamp: '2026-11-23T00:00:00Z' },
    })
    await jobReconciler(leaving).reconcile(
      { namespace: 'demo', name: 'backup' },
      new AbortController().signal,
    )
    expect(leaving.writes).toEqual([])
  })
})
