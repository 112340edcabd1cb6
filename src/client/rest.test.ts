import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { isConflict, isExpired, isNotFound, StatusError } from '../apimachinery/errors/index.js'
import { type KubeObject } from '../apimachinery/meta/types.js'
import { startKube, type Kube } from '../kube/index.js'
import { RestClient, type ResourceClient } from './rest.js'
import { answering } from './testing/answering.js'
import { eventually } from './testing/eventually.js'
import { HastyClock } from './testing/fakeclock.js'

const CONFIG_MAPS = { group: '', version: 'v1', resource: 'configmaps', kind: 'ConfigMap' }

interface ConfigMap extends KubeObject {
  data?: Record<string, string>
}

describe('the REST client on the embedded API', () => {
  let kube: Kube
  let configMaps: ResourceClient<ConfigMap>
  let client: RestClient

  beforeAll(async () => {
    kube = await startKube({ memory: true, controllers: false })
    client = new RestClient({ transport: kube.transport, user: kube.adminUser })
    configMaps = client.resource<ConfigMap>(CONFIG_MAPS)
  })

  afterAll(() => kube.close())

  it('creates, reads, replaces, patches and deletes', async () => {
    const made = await configMaps.create({ metadata: { name: 'a', namespace: 'default' }, data: { n: '1' } })
    expect(made).toMatchObject({ kind: 'ConfigMap', apiVersion: 'v1', data: { n: '1' } })

    await configMaps.update({ ...made, data: { n: '2' } })
    await expect(configMaps.update({ ...made, data: { n: '3' } })).rejects.toSatisfy(isConflict)
    await configMaps.patch('a', 'merge', { data: { m: '1' } }, { namespace: 'default' })
    await configMaps.patch('a', 'json', [{ op: 'remove', path: '/data/n' }], { namespace: 'default' })

    expect((await configMaps.get('a', { namespace: 'default' })).data).toEqual({ m: '1' })
    const preconditions = { uid: 'another' }
    await expect(configMaps.delete('a', { namespace: 'default', preconditions })).rejects.toSatisfy(
      isConflict,
    )
    await configMaps.delete('a', { namespace: 'default', dryRun: true })
    await configMaps.delete('a', { namespace: 'default' })
    await expect(configMaps.get('a', { namespace: 'default' })).rejects.toSatisfy(isNotFound)
  })

  it('lists in pages, by selector, and deletes by selector', async () => {
    for (let i = 0; i < 7; i++) {
      const labels = { app: 'pages', odd: String(i % 2) }
      await configMaps.create({ metadata: { name: `page-${i}`, namespace: 'default', labels } })
    }
    const pages: string[][] = []
    const options = { namespace: 'default', labelSelector: 'app=pages', limit: 3 }
    for await (const items of configMaps.pages(options)) {
      pages.push(items.map(({ metadata }) => metadata.name ?? ''))
    }

    expect(pages.map(({ length }) => length)).toEqual([3, 3, 1])
    await configMaps.deleteCollection({ namespace: 'default', labelSelector: 'odd=1' })
    const left = await configMaps.list({ namespace: 'default', labelSelector: 'app=pages' })
    expect(left.items.map(({ metadata }) => metadata.name)).toEqual(['page-0', 'page-2', 'page-4', 'page-6'])
  })

  it('watches until told to stop', async () => {
    const { metadata } = await configMaps.list()
    const seen: string[] = []
    const stop = new AbortController()
    const watching = configMaps.watch(
      { ...(metadata.resourceVersion !== undefined && { resourceVersion: metadata.resourceVersion }) },
      (type, object) => seen.push(`${type} ${object.metadata.name}`),
      stop.signal,
    )
    await configMaps.create({ metadata: { name: 'seen', namespace: 'default' } })

    await eventually(() => expect(seen).toEqual(['ADDED seen']))
    stop.abort(new Error('enough'))
    await expect(watching).rejects.toThrow('enough')
  })

  it('reads what is no resource', async () => {
    const version = await client.json<{ gitVersion: string }>('GET', '/version')
    expect(version.gitVersion).toMatch(/^v1\./)
    await expect(client.raw('GET', '/apis/nothing/v1/here')).rejects.toSatisfy(isNotFound)
  })
})

