/* eslint-disable @typescript-eslint/no-explicit-any -- answers of any shape, read by tests */
/** Members, roles and groups, as people who belong to workspaces meet them (iam-tenant.md §13, 22-39, 72, 74). */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { A, A1, A2, B, B1, type Cast, createCast, eventually, good } from '../fixtures/cast.js'
import { type Answer, type Client, type Product, startProduct } from '../fixtures/product.js'

const IAM = '/kapis/iam.kubesphere.io/v1alpha2'
const KUBE_IAM = '/apis/iam.kubesphere.io/v1alpha2'
const IN_A = `${IAM}/workspaces/${A}`
const IN_B = `${IAM}/workspaces/${B}`

let product: Product
let cast: Cast
let [root, ana, nob]: Client[] = []

beforeAll(async () => {
  product = await startProduct()
  cast = await createCast(product)
  root = cast.root
  ana = await cast.as('ana')
  nob = await cast.as('nob')
})

afterAll(() => product.close())

const names = ({ json }: Answer): string[] =>
  (json.items ?? json).map(({ metadata }: { metadata: { name: string } }) => metadata.name)

const member = (username: string, roleRef: string) => ({ username, roleRef })

/** The bindings of a user in a workspace, as `name: role`. */
async function bindingsOf(user: string, workspace = A): Promise<Record<string, string>> {
  const { json } = await root!.get(`${IAM}/workspaces/${workspace}/workspacerolebindings?limit=-1`)
  const own = json.items.filter(({ subjects }: any) => subjects.some(({ name }: any) => name === user))
  return Object.fromEntries(own.map(({ metadata, roleRef }: any) => [metadata.name, roleRef.name]))
}

async function role(name: string, templates: string[]): Promise<void> {
  const annotations = {
    'iam.kubesphere.io/aggregation-roles': JSON.stringify(templates.map((part) => `role-template-${part}`)),
    'kubesphere.io/creator': 'ana',
  }
  good(await root!.post(`${IN_A}/workspaceroles`, { metadata: { name, annotations } }))
}

/** Made by name, gone afterwards. */
async function group(generateName: string, workspace = A): Promise<string> {
  const path = `${IAM}/workspaces/${workspace}/groups`
  return good(await root!.post(path, { metadata: { generateName } })).json.metadata.name
}

