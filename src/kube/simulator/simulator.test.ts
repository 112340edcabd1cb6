import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Pod } from '../builtin/types.js'
import { type Cluster, podTemplate, startCluster, workload } from '../controllers/fixture.js'
import { type Node } from '../scheduling/types.js'
import { type Storage } from '../storage/interface.js'
import { createMemoryStorage } from '../storage/memory/index.js'

let cluster: Cluster
beforeEach(async () => {
  cluster = await startCluster({ nodes: 2 })
})
afterEach(() => cluster.close())

const pod = (name = 'p'): Pod => cluster.get<Pod>('pods', name) as Pod
const state = (name = 'p', index = 0): string => {
  const { waiting, running, terminated } = pod(name).status.containerStatuses?.[index]?.state ?? {}
  return waiting?.reason ?? (running ? 'Running' : `exit ${terminated?.exitCode ?? '?'}`)
}
const restarts = (name = 'p'): number | undefined => pod(name).status.containerStatuses?.[0]?.restartCount
const ready = (name = 'p'): string | undefined =>
  pod(name).status.conditions?.find(({ type }) => type === 'Ready')?.status
const events = (): (string | undefined)[] => cluster.list('events').map(({ reason }) => reason as string)

async function create(
  spec: object = {},
  more: { image?: string; name?: string; annotations?: object } = {},
): Promise<void> {
  const { image = 'nginx:1', name = 'p', annotations } = more
  const { spec: template } = podTemplate('x', image) as { spec: object }
  await cluster.create('pods', {
    metadata: { name, labels: { app: 'x' }, ...(annotations && { annotations }) },
    spec: { ...template, ...spec },
  })
}
const command = (...words: string[]): object => ({
  containers: [{ name: 'main', image: 'busybox', command: words }],
})
const sh = (script: string, policy = 'Never'): object => ({
  ...command('sh', '-c', script),
  restartPolicy: policy,
})

/** Lets time pass until it is so. */
async function soon(read: () => unknown, expected: unknown, stepMs = 200): Promise<void> {
  await expect
    .poll(
      () => {
        cluster.clock.advance(stepMs)
        return read()
      },
      { interval: 5, timeout: 15_000 },
    )
    .toEqual(expected)
}

describe('a simulated node', () => {
  it('is ready, keeps its lease, and says what it is', async () => {
    const nodes = (): Node[] => cluster.list<Node>('nodes')
    await expect.poll(() => nodes().map(({ spec }) => spec.taints)).toEqual([undefined, undefined])

    expect(nodes()[0]).toMatchObject({
      metadata: { name: 'simulated-1', labels: { 'orrery.dev/simulated': 'true' } },
      status: { allocatable: { cpu: '8' }, nodeInfo: { osImage: 'Orrery simulated node' } },
    })
    const lease = () =>
      cluster.kube.objects.get('coordination.k8s.io', 'leases', 'kube-node-lease', 'simulated-1')
    await expect
      .poll(lease)
      .toMatchObject({ spec: { holderIdentity: 'simulated-1', renewTime: '2026-01-01T00:00:00.000000Z' } })
    const before = cluster.kube.storage.revision
    cluster.clock.advance(100_000)
    await new Promise((resolve) => setImmediate(resolve))
    expect(cluster.kube.storage.revision).toBe(before)
    await soon(
      () => (lease() as { spec?: { renewTime?: string } }).spec?.renewTime?.slice(0, 16),
      '2026-01-01T00:02',
      1000,
    )
  })
})