describe('the REST client', () => {
  it('turns every failure into a StatusError', async () => {
    const status = { kind: 'Status', reason: 'Expired', message: 'too old', code: 410 }
    const cases: [Parameters<typeof answering>[0], (error: unknown) => boolean][] = [
      [() => ({ status: 410, body: status }), isExpired],
      [() => ({ status: 404, body: '404 page not found\n' }), isNotFound],
      [() => ({ status: 502, body: '<html>' }), (error) => (error as StatusError).message === '<html>'],
      [
        () => ({ status: 500, body: '' }),
        (error) => (error as StatusError).message === 'the server answered 500',
      ],
      [() => ({ body: 'not json' }), (error) => (error as StatusError).code === 502],
      [() => new Error('ECONNREFUSED'), (error) => (error as StatusError).code === 503],
      [() => undefined, (error) => (error as StatusError).code === 504],
    ]
    for (const [answer, expected] of cases) {
      const client = new RestClient({ transport: answering(answer), timeoutMs: 50 })
      const failure: unknown = await client.json('GET', '/x').catch((error: unknown) => error)
      expect(failure).toBeInstanceOf(StatusError)
      expect(failure).toSatisfy(expected)
    }
  })

  it('refuses a version that is no number, to which a genuine server answers 500', async () => {
    const failing = () => ({ status: 500, body: 'strconv.ParseUint: parsing "zz": invalid syntax' })
    const client = new RestClient({ transport: answering(failing) })
    const configMaps = client.resource<ConfigMap>(CONFIG_MAPS)
    const metadata = { name: 'a', namespace: 'default', resourceVersion: 'zz' }

    await expect(configMaps.update({ metadata })).rejects.toMatchObject({ code: 400 })
    const patched = configMaps.patch('a', 'merge', { metadata }, { namespace: 'default' })
    await expect(patched).rejects.toMatchObject({ code: 400 })
  })

  it('passes the caller’s own abort through', async () => {
    const client = new RestClient({ transport: answering(() => undefined) })
    const stop = new AbortController()
    const pending = client.raw('GET', '/x', { signal: stop.signal })
    stop.abort(new Error('changed my mind'))
    await expect(pending).rejects.toThrow('changed my mind')
    await expect(client.raw('GET', '/x', { signal: stop.signal })).rejects.toThrow('changed my mind')
  })

  it('waits out a server that asks for it, a few times', async () => {
    const clock = new HastyClock(29_000)
    const busy = { status: 429, headers: { 'retry-after': '3' }, body: 'later' }
    let left = 2
    const patient = new RestClient({ transport: answering(() => (left-- > 0 ? busy : {})), clock })
    expect((await patient.raw('POST', '/x')).status).toBe(200)
    expect(clock.waits.filter((ms) => ms < 30_000)).toEqual([3000, 3000])

    const transport = answering(() => busy)
    await expect(new RestClient({ transport, clock }).raw('GET', '/x')).rejects.toMatchObject({ code: 429 })
    expect(transport.requests).toHaveLength(4)
  })

  it('says what it wants on the wire', async () => {
    const transport = answering(() => ({ body: { metadata: {}, items: [] } }))
    const roles = new RestClient({ transport, userAgent: 'test/1' }).resource({
      group: 'rbac.authorization.k8s.io',
      version: 'v1',
      resource: 'roles',
      kind: 'Role',
    })
    await roles.create(
      { metadata: { name: 'system:a b', namespace: 'n' } },
      { dryRun: true, fieldManager: 'f' },
    )
    await roles.update({ metadata: { name: 'system:a b', namespace: 'n' } }, { subresource: 'status' })
    await roles.patch('x', 'apply', { a: 1 }, { namespace: 'n', fieldManager: 'f', force: true })
    await roles.delete('x', { namespace: 'n', propagationPolicy: 'Foreground', gracePeriodSeconds: 0 })

    const base = '/apis/rbac.authorization.k8s.io/v1/namespaces/n/roles'
    expect(transport.requests.map(({ method, path }) => `${method} ${path}`)).toEqual([
      `POST ${base}?dryRun=All&fieldManager=f`,
      `PUT ${base}/system%3Aa%20b/status`,
      `PATCH ${base}/x?fieldManager=f&force=true`,
      `DELETE ${base}/x`,
    ])
    const bodies = transport.requests.map(
      ({ body }) => JSON.parse(Buffer.from(body as Uint8Array).toString()) as unknown,
    )
    expect(bodies[0]).toMatchObject({ kind: 'Role', apiVersion: 'rbac.authorization.k8s.io/v1' })
    expect(bodies[3]).toEqual({
      kind: 'DeleteOptions',
      apiVersion: 'v1',
      propagationPolicy: 'Foreground',
      gracePeriodSeconds: 0,
    })
    expect(transport.requests[0]?.headers['user-agent']).toBe('test/1')
    expect(transport.requests[2]?.headers['content-type']).toBe('application/apply-patch+yaml')
  })

  it.each(['', '.', '..', 'a/b', '%2e%2e', 'a/../../secrets'])('refuses the name %j', (name) => {
    const pods = new RestClient({ transport: answering(() => ({})) }).resource(CONFIG_MAPS)
    expect(() => pods.path('default', name)).toThrow(TypeError)
    expect(() => pods.path(name || '..', 'x')).toThrow(TypeError)
  })
})