describe('members of a workspace', () => {
  it('are users with one role, whatever was given first', async () => {
    good(await ana!.post(`${IN_A}/workspacemembers`, [member('nob', `${A}-regular`)]))
    expect(names(await nob!.get(`${IN_A}/workspacemembers`))).toContain('nob')
    expect(names(await nob!.get('/kapis/tenant.kubesphere.io/v1alpha2/workspaces'))).toEqual([A])

    good(await ana!.post(`${IN_A}/workspacemembers`, [member('nob', `${A}-viewer`)]))

    expect(await bindingsOf('nob')).toEqual({ [`nob-${A}-viewer`]: `${A}-viewer` })
    const { json } = await ana!.get(`${IN_A}/workspacemembers/nob`)
    expect(json).toMatchObject({
      kind: 'User',
      metadata: { name: 'nob', annotations: { 'iam.kubesphere.io/workspacerole': `${A}-viewer` } },
    })
    expect(json.spec).not.toHaveProperty('password')
    await ana!.delete(`${IN_A}/workspacemembers/nob`)
  })

  it('lose access with the next request when they are removed', async () => {
    good(await ana!.put(`${IN_A}/workspacemembers/nob`, member('nob', `${A}-viewer`)))
    expect((await nob!.get(`${IN_A}/workspacemembers`)).status).toBe(200)

    good(await ana!.delete(`${IN_A}/workspacemembers/nob`))

    expect((await nob!.get(`${IN_A}/workspacemembers`)).status).toBe(403)
    expect((await ana!.get(`${IN_A}/workspacemembers/nob`)).status).toBe(404)
    expect((await ana!.delete(`${IN_A}/workspacemembers/nob`)).json).toEqual({ message: 'success' })
  })

  it('are invited all or not at all', async () => {
    const foreign = [member('nob', `${A}-viewer`), member('nob', `${B}-viewer`)]
    const unknown = [member('nob', `${A}-viewer`), member('nosuch', `${A}-viewer`)]

    const answers = [
      await ana!.post(`${IN_A}/workspacemembers`, foreign),
      await ana!.post(`${IN_A}/workspacemembers`, unknown),
      await ana!.post(`${IN_A}/workspacemembers`, [{ roleRef: `${A}-viewer` }]),
    ]

    expect(answers.map(({ status }) => status)).toEqual([404, 404, 400])
    expect(answers[0]!.text).toContain(`workspacerole.iam.kubesphere.io "${B}-viewer" not found`)
    expect(answers[1]!.text).toContain('user.iam.kubesphere.io "nosuch" not found')
    expect(await bindingsOf('nob')).toEqual({})
    expect((await ana!.post(`${IN_A}/workspacemembers`, [])).json).toEqual([])
  })

  it('are not changed by a trial', async () => {
    for (const answer of [
      await ana!.post(`${IN_A}/workspacemembers?dryRun=All`, [member('nob', `${A}-viewer`)]),
      await ana!.put(`${IN_A}/workspacemembers/reg?dryRun=All`, member('reg', `${A}-viewer`)),
      await ana!.delete(`${IN_A}/workspacemembers/reg?dryRun=All`),
    ])
      good(answer)

    expect(await bindingsOf('nob')).toEqual({})
    expect(await bindingsOf('reg')).toEqual({ [`reg-${A}-regular`]: `${A}-regular` })
    expect((await ana!.delete(`${IN_A}/workspacemembers/reg?dryRun=yes`)).status).toBe(400)
  })

  it('are put under their own name only', async () => {
    const answer = await ana!.put(`${IN_A}/workspacemembers/nob`, member('reg', `${A}-viewer`))

    expect(answer.status).toBe(400)
    expect(answer.text).toBe('the name of the object (reg) does not match the name on the URL (nob)\n')
  })

  it('do not make themselves administrator, nor get rid of one, with the right to manage members', async () => {
    await role(`${A}-personnel`, ['manage-members'])
    good(await root!.put(`${IN_A}/workspacemembers/nob`, member('nob', `${A}-personnel`)))

    const answers = [
      await nob!.put(`${IN_A}/workspacemembers/nob`, member('nob', `${A}-admin`)),
      await nob!.post(`${IN_A}/workspacemembers`, [member('bare', `${A}-admin`)]),
      await nob!.put(`${IN_A}/workspacemembers/ana`, member('ana', `${A}-personnel`)),
      await nob!.delete(`${IN_A}/workspacemembers/ana`),
    ]

    expect(answers.map(({ status }) => status)).toEqual([403, 403, 403, 403])
    expect(await bindingsOf('ana')).toEqual({ [`${A}-admin`]: `${A}-admin` })
    good(await nob!.post(`${IN_A}/workspacemembers`, [member('bare', `${A}-personnel`)]))
    good(await nob!.delete(`${IN_A}/workspacemembers/bare`))
    good(await nob!.delete(`${IN_A}/workspacemembers/nob`))
  })

  it('are not listed for another workspace, project or platform role through a filter', async () => {
    for (const filter of [`namespace=${B1}`, 'cluster=true', 'globalrole=platform-regular', `workspace=${B}`])
      expect((await ana!.get(`${IN_A}/workspacemembers?${filter}`)).json).toEqual({
        items: [],
        totalItems: 0,
      })
  })

  it('are found by role, and page by page', async () => {
    const viewers = await ana!.get(`${IN_A}/workspacemembers?workspacerole=${A}-viewer`)
    expect(names(viewers)).toEqual(['vic'])

    // The role is in an annotation of the answer alone, which can be filtered by like the others.
    const role = `annotation=iam.kubesphere.io/workspacerole`
    expect(names(await ana!.get(`${IN_A}/workspacemembers?${role}=${A}-viewer`))).toEqual(['vic'])
    expect((await ana!.get(`${IN_A}/workspacemembers?${role}`)).json.totalItems).toBe(4)
    expect(names(await ana!.get(`${IN_A}/workspacemembers?${role}=${B}-viewer`))).toEqual([])

    const second = await ana!.get(`${IN_A}/workspacemembers?sortBy=name&ascending=true&limit=1&page=2`)
    expect(second.json).toMatchObject({ totalItems: 4, items: [{ metadata: { name: 'reg' } }] })
  })

  it('have the parts of their role told, and nobody has any who is not there', async () => {
    const own = await (await cast.as('vic')).get(`${IN_A}/workspacemembers/vic/workspaceroles`)
    expect(names(own)).toContain('role-template-view-members')
    expect(names(own)).toEqual([...names(own)].sort())

    expect((await ana!.get(`${IN_A}/workspacemembers/nob/workspaceroles`)).json).toEqual([])
    expect((await ana!.get(`${IN_A}/workspacemembers/nosuch`)).status).toBe(404)
    expect((await ana!.get(`${IN_A}/workspacemembers/nosuch/workspaceroles`)).status).toBe(404)
    expect((await root!.get(`${IAM}/devops/nosuch/members/nob/roles`)).status).toBe(404)
  })

  it('hold nothing through a role that is gone', async () => {
    await role(`${A}-fleeting`, ['view-members'])
    good(await ana!.put(`${IN_A}/workspacemembers/nob`, member('nob', `${A}-fleeting`)))
    expect((await nob!.get(`${IN_A}/workspacemembers`)).status).toBe(200)

    good(await ana!.delete(`${IN_A}/workspaceroles/${A}-fleeting`))

    expect((await nob!.get(`${IN_A}/workspacemembers`)).status).toBe(403)
    expect((await ana!.get(`${IN_A}/workspacemembers/nob/workspaceroles`)).json).toEqual([])
    good(await ana!.delete(`${IN_A}/workspacemembers/nob`))
  })
})

