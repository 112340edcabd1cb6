import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Pod } from '../../builtin/types.js'
import { type Cluster, podTemplate, startCluster, workload } from '../../controllers/fixture.js'

let cluster: Cluster
beforeEach(async () => {
  cluster = await startCluster({ nodes: 3 })
  await expect
    .poll(() =>
      cluster.list('nodes').every(({ spec }) => (spec as { taints?: unknown }).taints === undefined),
    )
    .toBe(true)
})
afterEach(() => cluster.close())

const node = (name = 'p'): string | undefined => cluster.get<Pod>('pods', name)?.spec.nodeName
const why = (name = 'p'): string | undefined =>
  cluster.get<Pod>('pods', name)?.status.conditions?.find(({ type }) => type === 'PodScheduled')?.message

async function create(spec: object = {}, name = 'p', app = 'x'): Promise<void> {
  await cluster.create('pods', { ...podTemplate(app, 'nginx', spec), metadata: { name, labels: { app } } })
}
const asking = (requests: object): object => ({
  containers: [{ name: 'main', image: 'nginx', resources: { requests } }],
})
async function soon(read: () => unknown, expected: unknown): Promise<void> {
  await expect
    .poll(
      () => {
        cluster.clock.advance(200)
        return read()
      },
      { interval: 5, timeout: 4000 },
    )
    .toEqual(expected)
}

describe('the scheduler', () => {
  it('obeys node selectors and affinity', async () => {
    await cluster.patch('nodes', 'simulated-2', { metadata: { labels: { disk: 'ssd' } } })
    await create({ nodeSelector: { disk: 'ssd' } }, 'a')
    const terms = [
      { matchExpressions: [{ key: 'kubernetes.io/hostname', operator: 'In', values: ['simulated-3'] }] },
    ]
    await create(
      {
        affinity: {
          nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: terms } },
        },
      },
      'b',
    )

    await soon(() => [node('a'), node('b')], ['simulated-2', 'simulated-3'])
  })

  it('says why no node will do, and puts the pod on one that will later', async () => {
    await create({ nodeSelector: { disk: 'ssd' } })
    await soon(why, "0/3 nodes are available: 3 node(s) didn't match Pod's node affinity.")

    await cluster.patch('nodes', 'simulated-1', { metadata: { labels: { disk: 'ssd' } } })

    await soon(node, 'simulated-1')
  })

  it('keeps off cordoned and tainted nodes', async () => {
    await cluster.patch('nodes', 'simulated-1', { spec: { unschedulable: true } })
    await cluster.patch('nodes', 'simulated-2', {
      spec: { taints: [{ key: 'own', value: 'x', effect: 'NoSchedule' }] },
    })
    await create({}, 'a')
    await soon(() => node('a'), 'simulated-3')
    await create({ nodeSelector: { 'kubernetes.io/hostname': 'simulated-2' } }, 'b')
    await soon(
      () => why('b'),
      "0/3 nodes are available: 1 node(s) had taint {own: x}, that the pod didn't tolerate, 2 node(s) didn't match Pod's node affinity.",
    )
    await create(
      {
        tolerations: [{ key: 'own', operator: 'Exists' }],
        nodeSelector: { 'kubernetes.io/hostname': 'simulated-2' },
      },
      'c',
    )

    await soon(() => node('c'), 'simulated-2')
  })

  it('fills nodes no further than they have room, and goes on when room is made', async () => {
    for (const name of ['a', 'b', 'c']) await create(asking({ cpu: '5' }), name)
    await soon(
      () => ['a', 'b', 'c'].map((name) => node(name)).sort(),
      ['simulated-1', 'simulated-2', 'simulated-3'],
    )
    await create(asking({ cpu: '5' }), 'd')
    await soon(() => why('d'), '0/3 nodes are available: 3 Insufficient cpu.')
    const freed = node('b')

    await cluster.delete('pods', 'b')

    await soon(() => node('d'), freed)
  })

  it('keeps pods apart, or together, as they wish', async () => {
    const term = (app: string): object => ({
      labelSelector: { matchLabels: { app } },
      topologyKey: 'kubernetes.io/hostname',
    })
    const apart = {
      affinity: { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term('db')] } },
    }
    for (const name of ['db1', 'db2', 'db3', 'db4']) await create(apart, name, 'db')
    await soon(() => ['db1', 'db2', 'db3', 'db4'].filter((name) => node(name)).length, 3)
    expect(new Set(['db1', 'db2', 'db3', 'db4'].flatMap((name) => node(name) || [])).size).toBe(3)
    const [lonely] = ['db1', 'db2', 'db3', 'db4'].filter((name) => !node(name))
    await soon(() => why(lonely), "0/3 nodes are available: 3 node(s) didn't match pod anti-affinity rules.")
    await create({}, 'alone', 'single')
    await soon(() => Boolean(node('alone')), true)

    await create(
      { affinity: { podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term('single')] } } },
      'close',
    )

    await soon(() => node('close') === node('alone'), true)
  })

  it('spreads a workload', async () => {
    const topologySpreadConstraints = [
      {
        maxSkew: 1,
        topologyKey: 'kubernetes.io/hostname',
        whenUnsatisfiable: 'DoNotSchedule',
        labelSelector: { matchLabels: { app: 'web' } },
      },
    ]
    const template = podTemplate('web', 'nginx', { topologySpreadConstraints })
    await cluster.create('deployments.apps', workload('web', { replicas: 6, template }))
    const counts = (): number[] => {
      const found = new Map<string, number>()
      for (const { spec } of cluster.list<Pod>('pods'))
        found.set(spec.nodeName ?? '', (found.get(spec.nodeName ?? '') ?? 0) + 1)
      return [...found.values()]
    }

    await soon(counts, [2, 2, 2])
  })

  it('makes room for what is more important', async () => {
    await cluster.create('priorityclasses.scheduling.k8s.io', { metadata: { name: 'high' }, value: 1000 })
    for (const name of ['a', 'b', 'c']) await create(asking({ cpu: '6' }), name)
    await soon(() => ['a', 'b', 'c'].every((name) => node(name)), true)

    await create({ ...asking({ cpu: '6' }), priorityClassName: 'high' }, 'vip')

    await soon(() => Boolean(node('vip')), true)
    expect(cluster.list('pods')).toHaveLength(3)
    await expect.poll(() => cluster.list('events').map(({ reason }) => reason)).toContain('Preempted')
  })
})
