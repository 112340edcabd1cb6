import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Pod } from '../../builtin/types.js'
import { type Cluster, podTemplate, startCluster, workload } from '../fixture.js'
import { type ReplicaOwner } from './replicas.reconciler.js'

let cluster: Cluster
beforeEach(async () => {
  cluster = await startCluster()
})
afterEach(() => cluster.close())

const pods = (): Pod[] => cluster.list<Pod>('pods')
const bare = (name: string, app: string): object => ({
  metadata: { name, labels: { app } },
  spec: { containers: [{ name: 'main', image: 'a' }] },
})

describe('a ReplicaSet', () => {
  it('keeps its number of pods, and counts them', async () => {
    await cluster.create('replicasets.apps', workload('web', { replicas: 3 }))
    await expect.poll(() => pods().length).toBe(3)
    await cluster.run()
    const status = () => cluster.get<ReplicaOwner>('replicasets.apps', 'web')?.status
    await expect.poll(status).toEqual({
      replicas: 3,
      fullyLabeledReplicas: 3,
      readyReplicas: 3,
      availableReplicas: 3,
      observedGeneration: 1,
    })

    await cluster.delete('pods', pods()[0]?.metadata.name ?? '')
    await expect.poll(() => pods().length).toBe(3)
    await cluster.patch('replicasets.apps', 'web', { spec: { replicas: 1 } }, 'scale')

    await expect.poll(() => pods().length).toBe(1)
  })

  it('replaces pods that have failed', async () => {
    await cluster.create('replicasets.apps', workload('web', { replicas: 1 }))
    await expect.poll(() => pods().length).toBe(1)

    await cluster.run(pods(), 'Failed')

    await expect.poll(() => pods().filter(({ status }) => status.phase === 'Pending').length).toBe(1)
  })

  it('adopts a pod that it selects, and lets go of one that it no longer does', async () => {
    await cluster.create('pods', bare('mine', 'web'))
    await cluster.create('replicasets.apps', workload('web', { replicas: 1 }))
    await expect.poll(() => pods()[0]?.metadata.ownerReferences?.[0]?.kind).toBe('ReplicaSet')
    expect(pods()).toHaveLength(1)

    await cluster.patch('pods', 'mine', { metadata: { labels: { app: 'other' } } })

    await expect.poll(() => pods().length).toBe(2)
    expect(cluster.get<Pod>('pods', 'mine')?.metadata.ownerReferences).toBeUndefined()
  })

  it('takes pods first that serve nobody', async () => {
    await cluster.create('replicasets.apps', workload('web', { replicas: 3 }))
    await expect.poll(() => pods().length).toBe(3)
    const served = pods().slice(0, 2)
    await cluster.run(served)

    await cluster.patch('replicasets.apps', 'web', { spec: { replicas: 2 } })

    await expect.poll(() => pods().length).toBe(2)
    expect(
      pods()
        .map(({ metadata }) => metadata.name)
        .sort(),
    ).toEqual(served.map(({ metadata }) => metadata.name).sort())
  })

  it('counts a pod as available only after minReadySeconds', async () => {
    await cluster.create('replicasets.apps', workload('web', { replicas: 1, minReadySeconds: 30 }))
    await expect.poll(() => pods().length).toBe(1)
    await cluster.run()
    const status = () => cluster.get<ReplicaOwner>('replicasets.apps', 'web')?.status
    await expect.poll(() => status()?.readyReplicas).toBe(1)
    expect(status()?.availableReplicas).toBeUndefined()

    cluster.clock.advance(30_000)

    await expect.poll(() => status()?.availableReplicas).toBe(1)
  })
})

describe('a ReplicationController', () => {
  it('keeps its number of pods with its plain selector', async () => {
    const spec = { replicas: 2, selector: { app: 'old' }, template: podTemplate('old') }
    await cluster.create('replicationcontrollers', { metadata: { name: 'old' }, spec })

    await expect.poll(() => pods().length).toBe(2)
    await expect
      .poll(() => cluster.get<ReplicaOwner>('replicationcontrollers', 'old')?.status.replicas)
      .toBe(2)
  })
})