describe('members of a project', () => {
  it('are given roles of the project by its administrator, and not by others', async () => {
    const padmin = await cast.as('padmin')
    const oper = await cast.as('oper')

    good(await padmin.post(`${IAM}/namespaces/${A1}/members`, [member('nob', 'viewer')]))
    good(await padmin.put(`${IAM}/namespaces/${A1}/members/nob`, member('nob', 'operator')))

    expect((await padmin.get(`${IAM}/namespaces/${A1}/members/nob`)).json.metadata.annotations).toMatchObject(
      {
        'iam.kubesphere.io/role': 'operator',
      },
    )
    expect((await padmin.put(`${IAM}/namespaces/${A1}/members/nob`, member('nob', 'nosuch'))).status).toBe(
      404,
    )
    expect((await padmin.put(`${IAM}/namespaces/${B1}/members/nob`, member('nob', 'viewer'))).status).toBe(
      403,
    )
    expect((await oper.put(`${IAM}/namespaces/${A1}/members/oper`, member('oper', 'admin'))).status).toBe(403)
    good(await padmin.delete(`${IAM}/namespaces/${A1}/members/nob`))
  })
})

describe('members of a DevOps project', () => {
  it('are those of the namespace behind it', async () => {
    const project = { metadata: { name: 'pipes', labels: { 'kubesphere.io/workspace': A } }, spec: {} }
    const made = await root!.post('/apis/devops.kubesphere.io/v1alpha3/devopsprojects', {
      apiVersion: 'devops.kubesphere.io/v1alpha3',
      kind: 'DevOpsProject',
      ...project,
    })
    const status = { status: { adminNamespace: A2 } }
    good(
      await root!.patch(
        `/apis/devops.kubesphere.io/v1alpha3/devopsprojects/${good(made).json.metadata.name}`,
        status,
      ),
    )
    const members = `${IAM}/devops/pipes/members`

    // Made through the Kubernetes API, so that the platform hears of it a moment later.
    await eventually(async () => {
      good(await ana!.post(members, [member('nob', 'viewer')]))
    })

    expect((await ana!.get(`${members}/nob`)).json.metadata.annotations).toMatchObject({
      'iam.kubesphere.io/role': 'viewer',
    })
    expect(names(await ana!.get(`${IAM}/namespaces/${A2}/members`))).toContain('nob')
    expect((await (await cast.as('ben')).get(members)).status).toBe(403)
    good(await ana!.delete(`${members}/nob`))
  })
})

