/* eslint-disable @typescript-eslint/no-explicit-any -- answers of any shape, read by tests */
/** Workspaces as those in them and those outside meet them (iam-tenant.md §13, 40-43, 47, 48, 55, 56, 58, 59). */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  A,
  B,
  type Cast,
  createCast,
  eventually,
  good,
  userObject,
  workspaceObject,
} from '../fixtures/cast.js'
import { type Answer, type Client, type Product, startProduct } from '../fixtures/product.js'

const IAM = '/kapis/iam.kubesphere.io/v1alpha2'
const TENANT = '/kapis/tenant.kubesphere.io/v1alpha2'
const TENANT3 = '/kapis/tenant.kubesphere.io/v1alpha3'
const CLUSTERS = '/apis/cluster.kubesphere.io/v1alpha1/clusters'
const JSON_PATCH = { 'content-type': 'application/json-patch+json' }

let product: Product
let cast: Cast
let root: Client
const as = (person: Parameters<Cast['as']>[0]): Promise<Client> => cast.as(person)

beforeAll(async () => {
  product = await startProduct()
  cast = await createCast(product)
  root = cast.root
  for (const [name, labels] of [
    ['edge-1', {}],
    ['open-1', { 'cluster.kubesphere.io/visibility': 'public' }],
  ] as const)
    good(
      await root.post(CLUSTERS, {
        apiVersion: 'cluster.kubesphere.io/v1alpha1',
        kind: 'Cluster',
        metadata: { name, labels },
        spec: { connection: { type: 'proxy', kubeconfig: 'c2VjcmV0', token: 'agent-token' }, enable: true },
      }),
    )
})

afterAll(() => product.close())

const names = ({ json }: Answer): string[] => json.items.map(({ metadata }: any) => metadata.name)
const stored = async (name: string): Promise<any> =>
  (await root.get(`/apis/tenant.kubesphere.io/v1alpha2/workspacetemplates/${name}`)).json

/** The managers of a workspace, by the binding that makes them. */
async function managers(workspace: string): Promise<unknown> {
  const { json } = await root.get(`/apis/iam.kubesphere.io/v1alpha2/workspacerolebindings/${workspace}-admin`)
  return json.subjects?.map(({ name }: any) => name)
}

const patchPlacement = (client: Client, workspace: string, operations: unknown): Promise<Answer> =>
  client.request('PATCH', `${TENANT3}/workspacetemplates/${workspace}`, operations, JSON_PATCH)