describe('a pod', () => {
  it('is scheduled, started and ready, with an address', async () => {
    await create()
    await soon(ready, 'True')

    expect(pod()).toMatchObject({
      spec: { nodeName: expect.stringMatching(/^simulated-[12]$/) as string },
      status: {
        phase: 'Running',
        podIP: expect.stringMatching(/^10\.244\.[12]\.\d+$/) as string,
        containerStatuses: [{ name: 'main', ready: true, restartCount: 0, state: { running: {} } }],
      },
    })
    await expect.poll(events).toEqual(expect.arrayContaining(['Scheduled', 'Pulled', 'Created', 'Started']))
  })

  it('ends as its command does', async () => {
    await create(sh('sleep 30; exit 0'), { name: 'good' })
    await create(sh('exit 7'), { name: 'bad' })
    await create({ ...command('/bin/true'), restartPolicy: 'Never' }, { name: 'plain' })

    await soon(
      () => [pod('good').status.phase, pod('bad').status.phase, pod('plain').status.phase],
      ['Succeeded', 'Failed', 'Succeeded'],
      1000,
    )
    expect(state('bad')).toBe('exit 7')
    const { startedAt, finishedAt } = (pod('good').status.containerStatuses?.[0]?.state?.terminated ??
      {}) as Record<string, string>
    expect(Date.parse(finishedAt ?? '') - Date.parse(startedAt ?? '')).toBe(30_000)
  })

  it('that sleeps long enough stays', async () => {
    await create({ ...command('sleep', '1000000'), restartPolicy: 'OnFailure' })
    await soon(() => state(), 'Running')
    cluster.clock.advance(3_600_000)

    expect(state()).toBe('Running')
  })

  it('that crashes is restarted, ever later', async () => {
    await create(sh('exit 1', 'Always'))
    await soon(() => state(), 'CrashLoopBackOff')
    expect(restarts()).toBe(1)
    await soon(restarts, 2, 1000)
    await soon(() => state(), 'CrashLoopBackOff')
    const began = cluster.clock.now()
    await soon(restarts, 3, 1000)

    expect(cluster.clock.now() - began).toBeGreaterThanOrEqual(15_000)
    expect(pod().status.phase).toBe('Running')
    expect(pod().status.containerStatuses?.[0]?.lastState?.terminated?.exitCode).toBe(1)
    await expect.poll(events).toContain('BackOff')
  })

  it.each([
    ['web:404', 'ErrImagePull'],
    ['web:404', 'ImagePullBackOff'],
    ['Bad Name', 'InvalidImageName'],
  ])('of the image %s waits with %s', async (image, reason) => {
    await create({}, { image })
    await soon(() => state(), reason)

    expect(pod().status.phase).toBe('Pending')
  })

  it('starts when its image has been corrected', async () => {
    await create({}, { image: 'web:404' })
    await soon(() => state(), 'ImagePullBackOff')
    const containers = pod().spec.containers?.map((container) => ({ ...container, image: 'web:1' }))
    await cluster.patch('pods', 'p', { spec: { containers } })

    await soon(ready, 'True')
  })

  it('runs its init containers first, one after the other', async () => {
    const init = (name: string, script: string): object => ({
      name,
      image: 'busybox',
      command: ['sh', '-c', script],
    })
    await create({ initContainers: [init('one', 'sleep 10'), init('two', 'sleep 10')] })
    const states = (): string[] =>
      (pod().status.initContainerStatuses ?? []).map(({ state: s }) =>
        s?.running ? 'running' : s?.terminated ? 'done' : 'waiting',
      )
    await soon(states, ['running', 'waiting'])
    expect(state()).toBe('PodInitializing')
    await soon(states, ['done', 'running'])
    await soon(ready, 'True')

    expect(states()).toEqual(['done', 'done'])
  })

  it('fails when an init container does and nothing is restarted', async () => {
    await create({
      restartPolicy: 'Never',
      initContainers: [{ name: 'one', image: 'busybox', command: ['false'] }],
    })

    await soon(() => pod().status.phase, 'Failed')
  })

  it('is not ready while its probe fails, and late where the probe begins late', async () => {
    const probed = (probe: object): object => ({
      containers: [{ name: 'main', image: 'nginx', readinessProbe: probe }],
    })
    await create(probed({ exec: { command: ['false'] } }), { name: 'never' })
    await create(probed({ httpGet: { port: 80 }, initialDelaySeconds: 20 }), { name: 'late' })
    await soon(() => [state('never'), state('late')], ['Running', 'Running'])
    expect(ready('late')).toBe('False')
    await soon(() => ready('late'), 'True', 1000)

    expect(ready('never')).toBe('False')
  })

  it('whose liveness probe fails is killed and restarted', async () => {
    const livenessProbe = { exec: { command: ['false'] }, periodSeconds: 5, failureThreshold: 2 }
    await create({ containers: [{ name: 'main', image: 'nginx', livenessProbe }] })

    await soon(restarts, 1, 500)
    expect(pod().status.containerStatuses?.[0]?.lastState?.terminated?.exitCode).toBe(137)
  })

  it('fails its pull and its liveness probe when its annotations say so', async () => {
    await create({}, { name: 'pull', annotations: { 'simulated.orrery.dev/pull-error': 'no such ${image}' } })
    await create({}, { name: 'ill', annotations: { 'simulated.orrery.dev/unhealthy-seconds.main': '3' } })

    await soon(() => state('pull'), 'ImagePullBackOff', 1000)
    expect(events()).toContain('Failed')
    await soon(() => (restarts('ill') ?? 0) > 0, true, 1000)
    await expect.poll(events).toContain('Unhealthy')
  })

  it('behaves as its annotations say', async () => {
    await create(
      { restartPolicy: 'Never' },
      { annotations: { 'simulated.orrery.dev/run-seconds': '5', 'simulated.orrery.dev/exit-code': '3' } },
    )
    await soon(() => state(), 'exit 3')
    await create({}, { name: 'q', annotations: { 'simulated.orrery.dev/ready-seconds.main': 'never' } })
    await soon(() => state('q'), 'Running')

    expect(ready('q')).toBe('False')
  })

  it('waits for a ConfigMap that its environment names', async () => {
    const env = [{ name: 'X', valueFrom: { configMapKeyRef: { name: 'settings', key: 'x' } } }]
    await create({ containers: [{ name: 'main', image: 'nginx', env }] })
    await soon(() => state(), 'CreateContainerConfigError')
    await cluster.create('configmaps', { metadata: { name: 'settings' }, data: { x: '1' } })

    await soon(ready, 'True')
  })

  it('waits for a Secret that it mounts', async () => {
    await create({ volumes: [{ name: 'v', secret: { secretName: 'keys' } }] })
    await soon(() => events().includes('FailedMount'), true)
    expect(state()).toBe('ContainerCreating')
    await cluster.create('secrets', { metadata: { name: 'keys' } })

    await soon(ready, 'True')
  })

  it('is gone soon after its deletion', async () => {
    await create()
    await soon(ready, 'True')
    await cluster.delete('pods', 'p')
    expect(pod().metadata.deletionTimestamp).toBeDefined()

    await soon(() => pod(), undefined)
    await expect.poll(events).toContain('Killing')
  })

  it('past its deadline is failed', async () => {
    await create({ activeDeadlineSeconds: 30 })
    await soon(ready, 'True')

    await soon(() => pod().status.phase, 'Failed', 1000)
    expect(pod().status.reason).toBe('DeadlineExceeded')
  })

  it('that wants a host port in use is refused by the node', async () => {
    const ports = [{ containerPort: 80, hostPort: 8080 }]
    await create(
      { containers: [{ name: 'main', image: 'nginx', ports }], nodeName: 'simulated-1' },
      { name: 'first' },
    )
    await soon(() => ready('first'), 'True')
    await create(
      { containers: [{ name: 'main', image: 'nginx', ports }], nodeName: 'simulated-1' },
      { name: 'second' },
    )

    await soon(() => pod('second').status.reason, 'NodePorts')
    expect(pod('second').status.phase).toBe('Failed')
  })
})