describe('members of the cluster', () => {
  it('are the business of administrators', async () => {
    expect((await ana!.get(`${IAM}/clustermembers`)).status).toBe(403)
    expect((await ana!.post(`${IAM}/globalroles`, { metadata: { name: 'mine' } })).status).toBe(403)

    good(await root!.post(`${IAM}/clustermembers`, [member('nob', 'cluster-viewer')]))
    expect((await nob!.post(`${IAM}/clustermembers`, [member('nob', 'cluster-admin')])).status).toBe(403)
    expect((await root!.get(`${IAM}/clustermembers/nob`)).json.metadata.annotations).toMatchObject({
      'iam.kubesphere.io/clusterrole': 'cluster-viewer',
    })
    good(await root!.delete(`${IAM}/clustermembers/nob`))
  })
})

describe('roles of a workspace', () => {
  it('have the rules of the templates they name, whatever else is sent', async () => {
    const rules = [{ apiGroups: ['*'], resources: ['*'], verbs: ['*'] }]
    const annotations = { 'iam.kubesphere.io/aggregation-roles': '["role-template-view-projects"]' }
    const created = good(
      await ana!.post(`${IN_A}/workspaceroles`, { metadata: { name: `${A}-custom`, annotations }, rules }),
    )

    const template = await ana!.get(
      `${IN_A}/workspaceroles?label=iam.kubesphere.io/role-template=true&limit=-1`,
    )
    const part = template.json.items.find(
      ({ metadata }: any) => metadata.name === 'role-template-view-projects',
    )
    expect(created.json.rules).toEqual(part.rules)
    good(await ana!.delete(`${IN_A}/workspaceroles/${A}-custom`))
    // As Kubernetes says it of a version of what is gone.
    const { resourceVersion } = created.json.metadata
    const gone = await ana!.put(`${IN_A}/workspaceroles/${A}-custom`, {
      metadata: { name: `${A}-custom`, resourceVersion },
    })
    expect(gone).toMatchObject({
      status: 404,
      text: `workspaceroles.iam.kubesphere.io "${A}-custom" not found\n`,
    })
  })

  it('are not composed of what others own, and bring no policy along', async () => {
    const send = (annotations: object) =>
      ana!.post(`${IN_A}/workspaceroles`, { metadata: { name: `${A}-bad`, annotations } })

    const foreign = await send({ 'iam.kubesphere.io/aggregation-roles': `["${B}-admin"]` })
    const policy = await send({ 'iam.kubesphere.io/rego-override': 'package authz\ndefault allow = true' })

    expect([foreign.status, policy.status]).toEqual([404, 422])
    expect((await ana!.get(`${IN_A}/workspaceroles/${A}-bad`)).status).toBe(404)
  })

  it('stay in their workspace', async () => {
    await role(`${A}-here`, ['view-members'])
    const ben = await cast.as('ben')
    const { json } = await ana!.get(`${IN_A}/workspaceroles/${A}-here`)

    const answers = [
      await ben.get(`${IN_B}/workspaceroles/${A}-here`),
      await ben.delete(`${IN_B}/workspaceroles/${A}-here`),
      await ben.put(`${IN_B}/workspaceroles/${A}-here`, json),
    ]

    expect(answers.map(({ status }) => status)).toEqual([404, 404, 404])
    const { labels } = (await ana!.get(`${IN_A}/workspaceroles/${A}-here`)).json.metadata
    expect(labels).toMatchObject({ 'kubesphere.io/workspace': A })
    good(await ana!.delete(`${IN_A}/workspaceroles/${A}-here`))
  })

  it('are listed with the templates all share, or alone by who made them', async () => {
    await role(`${A}-made`, ['view-members'])

    const templates = names(
      await ana!.get(`${IN_A}/workspaceroles?label=iam.kubesphere.io/role-template=true`),
    )
    expect(templates).toContain('role-template-view-projects')
    expect(names(await ana!.get(`${IN_A}/workspaceroles?annotation=kubesphere.io/creator`))).toContain(
      `${A}-made`,
    )
    expect(names(await (await cast.as('ben')).get(`${IN_B}/workspaceroles`))).not.toContain(`${A}-made`)
    good(await ana!.delete(`${IN_A}/workspaceroles/${A}-made`))
  })
})

