import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Pod } from '../../builtin/types.js'
import { type Cluster, podTemplate, startCluster, workload } from '../fixture.js'
import { type StatefulSet } from './types.js'

let cluster: Cluster
beforeEach(async () => {
  cluster = await startCluster()
})
afterEach(() => cluster.close())

const pods = (): Pod[] => cluster.list<Pod>('pods')
const names = (): (string | undefined)[] => pods().map(({ metadata }) => metadata.name)
const images = (): (string | undefined)[] => pods().map(({ spec }) => spec.containers?.[0]?.image)
const set = (): StatefulSet => cluster.get<StatefulSet>('statefulsets.apps', 'db') as StatefulSet
const newTemplate = { spec: { template: podTemplate('db', 'nginx:2') } }

async function ready(replicas: number): Promise<void> {
  await expect
    .poll(
      async () => {
        await cluster.run()
        return set().status.readyReplicas
      },
      { timeout: 5000 },
    )
    .toBe(replicas)
}

describe('a StatefulSet', () => {
  it('makes its pods in order, each when the last is ready, with names and claims of their own', async () => {
    const claims = [
      {
        metadata: { name: 'data' },
        spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
      },
    ]
    await cluster.create(
      'statefulsets.apps',
      workload('db', { replicas: 3, serviceName: 'db', volumeClaimTemplates: claims }),
    )
    await expect.poll(names).toEqual(['db-0'])
    await cluster.run()
    await expect.poll(names).toEqual(['db-0', 'db-1'])
    await ready(3)

    expect(names()).toEqual(['db-0', 'db-1', 'db-2'])
    expect(cluster.list('persistentvolumeclaims').map(({ metadata }) => metadata.name)).toEqual([
      'data-db-0',
      'data-db-1',
      'data-db-2',
    ])
    expect(pods()[1]).toMatchObject({
      metadata: {
        labels: {
          'statefulset.kubernetes.io/pod-name': 'db-1',
          'controller-revision-hash': set().status.updateRevision,
        },
      },
      spec: {
        hostname: 'db-1',
        subdomain: 'db',
        volumes: [{ name: 'data', persistentVolumeClaim: { claimName: 'data-db-1' } }],
      },
    })
  })

  it('makes all at once when it is parallel', async () => {
    await cluster.create(
      'statefulsets.apps',
      workload('db', { replicas: 3, serviceName: 'db', podManagementPolicy: 'Parallel' }),
    )

    await expect.poll(names).toEqual(['db-0', 'db-1', 'db-2'])
  })

  it('shrinks from the highest ordinal down and keeps the claims', async () => {
    await cluster.create('statefulsets.apps', workload('db', { replicas: 3, serviceName: 'db' }))
    await ready(3)

    await cluster.patch('statefulsets.apps', 'db', { spec: { replicas: 1 } }, 'scale')

    await expect.poll(names).toEqual(['db-0'])
  })

  it('rolls a new template out from the highest ordinal down, as far as the partition', async () => {
    const updateStrategy = { type: 'RollingUpdate', rollingUpdate: { partition: 2 } }
    await cluster.create(
      'statefulsets.apps',
      workload('db', { replicas: 3, serviceName: 'db', updateStrategy }),
    )
    await ready(3)
    await cluster.patch('statefulsets.apps', 'db', newTemplate)
    await expect.poll(images).toEqual(['nginx:1', 'nginx:1', 'nginx:2'])
    await ready(3)
    expect(set().status.currentRevision).not.toBe(set().status.updateRevision)

    // A canary is replaced at the new revision, the others at the old one.
    await cluster.delete('pods', 'db-0')
    await expect.poll(images).toEqual(['nginx:1', 'nginx:1', 'nginx:2'])
    await ready(3)
    await cluster.patch('statefulsets.apps', 'db', {
      spec: { updateStrategy: { rollingUpdate: { partition: 0 } } },
    })
    await expect
      .poll(async () => {
        await cluster.run()
        return images()
      })
      .toEqual(['nginx:2', 'nginx:2', 'nginx:2'])
    await ready(3)

    await expect
      .poll(() => set().status)
      .toMatchObject({ currentRevision: set().status.updateRevision, updatedReplicas: 3, currentReplicas: 3 })
  })

  it('makes a failed pod anew under its name', async () => {
    await cluster.create('statefulsets.apps', workload('db', { replicas: 1, serviceName: 'db' }))
    await expect.poll(names).toEqual(['db-0'])
    const uid = pods()[0]?.metadata.uid

    await cluster.run(pods(), 'Failed')

    await expect
      .poll(() => pods().map(({ metadata }) => [metadata.name, metadata.uid !== uid]))
      .toEqual([['db-0', true]])
  })

  it('records the states of its template', async () => {
    await cluster.create('statefulsets.apps', workload('db', { replicas: 1, serviceName: 'db' }))
    await ready(1)
    await cluster.patch('statefulsets.apps', 'db', newTemplate)
    const revisions = (): unknown[] =>
      cluster
        .list('controllerrevisions.apps')
        .map(({ revision }) => revision)
        .sort()
    await expect.poll(revisions).toEqual([1, 2])
    await cluster.patch('statefulsets.apps', 'db', { spec: { template: podTemplate('db') } })

    await expect.poll(revisions).toEqual([2, 3])
  })
})
