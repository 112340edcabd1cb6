import { afterEach, describe, expect, it } from 'vitest'
import { startKube, type TestKube, type TestKubeOptions } from './index.js'

let kube: TestKube
async function start(options: TestKubeOptions = {}): Promise<void> {
  kube = await startKube(options)
}
afterEach(() => kube.close())

const map = (name: string) => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name } })
const maps = () => kube.resource('v1/configmaps')

describe('a Kubernetes API for tests', () => {
  it('has the objects it is given, from YAML too, and no port unless it is asked for one', async () => {
    await start({
      objects:
        'apiVersion: v1\nkind: Namespace\nmetadata: {name: team}\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: team}\n',
    })

    expect(kube.url).toBeUndefined()
    expect((await maps().get('a', { namespace: 'team' })).metadata.name).toBe('a')
  })

  it('decides by RBAC what others may do', async () => {
    await start()

    const alice = kube.as('alice').resource({ group: '', version: 'v1', resource: 'configmaps' })
    await expect(alice.list({ namespace: 'default' })).rejects.toMatchObject({ code: 403 })
  })

  it('lets hours pass in a moment, one thing after the other', async () => {
    await start({ nodes: 1, time: '2026-01-01T00:00:00Z' })
    const template = {
      spec: {
        restartPolicy: 'Never',
        containers: [{ name: 'c', image: 'busybox', command: ['sleep', '10'] }],
      },
    }
    const spec = { schedule: '0 * * * *', jobTemplate: { spec: { template } } }
    await kube.create([{ apiVersion: 'batch/v1', kind: 'CronJob', metadata: { name: 'hourly' }, spec }])

    await kube.time.advance(3 * 3_600_000 + 60_000)

    const jobs = await kube.resource('batch/v1/jobs').list({ namespace: 'default' })
    expect(jobs.items.map(({ status }) => (status as { succeeded?: number }).succeeded)).toEqual([1, 1, 1])
    expect(kube.time.now().toISOString()).toBe('2026-01-01T03:01:00.000Z')
  }, 30_000)

  it('answers 409 and 503 as often as it is told, and to whom', async () => {
    await start({ objects: [map('a')] })
    kube.faults.conflicts(1, { resource: 'configmaps' })
    kube.faults.fail(503, 1, { resource: 'secrets', verbs: ['list'] })
    const change = () => maps().patch('a', 'merge', { data: { x: '1' } }, { namespace: 'default' })

    await expect(change()).rejects.toMatchObject({ code: 409 })
    await expect(change()).resolves.toMatchObject({ data: { x: '1' } })
    await expect(kube.resource('v1/secrets').list()).rejects.toMatchObject({ code: 503 })
    await expect(kube.resource('v1/secrets').list()).resolves.toBeDefined()
  })

  it('is as slow as it is told, until that is over', async () => {
    await start()
    kube.faults.latency(1_500, { resource: 'nodes' })
    const began = performance.now()
    await kube.resource('v1/nodes').list()
    expect(performance.now() - began).toBeGreaterThanOrEqual(1_400)
    kube.faults.latency(15_000, { resource: 'nodes' })
    const done = (resource: string, name: string): Promise<string> =>
      kube
        .resource(resource)
        .list()
        .then(() => name)
    const slow = done('v1/nodes', 'slow')
    slow.catch(() => undefined) // The server may be gone by then.

    expect(await Promise.race([slow, done('v1/configmaps', 'other')])).toBe('other')
    kube.faults.clear()
    expect(await Promise.race([slow, done('v1/nodes', 'quick')])).toBe('quick')
  })

  it('drops watches, and forgets what was before', async () => {
    await start({ objects: [map('a')] })
    const { metadata } = await maps().list()
    let ended = false
    const path = `/api/v1/configmaps?watch=true&resourceVersion=${metadata.resourceVersion ?? ''}`
    void kube.client
      .stream(path, {}, () => undefined, new AbortController().signal)
      .then(() => (ended = true))
    await kube.create([map('b')])

    kube.faults.dropWatches()
    await expect.poll(() => ended).toBe(true)
    kube.faults.expireHistory()
    let text = ''
    await kube.client.stream(
      path,
      {},
      (chunk) => void (text += chunk.toString()),
      new AbortController().signal,
    )

    expect(JSON.parse(text)).toMatchObject({ type: 'ERROR', object: { code: 410 } })
  })

  it('begins where another one was, as often as one likes, with the same credentials', async () => {
    await start({ nodes: 1, time: '2026-01-01T00:00:00Z', objects: [map('kept')] })
    await kube.time.advance(5_000)
    const path = '/api/v1/namespaces/default/serviceaccounts/default/token'
    const body = Buffer.from(JSON.stringify({ spec: { expirationSeconds: 3600 } }))
    const given = await kube.client.raw('POST', path, {
      headers: { 'content-type': 'application/json' },
      body,
    })
    const { token } = (JSON.parse(given.body.toString()) as { status: { token: string } }).status
    const { metadata } = await maps().get('kept', { namespace: 'default' })
    const snapshot = await kube.snapshot()
    await maps().delete('kept', { namespace: 'default' })
    await kube.close()

    for (let round = 0; round < 2; round++) {
      await start({ nodes: 1, snapshot, objects: [map('new')] })
      expect((await maps().get('kept', { namespace: 'default' })).metadata).toEqual(metadata)
      expect(kube.time.now().toISOString()).toBe('2026-01-01T00:00:05.000Z')
      const review = {
        apiVersion: 'authentication.k8s.io/v1',
        kind: 'TokenReview',
        metadata: {},
        spec: { token },
      }
      expect((await kube.create([review]))[0]).toMatchObject({ status: { authenticated: true } })
      await kube.close()
    }
    await start()
  })

  it('knows only controllers that are not switched off', async () => {
    await start({ controllers: ['*', '-deployment', '-serviceaccount'] })
    const template = { metadata: { labels: { app: 'x' } }, spec: { containers: [{ name: 'c', image: 'i' }] } }
    const spec = { replicas: 1, selector: { matchLabels: { app: 'x' } }, template }
    await kube.create([
      { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'team' } },
      { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'd' }, spec },
      { apiVersion: 'apps/v1', kind: 'ReplicaSet', metadata: { name: 'r' }, spec },
    ])
    const named = async (resource: string, namespace: string) =>
      (await kube.resource(resource).list({ namespace })).items.map((each) => each.metadata.name)

    await expect.poll(async () => (await named('v1/pods', 'default')).length).toBe(1)
    await kube.settled()
    expect(await named('apps/v1/replicasets', 'default')).toEqual(['r'])
    expect(await named('v1/serviceaccounts', 'team')).toEqual([])
  })

  it('names the controllers there are when it is asked for one that is not', async () => {
    await expect(startKube({ controllers: ['*', '-deploymnet'] })).rejects.toThrow(
      /no controller -deploymnet\. There are: .*deployment, .*podautoscaler/,
    )
    await start()
  })

  it('refuses to move time that is real', async () => {
    await start()

    await expect(kube.time.advance(1)).rejects.toThrow('real time')
  })
})
