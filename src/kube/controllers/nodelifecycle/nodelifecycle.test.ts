import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Node } from '../../scheduling/types.js'
import { type Cluster, podTemplate, startCluster } from '../fixture.js'

let cluster: Cluster
beforeEach(async () => {
  cluster = await startCluster()
  await cluster.create('nodes', { metadata: { name: 'n1' } })
  await report('True')
})
afterEach(() => cluster.close())

const report = (status: string): Promise<unknown> =>
  cluster.patch('nodes', 'n1', { status: { conditions: [{ type: 'Ready', status }] } }, 'status')
const taints = (): string[] =>
  (cluster.get<Node>('nodes', 'n1')?.spec.taints ?? []).map(({ key, effect }) => `${key}:${effect}`).sort()
async function pod(name: string, tolerations?: object[]): Promise<void> {
  const spec = { nodeName: 'n1', terminationGracePeriodSeconds: 0, ...(tolerations && { tolerations }) }
  await cluster.create('pods', { ...podTemplate('x', 'a', spec), metadata: { name } })
}
const names = (): (string | undefined)[] => cluster.list('pods').map(({ metadata }) => metadata.name)

describe('a node', () => {
  it('takes pods once it is ready, and none while it is cordoned', async () => {
    await expect.poll(taints).toEqual([])

    await cluster.patch('nodes', 'n1', { spec: { unschedulable: true } })
    await expect.poll(taints).toEqual(['node.kubernetes.io/unschedulable:NoSchedule'])
    await cluster.patch('nodes', 'n1', { spec: { unschedulable: null } })

    await expect.poll(taints).toEqual([])
  })

  it('that is no longer ready loses its pods, those that bear it when their time is over', async () => {
    await expect.poll(taints).toEqual([])
    const patient = {
      key: 'node.kubernetes.io/not-ready',
      operator: 'Exists',
      effect: 'NoExecute',
      tolerationSeconds: 60,
    }
    await pod('patient', [patient])
    await pod('loyal', [{ operator: 'Exists' }])

    await report('False')
    await expect
      .poll(taints)
      .toEqual(['node.kubernetes.io/not-ready:NoExecute', 'node.kubernetes.io/not-ready:NoSchedule'])
    expect(names()).toEqual(['loyal', 'patient'])
    await expect
      .poll(() => {
        cluster.clock.advance(20_000)
        return names()
      })
      .toEqual(['loyal'])
  })

  it('that is gone takes its pods along', async () => {
    await pod('left')
    await cluster.delete('nodes', 'n1')

    await expect
      .poll(() => {
        cluster.clock.advance(20_000)
        return names()
      })
      .toEqual([])
  })
})
