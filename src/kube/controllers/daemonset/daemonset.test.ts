import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type KubeObject } from '../../../apimachinery/meta/types.js'
import { type Pod } from '../../builtin/types.js'
import { targetNode } from '../../scheduling/nodeaffinity.js'
import { type Cluster, podTemplate, startCluster, workload } from '../fixture.js'
import { type DaemonSet } from './daemonset.reconciler.js'

const READY = { status: { conditions: [{ type: 'Ready', status: 'True' }] } }

let cluster: Cluster
async function addNode(name: string): Promise<void> {
  await cluster.create('nodes', { metadata: { name, labels: { disk: name } } })
  await cluster.patch('nodes', name, READY, 'status')
}
beforeEach(async () => {
  cluster = await startCluster()
  for (const name of ['n1', 'n2']) await addNode(name)
})
afterEach(() => cluster.close())

const pods = (): Pod[] => cluster.list<Pod>('pods')
const places = (): (string | undefined)[] =>
  pods()
    .map(({ spec }) => targetNode(spec))
    .sort()
const images = (): (string | undefined)[] =>
  pods()
    .map(({ spec }) => spec.containers?.[0]?.image)
    .sort()
const set = (): DaemonSet => cluster.get<DaemonSet>('daemonsets.apps', 'agent') as DaemonSet

describe('a DaemonSet', () => {
  it('has one pod for each node, also for one that comes later', async () => {
    await cluster.create('daemonsets.apps', workload('agent'))
    await expect.poll(places).toEqual(['n1', 'n2'])
    await addNode('n3')
    await expect.poll(places).toEqual(['n1', 'n2', 'n3'])
    await cluster.run()

    await expect
      .poll(() => set().status)
      .toMatchObject({
        desiredNumberScheduled: 3,
        currentNumberScheduled: 3,
        numberReady: 3,
        numberAvailable: 3,
        updatedNumberScheduled: 3,
      })
  })

  it('leaves nodes that its selector does not pick, and leaves them again when labels change', async () => {
    await cluster.create(
      'daemonsets.apps',
      workload('agent', { template: podTemplate('agent', 'a', { nodeSelector: { disk: 'n1' } }) }),
    )
    await expect.poll(places).toEqual(['n1'])

    await cluster.patch('nodes', 'n1', { metadata: { labels: { disk: 'other' } } })

    await expect.poll(places).toEqual([])
  })

  it('keeps off a tainted node unless it tolerates the taint', async () => {
    await cluster.patch('nodes', 'n2', {
      spec: { taints: [{ key: 'own', value: 'x', effect: 'NoSchedule' }] },
    })
    await cluster.create('daemonsets.apps', workload('agent'))
    await expect.poll(places).toEqual(['n1'])
    const tolerations = [{ key: 'own', operator: 'Exists' }]

    await cluster.patch('daemonsets.apps', 'agent', { spec: { template: { spec: { tolerations } } } })

    await expect.poll(places).toEqual(['n1', 'n2'])
  })

  it('replaces old pods one after the other', async () => {
    await cluster.create('daemonsets.apps', workload('agent'))
    await expect.poll(places).toEqual(['n1', 'n2'])
    await cluster.run()
    await expect.poll(() => set().status.numberAvailable).toBe(2)

    await cluster.patch('daemonsets.apps', 'agent', { spec: { template: podTemplate('agent', 'nginx:2') } })
    await expect.poll(images).toEqual(['nginx:1', 'nginx:2'])
    await cluster.run()

    await expect.poll(images).toEqual(['nginx:2', 'nginx:2'])
  })

  it('keeps its templates as clients compare them: byte for byte, keys in order', async () => {
    await cluster.create('daemonsets.apps', workload('agent'))
    const data = (): string =>
      JSON.stringify(cluster.list<KubeObject & { data: unknown }>('controllerrevisions.apps')[0]?.data)

    await expect.poll(data).toMatch(/^\{"spec":\{"template":\{"\$patch":"replace","metadata":\{/)
    expect(data()).toContain('"containers":[{"image":"nginx:1","imagePullPolicy":"IfNotPresent","name"')
  })

  it('replaces a pod that has failed', async () => {
    await cluster.create('daemonsets.apps', workload('agent'))
    await expect.poll(places).toEqual(['n1', 'n2'])

    await cluster.run(pods().slice(0, 1), 'Failed')

    await expect.poll(() => pods().filter(({ status }) => status.phase === 'Pending').length).toBe(2)
  })
})