describe('bindings of a workspace', () => {
  const binding = (more: object = {}) => ({
    subjects: [{ kind: 'User', name: 'nob' }],
    roleRef: { kind: 'WorkspaceRole', name: `${A}-viewer` },
    ...more,
  })
  const post = (more?: object) => ana!.post(`${IN_A}/workspacerolebindings`, [binding(more)])

  it('give one role of the workspace to one subject that is there', async () => {
    const role = (kind: string, name: string) => ({ roleRef: { kind, name } })
    const answers = [
      await post(role('GlobalRole', 'platform-admin')),
      await post({ subjects: [] }),
      await post({
        subjects: [
          { kind: 'User', name: 'nob' },
          { kind: 'User', name: 'bare' },
        ],
      }),
      await post({ subjects: [{ kind: 'ServiceAccount', name: 'x', namespace: B1 }] }),
      await post(role('WorkspaceRole', `${B}-viewer`)),
      await post({ subjects: [{ kind: 'User', name: 'nosuch' }] }),
      await post({ subjects: [{ kind: 'Group', name: 'system:authenticated' }] }),
      await ana!.post(`${IN_A}/workspacerolebindings`, [binding(), binding({ subjects: [] })]),
    ]

    expect(answers.map(({ status }) => status)).toEqual([422, 422, 422, 422, 404, 404, 404, 422])
    expect(await bindingsOf('nob')).toEqual({})
  })

  it('are made with labels that say whose they are, and deleted where they are', async () => {
    const labels = { 'kubesphere.io/workspace': B, 'iam.kubesphere.io/group-ref': 'x', note: 'kept' }
    const [created] = good(await post({ metadata: { name: '', labels } })).json

    expect(created.metadata.name).toMatch(new RegExp(`^nob-${A}-viewer-`))
    expect(created.metadata.labels).toEqual({
      'kubesphere.io/workspace': A,
      'iam.kubesphere.io/user-ref': 'nob',
      note: 'kept',
    })
    const { name } = created.metadata
    const ben = await cast.as('ben')
    expect((await ben.delete(`${IN_B}/workspacerolebindings/${name}`)).status).toBe(404)
    expect(await bindingsOf('nob')).toEqual({ [name]: `${A}-viewer` })
    good(await ana!.delete(`${IN_A}/workspacerolebindings/${name}`))
    expect(await bindingsOf('nob')).toEqual({})
  })

  it('are chosen by any selector, and by none that cannot be read', async () => {
    const list = (selector: string) =>
      ana!.get(`${IN_A}/workspacerolebindings?labelSelector=${encodeURIComponent(selector)}`)

    expect(names(await list('iam.kubesphere.io/user-ref in (vic,reg)'))).toHaveLength(2)
    expect(names(await list('iam.kubesphere.io/user-ref=ben'))).toEqual([])
    expect(names(await list(`kubesphere.io/workspace=${B}`))).toEqual([])
    expect((await list('a in b')).status).toBe(400)
    expect((await ana!.get(`${IN_A}/groupbindings?labelSelector==x`)).status).toBe(400)
    expect(names(await ana!.get(`${IN_A}/workspacerolebindings?rolename=${A}-viewer`))).toHaveLength(1)
  })

  it('of projects are all told, and those of other workspaces are not', async () => {
    const { json } = await ana!.get(`${IN_A}/rolebindings`)
    const namespaces = new Set(json.map(({ metadata }: any) => metadata.namespace))
    expect(namespaces.has(A1)).toBe(true)
    expect(namespaces.has(B1)).toBe(false)
    expect((await (await cast.as('ben')).get(`${IN_A}/rolebindings`)).status).toBe(403)
  })
})

