import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Pod } from '../../builtin/types.js'
import { type CronJob } from '../cronjob/cronjob.reconciler.js'
import { type Cluster, startCluster } from '../fixture.js'
import { endOf, type Job } from './types.js'

let cluster: Cluster
beforeEach(async () => {
  cluster = await startCluster()
})
afterEach(() => cluster.close())

const pods = (): Pod[] => cluster.list<Pod>('pods')
const active = (): Pod[] =>
  pods().filter(({ status }) => status.phase === 'Pending' || status.phase === 'Running')
const job = (name = 'work'): Job => cluster.get<Job>('jobs.batch', name) as Job
const template = { spec: { restartPolicy: 'Never', containers: [{ name: 'main', image: 'busybox' }] } }
const jobOf = (spec: object = {}): object => ({ metadata: { name: 'work' }, spec: { template, ...spec } })
const finish = (some: Pod[], phase = 'Succeeded'): Promise<void> => cluster.run(some, phase)

describe('a Job', () => {
  it('runs as many pods at a time as it may until enough have succeeded', async () => {
    await cluster.create('jobs.batch', jobOf({ parallelism: 2, completions: 3 }))
    await expect.poll(() => active().length).toBe(2)
    await finish(active())
    await expect.poll(() => active().length).toBe(1)
    await finish(active())

    await expect.poll(() => endOf(job())).toBe('Complete')
    expect(job().status).toMatchObject({ succeeded: 3, completionTime: '2026-01-01T00:00:00Z' })
    expect(job().status.active).toBeUndefined()
  })

  it('tries again after a pause that grows, and gives up at its limit', async () => {
    await cluster.create('jobs.batch', jobOf({ backoffLimit: 1 }))
    await expect.poll(() => active().length).toBe(1)
    await finish(active(), 'Failed')
    await expect.poll(() => job().status.failed).toBe(1)
    expect(active()).toEqual([])
    cluster.clock.advance(10_000)
    await expect.poll(() => active().length).toBe(1)

    await finish(active(), 'Failed')

    await expect.poll(() => endOf(job())).toBe('Failed')
    expect(job().status.conditions).toMatchObject([{ type: 'Failed', reason: 'BackoffLimitExceeded' }])
  })

  it('ends its pods when its time is up', async () => {
    await cluster.create('jobs.batch', jobOf({ activeDeadlineSeconds: 60 }))
    await expect.poll(() => active().length).toBe(1)

    cluster.clock.advance(60_000)

    await expect.poll(() => endOf(job())).toBe('Failed')
    expect(job().status.conditions).toMatchObject([{ reason: 'DeadlineExceeded' }])
    await expect.poll(() => active().length).toBe(0)
  })

  it('goes when its time after the end is over', async () => {
    await cluster.create('jobs.batch', jobOf({ ttlSecondsAfterFinished: 30 }))
    await expect.poll(() => active().length).toBe(1)
    await finish(active())
    await expect.poll(() => endOf(job())).toBe('Complete')

    cluster.clock.advance(30_000)

    await expect
      .poll(() => {
        cluster.clock.advance(500)
        return job()
      })
      .toBeUndefined()
    expect(pods()).toEqual([])
  })
})

describe('a CronJob', () => {
  const cron = (spec: object = {}): object => ({
    metadata: { name: 'tick' },
    spec: { schedule: '*/5 * * * *', jobTemplate: { spec: { template } }, ...spec },
  })
  const jobs = (): Job[] => cluster.list<Job>('jobs.batch')
  const names = (): (string | undefined)[] => jobs().map(({ metadata }) => metadata.name)
  const minutes = (n: number): void => cluster.clock.advance(n * 60_000 + 1000)
  const at = (time: string): string => `tick-${Date.parse(time) / 60_000}`

  it('makes a Job at each time of its schedule', async () => {
    await cluster.create('cronjobs.batch', cron())
    await expect.poll(() => cluster.kube.objects.get('batch', 'cronjobs', 'default', 'tick')).toBeDefined()
    await expect
      .poll(() => {
        cluster.clock.advance(60_000)
        return names()
      })
      .toEqual([at('2026-01-01T00:05:00Z')])

    await expect
      .poll(() => cluster.get<CronJob>('cronjobs.batch', 'tick')?.status)
      .toMatchObject({
        lastScheduleTime: '2026-01-01T00:05:00Z',
        active: [{ kind: 'Job', name: at('2026-01-01T00:05:00Z') }],
      })
  })

  it('that forbids company waits for the Job that runs', async () => {
    await cluster.create('cronjobs.batch', cron({ concurrencyPolicy: 'Forbid' }))
    await expect
      .poll(() => {
        cluster.clock.advance(60_000)
        return jobs().length
      })
      .toBe(1)
    await expect.poll(() => active().length).toBe(1)
    minutes(5)
    await expect
      .poll(() => cluster.list('events').some(({ reason }) => reason === 'JobAlreadyActive'))
      .toBe(true)
    expect(jobs()).toHaveLength(1)

    await finish(active())

    await expect.poll(() => jobs().length).toBe(2)
  })

  it('that is suspended makes none', async () => {
    await cluster.create('cronjobs.batch', cron({ suspend: true }))
    await cluster.create('cronjobs.batch', { ...cron(), metadata: { name: 'other' } })
    await expect
      .poll(() => {
        cluster.clock.advance(60_000)
        return jobs().length
      })
      .toBe(1)

    expect(names()[0]).toMatch(/^other-/)
  })

  it('keeps as many finished Jobs as it is told to', async () => {
    await cluster.create('cronjobs.batch', cron({ successfulJobsHistoryLimit: 1, schedule: '* * * * *' }))
    for (let round = 0; round < 3; round++) {
      await expect
        .poll(() => {
          if (active().length === 0) cluster.clock.advance(20_000)
          return active().length
        })
        .toBe(1)
      await finish(active())
      await expect.poll(() => jobs().every((each) => endOf(each) === 'Complete')).toBe(true)
    }

    await expect.poll(() => jobs().length).toBe(1)
  })
})
