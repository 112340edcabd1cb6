import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Cluster, startCluster } from '../fixture.js'
import { type Claim, type PersistentVolume, SIMULATED_PROVISIONER } from './types.js'

let cluster: Cluster
beforeEach(async () => {
  cluster = await startCluster()
})
afterEach(() => cluster.close())

const claim = (): Claim | undefined => cluster.get<Claim>('persistentvolumeclaims', 'data')
const volumes = (): PersistentVolume[] => cluster.list<PersistentVolume>('persistentvolumes')
const claimOf = (storage: string, storageClassName = ''): object => ({
  metadata: { name: 'data' },
  spec: { accessModes: ['ReadWriteOnce'], storageClassName, resources: { requests: { storage } } },
})
const volumeOf = (name: string, storage: string): object => ({
  metadata: { name },
  spec: { capacity: { storage }, accessModes: ['ReadWriteOnce'], hostPath: { path: '/x' } },
})
const classOf = (more: object = {}): object => ({
  metadata: { name: 'sim' },
  provisioner: SIMULATED_PROVISIONER,
  ...more,
})

describe('a claim', () => {
  it('is bound to the smallest volume that is large enough', async () => {
    for (const [name, size] of [
      ['tiny', '1Gi'],
      ['large', '9Gi'],
      ['right', '3Gi'],
    ] as const) {
      await cluster.create('persistentvolumes', volumeOf(name, size))
    }
    await expect
      .poll(() => volumes().map(({ status }) => status.phase))
      .toEqual(['Available', 'Available', 'Available'])

    await cluster.create('persistentvolumeclaims', claimOf('2Gi'))

    await expect.poll(() => claim()?.status).toMatchObject({ phase: 'Bound', capacity: { storage: '3Gi' } })
    expect(claim()?.spec.volumeName).toBe('right')
    expect(cluster.get('persistentvolumes', 'right')).toMatchObject({
      spec: { claimRef: { name: 'data' } },
      status: { phase: 'Bound' },
    })
  })

  it('of a simulated class gets a volume of its own, which goes with it', async () => {
    await cluster.create('storageclasses.storage.k8s.io', classOf())
    await cluster.create('persistentvolumeclaims', claimOf('2Gi', 'sim'))
    await expect.poll(() => claim()?.status.phase).toBe('Bound')
    expect(volumes()).toMatchObject([
      {
        spec: {
          capacity: { storage: '2Gi' },
          storageClassName: 'sim',
          persistentVolumeReclaimPolicy: 'Delete',
        },
      },
    ])

    await cluster.delete('persistentvolumeclaims', 'data')

    await expect.poll(claim).toBeUndefined()
    await expect.poll(volumes).toEqual([])
  })

  it('waits for a class that comes later', async () => {
    await cluster.create('persistentvolumeclaims', claimOf('2Gi', 'sim'))
    await expect
      .poll(() => cluster.list('events').map(({ reason }) => reason))
      .toContain('ProvisioningFailed')

    await cluster.create('storageclasses.storage.k8s.io', classOf())

    await expect.poll(() => claim()?.status.phase).toBe('Bound')
  })

  it('whose class binds late waits for its first pod', async () => {
    await cluster.create(
      'storageclasses.storage.k8s.io',
      classOf({ volumeBindingMode: 'WaitForFirstConsumer' }),
    )
    await cluster.create('persistentvolumeclaims', claimOf('2Gi', 'sim'))
    await expect
      .poll(() => cluster.list('events').map(({ reason }) => reason))
      .toContain('WaitForFirstConsumer')
    expect(claim()?.status.phase).toBe('Pending')

    await cluster.patch('persistentvolumeclaims', 'data', {
      metadata: { annotations: { 'volume.kubernetes.io/selected-node': 'n' } },
    })

    await expect.poll(() => claim()?.status.phase).toBe('Bound')
  })

  it('leaves a retained volume released, and no other claim takes it', async () => {
    await cluster.create('persistentvolumes', volumeOf('kept', '3Gi'))
    await cluster.create('persistentvolumeclaims', claimOf('2Gi'))
    await expect.poll(() => claim()?.status.phase).toBe('Bound')

    await cluster.delete('persistentvolumeclaims', 'data')
    await expect.poll(() => volumes()[0]?.status.phase).toBe('Released')
    await cluster.create('persistentvolumeclaims', claimOf('2Gi'))

    await expect.poll(() => cluster.list('events').map(({ reason }) => reason)).toContain('FailedBinding')
    expect(claim()?.status.phase).toBe('Pending')
  })
})
