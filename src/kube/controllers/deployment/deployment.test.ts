import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Pod } from '../../builtin/types.js'
import { type Cluster, podTemplate, startCluster, workload } from '../fixture.js'
import { conditionOf } from '../pods/state.js'
import { type Deployment, type ReplicaSet, REVISION } from './types.js'

let cluster: Cluster
beforeEach(async () => {
  cluster = await startCluster()
})
afterEach(() => cluster.close())

const deployment = (): Deployment => cluster.get<Deployment>('deployments.apps', 'web') as Deployment
const sets = (): ReplicaSet[] => cluster.list<ReplicaSet>('replicasets.apps')
const images = (): string[] =>
  cluster
    .list<Pod>('pods')
    .map(({ spec }) => spec.containers?.[0]?.image ?? '')
    .sort()
const reason = (): string | undefined => conditionOf(deployment().status.conditions, 'Progressing')?.reason

async function rolledOut(replicas = 3): Promise<void> {
  await expect
    .poll(
      async () => {
        await cluster.run()
        const { status, metadata } = deployment()
        return [
          status.updatedReplicas,
          status.availableReplicas,
          status.replicas,
          status.observedGeneration === metadata.generation,
        ]
      },
      { timeout: 5000 },
    )
    .toEqual([replicas, replicas, replicas, true])
}