describe('groups', () => {
  it('need a name to show, their own in the workspace', async () => {
    const ops = await group('ops-')
    const twice = await ana!.post(`${IN_A}/groups`, { metadata: { generateName: 'ops-' } })
    const nameless = await ana!.post(`${IN_A}/groups`, { metadata: { name: 'fixed' } })
    const other = await group('ops-', B)

    expect([twice.status, nameless.status]).toEqual([409, 422])
    expect(twice.text).toContain('a group named ops- already exists in the workspace')
    expect((await ana!.get(`${IN_A}/groups/${other}`)).status).toBe(404)
    expect((await ana!.patch(`${IN_A}/groups/${other}`, { metadata: { labels: {} } })).status).toBe(404)
    expect((await ana!.delete(`${IN_A}/groups/${other}`)).status).toBe(404)
    good(await ana!.delete(`${IN_A}/groups/${ops}`))
    good(await root!.delete(`${IN_B}/groups/${other}`))
  })

  it('stay in their workspace, under a parent of the same', async () => {
    const [ops, other] = [await group('lead-'), await group('foreign-', B)]
    const patch = (labels: object) => ana!.patch(`${IN_A}/groups/${ops}`, { metadata: { labels } })

    expect((await patch({ 'iam.kubesphere.io/group-parent': other })).status).toBe(404)
    expect((await patch({ 'iam.kubesphere.io/group-parent': ops })).status).toBe(422)
    good(await patch({ 'kubesphere.io/workspace': B, note: 'x' }))

    expect((await ana!.get(`${IN_A}/groups/${ops}`)).json.metadata.labels).toMatchObject({
      'kubesphere.io/workspace': A,
      note: 'x',
    })
    good(await ana!.delete(`${IN_A}/groups/${ops}`))
    good(await root!.delete(`${IN_B}/groups/${other}`))
  })

  it('give their members what they are bound to, for as long as both last', async () => {
    const ops = await group('operators-')
    good(
      await ana!.post(`${IAM}/namespaces/${A1}/rolebindings`, [
        { subjects: [{ kind: 'Group', name: ops }], roleRef: { kind: 'Role', name: 'operator' } },
      ]),
    )
    const write = () =>
      nob!.request('POST', `/api/v1/namespaces/${A1}/configmaps?dryRun=All`, { metadata: { name: 'x' } })
    expect((await write()).status).toBe(403)

    const [joined] = good(
      await ana!.post(`${IN_A}/groupbindings`, [{ userName: 'nob', groupName: ops }]),
    ).json

    expect(joined.metadata.name).toMatch(new RegExp(`^${ops}-nob-`))
    await eventually(async () => expect((await write()).status).toBe(201))
    expect((await root!.get(`${IAM}/users/nob`)).json.spec.groups).toEqual([ops])
    const parts = await nob!.get(`${IAM}/namespaces/${A1}/members/nob/roles`)
    expect(names(parts)).toContain('role-template-manage-app-workloads')
    expect(names(await ana!.get(`${IAM}/namespaces/${A1}/members`))).not.toContain('nob')

    const told = good(await nob!.get(`${IAM}/users/nob/permissions?namespace=${A1}`))
    expect(told.json.items.at(-2)).toMatchObject({ namespace: A1, roles: [{ name: 'operator', group: ops }] })
    good(await ana!.delete(`${IN_A}/groupbindings/${joined.metadata.name}`))

    await eventually(async () => expect((await write()).status).toBe(403))
    expect((await root!.get(`${IAM}/users/nob`)).json.spec.groups ?? []).toEqual([])
    good(await ana!.delete(`${IN_A}/groups/${ops}`))
  })

  it('are not joined by who writes them into the own account', async () => {
    const theirs = await group('inner-', B)
    good(
      await root!.post(`${IAM}/namespaces/${B1}/rolebindings`, [
        { subjects: [{ kind: 'Group', name: theirs }], roleRef: { kind: 'Role', name: 'viewer' } },
      ]),
    )
    const { metadata, spec } = (await nob!.get(`${IAM}/users/nob`)).json

    const written = await nob!.put(`${IAM}/users/nob`, { metadata, spec: { ...spec, groups: [theirs] } })
    const patched = await nob!.patch(`${KUBE_IAM}/users/nob`, { spec: { groups: [theirs] } })

    for (const { status } of [written, patched]) expect([200, 403]).toContain(status)
    expect((await root!.get(`${IAM}/users/nob`)).json.spec.groups ?? []).toEqual([])
    expect((await nob!.get(`/api/v1/namespaces/${B1}/pods`)).status).toBe(403)
    good(await root!.delete(`${IN_B}/groups/${theirs}`))
  })

  it('are joined by users who exist, in their own workspace', async () => {
    const [ops, other] = [await group('own-'), await group('theirs-', B)]
    const join = (userName: string, groupName: string) =>
      ana!.post(`${IN_A}/groupbindings`, [
        { userName: 'nob', groupName: ops },
        { userName, groupName },
      ])

    expect((await join('nob', other)).status).toBe(404)
    expect((await join('nosuch', ops)).status).toBe(404)
    expect((await join('nob', 'nosuch')).status).toBe(404)

    expect((await ana!.get(`${IN_A}/groupbindings`)).json).toEqual({ items: [], totalItems: 0 })
    good(await ana!.delete(`${IN_A}/groups/${ops}`))
    good(await root!.delete(`${IN_B}/groups/${other}`))
  })

  it('are not joined, nor bound, by who does not hold what that gives', async () => {
    const bosses = await group('bosses-')
    good(
      await ana!.post(`${IN_A}/workspacerolebindings`, [
        { subjects: [{ kind: 'Group', name: bosses }], roleRef: { name: `${A}-admin` } },
      ]),
    )
    await role(`${A}-clerk`, ['manage-groups'])
    good(await root!.put(`${IN_A}/workspacemembers/nob`, member('nob', `${A}-clerk`)))

    const answers = [
      await nob!.post(`${IN_A}/groupbindings`, [{ userName: 'nob', groupName: bosses }]),
      await nob!.post(`${IN_A}/workspacerolebindings`, [
        { subjects: [{ kind: 'User', name: 'nob' }], roleRef: { name: `${A}-admin` } },
      ]),
      await nob!.delete(`${IN_A}/workspacerolebindings/${A}-admin`),
      await nob!.delete(`${IN_A}/groups/${bosses}`),
    ]

    expect(answers.map(({ status }) => status)).toEqual([403, 403, 403, 403])
    good(await ana!.delete(`${IN_A}/workspacemembers/nob`))
    good(await ana!.delete(`${IN_A}/groups/${bosses}`))
  })

  it('do not take a name that bindings of the platform speak of', async () => {
    const claim = (client: Client) =>
      client.post(`${IN_A}/groups`, { metadata: { generateName: 'claim-', name: 'pre-registration' } })

    expect((await claim(ana!)).status).toBe(403)

    expect((await root!.get(`${KUBE_IAM}/groups/pre-registration`)).status).toBe(404)
  })

  it('take their bindings, their members and the groups below them along', async () => {
    const top = await group('top-')
    const below = good(
      await ana!.post(`${IN_A}/groups`, {
        metadata: { generateName: 'below-', labels: { 'iam.kubesphere.io/group-parent': top } },
      }),
    ).json.metadata.name
    const bound = { subjects: [{ kind: 'Group', name: top }], roleRef: { name: `${A}-viewer` } }
    good(await ana!.post(`${IN_A}/workspacerolebindings`, [bound]))
    good(await ana!.post(`${IN_A}/groupbindings`, [{ userName: 'nob', groupName: top }]))
    const inProject = { subjects: [{ kind: 'Group', name: top }], roleRef: { kind: 'Role', name: 'viewer' } }
    good(await ana!.post(`${IAM}/namespaces/${A1}/rolebindings`, [inProject]))
    await eventually(async () =>
      expect((await root!.get(`${KUBE_IAM}/groups/${below}`)).json.metadata.ownerReferences).toBeDefined(),
    )

    good(await ana!.delete(`${IN_A}/groups/${top}`))

    await eventually(async () => {
      expect((await ana!.get(`${IN_A}/groups`)).json.items).toEqual([])
      expect((await ana!.get(`${IN_A}/groupbindings`)).json.items).toEqual([])
      const selector = `labelSelector=iam.kubesphere.io/group-ref=${top}`
      expect((await ana!.get(`${IN_A}/workspacerolebindings?${selector}`)).json.items).toEqual([])
      expect((await ana!.get(`${IN_A}/rolebindings`)).text).not.toContain(top)
      expect((await root!.get(`${IAM}/users/nob`)).json.spec.groups ?? []).toEqual([])
    })
  })

  it('make somebody part of a workspace without making them a member', async () => {
    const guests = await group('guests-')
    const bound = { subjects: [{ kind: 'Group', name: guests }], roleRef: { name: `${A}-viewer` } }
    good(await ana!.post(`${IN_A}/workspacerolebindings`, [bound]))
    good(await ana!.post(`${IN_A}/groupbindings`, [{ userName: 'nob', groupName: guests }]))

    await eventually(async () => expect((await nob!.get(`${IN_A}/workspacemembers`)).status).toBe(200))

    expect(names(await ana!.get(`${IN_A}/workspacemembers`))).not.toContain('nob')
    expect(names(await nob!.get(`${IN_A}/workspacemembers/nob/workspaceroles`))).toContain(
      'role-template-view-members',
    )
    good(await ana!.delete(`${IN_A}/groups/${guests}`))
  })
})

