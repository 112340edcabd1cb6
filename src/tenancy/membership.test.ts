import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { silent } from '../../test/fixtures/logger.js'
import { type KubeObject } from '../apimachinery/meta/types.js'
import { createAuthorization } from '../authorization/index.js'
import { type Place } from '../authorization/rights.js'
import { type RoleBook } from '../authorization/rolebook.js'
import { definitions } from '../bootstrap/data.js'
import { createInformerSet } from '../client/cache/informerset.js'
import { type InformerSet } from '../client/cache/interface.js'
import { RestClient } from '../client/rest.js'
import { type Transport } from '../client/transport.js'
import { ObjectWriter, PLATFORM } from '../client/writer.js'
import { type Kube, startKube } from '../kube/index.js'
import { bindingNames } from './bindings.js'
import { Membership } from './membership.js'
import { tenancyResources, type TenancyResources } from './resources.js'
import { type BindingObject, type Subject } from './types.js'

const CRDS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions'
const GLOBAL: Place = { level: 'global' }
const CLUSTER: Place = { level: 'cluster' }
const BLUE: Place = { level: 'workspace', workspace: 'blue' }
const SHOP: Place = { level: 'namespace', namespace: 'shop' }

let kube: Kube
let informers: InformerSet
let resources: TenancyResources
let membership: Membership
let book: RoleBook
/** Writes that are to fail: method and part of the path. */
let failing: [string, string] | undefined

beforeEach(async () => {
  kube = await startKube()
  failing = undefined
  const transport: Transport = {
    ...kube.transport,
    dispatch(request, sink) {
      if (failing?.[0] !== request.method || !request.path.includes(failing[1]))
        return kube.transport.dispatch(request, sink)
      sink.fail(new Error('the line is cut'))
      return { abort() {}, resume() {} }
    },
  }
  const writer = new ObjectWriter(kube.transport)
  for (const { name, bytes } of await definitions())
    if (/\.(iam|tenant)\.kubesphere/.test(name))
      await writer.create(CRDS, JSON.parse(bytes.toString()) as KubeObject)
  informers = createInformerSet({ transport: kube.transport, logger: silent, user: PLATFORM, recheckMs: 20 })
  resources = tenancyResources(informers, new RestClient({ transport, user: PLATFORM }))
  book = createAuthorization({ mode: 'RBAC', informers, logger: silent }).book
  for (const { pending } of Object.values(resources)) await pending()
  membership = new Membership({ resources, book })

  for (const name of ['platform-admin', 'platform-regular'])
    await resources.globalRoles.create({ metadata: { name } })
  for (const [name, workspace] of [
    ['blue-viewer', 'blue'],
    ['blue-admin', 'blue'],
    ['red-viewer', 'red'],
  ] as const)
    await resources.workspaceRoles.create({
      metadata: { name, labels: { 'kubesphere.io/workspace': workspace } },
    })
  await resources.namespaces.create({ metadata: { name: 'shop' } })
  for (const name of ['viewer', 'operator'])
    await resources.roles.create({ metadata: { name, namespace: 'shop' } })
})

afterEach(async () => {
  await informers.close()
  await kube.close()
})

const user = (name: string): Subject => ({ kind: 'User', apiGroup: 'iam.kubesphere.io', name })

async function bindingInBlue(name: string, role: string, subjects: Subject[], labels = {}): Promise<void> {
  await resources.workspaceRoleBindings.create({
    metadata: { name, labels: { 'kubesphere.io/workspace': 'blue', ...labels } },
    subjects,
    roleRef: { apiGroup: 'iam.kubesphere.io', kind: 'WorkspaceRole', name: role },
  })
}

async function stored({ client }: { client: { list(): Promise<{ items: BindingObject[] }> } }) {
  const { items } = await client.list()
  return Object.fromEntries(
    items.map(({ metadata, roleRef, subjects }) => [
      metadata.name,
      [roleRef.name, ...(subjects ?? []).map(({ name }) => name)],
    ]),
  )
}
const inBlue = () => stored(resources.workspaceRoleBindings)

