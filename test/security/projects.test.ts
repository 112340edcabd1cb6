/* eslint-disable @typescript-eslint/no-explicit-any -- answers of any shape, read by tests */
/** Projects and quotas as those in a workspace and those outside meet them (iam-tenant.md §13, 44-51, 57, 63, 64). */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { A, A1, A2, B, B1, type Cast, createCast, eventually, FREE, good } from '../fixtures/cast.js'
import { type Answer, type Client, type Product, startProduct } from '../fixtures/product.js'

const IAM = '/kapis/iam.kubesphere.io/v1alpha2'
const TENANT = '/kapis/tenant.kubesphere.io/v1alpha2'
const IN_A = `${TENANT}/workspaces/${A}`
const IN_B = `${TENANT}/workspaces/${B}`
const WORKSPACE = 'kubesphere.io/workspace'
const CREATOR = 'kubesphere.io/creator'

let product: Product
let cast: Cast
let root: Client
const as = (person: Parameters<Cast['as']>[0]): Promise<Client> => cast.as(person)

beforeAll(async () => {
  product = await startProduct()
  cast = await createCast(product)
  root = cast.root
})

afterAll(() => product.close())

const names = ({ json }: Answer): string[] => json.items.map(({ metadata }: any) => metadata.name).sort()
const namespace = async (name: string): Promise<any> => (await root.get(`/api/v1/namespaces/${name}`)).json

async function bindings(name: string): Promise<string[]> {
  return names(await root.get(`/apis/rbac.authorization.k8s.io/v1/namespaces/${name}/rolebindings`))
}

describe('a new project', () => {
  it('belongs to the workspace of the path and to who made it', async () => {
    const sp = await as('sp')
    const labels = { [WORKSPACE]: B, 'kubesphere.io/devopsproject': 'pipes', tier: 'gold' }
    const annotations = { [CREATOR]: 'ben' }

    good(await sp.post(`${IN_A}/namespaces`, { metadata: { name: 'made-by-sp', labels, annotations } }))

    await eventually(async () => {
      const { metadata } = await namespace('made-by-sp')
      expect(metadata.labels).toEqual({
        [WORKSPACE]: A,
        'kubesphere.io/namespace': 'made-by-sp',
        tier: 'gold',
      })
      expect(metadata.annotations[CREATOR]).toBe('sp')
      expect(metadata.ownerReferences).toMatchObject([{ kind: 'Workspace', name: A }])
      expect(metadata.finalizers).toEqual(['finalizers.kubesphere.io/namespaces'])
      expect(await bindings('made-by-sp')).toEqual(['sp-admin'])
      const roles = await root.get(`${IAM}/namespaces/made-by-sp/roles`)
      expect(names(roles)).toEqual(expect.arrayContaining(['admin', 'operator', 'viewer']))
    })
    expect(names(await sp.get(`${IN_A}/namespaces`))).toEqual(['made-by-sp'])
    expect((await (await as('ben')).get('/api/v1/namespaces/made-by-sp/pods')).status).toBe(403)
    good(await root.delete(`${IN_A}/namespaces/made-by-sp`))
    await eventually(async () => expect((await root.get('/api/v1/namespaces/made-by-sp')).status).toBe(404))
  })

  it('is not made in a workspace where one may not, nor twice, nor by a trial', async () => {
    const [sp, reg] = await Promise.all([as('sp'), as('reg')])
    const body = { metadata: { name: 'tried' } }

    expect((await reg.post(`${IN_A}/namespaces`, body)).status).toBe(403)
    expect((await sp.post(`${IN_B}/namespaces`, body)).status).toBe(403)
    good(await sp.post(`${IN_A}/namespaces?dryRun=All`, body))
    expect((await root.get('/api/v1/namespaces/tried')).status).toBe(404)
    expect((await root.post(`${IN_A}/namespaces`, { metadata: { name: A1 } })).status).toBe(400)
    for (const nonsense of [7, [], {}, { metadata: 'x' }, { metadata: { name: 'a/b' } }])
      expect((await root.post(`${IN_A}/namespaces`, nonsense)).status, JSON.stringify(nonsense)).toBe(400)
  })
})