describe('a restart of the server', () => {
  async function restart(nodes: number, storage: Storage): Promise<void> {
    const { clock } = cluster
    await cluster.close()
    cluster = await startCluster({ nodes, storage, clock })
  }

  it('leaves pods running, and those that were to end do so', async () => {
    const storage = createMemoryStorage()
    await restart(2, storage)
    await create(sh('sleep 60'))
    await soon(() => state(), 'Running')
    const started = pod().status.containerStatuses?.[0]?.state?.running?.startedAt

    await restart(2, storage)
    await soon(() => pod().status.phase, 'Succeeded', 1000)

    expect(pod().status.containerStatuses?.[0]?.state?.terminated).toMatchObject({ startedAt: started })
  })

  it('with fewer nodes takes the others away', async () => {
    const storage = createMemoryStorage()
    await restart(2, storage)

    await restart(1, storage)

    expect(cluster.list('nodes').map(({ metadata }) => metadata.name)).toEqual(['simulated-1'])
  })
})

describe('workloads on simulated nodes', () => {
  it('roll out by themselves', async () => {
    await cluster.create('deployments.apps', workload('web', { replicas: 3 }))
    const status = () =>
      cluster.get('deployments.apps', 'web')?.status as {
        availableReplicas?: number
        updatedReplicas?: number
      }
    await soon(() => status().availableReplicas, 3)
    await cluster.patch('deployments.apps', 'web', { spec: { template: podTemplate('web', 'nginx:2') } })

    await soon(
      () => cluster.list<Pod>('pods').map(({ spec }) => spec.containers?.[0]?.image),
      Array(3).fill('nginx:2'),
    )
  })

  it('use volumes of the default class', async () => {
    await cluster.create('persistentvolumeclaims', {
      metadata: { name: 'data' },
      spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
    })
    await create({ volumes: [{ name: 'v', persistentVolumeClaim: { claimName: 'data' } }] })

    await soon(ready, 'True')
    expect(cluster.get('persistentvolumeclaims', 'data')).toMatchObject({
      spec: { storageClassName: 'simulated' },
      status: { phase: 'Bound' },
    })
  })
})
