/**
 * What the web console does, call by call: login, page load, and every row of access control, workspaces and projects
 * (console-calls.md §2, §5, §6), by an administrator, an ordinary member and somebody who logs in for the first time.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Console, ConsoleError, type Json } from '../fixtures/console.js'
import { eventually } from '../fixtures/cast.js'
import { PASSWORD, type Product, startProduct } from '../fixtures/product.js'

const IAM = '/kapis/iam.kubesphere.io/v1alpha2'
const TENANT = '/kapis/tenant.kubesphere.io/v1alpha2'
const NATIVE_USERS = '/apis/iam.kubesphere.io/v1alpha2/users'
const JSON_PATCH = { 'content-type': 'application/json-patch+json' }
const ALL = 'page=1&limit=-1&sortBy=createTime'

let product: Product
let admin: Console

const namesIn = (list: Json): string[] =>
  (list.items as { metadata: { name: string } }[]).map(({ metadata }) => metadata.name).sort()

async function loggedIn(user: string, password = PASSWORD): Promise<Console> {
  const browser = new Console(product.url)
  await eventually(async () => {
    await browser.login(user, password)
  })
  return browser
}

function createUser(name: string, annotations: Record<string, string> = {}): Promise<Json> {
  return admin.call('POST', `${IAM}/users`, {
    apiVersion: 'iam.kubesphere.io/v1alpha2',
    kind: 'User',
    metadata: { name, annotations: { 'iam.kubesphere.io/globalrole': 'platform-regular', ...annotations } },
    spec: { email: `${name}@example.com`, password: PASSWORD },
  })
}

beforeAll(async () => {
  product = await startProduct()
  admin = await loggedIn('admin')
  await createUser('mia')
  await admin.call('POST', `${TENANT}/workspaces`, {
    apiVersion: 'tenant.kubesphere.io/v1alpha2',
    kind: 'WorkspaceTemplate',
    metadata: { name: 'blue', annotations: { 'kubesphere.io/alias-name': 'Blue team' } },
    spec: { template: { spec: { manager: 'admin' } } },
  })
  await eventually(async () => {
    const roles = await admin.get(`${IAM}/workspaces/blue/workspaceroles?${ALL}`)
    expect(namesIn(roles)).toContain('blue-regular')
  })
  await admin.call('POST', `${IAM}/workspaces/blue/workspacemembers`, [
    { username: 'mia', roleRef: 'blue-regular' },
  ])
})

afterAll(() => product.close())

describe('login and page load', () => {
  it('show an administrator all there is', async () => {
    const browser = new Console(product.url)

    expect(await browser.loginPage()).toEqual([])
    // The first administrator comes with a password that everybody knows.
    expect(await browser.login('admin')).toBe('/password/confirm')
    const page = await browser.page()

    expect(page.user.metadata.annotations['iam.kubesphere.io/globalrole']).toBe('platform-admin')
    expect(page.user.status.lastLoginTime).toMatch(/^\d{4}-/)
    expect(page.rules['users']).toContain('manage')
    expect(page.workspaces).toEqual(expect.arrayContaining(['blue', 'system-workspace']))
    expect((await browser.page34()).workspaces).toEqual(page.workspaces)
    await browser.refresh()
    expect((await browser.page()).workspaces).toEqual(page.workspaces)
  })

  it('show an ordinary member where they belong', async () => {
    const browser = await loggedIn('mia')

    const page = await browser.page()

    expect(page.user).toMatchObject({
      metadata: { annotations: { 'iam.kubesphere.io/globalrole': 'platform-regular' } },
      spec: { email: 'mia@example.com' },
    })
    expect(page.user.spec.password).toBeUndefined()
    expect(page.rules['users']).toBeUndefined()
    expect(page.workspaces).toEqual(['blue'])
    expect((await browser.page34()).workspaces).toEqual(['blue'])
    const rules = await browser.rulesAt(`${IAM}/workspaces/blue/workspacemembers/mia/workspaceroles`)
    expect(rules).toEqual({ 'workspace-settings': ['view'] })
    await expect(browser.get(`${IAM}/clustermembers/mia/clusterroles`)).resolves.toEqual([])
  })

  it('ask whoever comes for the first time for a password, and take it', async () => {
    await createUser('tim', { 'iam.kubesphere.io/uninitialized': 'true' })
    const browser = new Console(product.url)
    await eventually(async () => expect(await browser.login('tim')).toBe('/password/confirm'))
    await browser.page()

    await browser.call(
      'PATCH',
      `${NATIVE_USERS}/tim`,
      [
        { op: 'remove', path: '/metadata/annotations/iam.kubesphere.io~1uninitialized' },
        { op: 'replace', path: '/spec/password', value: 'Another1Password' },
      ],
      JSON_PATCH,
    )

    const again = await loggedIn('tim', 'Another1Password')
    expect(await again.login('tim', 'Another1Password')).toBe('/')
    await expect(again.login('tim')).rejects.toMatchObject({ status: 400 })
    expect((await again.page()).workspaces).toEqual([])
  })
})

describe('access control', () => {
  it('checks names and addresses before it creates a user', async () => {
    await createUser('zoe')

    expect(await admin.exists(`${IAM}/users/zoe`)).toBe(true)
    expect(await admin.exists(`${IAM}/users/nobody`)).toBe(false)
    expect(await admin.exists(`${IAM}/users?email=zoe%40example.com`)).toBe(true)
    expect(await admin.exists(`${IAM}/users?email=free%40example.com`)).toBe(false)
  })

  it('lists, edits, disables, enables and deletes users', async () => {
    await createUser('kim')
    const kim = await loggedIn('kim')

    const { items, totalItems } = await admin.get(`${IAM}/users?name=kim&page=1&limit=10&sortBy=createTime`)
    expect(totalItems).toBe(1)
    expect(items[0]).toMatchObject({
      metadata: { name: 'kim', annotations: { 'iam.kubesphere.io/globalrole': 'platform-regular' } },
      spec: { email: 'kim@example.com' },
      status: { state: 'Active' },
    })
    await admin.save(`${IAM}/users/kim`, (user) => ({ ...user, spec: { ...user.spec, description: 'new' } }))
    expect((await admin.get(`${IAM}/users/kim`)).spec.description).toBe('new')
    const records = await admin.get(`${IAM}/users/kim/loginrecords?page=1&limit=10&sortBy=createTime`)
    expect(records.items[0].spec).toMatchObject({
      success: true,
      sourceIP: '192.0.2.7',
      reason: expect.any(String),
    })

    const state = (value: string) => [{ op: 'replace', path: '/status/state', value }]
    await admin.call('PATCH', `${NATIVE_USERS}/kim`, state('Disabled'), JSON_PATCH)
    await eventually(() => expect(kim.page()).rejects.toMatchObject({ status: 401 }))
    await admin.call('PATCH', `${NATIVE_USERS}/kim`, state('Active'), JSON_PATCH)
    await loggedIn('kim')
    await admin.call('PUT', `${IAM}/users/kim/password`, { password: 'Given1ByAdmin' })
    await loggedIn('kim', 'Given1ByAdmin')

    await admin.delete(`${IAM}/users/kim`)
    await eventually(async () => expect(await admin.exists(`${IAM}/users/kim`)).toBe(false))
  })

  it('lets people edit themselves without a version', async () => {
    const browser = await loggedIn('mia')
    const me = await browser.get(`${IAM}/users/mia`)
    const { resourceVersion: _, ...metadata } = me.metadata

    await browser.call('PUT', `${IAM}/users/mia`, { ...me, metadata, spec: { ...me.spec, lang: 'de' } })

    expect((await browser.get(`${IAM}/users/mia`)).spec.lang).toBe('de')
    await browser.call('PUT', `${IAM}/users/mia/password`, {
      currentPassword: PASSWORD,
      password: 'MyOwn1Password',
    })
    await loggedIn('mia', 'MyOwn1Password')
    await admin.call('PUT', `${IAM}/users/mia/password`, { password: PASSWORD })
  })

  it.each([
    ['globalroles', `${IAM}/globalroles`, ''],
    ['workspaceroles', `${IAM}/workspaces/blue/workspaceroles`, 'blue-'],
  ])('composes %s of templates', async (_, path, prefix) => {
    const templates = await admin.get(`${path}?label=iam.kubesphere.io/role-template=true&limit=-1`)
    expect(templates.items.length).toBeGreaterThan(5)
    const basic = templates.items.find((role: Json) =>
      JSON.stringify(role.metadata.annotations).includes('role-template-rules'),
    )
    const name = `${prefix}auditors`

    await admin.call('POST', path, {
      metadata: {
        name,
        annotations: { 'iam.kubesphere.io/aggregation-roles': JSON.stringify([basic.metadata.name]) },
      },
      rules: [],
    })
    expect(namesIn(await admin.get(`${path}?annotation=kubesphere.io/creator&${ALL}`))).toContain(name)
    await admin.save(`${path}/${name}`, (role) => ({
      ...role,
      metadata: {
        ...role.metadata,
        annotations: { ...role.metadata.annotations, 'kubesphere.io/description': 'they look' },
      },
    }))
    const role = await admin.get(`${path}/${name}`)
    expect(role.metadata.annotations['kubesphere.io/description']).toBe('they look')
    expect(role.rules).toEqual(basic.rules ?? [])
    if (prefix !== '') expect(role.metadata.labels['kubesphere.io/workspace']).toBe('blue')
    await admin.delete(`${path}/${name}`)
    expect(await admin.exists(`${path}/${name}`)).toBe(false)
  })

  it('invites members, changes their roles and lets them go', async () => {
    await createUser('ned')
    const members = `${IAM}/workspaces/blue/workspacemembers`

    await admin.call('POST', members, [{ username: 'ned', roleRef: 'blue-viewer' }])
    const listed = (await admin.get(`${members}?${ALL}`)).items.find(
      (user: Json) => user.metadata.name === 'ned',
    )
    expect(listed.metadata.annotations['iam.kubesphere.io/workspacerole']).toBe('blue-viewer')
    await admin.call('PUT', `${members}/ned`, { username: 'ned', roleRef: 'blue-regular' })
    expect((await admin.get(`${members}/ned`)).metadata.annotations['iam.kubesphere.io/workspacerole']).toBe(
      'blue-regular',
    )
    await admin.delete(`${members}/ned`)
    expect(namesIn(await admin.get(`${members}?${ALL}`))).not.toContain('ned')
  })

  it('keeps groups with their members and roles', async () => {
    await createUser('pat')
    const groups = `${IAM}/workspaces/blue/groups`
    const bindings = `${IAM}/workspaces/blue/groupbindings`
    const roleBindings = `${IAM}/workspaces/blue/workspacerolebindings`

    const group = await admin.call('POST', groups, {
      apiVersion: 'iam.kubesphere.io/v1alpha2',
      kind: 'Group',
      metadata: { generateName: 'ops', annotations: { 'kubesphere.io/workspace-role': 'blue-viewer' } },
    })
    const { name } = group.metadata as { name: string }
    await admin.call('POST', bindings, [{ userName: 'pat', groupName: name }])
    await admin.call('POST', roleBindings, [
      {
        subjects: [{ name, kind: 'Group', apiGroup: 'rbac.authorization.k8s.io' }],
        roleRef: { apiGroup: 'iam.kubesphere.io/v1alpha2', kind: 'WorkspaceRole', name: 'blue-viewer' },
      },
    ])
    await eventually(async () =>
      expect(namesIn(await admin.get(`${IAM}/users?ingroup=${name}&${ALL}`))).toEqual(['pat']),
    )
    const pat = await loggedIn('pat')
    await eventually(async () => expect((await pat.page()).workspaces).toEqual(['blue']))

    const selector = `iam.kubesphere.io/group-ref=${name},iam.kubesphere.io/user-ref=pat`
    const { items } = await admin.get(`${bindings}?labelSelector=${encodeURIComponent(selector)}`)
    await admin.delete(`${bindings}/${items[0].metadata.name}`)
    await eventually(async () => expect((await pat.page()).workspaces).toEqual([]))
    expect(namesIn(await admin.get(`${IAM}/users?notingroup=${name}&${ALL}`))).toContain('pat')
    await admin.call('PATCH', `${groups}/${name}`, {
      metadata: { annotations: { 'kubesphere.io/alias-name': 'Operators' } },
    })
    await admin.delete(`${groups}/${name}`)
    await eventually(async () => {
      expect((await admin.get(`${groups}?limit=-1`)).totalItems).toBe(0)
      const left = await admin.get(
        `${roleBindings}?labelSelector=${encodeURIComponent(`iam.kubesphere.io/group-ref=${name}`)}`,
      )
      expect(left.items).toEqual([])
    })
  })
})

describe('workspaces and projects', () => {
  it('are created, shown, changed and deleted', async () => {
    await admin.call('POST', `${TENANT}/workspaces`, {
      apiVersion: 'tenant.kubesphere.io/v1alpha2',
      kind: 'WorkspaceTemplate',
      metadata: { name: 'red' },
      spec: { template: { spec: { manager: 'mia' } } },
    })
    const mia = await loggedIn('mia')
    await eventually(async () => expect((await mia.page()).workspaces.sort()).toEqual(['blue', 'red']))
    await admin.save(`${TENANT}/workspaces/red`, (template) => ({
      ...template,
      metadata: {
        ...template.metadata,
        annotations: { ...template.metadata.annotations, 'kubesphere.io/description': 'reds' },
      },
    }))
    await admin.call('PATCH', `${TENANT}/workspaces/red`, {
      spec: { template: { spec: { networkIsolation: true } } },
    })
    expect(await admin.get(`${TENANT}/workspaces/red`)).toMatchObject({
      metadata: { annotations: { 'kubesphere.io/description': 'reds' } },
      spec: { template: { spec: { manager: 'mia', networkIsolation: true } } },
    })
    const listed = await admin.get(`${TENANT}/workspaces?name=red&limit=10&page=1&sortBy=createTime`)
    expect(namesIn(listed)).toEqual(['red'])

    const projects = `${TENANT}/workspaces/red/namespaces`
    const selector = encodeURIComponent('!kubesphere.io/kubefed-host-namespace,!kubesphere.io/devopsproject')
    await mia.call('POST', projects, {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: 'red-dev', annotations: { 'kubesphere.io/alias-name': 'Development' } },
    })
    await eventually(async () =>
      expect((await mia.get(`${projects}?labelSelector=${selector}&${ALL}`)).items[0]).toMatchObject({
        metadata: {
          name: 'red-dev',
          labels: { 'kubesphere.io/workspace': 'red' },
          annotations: { 'kubesphere.io/creator': 'mia' },
        },
        status: { phase: 'Active' },
      }),
    )
    await eventually(async () => {
      const rules = await mia.rulesAt(`${IAM}/namespaces/red-dev/members/mia/roles`)
      expect(Object.keys(rules).length).toBeGreaterThan(3)
    })
    await mia.save(`${projects}/red-dev`, (namespace) => namespace)
    await mia.call('PATCH', `${projects}/red-dev`, {
      metadata: { annotations: { 'kubesphere.io/description': 'for trying' } },
    })
    const ofMember = await mia.get(`${TENANT}/workspaces/red/workspacemembers/mia/namespaces?${ALL}`)
    expect(namesIn(ofMember)).toEqual(['red-dev'])

    const quota = {
      apiVersion: 'quota.kubesphere.io/v1alpha2',
      kind: 'ResourceQuota',
      metadata: { name: 'red' },
    }
    await admin.call('POST', `${TENANT}/workspaces/red/resourcequotas`, {
      ...quota,
      spec: { quota: { hard: { 'limits.cpu': '4', pods: '10' } } },
    })
    await eventually(async () =>
      expect((await mia.get(`${TENANT}/workspaces/red/resourcequotas/red`)).status.total.hard).toEqual({
        'limits.cpu': '4',
        pods: '10',
      }),
    )

    await mia.delete(`${projects}/red-dev`)
    await eventually(async () => expect(await admin.exists(`${projects}/red-dev`)).toBe(false))
    await admin.delete(`${TENANT}/workspaces/red`)
    await eventually(async () => {
      expect(await admin.exists(`${TENANT}/workspaces/red`)).toBe(false)
      expect((await mia.page()).workspaces).toEqual(['blue'])
    })
  })

  it('that are not there lead to the page that says so', async () => {
    const failure = await admin.get(`${TENANT}/workspaces/nowhere`).catch((error: unknown) => error)

    expect(failure).toBeInstanceOf(ConsoleError)
    expect(failure).toMatchObject({ status: 404, isText: true })
    await expect(admin.get('/api/v1/namespaces/nowhere')).rejects.toMatchObject({
      status: 404,
      isText: false,
    })
  })

  it('of others are refused to a member with the phrase the console looks for', async () => {
    const browser = await loggedIn('mia')

    await expect(browser.get(`${TENANT}/workspaces/system-workspace`)).rejects.toMatchObject({
      status: 403,
      isText: true,
    })
    await expect(browser.get('/api/v1/namespaces/kube-system')).rejects.toMatchObject({ status: 403 })
  })

  it('let an administrator give a namespace to a workspace', async () => {
    await admin.call('POST', '/api/v1/namespaces', {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: 'stray' },
    })

    await admin.call('PATCH', '/api/v1/namespaces/stray', {
      metadata: { labels: { 'kubesphere.io/workspace': 'blue' } },
    })

    await eventually(async () => {
      const { items } = await admin.get(`${TENANT}/workspaces/blue/namespaces?${ALL}`)
      expect(namesIn({ items })).toContain('stray')
      const roles = await admin.get(`${IAM}/namespaces/stray/roles?${ALL}`)
      expect(namesIn(roles)).toEqual(expect.arrayContaining(['admin', 'operator', 'viewer']))
    })
    await admin.call('POST', `${IAM}/namespaces/stray/members`, [{ username: 'mia', roleRef: 'viewer' }])
    const mia = await loggedIn('mia')
    expect(namesIn(await mia.get(`${TENANT}/workspaces/blue/namespaces?${ALL}`))).toEqual(['stray'])
  })
})