describe('projects in lists', () => {
  it('are all of a workspace for its viewers, and those one is bound in for everybody else', async () => {
    const list = `${IN_A}/namespaces`

    expect(names(await (await as('vic')).get(list))).toEqual([A1, A2])
    expect(names(await (await as('reg')).get(list))).toEqual([])
    expect(names(await (await as('ben')).get(list))).toEqual([])
    expect(names(await (await as('pview')).get(list))).toEqual([A1])
    expect(names(await (await as('pview')).get(`${TENANT}/namespaces`))).toEqual([A1])
    expect(names(await (await as('pview')).get(`${IN_B}/namespaces`))).toEqual([])
    expect(names(await root.get(`${TENANT}/namespaces`))).toEqual(expect.arrayContaining([A1, B1, FREE]))
    expect((await root.get(list)).json.items[0]).toMatchObject({ kind: 'Namespace', apiVersion: 'v1' })
  })

  it('are not those of another workspace, whatever label the query asks for', async () => {
    const query = `label=${WORKSPACE}%3D${B}`

    expect(names(await (await as('vic')).get(`${IN_A}/namespaces?${query}`))).toEqual([A1, A2])
    const selector = `labelSelector=${WORKSPACE}%3D${B}`
    expect(names(await (await as('vic')).get(`${IN_A}/namespaces?${selector}`))).toEqual([])
  })

  it('come in pages, newest first, with the number of all', async () => {
    good(await root.post(`${IAM}/namespaces/${A2}/members`, [{ username: 'bare', roleRef: 'viewer' }]))
    good(await root.post(`${IAM}/namespaces/${B1}/members`, [{ username: 'bare', roleRef: 'viewer' }]))

    const page = (await (await as('bare')).get(`${TENANT}/namespaces?limit=1&page=2`)).json
    const all = (await (await as('bare')).get(`${TENANT}/namespaces`)).json.items

    expect(page.totalItems).toBe(2)
    expect(page.items.map(({ metadata }: any) => metadata.name)).toEqual([all[1].metadata.name])
    expect(new Set(names(await (await as('bare')).get(`${TENANT}/namespaces?status=Active`)))).toEqual(
      new Set([A2, B1]),
    )
    expect(
      names(await (await as('bare')).get(`${TENANT}/namespaces?fieldSelector=metadata.name%3D${A2}`)),
    ).toEqual([])
  })

  it('of another member are those that one may see oneself', async () => {
    const path = (member: string): string => `${IN_A}/workspacemembers/${member}/namespaces`

    expect(names(await (await as('vic')).get(path('padmin')))).toEqual([A1])
    expect(names(await (await as('reg')).get(path('vic')))).toEqual([])
    expect(names(await (await as('oper')).get(path('vic')))).toEqual([A1])
    expect(names(await (await as('vic')).get(path('vic')))).toEqual([A1, A2])
    expect((await (await as('nob')).get(path('vic'))).status).toBe(403)
    expect((await (await as('nob')).get(`${IN_A}/workspacemembers/vic/devops`)).status).toBe(403)
    expect(names(await (await as('nob')).get(path('nob')))).toEqual([])
  })
})

