/** Workspaces and projects from end to end: the whole product, and what its controllers make of what is written. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Kubectl, kubectlOn } from '../../test/fixtures/kubectl.js'
import { type Product, startProduct } from '../../test/fixtures/product.js'
import { eventually } from '../client/testing/eventually.js'

const TEMPLATES = '/apis/tenant.kubesphere.io/v1alpha2/workspacetemplates'
const WORKSPACES = '/apis/tenant.kubesphere.io/v1alpha1/workspaces'
const IAM = '/apis/iam.kubesphere.io/v1alpha2'
const RBAC = '/apis/rbac.authorization.k8s.io/v1'

let product: Product
let root: Kubectl

beforeAll(async () => {
  product = await startProduct()
  root = kubectlOn(product.upstream)
  for (const name of ['lin', 'mia', 'sp']) await created(`${IAM}/users`, user(name))
})
afterAll(() => product.close())

const user = (name: string) => ({
  apiVersion: 'iam.kubesphere.io/v1alpha2',
  kind: 'User',
  metadata: { name },
  spec: { email: `${name}@example.org` },
})
const template = (name: string, manager = 'lin') => ({
  apiVersion: 'tenant.kubesphere.io/v1alpha2',
  kind: 'WorkspaceTemplate',
  metadata: { name },
  spec: { template: { spec: { manager } }, placement: { clusters: [] } },
})
const project = (name: string, workspace?: string, creator?: string) => ({
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: {
    name,
    ...(workspace !== undefined && { labels: { 'kubesphere.io/workspace': workspace } }),
    ...(creator !== undefined && { annotations: { 'kubesphere.io/creator': creator } }),
  },
})

async function created(path: string, body: unknown): Promise<void> {
  const answer = await root.post(path, body)
  expect(answer.status, answer.text).toBe(201)
}

async function removed(path: string): Promise<void> {
  const answer = await root.delete(path)
  expect([200, 202], answer.text).toContain(answer.status)
}

const present = (path: string) =>
  eventually(async () => expect((await root.get(path)).status, path).toBe(200))
const absent = (path: string) => eventually(async () => expect((await root.get(path)).status, path).toBe(404))

async function namesIn(path: string): Promise<string[]> {
  const { json } = await root.get(path)
  return (json as { items: { metadata: { name: string } }[] }).items.map(({ metadata }) => metadata.name)
}

/** A workspace with its Workspace, so that projects in it get their owner. */
async function workspace(name: string): Promise<void> {
  await created(TEMPLATES, template(name))
  await present(`${WORKSPACES}/${name}`)
}