describe('a workspace', () => {
  it('is made with its roles and its manager, who changes when the template says so', async () => {
    const wm = await as('wm')

    good(await wm.post(`${TENANT}/workspaces`, workspaceObject('made', 'ben')))

    await eventually(async () => {
      const roles = await root.get(`${IAM}/workspaces/made/workspaceroles?sortBy=name&ascending=true`)
      expect(names(roles)).toEqual(['made-admin', 'made-regular', 'made-self-provisioner', 'made-viewer'])
      expect(await managers('made')).toEqual(['ben'])
      expect((await root.get(`${TENANT3}/workspaces/made`)).json.spec.manager).toBe('ben')
    })

    const manager = { spec: { template: { spec: { manager: 'ana' } } } }
    good(await wm.patch(`${TENANT}/workspaces/made`, manager))
    await eventually(async () => expect(await managers('made')).toEqual(['ana']))
  })

  it('is not made under a name that nobody could be a member of, because no label holds it', async () => {
    const long = workspaceObject('w'.repeat(64), 'ben')
    const direct = '/apis/tenant.kubesphere.io/v1alpha2/workspacetemplates'

    const refused = [await root.post(`${TENANT}/workspaces`, long), await root.post(direct, long)]

    expect(refused.map(({ status }) => status)).toEqual([400, 422])
    for (const { text } of refused) expect(text).toContain('must be no more than 63 characters')
  })

  it('goes with its projects', async () => {
    good(await root.post(`${TENANT}/workspaces`, workspaceObject('short', 'ana')))
    good(await root.post(`${TENANT}/workspaces/short/namespaces`, { metadata: { name: 'short-one' } }))
    await eventually(async () => expect(await managers('short')).toEqual(['ana']))
    good(await root.post(`${IAM}/workspaces/short/groups`, { metadata: { generateName: 'short-lived-' } }))
    const quota = { metadata: { name: 'short' }, spec: { quota: { hard: { pods: '9' } } } }
    good(await root.post(`${TENANT}/workspaces/short/resourcequotas`, quota))
    // Their owners are what takes them along.
    const ofWorkspace = `labelSelector=kubesphere.io/workspace%3Dshort`
    const kinds = ['workspaceroles', 'workspacerolebindings', 'groups'].map(
      (kind) => `/apis/iam.kubesphere.io/v1alpha2/${kind}?${ofWorkspace}`,
    )
    kinds.push(`/apis/quota.kubesphere.io/v1alpha2/resourcequotas?${ofWorkspace}`)
    for (const path of kinds)
      await eventually(async () => {
        const { items } = (await root.get(path)).json
        expect(items.length, path).toBeGreaterThan(0)
        for (const { metadata } of items) expect(metadata.ownerReferences, path).toHaveLength(1)
      })

    good(await root.delete(`${TENANT}/workspaces/short`))

    await eventually(async () => {
      expect((await root.get('/api/v1/namespaces/short-one')).status).toBe(404)
      expect((await root.get(`${TENANT}/workspaces/short`)).status).toBe(404)
      expect(await managers('short')).toBeUndefined()
      for (const path of kinds) expect((await root.get(path)).json.items, path).toEqual([])
    })
  })

  it('goes without them when asked to, and who takes its name does not get them', async () => {
    good(await root.post(`${TENANT}/workspaces`, workspaceObject('left', 'ana')))
    good(await root.post(`${TENANT}/workspaces/left/namespaces`, { metadata: { name: 'left-one' } }))
    await eventually(async () => {
      const { json } = await root.get('/api/v1/namespaces/left-one')
      expect(json.metadata.ownerReferences).toHaveLength(1)
    })

    good(await root.request('DELETE', `${TENANT}/workspaces/left`, { propagationPolicy: 'Orphan' }))

    await eventually(async () => {
      expect((await root.get(`${TENANT}/workspaces/left`)).status).toBe(404)
      expect((await root.get(`${TENANT3}/workspaces/left`)).status).toBe(404)
    })
    const { json } = await root.get('/api/v1/namespaces/left-one')
    expect(json.metadata.deletionTimestamp).toBeUndefined()

    const rules = [{ apiGroups: ['tenant.kubesphere.io'], resources: ['workspaces'], verbs: ['create'] }]
    const maker = await userWithRules('maker', rules)
    expect((await maker.post(`${TENANT}/workspaces`, unplaced('left', 'maker'))).status).toBe(403)
    good(await maker.post(`${TENANT}/workspaces`, unplaced('fresh', 'maker')))
  })

  it('of the system stays, even for administrators', async () => {
    expect((await root.delete(`${TENANT}/workspaces/system-workspace`)).status).toBe(403)
    expect((await root.delete(`${TENANT3}/workspacetemplates/system-workspace`)).status).toBe(403)
  })

  it('is not deleted by a trial, whichever way it is called one', async () => {
    good(await root.delete(`${TENANT}/workspaces/${B}?dryRun=All`))
    good(await root.request('DELETE', `${TENANT}/workspaces/${B}`, { dryRun: ['All'] }))
    expect((await root.request('DELETE', `${TENANT}/workspaces/${B}`, [])).status).toBe(400)

    expect((await stored(B)).metadata.deletionTimestamp).toBeUndefined()
  })

  it('is neither created nor changed by a trial', async () => {
    good(await root.post(`${TENANT}/workspaces?dryRun=All`, workspaceObject('trial', 'ana')))
    expect((await root.get(`${TENANT}/workspaces/trial`)).status).toBe(404)

    good(await root.patch(`${TENANT}/workspaces/${A}?dryRun=All`, { metadata: { labels: { tried: 'yes' } } }))
    expect((await stored(A)).metadata.labels?.tried).toBeUndefined()
    expect((await root.patch(`${TENANT}/workspaces/${A}?dryRun=yes`, {})).status).toBe(400)
  })

  it('is not overwritten by who has not seen the latest', async () => {
    const { metadata, spec } = await stored(A)
    good(await root.patch(`${TENANT}/workspaces/${A}`, { metadata: { labels: { seen: 'no' } } }))

    expect((await root.put(`${TENANT}/workspaces/${A}`, { metadata, spec })).status).toBe(409)
    const { resourceVersion: _, ...versionless } = metadata
    expect((await root.put(`${TENANT}/workspaces/${A}`, { metadata: versionless, spec })).status).toBe(422)
    const stale = { metadata: { resourceVersion: metadata.resourceVersion, labels: { seen: 'yes' } } }
    expect((await root.patch(`${TENANT}/workspaces/${A}`, stale)).status).toBe(409)
  })

  it('is patched by objects and by operations, as clients of either release send them', async () => {
    const path = `${TENANT}/workspaces/${A}`
    good(await root.patch(path, { metadata: { labels: { x: '1', y: '1' } } }))
    good(await root.patch(path, { metadata: { labels: { x: null } } }))
    good(
      await root.request('PATCH', path, [{ op: 'add', path: '/metadata/labels/z', value: '1' }], JSON_PATCH),
    )

    expect((await stored(A)).metadata.labels).toMatchObject({ y: '1', z: '1' })
    expect((await stored(A)).metadata.labels.x).toBeUndefined()
    const yaml = { 'content-type': 'application/apply-patch+yaml' }
    expect((await root.request('PATCH', path, {}, yaml)).status).toBe(415)
  })

  it('keeps its name, its finalizers and its place in the system when it is patched', async () => {
    const path = `${TENANT}/workspaces/${A}`
    const { finalizers, uid } = (await stored(A)).metadata
    expect((await root.patch(path, { metadata: { name: B } })).status).toBe(400)
    good(await root.patch(path, { metadata: { finalizers: null, uid: 'other', labels: { kept: 'yes' } } }))

    const { metadata } = await stored(A)
    expect({ finalizers: metadata.finalizers, uid: metadata.uid }).toEqual({ finalizers, uid })
    for (const nonsense of [
      { metadata: null },
      { metadata: [] },
      { spec: 'x' },
      { spec: { placement: [1] } },
    ])
      expect([400, 422]).toContain((await root.patch(path, nonsense)).status)
    for (const nonsense of [
      [{ op: 'remove', path: '' }],
      [{ op: 'replace', path: '', value: [] }],
      [1],
      ['x'],
    ])
      expect([400, 422]).toContain((await root.request('PATCH', path, nonsense, JSON_PATCH)).status)
  })
})

