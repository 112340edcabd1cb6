import { describe, expect, it } from 'vitest'
import { startKube } from '../kube/index.js'
import { Discovery } from './discovery.js'
import { RestClient } from './rest.js'
import { answering, type MadeUpAnswer } from './testing/answering.js'
import { HastyClock } from './testing/fakeclock.js'

/** A server that knows the plain form only; `groups` maps group versions to resource lists or failures. */
function plainServer(groups: Record<string, object[] | MadeUpAnswer>) {
  const transport = answering(({ path }) => {
    if (path === '/api') return { body: { kind: 'APIVersions', versions: ['v1'] } }
    if (path === '/apis') {
      const names = [
        ...new Set(Object.keys(groups).flatMap((key) => (key.includes('/') ? key.split('/')[0] : []))),
      ]
      const listed = names.map((name) => {
        const versions = Object.keys(groups).filter((key) => key.startsWith(`${name}/`))
        const of = (key: string | undefined) => ({ groupVersion: key, version: key?.split('/')[1] })
        return { name, versions: versions.map(of), preferredVersion: of(versions.at(-1)) }
      })
      return { body: { kind: 'APIGroupList', groups: listed } }
    }
    const found = groups[path.replace(/^\/apis?\//, '')]
    if (!found) return { status: 404, body: '404 page not found' }
    return Array.isArray(found) ? { body: { kind: 'APIResourceList', resources: found } } : found
  })
  const discovery = new Discovery({ client: new RestClient({ transport }), clock: new HastyClock(29_000) })
  return { groups, transport, discovery }
}

const pods = [
  {
    name: 'pods',
    kind: 'Pod',
    namespaced: true,
    verbs: ['get', 'list'],
    shortNames: ['po'],
    categories: ['all'],
  },
  { name: 'pods/log', kind: 'Pod', namespaced: true, verbs: ['get'] },
]
const cronJobs = [
  { name: 'cronjobs', singularName: 'cronjob', kind: 'CronJob', namespaced: true, verbs: ['get'] },
]

describe('discovery', () => {
  it('finds a resource by kind or name, in the preferred version or the one asked for', async () => {
    const { discovery, transport } = plainServer({
      v1: pods,
      'batch/v1beta1': cronJobs,
      'batch/v1': cronJobs,
    })

    expect(await discovery.resourceFor({ group: '', kind: 'Pod' })).toEqual({
      group: '',
      version: 'v1',
      resource: 'pods',
      kind: 'Pod',
      singular: 'pod',
      namespaced: true,
      verbs: ['get', 'list'],
      shortNames: ['po'],
      categories: ['all'],
      subresources: ['log'],
    })
    expect(await discovery.resourceNamed({ group: 'batch', resource: 'cronjobs' })).toMatchObject({
      version: 'v1',
    })
    expect(
      await discovery.resourceFor({ group: 'batch', version: 'v1beta1', kind: 'CronJob' }),
    ).toMatchObject({
      version: 'v1beta1',
    })
    expect(transport.requests).toHaveLength(5)
    expect(await discovery.groups()).toEqual([
      { group: '', versions: ['v1'] },
      { group: 'batch', versions: ['v1', 'v1beta1'] },
    ])
  })

  it('is not held up by a broken group, names it, and keeps what was known of it', async () => {
    const { discovery, groups } = plainServer({ v1: pods, 'metrics/v1': { status: 503, body: 'no backend' } })

    expect(await discovery.resourceFor({ group: '', kind: 'Pod' })).toBeDefined()
    expect(await discovery.failures()).toEqual([{ group: 'metrics', version: 'v1', error: 'no backend' }])

    groups['metrics/v1'] = cronJobs
    await discovery.refresh()
    expect(await discovery.failures()).toEqual([])
    groups['metrics/v1'] = { status: 500 }
    await discovery.refresh()
    expect(await discovery.failures()).toHaveLength(1)
    expect(await discovery.resourceFor({ group: 'metrics', kind: 'CronJob' })).toBeDefined()
  })

  it('asks again before it says that there is none, once for all who ask at a time', async () => {
    const { discovery, groups, transport } = plainServer({ v1: pods })
    await discovery.resources()
    const before = transport.requests.length
    groups['ex.io/v1'] = [{ name: 'things', kind: 'Thing', namespaced: false, verbs: [] }]

    const found = await Promise.all(
      [1, 2, 3].map(() => discovery.resourceFor({ group: 'ex.io', kind: 'Thing' })),
    )

    expect(found.map((each) => each?.resource)).toEqual(['things', 'things', 'things'])
    expect(transport.requests.length - before).toBe(4)
    expect(await discovery.resourceFor({ group: 'ex.io', kind: 'Nothing' })).toBeUndefined()
  })

  it('forgets when told that something changed', async () => {
    const { discovery, groups } = plainServer({ v1: pods, 'ex.io/v1': cronJobs })
    expect(await discovery.resourceFor({ group: 'ex.io', kind: 'CronJob' })).toBeDefined()
    delete groups['ex.io/v1']
    discovery.invalidate()
    expect(await discovery.resourceFor({ group: 'ex.io', kind: 'CronJob' })).toBeUndefined()
  })

  it('fails when the server cannot be reached, and works once it can', async () => {
    let up = false
    const transport = answering(({ path }) =>
      !up
        ? new Error('ECONNREFUSED')
        : path === '/apis'
          ? { body: { groups: [] } }
          : { body: { versions: [] } },
    )
    const discovery = new Discovery({ client: new RestClient({ transport }) })
    await expect(discovery.resources()).rejects.toMatchObject({ code: 503 })
    up = true
    expect(await discovery.resources()).toEqual([])
  })

  it('reads the aggregated form with two requests', async () => {
    const resource = {
      resource: 'deployments',
      responseKind: { group: 'apps', version: 'v1', kind: 'Deployment' },
      scope: 'Namespaced',
      singularResource: 'deployment',
      verbs: ['get'],
      shortNames: ['deploy'],
      subresources: [{ subresource: 'scale', verbs: ['get'] }],
    }
    const transport = answering(({ path }) => ({
      body: {
        kind: 'APIGroupDiscoveryList',
        items:
          path === '/api'
            ? [{ metadata: {}, versions: [{ version: 'v1', resources: [] }] }]
            : [
                {
                  metadata: { name: 'apps' },
                  versions: [{ version: 'v1', freshness: 'Current', resources: [resource] }],
                },
                { metadata: { name: 'metrics' }, versions: [{ version: 'v1', freshness: 'Stale' }] },
              ],
      },
    }))
    const discovery = new Discovery({ client: new RestClient({ transport }) })

    expect(await discovery.resourceFor({ group: 'apps', kind: 'Deployment' })).toMatchObject({
      resource: 'deployments',
      namespaced: true,
      shortNames: ['deploy'],
      subresources: ['scale'],
    })
    expect(await discovery.failures()).toMatchObject([{ group: 'metrics', version: 'v1' }])
    expect(transport.requests).toHaveLength(2)
  })

  it('knows the embedded API', async () => {
    const kube = await startKube({ memory: true, controllers: false })
    const client = new RestClient({ transport: kube.transport, user: kube.adminUser })
    const discovery = new Discovery({ client })

    expect(await discovery.resourceFor({ group: '', kind: 'Namespace' })).toMatchObject({
      resource: 'namespaces',
      namespaced: false,
    })
    expect(await discovery.resourceFor({ group: 'apps', kind: 'Deployment' })).toMatchObject({
      version: 'v1',
      subresources: expect.arrayContaining(['status', 'scale']) as unknown,
    })
    expect(await discovery.failures()).toEqual([])
    await kube.close()
  })
})