describe('a workspace template', () => {
  it('makes the workspace, its four roles and the binding of its manager', async () => {
    await created(TEMPLATES, template('blue'))

    await present(`${IAM}/workspacerolebindings/blue-admin`)
    expect(await namesIn(`${IAM}/workspaceroles?labelSelector=kubesphere.io/workspace=blue`)).toEqual([
      'blue-admin',
      'blue-regular',
      'blue-self-provisioner',
      'blue-viewer',
    ])
    expect((await root.get(`${IAM}/workspacerolebindings/blue-admin`)).json).toMatchObject({
      metadata: {
        labels: { 'kubesphere.io/workspace': 'blue', 'iam.kubesphere.io/user-ref': 'lin' },
        ownerReferences: [{ kind: 'WorkspaceTemplate', name: 'blue', controller: true }],
      },
      roleRef: { apiGroup: 'iam.kubesphere.io', kind: 'WorkspaceRole', name: 'blue-admin' },
      subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'lin' }],
    })
    await eventually(async () =>
      expect((await root.get(`${WORKSPACES}/blue`)).json).toMatchObject({
        metadata: { finalizers: ['finalizers.tenant.kubesphere.io'] },
        spec: { manager: 'lin' },
      }),
    )
  })

  it('moves the binding to a new manager, also one who becomes a user later', async () => {
    await workspace('green')
    const managed = (by: string) => ({ spec: { template: { spec: { manager: by } } } })
    const bound = (to: string) =>
      eventually(async () =>
        expect((await root.get(`${IAM}/workspacerolebindings/green-admin`)).json).toMatchObject({
          metadata: { labels: { 'iam.kubesphere.io/user-ref': to } },
          subjects: [{ name: to }],
        }),
      )

    await root.patch(`${TEMPLATES}/green`, managed('mia'))
    await bound('mia')
    await root.patch(`${TEMPLATES}/green`, managed('zoe'))
    await created(`${IAM}/users`, user('zoe'))
    await bound('zoe')
  })

  it('takes all that is in the workspace along when it goes', async () => {
    await workspace('red')
    await created('/api/v1/namespaces', project('red-dev', 'red'))
    await created('/api/v1/namespaces', project('other-dev', 'blue'))
    await present(`${RBAC}/namespaces/red-dev/roles/viewer`)

    await removed(`${TEMPLATES}/red`)

    for (const gone of [`${TEMPLATES}/red`, `${WORKSPACES}/red`, '/api/v1/namespaces/red-dev'])
      await absent(gone)
    await absent(`${IAM}/workspaceroles/red-viewer`)
    await absent(`${IAM}/workspacerolebindings/red-admin`)
    expect((await root.get('/api/v1/namespaces/other-dev')).status).toBe(200)
  })

  it('goes also when its name is too long for a label, and nothing could ever be in it', async () => {
    const long = 'w'.repeat(64)
    await created(TEMPLATES, template(long))
    await present(`${WORKSPACES}/${long}`)

    await removed(`${TEMPLATES}/${long}`)

    await absent(`${TEMPLATES}/${long}`)
    await absent(`${WORKSPACES}/${long}`)
  })

  it('leaves the projects, with their label, when it is to orphan them', async () => {
    await workspace('grey')
    await created('/api/v1/namespaces', project('grey-dev', 'grey'))
    await present(`${RBAC}/namespaces/grey-dev/roles/viewer`)
    const finalizers = ['finalizers.workspacetemplate.kubesphere.io', 'orphan.finalizers.kubesphere.io']
    await root.patch(`${TEMPLATES}/grey`, { metadata: { finalizers } })

    await removed(`${TEMPLATES}/grey`)

    await absent(`${WORKSPACES}/grey`)
    await absent(`${TEMPLATES}/grey`)
    const { metadata } = (await root.get('/api/v1/namespaces/grey-dev')).json
    expect(metadata.deletionTimestamp).toBeUndefined()
    expect(metadata.ownerReferences).toBeUndefined()
    expect(metadata.labels).toMatchObject({ 'kubesphere.io/workspace': 'grey' })
  })

  it('of the system never takes the system along', async () => {
    await removed(`${TEMPLATES}/system-workspace`)

    await absent(`${TEMPLATES}/system-workspace`)
    await absent(`${WORKSPACES}/system-workspace`)
    const { json } = await root.get('/api/v1/namespaces/kube-system')
    expect(json.metadata.deletionTimestamp).toBeUndefined()
    await created(TEMPLATES, template('system-workspace', 'admin'))
    await present(`${WORKSPACES}/system-workspace`)
  })
})

it('the workspace of the system comes back when it is deleted, and nothing goes with it', async () => {
  const owned = (metadata: { ownerReferences?: { uid: string }[] }) => metadata.ownerReferences?.[0]?.uid
  const system = async () => (await root.get('/api/v1/namespaces/kube-system')).json.metadata
  await eventually(async () => expect(owned(await system())).toBeDefined())
  const before = owned(await system())

  await removed(`${WORKSPACES}/system-workspace`)

  await eventually(async () => {
    const metadata = await system()
    expect(metadata.deletionTimestamp).toBeUndefined()
    expect(owned(metadata)).toBeDefined()
    expect(owned(metadata)).not.toBe(before)
  })
})