describe('binding a user to a role', () => {
  it('makes a binding that says whose it is, at every level', async () => {
    await membership.bind(GLOBAL, [{ user: 'ann', role: 'platform-regular' }])
    await membership.bind(CLUSTER, [{ user: 'ann', role: 'view' }])
    await membership.bind(BLUE, [{ user: 'ann', role: 'blue-viewer' }])
    await membership.bind(SHOP, [{ user: 'ann', role: 'viewer' }])

    const [iam, rbac] = ['iam.kubesphere.io', 'rbac.authorization.k8s.io']
    const mine = { 'iam.kubesphere.io/user-ref': 'ann' }
    expect(resources.globalRoleBindings.get('ann-platform-regular')).toMatchObject({
      metadata: { labels: mine },
      subjects: [{ kind: 'User', apiGroup: iam, name: 'ann' }],
      roleRef: { apiGroup: iam, kind: 'GlobalRole', name: 'platform-regular' },
    })
    expect(resources.clusterRoleBindings.get('ann-view')).toMatchObject({
      metadata: { labels: mine },
      subjects: [{ kind: 'User', apiGroup: rbac, name: 'ann' }],
      roleRef: { apiGroup: rbac, kind: 'ClusterRole', name: 'view' },
    })
    expect(resources.workspaceRoleBindings.get('ann-blue-viewer')).toMatchObject({
      metadata: { labels: { ...mine, 'kubesphere.io/workspace': 'blue' } },
      roleRef: { apiGroup: iam, kind: 'WorkspaceRole', name: 'blue-viewer' },
    })
    expect(resources.roleBindings.get('ann-viewer', 'shop')).toMatchObject({
      metadata: { labels: mine },
      roleRef: { apiGroup: rbac, kind: 'Role', name: 'viewer' },
    })
    expect(membership.isMember(BLUE, 'ann')).toBe(true)
    expect(membership.isMember(BLUE, 'bob')).toBe(false)
  })

  it('again changes nothing', async () => {
    await membership.bind(BLUE, [{ user: 'ann', role: 'blue-viewer' }])
    const before = resources.workspaceRoleBindings.get('ann-blue-viewer')?.metadata.uid

    await membership.bind(BLUE, [{ user: 'ann', role: 'blue-viewer' }])

    expect(resources.workspaceRoleBindings.get('ann-blue-viewer')?.metadata.uid).toBe(before)
  })

  it('takes other roles of the place away, and leaves others in the same bindings', async () => {
    await membership.bind(BLUE, [{ user: 'ann', role: 'blue-viewer' }])
    await bindingInBlue('many', 'blue-viewer', [user('ann'), user('bob')], {
      'iam.kubesphere.io/user-ref': 'ann',
    })
    await bindingInBlue('group', 'blue-viewer', [{ kind: 'Group', name: 'ann' }])

    await membership.bind(BLUE, [{ user: 'ann', role: 'blue-admin' }])

    expect(await inBlue()).toEqual({
      'ann-blue-admin': ['blue-admin', 'ann'],
      many: ['blue-viewer', 'bob'],
      group: ['blue-viewer', 'ann'],
    })
    expect(resources.workspaceRoleBindings.get('many')?.metadata.labels).toEqual({
      'kubesphere.io/workspace': 'blue',
    })
  })

  it('keeps a binding that gives the role already, whatever its name', async () => {
    await bindingInBlue('blue-admin', 'blue-admin', [user('ann')])
    await bindingInBlue('twice', 'blue-admin', [user('ann')])

    await membership.bind(BLUE, [{ user: 'ann', role: 'blue-admin' }])

    expect(await inBlue()).toEqual({ 'blue-admin': ['blue-admin', 'ann'] })
  })

  it('uses another name when the first is taken by a binding of somebody else', async () => {
    await bindingInBlue('ann-blue-viewer', 'blue-viewer', [user('bob')])

    await membership.bind(BLUE, [{ user: 'ann', role: 'blue-viewer' }])

    const [, second = ''] = bindingNames('ann', 'blue-viewer')
    expect(await inBlue()).toEqual({
      'ann-blue-viewer': ['blue-viewer', 'bob'],
      [second]: ['blue-viewer', 'ann'],
    })
  })

  it('is refused for roles that are not there, or are those of another workspace', async () => {
    for (const role of ['nosuch', 'red-viewer'])
      await expect(membership.bind(BLUE, [{ user: 'ann', role }])).rejects.toMatchObject({
        code: 404,
        message: `workspacerole.iam.kubesphere.io "${role}" not found`,
      })
    await expect(membership.bind(SHOP, [{ user: 'ann', role: 'admin' }])).rejects.toMatchObject({ code: 404 })
    expect(await inBlue()).toEqual({})
  })

  it('leaves one role when two are chosen at the same time', async () => {
    await Promise.all(
      ['blue-admin', 'blue-viewer', 'blue-admin', 'blue-viewer'].map((role) =>
        membership.bind(BLUE, [{ user: 'ann', role }]),
      ),
    )

    expect(await inBlue()).toEqual({ 'ann-blue-viewer': ['blue-viewer', 'ann'] })
  })

  it('leaves nobody without a role when two processes choose at the same time', async () => {
    const other = new Membership({ resources, book })

    await Promise.all([
      membership.bind(BLUE, [{ user: 'ann', role: 'blue-admin' }]),
      other.bind(BLUE, [{ user: 'ann', role: 'blue-viewer' }]),
    ])
    expect(Object.keys(await inBlue()).length).toBeGreaterThan(0)

    await other.bind(BLUE, [{ user: 'ann', role: 'blue-viewer' }])
    expect(await inBlue()).toEqual({ 'ann-blue-viewer': ['blue-viewer', 'ann'] })
  })

  it('keeps nothing of a trial', async () => {
    await membership.bind(BLUE, [{ user: 'ann', role: 'blue-viewer' }])

    await membership.bind(BLUE, [{ user: 'ann', role: 'blue-admin' }], { dryRun: true })
    await membership.unbind(BLUE, 'ann', { dryRun: true })

    expect(await inBlue()).toEqual({ 'ann-blue-viewer': ['blue-viewer', 'ann'] })
  })
})

