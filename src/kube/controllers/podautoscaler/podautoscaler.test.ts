import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Cluster, startCluster, workload } from '../fixture.js'
import { type PodAutoscaler } from './podautoscaler.reconciler.js'

let cluster: Cluster
beforeEach(async () => {
  cluster = await startCluster()
})
afterEach(() => cluster.close())

const status = () => cluster.get<PodAutoscaler>('horizontalpodautoscalers.autoscaling', 'web')?.status
const scaler = {
  metadata: { name: 'web' },
  spec: {
    scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' },
    minReplicas: 1,
    maxReplicas: 5,
  },
}

describe('a HorizontalPodAutoscaler', () => {
  it('says that nobody measures, and leaves the workload as it is', async () => {
    await cluster.create('deployments.apps', workload('web', { replicas: 2 }))
    await cluster.create('horizontalpodautoscalers.autoscaling', scaler)

    await expect
      .poll(() => status()?.conditions)
      .toMatchObject([{ type: 'ScalingActive', status: 'False', reason: 'FailedGetResourceMetric' }])
    expect(cluster.get('deployments.apps', 'web')).toMatchObject({ spec: { replicas: 2 } })
  })

  it('says that its target is not there', async () => {
    await cluster.create('horizontalpodautoscalers.autoscaling', scaler)

    await expect
      .poll(() => status()?.conditions)
      .toMatchObject([{ type: 'AbleToScale', status: 'False', reason: 'FailedGetScale' }])
  })
})