describe('a Deployment', () => {
  it('makes a ReplicaSet whose pods carry the hash of the template, and says so in conditions', async () => {
    await cluster.create('deployments.apps', workload('web', { replicas: 3 }))
    await rolledOut()

    const [set] = sets()
    const hash = set?.metadata.labels?.['pod-template-hash']
    expect(set?.metadata.name).toBe(`web-${hash}`)
    expect(set?.metadata.annotations).toMatchObject({
      [REVISION]: '1',
      'deployment.kubernetes.io/desired-replicas': '3',
      'deployment.kubernetes.io/max-replicas': '4',
    })
    expect(cluster.list('pods').map(({ metadata }) => metadata.labels)).toEqual(
      Array(3).fill({ app: 'web', 'pod-template-hash': hash }),
    )
    await expect.poll(reason).toBe('NewReplicaSetAvailable')
    expect(conditionOf(deployment().status.conditions, 'Available')?.status).toBe('True')
  })

  it('rolls a new template out without ever having too few or too many pods', async () => {
    await cluster.create('deployments.apps', workload('web', { replicas: 4 }))
    await rolledOut(4)
    const counts: number[] = []
    const stop = cluster.kube.objects.follow('', 'pods', () => counts.push(cluster.list('pods').length))

    await cluster.patch('deployments.apps', 'web', { spec: { template: podTemplate('web', 'nginx:2') } })
    await rolledOut(4)
    stop()

    expect(images()).toEqual(Array(4).fill('nginx:2'))
    expect(Math.max(...counts)).toBeLessThanOrEqual(5)
    expect(Math.min(...counts)).toBeGreaterThanOrEqual(3)
    expect(
      sets()
        .map(({ spec }) => spec.replicas)
        .sort(),
    ).toEqual([0, 4])
  })

  it('goes back to an old template with the ReplicaSet it had, as the newest revision', async () => {
    await cluster.create('deployments.apps', workload('web', { replicas: 1 }))
    await rolledOut(1)
    const [first] = sets()
    await cluster.patch('deployments.apps', 'web', { spec: { template: podTemplate('web', 'nginx:2') } })
    await rolledOut(1)
    await cluster.patch('deployments.apps', 'web', { spec: { template: podTemplate('web') } })
    await rolledOut(1)

    expect(images()).toEqual(['nginx:1'])
    expect(sets()).toHaveLength(2)
    const again = sets().find(({ metadata }) => metadata.uid === first?.metadata.uid)
    expect(again?.metadata.annotations?.[REVISION]).toBe('3')
    expect(again?.metadata.annotations?.['deployment.kubernetes.io/revision-history']).toBe('1')
    await expect.poll(() => deployment().metadata.annotations?.[REVISION]).toBe('3')
  })

  it('that recreates starts no new pod while an old one is there', async () => {
    await cluster.create('deployments.apps', workload('web', { replicas: 2, strategy: { type: 'Recreate' } }))
    await rolledOut(2)
    const mixed: string[][] = []
    const stop = cluster.kube.objects.follow('', 'pods', () => mixed.push([...new Set(images())]))

    await cluster.patch('deployments.apps', 'web', { spec: { template: podTemplate('web', 'nginx:2') } })
    await rolledOut(2)
    stop()

    expect(images()).toEqual(['nginx:2', 'nginx:2'])
    expect(mixed.every((all) => all.length <= 1)).toBe(true)
  })

  it('that is paused scales but does not roll out, and goes on when resumed', async () => {
    await cluster.create('deployments.apps', workload('web', { replicas: 1 }))
    await rolledOut(1)
    await cluster.patch('deployments.apps', 'web', { spec: { paused: true } })
    await expect.poll(reason).toBe('DeploymentPaused')
    await cluster.patch('deployments.apps', 'web', {
      spec: { replicas: 2, template: podTemplate('web', 'nginx:2') },
    })
    await expect.poll(images).toEqual(['nginx:1', 'nginx:1'])

    await cluster.patch('deployments.apps', 'web', { spec: { paused: false } })
    await rolledOut(2)

    expect(images()).toEqual(['nginx:2', 'nginx:2'])
  })

  it('that makes no progress within its deadline is reported', async () => {
    await cluster.create('deployments.apps', workload('web', { replicas: 1, progressDeadlineSeconds: 60 }))
    await expect.poll(reason).toBe('ReplicaSetUpdated')

    cluster.clock.advance(62_000)

    await expect.poll(reason).toBe('ProgressDeadlineExceeded')
  })

  it('scales what is rolling out in proportion', async () => {
    const strategy = { rollingUpdate: { maxSurge: 3, maxUnavailable: 2 } }
    await cluster.create('deployments.apps', workload('web', { replicas: 10, strategy }))
    await rolledOut(10)
    await cluster.patch('deployments.apps', 'web', { spec: { template: podTemplate('web', 'nginx:404') } })
    const sizes = (): (number | undefined)[] =>
      sets()
        .map(({ spec }) => spec.replicas)
        .sort((a = 0, b = 0) => b - a)
    await expect.poll(sizes).toEqual([8, 5])

    await cluster.patch('deployments.apps', 'web', { spec: { replicas: 30 } })

    await expect.poll(sizes).toEqual([20, 13])
  })

  it('keeps no more old ReplicaSets than it is told to', async () => {
    await cluster.create('deployments.apps', workload('web', { replicas: 1, revisionHistoryLimit: 1 }))
    for (const version of [2, 3, 4]) {
      await rolledOut(1)
      await cluster.patch('deployments.apps', 'web', {
        spec: { template: podTemplate('web', `nginx:${version}`) },
      })
    }
    await rolledOut(1)

    await expect.poll(() => sets().length).toBe(2)
  })

  it('adopts a ReplicaSet that matches, and leaves it and its pods when it is orphaned', async () => {
    await cluster.create('deployments.apps', workload('web', { replicas: 1 }))
    await rolledOut(1)

    await cluster.delete('deployments.apps', 'web', 'Orphan')
    await expect.poll(() => cluster.get('deployments.apps', 'web')).toBeUndefined()
    expect(sets()[0]?.metadata.ownerReferences).toBeUndefined()
    await cluster.create('deployments.apps', workload('web', { replicas: 1 }))

    await expect.poll(() => sets()[0]?.metadata.ownerReferences?.[0]?.kind).toBe('Deployment')
    expect(cluster.list('pods')).toHaveLength(1)
  })
})