describe('who sees a workspace', () => {
  const PATHS = [
    `${TENANT}/workspaces/${A}`,
    `${TENANT}/workspaces/${A}/clusters`,
    `${TENANT}/workspaces/${A}/resourcequotas/${A}`,
    `${TENANT}/workspaces/nosuch`,
    `${TENANT3}/workspacetemplates/${A}`,
    `${TENANT3}/workspaces/${A}`,
  ]

  it('are its members and those who may see all, and a refusal does not say whether it exists', async () => {
    const [nob, vic, padmin] = await Promise.all([as('nob'), as('vic'), as('padmin')])

    for (const path of PATHS) expect((await nob.get(path)).status, path).toBe(403)
    expect((await vic.get(`${TENANT}/workspaces/${A}`)).json.metadata.name).toBe(A)
    expect((await vic.get(`${TENANT}/workspaces/${A}/resourcequotas/${A}`)).status).toBe(404)
    expect((await padmin.get(`${TENANT}/workspaces/${A}`)).status).toBe(200)
    expect((await vic.get(`${TENANT}/workspaces/${B}`)).status).toBe(403)
    expect((await root.get(`${TENANT}/workspaces/nosuch`)).status).toBe(404)
  })

  it('find it in their list, and no other', async () => {
    for (const path of [`${TENANT}/workspaces`, `${TENANT3}/workspacetemplates`, `${TENANT3}/workspaces`]) {
      expect(names(await (await as('reg')).get(path)), path).toEqual([A])
      expect(names(await (await as('nob')).get(path)), path).toEqual([])
      expect(names(await root.get(path)), path).toEqual(expect.arrayContaining([A, B, 'system-workspace']))
    }
    const { json } = await (await as('reg')).get(`${TENANT}/workspaces`)
    expect(json.items[0]).toMatchObject({
      kind: 'WorkspaceTemplate',
      apiVersion: 'tenant.kubesphere.io/v1alpha2',
    })
  })

  it('are not whoever may list workspaces of the tenant group alone', async () => {
    const rules = [{ apiGroups: ['tenant.kubesphere.io'], resources: ['workspaces'], verbs: ['*'] }]
    const lister = await userWithRules('lister', rules)

    expect(names(await lister.get(`${TENANT}/workspaces`))).toEqual([])
  })
})