describe('one project', () => {
  it('is read by its members and those of the workspace', async () => {
    const path = `${IN_A}/namespaces/${A1}`

    expect((await (await as('vic')).get(path)).json).toMatchObject({
      kind: 'Namespace',
      metadata: { name: A1 },
    })
    expect((await (await as('pview')).get(path)).status).toBe(200)
    expect((await (await as('nob')).get(path)).status).toBe(403)
    expect((await (await as('nob')).get(`${IN_A}/namespaces/nosuch`)).status).toBe(403)
    expect((await (await as('ben')).get(path)).status).toBe(403)
  })

  it('is not found in another workspace, whatever one wants of it', async () => {
    const ana = await as('ana')
    const path = `${IN_A}/namespaces/${B1}`

    expect((await ana.get(path)).status).toBe(404)
    expect((await root.get(path)).status).toBe(404)
    for (const client of [ana, root]) {
      const wanted = client === root ? [404] : [403, 404]
      expect(wanted).toContain((await client.put(path, { metadata: { name: B1 } })).status)
      expect(wanted).toContain((await client.patch(path, { metadata: { labels: { x: 'y' } } })).status)
      expect(wanted).toContain((await client.delete(path)).status)
    }
    expect((await root.get(`${IN_A}/namespaces/${FREE}`)).status).toBe(404)
    expect((await namespace(B1)).metadata.deletionTimestamp).toBeUndefined()
  })

  it('is not changed by viewers', async () => {
    const vic = await as('vic')

    expect((await vic.put(`${IN_A}/namespaces/${A1}`, { metadata: { name: A1 } })).status).toBe(403)
    expect((await vic.delete(`${IN_A}/namespaces/${A1}`)).status).toBe(403)
  })

  it('stays where it is and whose it is when it is changed', async () => {
    const [ana, padmin] = await Promise.all([as('ana'), as('padmin')])
    const path = `${IN_A}/namespaces/${A1}`
    const { finalizers, ownerReferences, annotations: before } = (await namespace(A1)).metadata
    const labels = { [WORKSPACE]: B, 'kubesphere.io/devopsproject': 'pipes', tier: 'gold' }
    const annotations = { [CREATOR]: 'vic', note: 'kept' }

    good(await padmin.patch(path, { metadata: { labels, annotations, finalizers: [] } }))
    good(
      await ana.put(path, {
        metadata: { name: A1, labels, annotations, finalizers: [], ownerReferences: [] },
      }),
    )

    const { metadata } = await namespace(A1)
    expect(metadata.labels).toMatchObject({ [WORKSPACE]: A, tier: 'gold', 'kubesphere.io/namespace': A1 })
    expect(metadata.labels['kubesphere.io/devopsproject']).toBeUndefined()
    expect(metadata.annotations).toEqual({ [CREATOR]: before[CREATOR], note: 'kept' })
    expect(metadata).toMatchObject({ finalizers, ownerReferences })
    expect(await bindings(A1)).not.toContain('vic-admin')
  })

  it('is patched by merging, where nothing is an empty text', async () => {
    const path = `${IN_A}/namespaces/${A2}`
    good(await root.patch(path, { metadata: { labels: { x: '1' } } }))
    good(await root.patch(path, { metadata: { labels: { x: null } } }))

    expect((await namespace(A2)).metadata.labels.x).toBe('')
    expect((await root.patch(path, [])).status).toBe(400)
    expect((await root.patch(path, { metadata: { name: 'other' } })).status).toBe(400)
  })

  it('is not overwritten by who has not seen the latest, nor by a trial', async () => {
    const path = `${IN_A}/namespaces/${A2}`
    const { metadata } = await namespace(A2)
    good(await root.patch(path, { metadata: { labels: { seen: 'no' } } }))

    expect((await root.put(path, { metadata })).status).toBe(409)
    good(await root.patch(`${path}?dryRun=All`, { metadata: { labels: { seen: 'yes' } } }))
    good(await root.request('DELETE', path, { dryRun: ['All'] }))
    expect((await namespace(A2)).metadata).toMatchObject({ labels: { seen: 'no' } })
    expect((await namespace(A2)).metadata.deletionTimestamp).toBeUndefined()
    const other = { preconditions: { uid: 'another' } }
    expect((await root.request('DELETE', path, other)).status).toBe(409)
  })

  it('of the platform itself is not deleted through the workspace of the system', async () => {
    const path = `${TENANT}/workspaces/system-workspace/namespaces`
    const labels = { metadata: { labels: { [WORKSPACE]: 'system-workspace' } } }
    good(await root.patch('/api/v1/namespaces/kubesphere-controls-system', labels))

    expect((await root.delete(`${path}/kubesphere-controls-system`)).status).toBe(403)
  })
})

