import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Pod } from '../../builtin/types.js'
import { type Cluster, podTemplate, startCluster, workload } from '../fixture.js'

let cluster: Cluster
beforeEach(async () => {
  cluster = await startCluster()
})
afterEach(() => cluster.close())

const used = () =>
  (cluster.get('resourcequotas', 'q')?.status as { used?: Record<string, string> } | undefined)?.used

describe('the status of a ResourceQuota', () => {
  it('follows what is created and deleted', async () => {
    await cluster.create('configmaps', { metadata: { name: 'before' } })
    await cluster.create('resourcequotas', {
      metadata: { name: 'q' },
      spec: { hard: { configmaps: '10', pods: '5', 'requests.cpu': '4' } },
    })
    // The namespace's own kube-root-ca.crt counts too.
    await expect.poll(used).toEqual({ configmaps: '2', pods: '0', 'requests.cpu': '0' })
    const containers = [{ name: 'main', image: 'a', resources: { requests: { cpu: '500m' } } }]
    await cluster.create(
      'replicasets.apps',
      workload('web', { replicas: 2, template: podTemplate('web', 'a', { containers }) }),
    )
    await expect.poll(used).toEqual({ configmaps: '2', pods: '2', 'requests.cpu': '1' })

    await cluster.delete('configmaps', 'before')
    await cluster.patch('replicasets.apps', 'web', { spec: { replicas: 1 } })

    await expect.poll(used).toEqual({ configmaps: '1', pods: '1', 'requests.cpu': '500m' })
  })

  it('no longer counts pods that have ended', async () => {
    await cluster.create('resourcequotas', { metadata: { name: 'q' }, spec: { hard: { pods: '5' } } })
    await cluster.create('pods', { ...podTemplate('x'), metadata: { name: 'x' } })
    await expect.poll(used).toEqual({ pods: '1' })

    await cluster.run(cluster.list<Pod>('pods'), 'Succeeded')

    await expect.poll(used).toEqual({ pods: '0' })
  })
})
