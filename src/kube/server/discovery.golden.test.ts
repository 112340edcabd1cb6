/** Discovery of the built-in kinds against what kube-apiserver 1.20.2 answered. */
import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { builtinResources } from '../builtin/index.js'
import { createCatalogue } from '../registry/catalogue.js'
import { fixture } from './fixture.js'

const RECORDED = new URL('../../../../shared/golden/kube-discovery.json', import.meta.url)
const present = existsSync(RECORDED)
const recorded = present ? (JSON.parse(readFileSync(RECORDED, 'utf8')) as Record<string, unknown>) : {}
const kube = present ? fixture({ catalogue: createCatalogue(builtinResources()) }) : fixture()
/** Groups that came with the custom resources of the recording. */
const CUSTOM = /kubesphere\.io|^(monitoring\.coreos\.com|snapshot\.storage\.k8s\.io|app\.k8s\.io)$/
/** Group versions whose documents hold more than in 1.20. */
const EXTENDED = new Set(['/apis/batch/v1'])

interface Group {
  name: string
  versions: { version: string }[]
  preferredVersion: unknown
}

describe.skipIf(!present)('discovery (skipped without ../shared/golden)', () => {
  const builtin = Object.keys(recorded).filter((path) => {
    const [prefix, group = '', version] = path.split('/').slice(1)
    if (prefix === 'api') return true
    return prefix === 'apis' && version !== undefined && !CUSTOM.test(group) && !EXTENDED.has(path)
  })

  it.each(builtin)('%s is as recorded', async (path) => {
    const { json, status } = await kube.call('GET', path)

    expect(status).toBe(200)
    expect(json).toEqual(recorded[path])
  })

  it('lists the recorded groups in their order, with the same preferred versions', async () => {
    const { json } = await kube.call('GET', '/apis')

    const of = (groups: Group[]): unknown =>
      groups
        .filter(({ name }) => !CUSTOM.test(name))
        .map(({ name, preferredVersion }) => ({ name, preferredVersion }))
    const wanted = (recorded['/apis'] as { groups: Group[] }).groups
    // policy and discovery.k8s.io have got a stable version since, which clients are to prefer.
    const same = (groups: unknown): unknown =>
      JSON.parse(
        JSON.stringify(groups).replace(
          /(policy|discovery\.k8s\.io)\/v1beta1","version":"v1beta1/g,
          '$1/v1","version":"v1',
        ),
      )
    expect(of(json.groups as Group[])).toEqual(same(of(wanted)))
  })

  it('answers the aggregated form in two documents, with an ETag', async () => {
    const accept = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json'

    const { json, headers } = await kube.call('GET', '/apis', undefined, { accept })
    const again = await kube.call('GET', '/apis', undefined, {
      accept,
      'if-none-match': String(headers.etag),
    })

    expect(headers['content-type']).toBe(
      'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList',
    )
    expect(headers.vary).toBe('Accept')
    expect(again.status).toBe(304)
    const items = json.items as { metadata: { name: string }; versions: { resources: object[] }[] }[]
    const apps = items.find(({ metadata }) => metadata.name === 'apps')
    expect(apps?.versions[0]?.resources).toContainEqual({
      resource: 'deployments',
      responseKind: { group: 'apps', version: 'v1', kind: 'Deployment' },
      scope: 'Namespaced',
      singularResource: 'deployment',
      verbs: ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'],
      shortNames: ['deploy'],
      categories: ['all'],
      subresources: [
        {
          subresource: 'scale',
          responseKind: { group: 'autoscaling', version: 'v1', kind: 'Scale' },
          verbs: ['get', 'patch', 'update'],
        },
        {
          subresource: 'status',
          responseKind: { group: 'apps', version: 'v1', kind: 'Deployment' },
          verbs: ['get', 'patch', 'update'],
        },
      ],
    })
  })
})
