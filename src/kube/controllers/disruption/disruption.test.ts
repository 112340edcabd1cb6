import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Pod } from '../../builtin/types.js'
import { type Cluster, startCluster, workload } from '../fixture.js'
import { type DisruptionBudget } from './disruption.reconciler.js'

let cluster: Cluster
beforeEach(async () => {
  cluster = await startCluster()
  await cluster.create('deployments.apps', workload('web', { replicas: 4 }))
  await expect.poll(() => cluster.list('pods').length).toBe(4)
})
afterEach(() => cluster.close())

const status = () => cluster.get<DisruptionBudget>('poddisruptionbudgets.policy', 'b')?.status
const budget = (spec: object): object => ({
  metadata: { name: 'b' },
  spec: { selector: { matchLabels: { app: 'web' } }, ...spec },
})

describe('a PodDisruptionBudget', () => {
  it.each([
    [{ minAvailable: 3 }, { desiredHealthy: 3, disruptionsAllowed: 1 }],
    [{ maxUnavailable: 1 }, { desiredHealthy: 3, disruptionsAllowed: 1 }],
    [{ minAvailable: '50%' }, { desiredHealthy: 2, disruptionsAllowed: 2 }],
    [{ maxUnavailable: '25%' }, { desiredHealthy: 3, disruptionsAllowed: 1 }],
  ])('of %o says how many pods may go', async (spec, expected) => {
    await cluster.create('poddisruptionbudgets.policy', budget(spec))
    await cluster.run()

    await expect
      .poll(status)
      .toMatchObject({ expectedPods: 4, currentHealthy: 4, observedGeneration: 1, ...expected })
  })

  it('allows none while pods are missing', async () => {
    await cluster.create('poddisruptionbudgets.policy', budget({ maxUnavailable: 1 }))
    await cluster.run(cluster.list<Pod>('pods').slice(1))

    await expect.poll(status).toMatchObject({ currentHealthy: 3, disruptionsAllowed: 0 })
  })
})