describe('a project', () => {
  it('gets label, finalizer, owner, roles, and its creator as administrator', async () => {
    await created('/api/v1/namespaces', project('shop', 'blue', 'sp'))

    await present(`${RBAC}/namespaces/shop/roles/role-template-view-basic`)
    await present(`${RBAC}/namespaces/shop/rolebindings/sp-admin`)
    expect((await root.get('/api/v1/namespaces/shop')).json.metadata).toMatchObject({
      labels: { 'kubesphere.io/namespace': 'shop', 'kubesphere.io/workspace': 'blue' },
      finalizers: ['finalizers.kubesphere.io/namespaces'],
      ownerReferences: [{ kind: 'Workspace', name: 'blue', controller: true, blockOwnerDeletion: true }],
    })
    await eventually(async () => {
      const roles = await namesIn(`${RBAC}/namespaces/shop/roles`)
      expect(roles).toEqual(expect.arrayContaining(['admin', 'operator', 'viewer']))
      expect(roles.length).toBeGreaterThan(20)
    })
    const events = (await root.get('/api/v1/namespaces/default/events')).json.items as object[]
    expect(events).toContainEqual(
      expect.objectContaining({
        reason: 'Synced',
        message: 'Synced successfully',
        source: { component: 'namespace-controller' },
      }),
    )
  })

  it('makes nobody an administrator who takes the finalizer away and calls himself creator', async () => {
    await created('/api/v1/namespaces', project('safe', 'blue', 'sp'))
    await present(`${RBAC}/namespaces/safe/rolebindings/sp-admin`)
    await present(`${RBAC}/namespaces/safe/roles/admin`)

    const forged = {
      metadata: {
        finalizers: null,
        labels: { 'kubesphere.io/namespace': null },
        annotations: { 'kubesphere.io/creator': 'mia' },
      },
    }
    expect((await root.patch('/api/v1/namespaces/safe', forged)).status).toBe(200)

    await eventually(async () =>
      expect((await root.get('/api/v1/namespaces/safe')).json.metadata).toMatchObject({
        finalizers: ['finalizers.kubesphere.io/namespaces'],
        labels: { 'kubesphere.io/namespace': 'safe' },
      }),
    )
    expect(await namesIn(`${RBAC}/namespaces/safe/rolebindings`)).toEqual(['sp-admin'])
  })

  it('follows a change of the roles that it is made from', async () => {
    await created('/api/v1/namespaces', project('late', 'blue'))
    const role = `${RBAC}/namespaces/late/roles/viewer`
    await present(role)

    const rules = [{ apiGroups: ['*'], resources: ['*'], verbs: ['get'] }]
    const { json: base } = await root.get(`${IAM}/rolebases/project-viewer`)
    await root.patch(`${IAM}/rolebases/project-viewer`, { role: { rules } })

    await eventually(async () => expect((await root.get(role)).json.rules).toEqual(rules))
    await root.patch(`${IAM}/rolebases/project-viewer`, { role: { rules: base.role.rules } })
  })

  it('changes its owner with its workspace, and loses it without one', async () => {
    await workspace('left')
    await workspace('right')
    await created('/api/v1/namespaces', project('mover', 'left'))
    const ownedBy = (...names: string[]) =>
      eventually(async () => {
        const { ownerReferences = [] } = (await root.get('/api/v1/namespaces/mover')).json.metadata
        expect((ownerReferences as { name: string }[]).map(({ name }) => name)).toEqual(names)
      })
    const labelled = (workspace: string | null) =>
      root.patch('/api/v1/namespaces/mover', {
        metadata: { labels: { 'kubesphere.io/workspace': workspace } },
      })
    await ownedBy('left')

    await labelled('right')
    await ownedBy('right')
    await labelled(null)
    await ownedBy()
  })

  it('outside of any workspace gets no roles, until a workspace of its label is made', async () => {
    await created('/api/v1/namespaces', project('free'))
    await created('/api/v1/namespaces', project('early', 'dawn'))
    await eventually(async () =>
      expect((await root.get('/api/v1/namespaces/free')).json.metadata.finalizers).toBeDefined(),
    )
    expect(await namesIn(`${RBAC}/namespaces/free/roles`)).toEqual([])

    await workspace('dawn')

    await eventually(async () =>
      expect((await root.get('/api/v1/namespaces/early')).json.metadata.ownerReferences).toMatchObject([
        { name: 'dawn' },
      ]),
    )
  })
})