describe('who changes a workspace', () => {
  it('is nobody of another, and no mere viewer', async () => {
    const vic = await as('vic')
    const { metadata, spec } = await stored(B)

    expect((await vic.put(`${TENANT}/workspaces/${B}`, { metadata, spec })).status).toBe(403)
    expect((await vic.patch(`${TENANT}/workspaces/${A}`, { metadata: { labels: {} } })).status).toBe(403)
    expect((await vic.delete(`${TENANT}/workspaces/${A}`)).status).toBe(403)
  })

  it('does not make a manager of who had less, by a role that only changes settings', async () => {
    const annotations = {
      'iam.kubesphere.io/aggregation-roles': '["role-template-manage-workspace-settings"]',
    }
    good(
      await root.post(`${IAM}/workspaces/${A}/workspaceroles`, {
        metadata: { name: `${A}-settings`, annotations },
      }),
    )
    good(await root.post(`${IAM}/users`, userObject('seth', 'platform-regular')))
    good(
      await root.post(`${IAM}/workspaces/${A}/workspacemembers`, [
        { username: 'seth', roleRef: `${A}-settings` },
      ]),
    )
    const seth = await product.as('seth')
    const path = `${TENANT}/workspaces/${A}`

    good(await seth.patch(path, { metadata: { annotations: { 'kubesphere.io/alias-name': 'Alpha' } } }))
    const manager = { spec: { template: { spec: { manager: 'seth' } } } }
    expect((await seth.patch(path, manager)).status).toBe(403)
    const overrides = [{ clusterName: 'host', clusterOverrides: [{ path: '/spec/manager', value: 'seth' }] }]
    expect((await seth.patch(path, { spec: { overrides } })).status).toBe(403)
    expect(await managers(A)).toEqual(['ana'])
    good(await (await as('ana')).patch(path, { spec: { template: { spec: { manager: 'ana' } } } }))
  })
})

