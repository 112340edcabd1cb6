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
      { interval: 5, timeout: 15_000 },
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

  describe('when there is no room', () => {
    const occupied = async (): Promise<void> => {
      await cluster.create('priorityclasses.scheduling.k8s.io', { metadata: { name: 'mid' }, value: 100 })
      await cluster.create('priorityclasses.scheduling.k8s.io', { metadata: { name: 'high' }, value: 1000 })
    }
    const on = (name: string, more: object): object => ({
      ...more,
      nodeSelector: { 'kubernetes.io/hostname': name },
    })
    const big = asking({ cpu: '6' })
    const isEnding = (name: string): boolean =>
      cluster.get<Pod>('pods', name)?.metadata.deletionTimestamp !== undefined ||
      cluster.get('pods', name) === undefined

    it('takes it from nobody for a pod that never preempts', async () => {
      await occupied()
      await cluster.create('priorityclasses.scheduling.k8s.io', {
        metadata: { name: 'polite' },
        value: 1000,
        preemptionPolicy: 'Never',
      })
      await create(on('simulated-1', big), 'a')
      await soon(() => node('a'), 'simulated-1')

      await create(on('simulated-1', { ...big, priorityClassName: 'polite' }), 'vip')

      await soon(() => why('vip')?.includes('Insufficient cpu'), true)
      expect(isEnding('a')).toBe(false)
    })

    it('takes the least important pods, and spares those that a disruption budget guards', async () => {
      await occupied()
      await create(on('simulated-1', big), 'guarded', 'guarded')
      await create(on('simulated-2', big), 'low')
      await create(on('simulated-3', { ...big, priorityClassName: 'mid' }), 'mid')
      await cluster.create('poddisruptionbudgets.policy', {
        metadata: { name: 'keep' },
        spec: { minAvailable: 1, selector: { matchLabels: { app: 'guarded' } } },
      })
      await soon(() => ['guarded', 'low', 'mid'].every((name) => node(name)), true)

      await create({ ...big, priorityClassName: 'high' }, 'first')
      await soon(() => node('first'), 'simulated-2')
      await create({ ...big, priorityClassName: 'high' }, 'second')
      await soon(() => node('second'), 'simulated-3')
      expect(isEnding('guarded')).toBe(false)
      await create({ ...big, priorityClassName: 'high' }, 'third')

      // A budget is kept where that is possible, no further.
      await soon(() => node('third'), 'simulated-1')
    })

    it('keeps what it has freed for the pod it was freed for', async () => {
      await occupied()
      const half = asking({ cpu: '3' })
      const grace = { terminationGracePeriodSeconds: 30 }
      await cluster.patch('nodes', 'simulated-2', { spec: { unschedulable: true } })
      await cluster.patch('nodes', 'simulated-3', { spec: { unschedulable: true } })
      const templateOf = (name: string) =>
        workload(name, { replicas: 1, template: podTemplate(name, 'nginx', { ...half, ...grace }) })
      await cluster.create('replicasets.apps', templateOf('one'))
      await cluster.create('replicasets.apps', templateOf('two'))
      const placed = (): number => cluster.list<Pod>('pods').filter(({ spec }) => spec.nodeName).length
      await soon(placed, 2)

      await create({ ...asking({ cpu: '7' }), priorityClassName: 'high' }, 'vip')

      await expect
        .poll(() => cluster.get<Pod>('pods', 'vip')?.status.nominatedNodeName, { timeout: 15_000 })
        .toBe('simulated-1')
      await soon(() => node('vip'), 'simulated-1')
      expect(cluster.get<Pod>('pods', 'vip')?.status.nominatedNodeName).toBeUndefined()
      // Both were made again by their ReplicaSets, while the pod waited, and neither came before it.
      await soon(() => [cluster.list('pods').length, placed()], [3, 1])
    })

    it('removes a neighbour that is in the way only where the pod has room then', async () => {
      await occupied()
      const term = { labelSelector: { matchLabels: { app: 'loud' } }, topologyKey: 'kubernetes.io/hostname' }
      const quiet = {
        affinity: { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term] } },
      }
      await create(on('simulated-1', {}), 'a', 'loud')
      await create(on('simulated-1', { priorityClassName: 'high' }), 'b', 'loud')
      await create(on('simulated-2', {}), 'c', 'loud')
      await create(on('simulated-3', { priorityClassName: 'high' }), 'd', 'loud')
      await soon(() => ['a', 'b', 'c', 'd'].every((name) => node(name)), true)

      await create({ ...quiet, priorityClassName: 'mid' }, 'vip')

      await soon(() => node('vip'), 'simulated-2')
      expect(['a', 'b', 'd'].filter(isEnding)).toEqual([])
    })

    it('counts resources that somebody has added to a node', async () => {
      await cluster.patch(
        'nodes',
        'simulated-2',
        { status: { capacity: { 'example.com/gpu': '2' } } },
        'status',
      )

      const gpus = { 'example.com/gpu': '2' }
      await create({
        containers: [{ name: 'main', image: 'i', resources: { requests: gpus, limits: gpus } }],
      })

      await soon(node, 'simulated-2')
    })
  })
})