describe('the permissions of a user', () => {
  const places = ({ json }: Answer): string[] =>
    json.items.map(({ level, workspace, namespace }: any) => [level, workspace ?? namespace].join(' ').trim())

  it('are told to the user, place by place, with role and binding', async () => {
    const answer = good(await (await cast.as('padmin')).get(`${IAM}/users/padmin/permissions`))

    expect(places(answer)).toEqual(['global', 'cluster', `namespace ${A1}`])
    const [, , project] = answer.json.items
    expect(project).toMatchObject({
      namespace: A1,
      roles: [
        {
          kind: 'Role',
          namespace: A1,
          name: 'admin',
          bindings: [{ kind: 'RoleBinding', namespace: A1, name: 'padmin-admin' }],
          rules: [{ apiGroups: ['*'], resources: ['*'], verbs: ['*'] }],
        },
      ],
    })
    const authenticated = answer.json.items[0].roles.find(({ name }: any) => name === 'authenticated')
    expect(authenticated).toMatchObject({ group: 'system:authenticated' })
    expect(authenticated.ownRules).toContain('own-user')
  })

  it('can be asked for one workspace or project, and page by page', async () => {
    const vic = await cast.as('vic')
    const ask = async (query: string) => good(await vic.get(`${IAM}/users/vic/permissions?${query}`))

    expect(places(await ask(`workspace=${A}`))).toEqual(['global', `workspace ${A}`, 'cluster'])
    expect(places(await ask(`namespace=${A1}`))).toEqual(['global', `workspace ${A}`, 'cluster'])
    expect(places(await ask(`workspace=${B}`))).toEqual(['global', 'cluster'])
    expect(places(await ask(`workspace=${B}&namespace=${A1}`))).toEqual([])
    const third = await ask('limit=2&page=2')
    expect(places(third)).toEqual([`workspace ${A}`])
    expect(third.json.totalItems).toBe(3)
  })

  it('are told to others as far as they may see the places', async () => {
    expect(places(await root!.get(`${IAM}/users/oper/permissions`))).toEqual([
      'global',
      'cluster',
      `namespace ${A1}`,
    ])
    expect(places(await ana!.get(`${IAM}/users/oper/permissions`))).toEqual([`namespace ${A1}`])
    expect(places(await (await cast.as('um')).get(`${IAM}/users/oper/permissions`))).toEqual(['global'])
    for (const person of ['bare', 'ben'] as const)
      for (const user of ['oper', 'nosuch'])
        expect((await (await cast.as(person)).get(`${IAM}/users/${user}/permissions`)).status).toBe(403)
    expect((await product.withToken(undefined).get(`${IAM}/users/oper/permissions`)).status).toBe(403)
    expect((await root!.get(`${IAM}/users/nosuch/permissions`)).status).toBe(404)
  })
})