describe('binding many users', () => {
  it('does nothing when one of the roles is not there', async () => {
    const choices = [
      { user: 'ann', role: 'blue-viewer' },
      { user: 'bob', role: 'nosuch' },
    ]

    await expect(membership.bind(BLUE, choices)).rejects.toMatchObject({ code: 404 })

    expect(await inBlue()).toEqual({})
  })

  it('takes back what it did when a write fails half-way', async () => {
    await membership.bind(BLUE, [{ user: 'ann', role: 'blue-viewer' }])
    await bindingInBlue('many', 'blue-viewer', [user('bob'), user('cid')])
    await bindingInBlue('last', 'blue-viewer', [user('dan')])
    const before = await inBlue()
    failing = ['DELETE', '/last']

    await expect(
      membership.bind(
        BLUE,
        ['ann', 'bob', 'dan'].map((name) => ({ user: name, role: 'blue-admin' })),
      ),
    ).rejects.toThrow()

    expect(await inBlue()).toEqual(before)
  })
})

describe('taking a user out of a place', () => {
  it('leaves no role, and other members alone', async () => {
    await membership.bind(SHOP, [
      { user: 'ann', role: 'viewer' },
      { user: 'bob', role: 'operator' },
    ])

    await membership.unbind(SHOP, 'ann')
    await membership.unbind(SHOP, 'nosuch')

    expect(await stored(resources.roleBindings)).toMatchObject({ 'bob-operator': ['operator', 'bob'] })
    expect(membership.isMember(SHOP, 'ann')).toBe(false)
  })

  it('is refused for the first administrator and for the last', async () => {
    for (const name of ['admin', 'ann'])
      await resources.users.create({ metadata: { name }, spec: { email: `${name}@example.com` } })
    await membership.bind(GLOBAL, [{ user: 'ann', role: 'platform-admin' }])

    const refusal = { code: 409, reason: 'Conflict' }
    await expect(membership.unbind(GLOBAL, 'ann')).rejects.toMatchObject(refusal)
    await expect(membership.bind(GLOBAL, [{ user: 'ann', role: 'platform-regular' }])).rejects.toMatchObject(
      refusal,
    )

    await membership.bind(GLOBAL, [{ user: 'admin', role: 'platform-admin' }])
    await expect(membership.unbind(GLOBAL, 'admin')).rejects.toMatchObject(refusal)
    await membership.unbind(GLOBAL, 'ann')
    expect(membership.bindingsOf(GLOBAL, 'ann')).toEqual([])
  })

  it('is refused for the last administrator who can log in', async () => {
    for (const [name, state] of [
      ['ann', 'Active'],
      ['bob', 'Disabled'],
    ] as const)
      await resources.users.create({
        metadata: { name },
        spec: { email: `${name}@example.com` },
        status: { state },
      })
    await membership.bind(
      GLOBAL,
      ['ann', 'bob'].map((name) => ({ user: name, role: 'platform-admin' })),
    )

    await expect(membership.unbind(GLOBAL, 'ann')).rejects.toMatchObject({ code: 409 })
    await membership.unbind(GLOBAL, 'bob')
  })
})