describe('the clusters of a workspace', () => {
  it('are added by those who have them, however the patch is written', async () => {
    const ana = await as('ana')
    const path = `${TENANT}/workspaces/${A}`
    good(await root.patch(path, { spec: { placement: { clusterSelector: null } } }))

    const edge = { clusters: [{ name: 'edge-1' }] }
    expect((await ana.patch(path, { spec: { placement: edge } })).status).toBe(403)
    expect((await ana.patch(path, { spec: { placement: { clusterSelector: {} } } })).status).toBe(403)
    for (const operations of [
      [{ op: 'add', path: '/spec/placement/clusters/-', value: { name: 'edge-1' } }],
      [{ op: 'add', path: '/spec/placement/clusterSelector', value: {} }],
      [{ op: 'add', path: '/spec/placement', value: { clusterSelector: {} } }],
      [{ op: 'add', path: '/spec/placement', value: edge }],
    ])
      expect((await patchPlacement(ana, A, operations)).status, JSON.stringify(operations)).toBe(403)
    const replaced = [{ op: 'replace', path: '/spec/placement', value: edge }]
    expect((await patchPlacement(ana, A, replaced)).status).toBe(400)
    expect((await stored(A)).spec.placement).toEqual({})

    const open = [{ op: 'add', path: '/spec/placement/clusters/-', value: { name: 'open-1' } }]
    good(await patchPlacement(ana, A, open))
    expect((await stored(A)).spec.placement).toEqual({ clusters: [{ name: 'open-1' }] })
    expect(names(await ana.get(`${path}/clusters`))).toEqual(['open-1'])
  })

  it('are not changed by strangers, who learn nothing of the workspace either', async () => {
    const nob = await as('nob')
    const open = [{ op: 'add', path: '/spec/placement/clusters/-', value: { name: 'open-1' } }]
    const test = [{ op: 'test', path: '/spec/template/spec/manager', value: 'ana' }]

    // The same placement once more, and the same in another form: neither needs a right, both would show the rest.
    const { placement } = (await stored(B)).spec
    const same = [{ op: 'add', path: '/spec/placement', value: placement }]
    const stray = [{ op: 'add', path: '/spec/placement/stray', value: 1 }]
    for (const operations of [open, test, same, stray, []])
      expect((await patchPlacement(nob, B, operations)).status, JSON.stringify(operations)).toBe(403)
    expect((await patchPlacement(nob, 'nosuch', open)).status).toBe(403)
    expect((await patchPlacement(nob, A, { metadata: {} })).status).toBe(400)
  })

  it('are all that an administrator of a workspace changes through the open patch', async () => {
    const ana = await as('ana')
    const manager = [{ op: 'add', path: '/spec/template/spec/manager', value: 'nob' }]
    const both = [{ op: 'add', path: '/spec/placement/clusters', value: [] }, ...manager]

    expect((await patchPlacement(ana, A, manager)).status).toBe(403)
    expect((await patchPlacement(ana, A, both)).status).toBe(403)
    const direct = '/apis/tenant.kubesphere.io/v1alpha2/workspacetemplates'
    const merged = { spec: { template: { spec: { manager: 'nob' } } } }
    expect((await ana.patch(`${direct}/${A}`, merged)).status).toBe(403)
    good(await patchPlacement(root, A, [{ op: 'add', path: '/metadata/labels/by', value: 'root' }]))
  })

  it('have to exist, and to be open to who creates a workspace on them', async () => {
    const rules = [{ apiGroups: ['tenant.kubesphere.io'], resources: ['workspaces'], verbs: ['create'] }]
    const founder = await userWithRules('founder', rules)
    const on = (name: string, cluster: string) => ({
      ...unplaced(name, 'founder'),
      spec: { template: { spec: { manager: 'founder' } }, placement: { clusters: [{ name: cluster }] } },
    })

    expect((await founder.post(`${TENANT}/workspaces`, on('f1', 'nosuch'))).status).toBe(404)
    expect((await founder.post(`${TENANT}/workspaces`, on('f1', 'edge-1'))).status).toBe(403)
    expect((await founder.post(`${TENANT}/workspaces`, workspaceObject('f1', 'founder'))).status).toBe(403)
    good(await founder.post(`${TENANT}/workspaces`, on('f1', 'open-1')))
  })

  it('are listed to those they are granted to, without the credentials in them', async () => {
    good(await root.post(`${IAM}/users`, userObject('grant', 'platform-regular')))
    good(
      await root.patch('/apis/iam.kubesphere.io/v1alpha2/users/grant', {
        metadata: { annotations: { 'iam.kubesphere.io/granted-clusters': 'edge-1,gone-1' } },
      }),
    )
    const grant = await product.as('grant')

    const answer = await grant.get(`${TENANT}/clusters`)

    expect(names(answer)).toEqual(['edge-1'])
    expect(answer.text).not.toMatch(/c2VjcmV0|agent-token/)
    expect((await root.get(`${TENANT}/clusters`)).text).not.toContain('c2VjcmV0')
    expect(names(await (await as('nob')).get(`${TENANT}/clusters`))).toEqual([])
    expect(names(await (await as('vic')).get(`${TENANT}/clusters`))).toEqual(['open-1'])
  })
})

const unplaced = (name: string, manager: string) => ({
  metadata: { name },
  spec: { template: { spec: { manager } } },
})

/** A user with a platform role of just these rules. */
async function userWithRules(name: string, rules: unknown[]): Promise<Client> {
  const iam = { apiVersion: 'iam.kubesphere.io/v1alpha2' }
  const role = { ...iam, kind: 'GlobalRole', metadata: { name: `only-${name}` }, rules }
  good(await root.post('/apis/iam.kubesphere.io/v1alpha2/globalroles', role))
  good(await root.post(`${IAM}/users`, userObject(name, `only-${name}`)))
  return product.as(name)
}