describe('the quota of a workspace', () => {
  const quota = (name: string, hard: Record<string, string>, more: object = {}) => ({
    metadata: { name },
    spec: { quota: { hard }, ...more },
  })

  it('counts the workspace of the path, whatever selector is sent', async () => {
    const selector = { [WORKSPACE]: B }

    good(await root.post(`${IN_A}/resourcequotas`, quota(A, { pods: '20' }, { selector })))

    const answer = good(await (await as('vic')).get(`${IN_A}/resourcequotas/${A}`)).json
    expect(answer.spec.selector).toEqual({ [WORKSPACE]: A })
    expect(answer.metadata.labels[WORKSPACE]).toBe(A)
    expect((await root.get(`${IN_B}/resourcequotas/${A}`)).status).toBe(404)
    expect((await (await as('ben')).get(`${IN_B}/resourcequotas/${A}`)).status).toBe(404)
    expect((await (await as('nob')).get(`${IN_A}/resourcequotas/${A}`)).status).toBe(403)
  })

  it('is neither changed nor removed through another workspace', async () => {
    const ben = await as('ben')

    expect((await ben.put(`${IN_B}/resourcequotas/${A}`, quota(A, { pods: '1' }))).status).toBe(404)
    expect((await ben.delete(`${IN_B}/resourcequotas/${A}`)).status).toBe(404)
    expect((await ben.post(`${IN_B}/resourcequotas`, quota(A, { pods: '1' }))).status).toBe(409)
  })

  it('is replaced by who has seen the latest, and not by viewers or trials', async () => {
    const path = `${IN_A}/resourcequotas/${A}`
    const put = (client: Client, body: unknown, query = ''): Promise<Answer> => client.put(path + query, body)
    const { metadata } = good(await root.get(path)).json
    const wanted = { ...quota(A, { pods: '30' }), metadata }

    expect((await put(await as('vic'), wanted)).status).toBe(403)
    expect((await put(root, quota(A, { pods: '30' }))).status).toBe(422)
    expect((await put(root, { ...wanted, metadata: { ...metadata, name: 'other' } })).status).toBe(400)
    await eventually(async () => {
      const latest = { ...wanted, metadata: (await root.get(path)).json.metadata }
      good(await put(root, latest, '?dryRun=All'))
      expect((await root.get(path)).json.spec.quota.hard).toEqual({ pods: '20' })
      good(await put(root, latest))
    })
    expect((await root.get(path)).json.spec.quota.hard).toEqual({ pods: '30' })
    expect((await put(root, wanted)).status).toBe(409)

    good(await root.delete(`${path}?dryRun=All`))
    good(await root.delete(path))
    expect((await root.get(path)).status).toBe(404)
    expect((await root.delete(path)).status).toBe(404)
    expect((await root.get(`${IN_A}/resourcequotas`)).status).toBe(405)
  })

  it('is one for all its projects together', async () => {
    const pod = (name: string) => ({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name },
      spec: { containers: [{ name: 'main', image: 'nginx' }] },
    })
    good(await root.post(`${IN_A}/resourcequotas`, quota(A, { pods: '2' })))
    await eventually(async () =>
      expect((await root.get(`${IN_A}/resourcequotas/${A}`)).json.status.total.hard).toEqual({ pods: '2' }),
    )

    for (const name of ['one', 'two']) good(await root.post(`/api/v1/namespaces/${A1}/pods`, pod(name)))
    const third = await root.post(`/api/v1/namespaces/${A2}/pods`, pod('three'))

    expect([third.status, third.text]).toEqual([403, expect.stringContaining('exceeded quota')])
    good(await root.post(`/api/v1/namespaces/${B1}/pods`, pod('elsewhere')))
    await eventually(async () => {
      const { status } = (await root.get(`${IN_A}/resourcequotas/${A}`)).json
      expect(status.total.used).toEqual({ pods: '2' })
      expect(status.namespaces.map(({ namespace: place }: any) => place).sort()).toEqual([A1, A2])
    })

    // With room in the workspace, the quota of the project itself counts still.
    const strict = { apiVersion: 'v1', kind: 'ResourceQuota', metadata: { name: 'strict' } }
    const quotas = `/api/v1/namespaces/${A2}/resourcequotas`
    good(await root.post(quotas, { ...strict, spec: { hard: { pods: '0' } } }))
    const room = { spec: { quota: { hard: { pods: '20' } } } }
    good(await root.patch(`/apis/quota.kubesphere.io/v1alpha2/resourcequotas/${A}`, room))
    await eventually(async () => {
      const fourth = await root.post(`/api/v1/namespaces/${A2}/pods?dryRun=All`, pod('four'))
      expect([fourth.status, fourth.text]).toEqual([403, expect.stringContaining('exceeded quota: strict')])
    })
    good(await root.post(`/api/v1/namespaces/${A1}/pods?dryRun=All`, pod('five')))
  })
})

describe('a service account with a role', () => {
  const SELECTOR = 'labelSelector=iam.kubesphere.io/serviceaccount-ref%3Dbot'

  it('is bound to it once, and to another when that changes', async () => {
    const accounts = `/api/v1/namespaces/${A1}/serviceaccounts`
    const as = (role: string): object => ({
      metadata: { name: 'bot', annotations: { 'iam.kubesphere.io/role': role } },
    })
    const bound = async (): Promise<any> =>
      (await root.get(`/apis/rbac.authorization.k8s.io/v1/namespaces/${A1}/rolebindings?${SELECTOR}`)).json
        .items
    const wanted = (role: string): unknown => [
      expect.objectContaining({
        metadata: expect.objectContaining({
          ownerReferences: [expect.objectContaining({ kind: 'ServiceAccount', name: 'bot' })],
        }),
        roleRef: expect.objectContaining({ kind: 'Role', name: role }),
        subjects: [{ kind: 'ServiceAccount', name: 'bot', namespace: A1 }],
      }),
    ]

    good(await root.post(accounts, { apiVersion: 'v1', kind: 'ServiceAccount', ...as('operator') }))
    await eventually(async () => expect(await bound()).toEqual(wanted('operator')))

    good(await root.patch(`${accounts}/bot`, as('viewer')))
    await eventually(async () => expect(await bound()).toEqual(wanted('viewer')))
  })
})
