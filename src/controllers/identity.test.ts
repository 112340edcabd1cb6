/** Identity from end to end: the embedded API, real caches, and what the controllers make of what is written. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Controlled, startControlled } from '../../test/fixtures/controlled.js'
import { type KubeObject } from '../apimachinery/meta/types.js'
import { type CachedResourceType } from '../client/cachedresource.js'
import { eventually } from '../client/testing/eventually.js'
import {
  CLUSTER_ROLE_BINDINGS,
  CLUSTER_ROLES,
  GLOBAL_ROLE_BINDINGS,
  GLOBAL_ROLES,
  GROUP_BINDINGS,
  GROUPS,
  LOGIN_RECORDS,
  NAMESPACES,
  ROLE_BINDINGS,
  ROLES,
  USERS,
  WORKSPACE_ROLE_BINDINGS,
  WORKSPACE_ROLES,
  WORKSPACE_TEMPLATES,
} from '../tenancy/resources.js'
import { composedMark } from '../tenancy/roles.js'
import { type BindingObject, type RoleObject, type UserObject } from '../tenancy/types.js'

const DEPLOYMENTS = { group: 'apps', version: 'v1', resource: 'deployments', kind: 'Deployment' }
const SERVICE_ACCOUNTS = { group: '', version: 'v1', resource: 'serviceaccounts', kind: 'ServiceAccount' }
const CONTROLS = 'kubesphere-controls-system'
const WORKSPACE = 'kubesphere.io/workspace'
const USER_REF = 'iam.kubesphere.io/user-ref'
const GROUP_REF = 'iam.kubesphere.io/group-ref'

let world: Controlled

beforeAll(async () => {
  world = await startControlled({ controllers: ['*', '-namespace', '-workspace', '-workspacetemplate'] })
})
afterAll(() => world.close())

const person = (name: string) => ({ kind: 'User', name, apiGroup: 'rbac.authorization.k8s.io' })
const user = (name: string, groups?: string[]): Promise<UserObject> =>
  world.create(USERS, {
    metadata: { name },
    spec: { email: `${name}@example.com`, ...(groups && { groups }) },
  })
const template = (name: string) =>
  world.create(WORKSPACE_TEMPLATES, { metadata: { name }, spec: { template: {}, placement: {} } })
const group = (name: string, workspace: string, parent?: string) =>
  world.create(GROUPS, {
    metadata: {
      name,
      labels: {
        [WORKSPACE]: workspace,
        ...(parent !== undefined && { 'iam.kubesphere.io/group-parent': parent }),
      },
    },
  })
const member = (name: string, of: string, workspace: string, users: string[]) =>
  world.create(GROUP_BINDINGS, {
    metadata: { name, labels: { [WORKSPACE]: workspace, [GROUP_REF]: of } },
    groupRef: { apiGroup: 'iam.kubesphere.io', kind: 'groups', name: of },
    users,
  })
const binding = (
  type: CachedResourceType,
  name: string,
  role: string,
  subjects: object[],
  more: KubeObject['metadata'] = {},
) =>
  world.create(type, {
    metadata: { name, ...more },
    subjects,
    roleRef: {
      apiGroup: type.group,
      kind: type.kind.replace(/Binding$/, ''),
      name: role,
    },
  })

const there = (type: CachedResourceType, name: string, namespace?: string) =>
  eventually(async () => expect(await world.read(type, name, namespace), name).toBeDefined())
const gone = (type: CachedResourceType, name: string, namespace?: string) =>
  eventually(async () => expect(await world.read(type, name, namespace), name).toBeUndefined())
const groupsOf = async (name: string) => (await world.read<UserObject>(USERS, name))?.spec?.groups ?? []
const ownersOf = async (type: CachedResourceType, name: string) =>
  (await world.read(type, name))?.metadata.ownerReferences?.map((owner) => `${owner.kind} ${owner.name}`)
const expectGroups = (name: string, groups: string[]) =>
  eventually(async () => expect(await groupsOf(name)).toEqual(groups))

describe('a user that is deleted', () => {
  it('leaves nothing that a namesake could inherit, and takes nothing from others', async () => {
    await user('uma')
    await world.create(NAMESPACES, { metadata: { name: 'shared' } })
    const labels = { [USER_REF]: 'uma' }
    await binding(GLOBAL_ROLE_BINDINGS, 'uma-regular', 'platform-regular', [person('uma')], { labels })
    await binding(WORKSPACE_ROLE_BINDINGS, 'uma-w', 'w-viewer', [person('uma')])
    await binding(CLUSTER_ROLE_BINDINGS, 'uma-view', 'view', [person('uma'), person('vera')], { labels })
    await binding(ROLE_BINDINGS, 'by-hand', 'view', [person('uma'), person('vera')], { namespace: 'shared' })
    await binding(ROLE_BINDINGS, 'veras', 'view', [person('vera')], { namespace: 'shared' })
    await binding(
      ROLE_BINDINGS,
      'accounts',
      'view',
      [{ kind: 'ServiceAccount', name: 'uma', namespace: 'shared' }],
      { namespace: 'shared' },
    )
    await member('both', 'friends', 'w', ['uma', 'vera'])
    await member('alone', 'friends', 'w', ['uma'])
    await world.create(LOGIN_RECORDS, {
      metadata: { name: 'uma-1', labels },
      spec: { type: 'Token', provider: '', sourceIP: '10.0.0.1', success: true, reason: '' },
    })
    await eventually(async () =>
      expect((await world.read(USERS, 'uma'))?.metadata.finalizers).toEqual([
        'finalizers.kubesphere.io/users',
      ]),
    )

    await world.delete(USERS, 'uma')
    await gone(USERS, 'uma')

    expect(await world.read(GLOBAL_ROLE_BINDINGS, 'uma-regular')).toBeUndefined()
    expect(await world.read(WORKSPACE_ROLE_BINDINGS, 'uma-w')).toBeUndefined()
    expect(await world.read(LOGIN_RECORDS, 'uma-1')).toBeUndefined()
    const shared = await world.read<BindingObject>(CLUSTER_ROLE_BINDINGS, 'uma-view')
    expect(shared?.subjects).toEqual([person('vera')])
    expect(shared?.metadata.labels).toBeUndefined()
    const inProject = await world.list<BindingObject>(ROLE_BINDINGS, 'shared')
    expect(Object.fromEntries(inProject.map((each) => [each.metadata.name, each.subjects]))).toMatchObject({
      accounts: [{ kind: 'ServiceAccount', name: 'uma' }],
      'by-hand': [person('vera')],
      veras: [person('vera')],
    })
    expect(await world.read(GROUP_BINDINGS, 'both')).toMatchObject({ users: ['vera'] })
    await gone(GROUP_BINDINGS, 'alone')
  })

  it('may have a name that no label can hold', async () => {
    const long = `l${'o'.repeat(70)}ng`
    await user(long)
    await binding(GLOBAL_ROLE_BINDINGS, 'of-the-long-one', 'platform-regular', [person(long)])
    await eventually(async () => expect((await world.read(USERS, long))?.metadata.finalizers).toHaveLength(1))

    await world.delete(USERS, long)
    await gone(USERS, long)

    expect(await world.read(GLOBAL_ROLE_BINDINGS, 'of-the-long-one')).toBeUndefined()
  })
})

describe('the groups of a user', () => {
  it('are those of all its bindings, and those the platform does not know', async () => {
    await template('blue')
    await user('gil', ['company'])
    await group('ops', 'blue')

    await member('first', 'ops', 'blue', ['gil'])
    await member('second', 'ops', 'blue', ['gil', 'nobody'])
    await expectGroups('gil', ['company', 'ops'])

    await world.delete(GROUP_BINDINGS, 'first')
    await gone(GROUP_BINDINGS, 'first')
    expect(await groupsOf('gil')).toEqual(['company', 'ops'])

    await world.patch(GROUP_BINDINGS, 'second', { users: ['nobody'] })
    await expectGroups('gil', ['company'])
  })

  it('are not taken from a binding of another workspace', async () => {
    await user('eve')
    await group('red-ops', 'red')

    await member('sneaky', 'red-ops', 'blue', ['eve'])
    await member('honest', 'red-ops', 'red', ['eve'])
    await expectGroups('eve', ['red-ops'])
    await world.delete(GROUP_BINDINGS, 'honest')

    await expectGroups('eve', [])
  })

  it('cannot be written into the user', async () => {
    await group('secret', 'red')
    await user('max', ['secret', 'external'])

    await expectGroups('max', ['external'])
    await world.patch(USERS, 'max', { spec: { groups: ['external', 'secret'] } })
    await expectGroups('max', ['external'])
  })

  it('end with the group, with all that it was given and its children', async () => {
    await template('green')
    await user('ida')
    await group('crew', 'green')
    await group('crew-child', 'green', 'crew')
    await member('ida-crew', 'crew', 'green', ['ida'])
    const labels = { [GROUP_REF]: 'crew' }
    const subject = { kind: 'Group', name: 'crew', apiGroup: 'rbac.authorization.k8s.io' }
    await binding(WORKSPACE_ROLE_BINDINGS, 'crew-green', 'green-viewer', [subject], { labels })
    await binding(ROLE_BINDINGS, 'crew-default', 'view', [subject], { labels, namespace: 'default' })
    await expectGroups('ida', ['crew'])
    await eventually(async () => expect(await ownersOf(GROUPS, 'crew-child')).toEqual(['Group crew']))
    await eventually(async () => expect(await ownersOf(GROUPS, 'crew')).toEqual(['WorkspaceTemplate green']))

    await world.delete(GROUPS, 'crew')

    await gone(GROUPS, 'crew-child')
    await gone(GROUPS, 'crew')
    await gone(GROUP_BINDINGS, 'ida-crew')
    await expectGroups('ida', [])
    expect(await world.read(WORKSPACE_ROLE_BINDINGS, 'crew-green')).toBeUndefined()
    expect(await world.read(ROLE_BINDINGS, 'crew-default', 'default')).toBeUndefined()
  })

  it('have no parent in another workspace', async () => {
    await template('home')
    await group('away-group', 'away')
    await group('home-group', 'home', 'away-group')

    await eventually(async () =>
      expect(await ownersOf(GROUPS, 'home-group')).toEqual(['WorkspaceTemplate home']),
    )
    expect((await world.read(GROUPS, 'home-group'))?.metadata.labels).toEqual({ [WORKSPACE]: 'home' })
  })
})

describe('a platform administrator', () => {
  it('becomes administrator of the cluster with a terminal, until the binding goes', async () => {
    await user('root')
    await binding(GLOBAL_ROLE_BINDINGS, 'roots', 'platform-admin', [person('root')])

    await there(CLUSTER_ROLE_BINDINGS, 'root-cluster-admin')
    await there(DEPLOYMENTS, 'kubectl-root', CONTROLS)
    expect(await world.read(CLUSTER_ROLE_BINDINGS, 'root-cluster-admin')).toMatchObject({
      metadata: { ownerReferences: [{ kind: 'GlobalRoleBinding', name: 'roots', controller: true }] },
      subjects: [person('root')],
      roleRef: { kind: 'ClusterRole', name: 'cluster-admin' },
    })
    const deployment = await world.read<KubeObject & { spec: { template: { spec: object } } }>(
      DEPLOYMENTS,
      'kubectl-root',
      CONTROLS,
    )
    expect(deployment?.spec.template.spec).toMatchObject({
      automountServiceAccountToken: false,
      containers: [{ name: 'kubectl', image: 'kubesphere/kubectl:v1.0.0' }],
      volumes: [{ secret: { secretName: 'kubeconfig-root' } }],
    })

    await world.delete(GLOBAL_ROLE_BINDINGS, 'roots')
    await gone(CLUSTER_ROLE_BINDINGS, 'root-cluster-admin')
    await gone(DEPLOYMENTS, 'kubectl-root', CONTROLS)
  })

  it('stays one when bound twice and one binding goes', async () => {
    await user('twice')
    await binding(GLOBAL_ROLE_BINDINGS, 'one', 'platform-admin', [person('twice')])
    await there(CLUSTER_ROLE_BINDINGS, 'twice-cluster-admin')
    await binding(GLOBAL_ROLE_BINDINGS, 'two', 'platform-admin', [person('twice')])

    await world.delete(GLOBAL_ROLE_BINDINGS, 'one')

    await eventually(async () =>
      expect(await ownersOf(CLUSTER_ROLE_BINDINGS, 'twice-cluster-admin')).toEqual(['GlobalRoleBinding two']),
    )
  })

  it('who does not exist has no terminal before he does', async () => {
    await binding(CLUSTER_ROLE_BINDINGS, 'early', 'cluster-admin', [person('late')])
    await user('late')

    await there(DEPLOYMENTS, 'kubectl-late', CONTROLS)
  })
})

describe('roles of a workspace and their bindings', () => {
  it('belong to its template, also when that comes later', async () => {
    const labels = { [WORKSPACE]: 'lila' }
    await world.create(WORKSPACE_ROLES, { metadata: { name: 'lila-custom', labels } })
    await binding(WORKSPACE_ROLE_BINDINGS, 'lila-b', 'lila-custom', [person('x')], { labels })
    const foreign = { ...labels, 'kubefed.io/managed': 'true' }
    await binding(WORKSPACE_ROLE_BINDINGS, 'lila-f', 'lila-custom', [person('x')], { labels: foreign })

    await template('lila')

    for (const [type, name] of [
      [WORKSPACE_ROLES, 'lila-custom'],
      [WORKSPACE_ROLE_BINDINGS, 'lila-b'],
    ] as const)
      await eventually(async () => expect(await ownersOf(type, name)).toEqual(['WorkspaceTemplate lila']))
    expect(await ownersOf(WORKSPACE_ROLE_BINDINGS, 'lila-f')).toBeUndefined()
  })
})

describe('a role that is composed of others', () => {
  const rule = (resource: string) => ({ apiGroups: [''], resources: [resource], verbs: ['get'] })
  const composed = (...parts: string[]) => ({ 'iam.kubesphere.io/aggregation-roles': JSON.stringify(parts) })
  const rulesOf = async (type: CachedResourceType, name: string, namespace?: string) =>
    (await world.read<RoleObject>(type, name, namespace))?.rules
  const template = { 'iam.kubesphere.io/role-template': 'true' }

  it.each([
    [GLOBAL_ROLES, undefined],
    [CLUSTER_ROLES, undefined],
    [WORKSPACE_ROLES, undefined],
    [ROLES, 'default'],
  ])('follows its parts: $kind', async (type, namespace) => {
    const at = { ...(namespace !== undefined && { namespace }) }
    for (const name of ['part-a', 'part-b'])
      await world.create(type, { metadata: { name, labels: template, ...at }, rules: [rule(name)] })
    const annotations = composed('part-b', 'part-a')
    const rules = [rule('part-b'), rule('part-a')]
    await world.create(type, { metadata: { name: 'whole', annotations, ...at }, rules })
    await world.create(type, { metadata: { name: 'by-hand', annotations, ...at }, rules: [rule('else')] })
    const mark = { 'iam.kubesphere.io/composed-rules': expect.any(String) as string }
    await eventually(async () =>
      expect((await world.read(type, 'whole', namespace))?.metadata.annotations).toMatchObject(mark),
    )

    await world.patch(type, 'part-b', { rules: [rule('changed')] }, namespace)
    await eventually(async () =>
      expect(await rulesOf(type, 'whole', namespace)).toEqual([rule('changed'), rule('part-a')]),
    )
    await world.delete(type, 'part-a', namespace)
    await eventually(async () => expect(await rulesOf(type, 'whole', namespace)).toEqual([rule('changed')]))

    expect(await rulesOf(type, 'by-hand', namespace)).toEqual([rule('else')])
  })

  it('catches up with a part that changed while nobody was there to see it', async () => {
    const before = [rule('old')]
    await world.create(WORKSPACE_ROLES, {
      metadata: { name: 'moved', labels: template },
      rules: [rule('new')],
    })
    const annotations = {
      ...composed('moved'),
      'iam.kubesphere.io/composed-rules': composedMark(before),
    }
    // Ours, as it was left behind; and one that somebody has written by hand since.
    await world.create(WORKSPACE_ROLES, { metadata: { name: 'behind', annotations }, rules: before })
    await world.create(WORKSPACE_ROLES, { metadata: { name: 'edited', annotations }, rules: [rule('else')] })

    await eventually(async () => expect(await rulesOf(WORKSPACE_ROLES, 'behind')).toEqual([rule('new')]))
    await eventually(() => expect(world.idle).toBe(true))
    expect(await rulesOf(WORKSPACE_ROLES, 'edited')).toEqual([rule('else')])

    const { resourceVersion } = (await world.read(WORKSPACE_ROLES, 'behind'))?.metadata ?? {}
    await world.patch(WORKSPACE_ROLES, 'moved', { metadata: { labels: { touched: 'yes' } } })
    await eventually(() =>
      expect(world.resources.workspaceRoles.get('moved')?.metadata.labels).toHaveProperty('touched'),
    )
    await eventually(() => expect(world.idle).toBe(true))
    expect((await world.read(WORKSPACE_ROLES, 'behind'))?.metadata.resourceVersion).toBe(resourceVersion)
  })

  it('takes nothing from a role of another workspace', async () => {
    const mine = { [WORKSPACE]: 'mine' }
    const metadata = { name: 'mine-role', labels: mine, annotations: composed('theirs') }
    await world.create(WORKSPACE_ROLES, { metadata, rules: [] })
    const theirs = { name: 'theirs', labels: { [WORKSPACE]: 'theirs' } }
    await world.create(WORKSPACE_ROLES, { metadata: theirs, rules: [rule('secrets')] })
    await eventually(() => expect(world.resources.workspaceRoles.get('theirs')).toBeDefined())

    await eventually(() => expect(world.idle).toBe(true))

    expect(await rulesOf(WORKSPACE_ROLES, 'mine-role')).toEqual([])
  })
})

describe('a service account with a role', () => {
  const annotations = (role: string) => ({ 'iam.kubesphere.io/role': role })
  const bindings = () => world.list<BindingObject>(ROLE_BINDINGS, 'bots')

  it('has one binding that stays, until the role changes', async () => {
    await world.create(NAMESPACES, { metadata: { name: 'bots' } })
    await world.create(SERVICE_ACCOUNTS, {
      metadata: { name: 'bot', namespace: 'bots', annotations: annotations('operator') },
    })
    await world.create(ROLES, { metadata: { name: 'operator', namespace: 'bots' }, rules: [] })
    await eventually(async () => expect(await bindings()).toHaveLength(1))
    const [first] = await bindings()
    expect(first).toMatchObject({
      metadata: {
        generateName: 'bot-operator-',
        labels: { 'iam.kubesphere.io/serviceaccount-ref': 'bot' },
        ownerReferences: [{ kind: 'ServiceAccount', name: 'bot', controller: true }],
      },
      roleRef: { kind: 'Role', name: 'operator' },
      subjects: [{ kind: 'ServiceAccount', name: 'bot', namespace: 'bots' }],
    })

    await world.patch(SERVICE_ACCOUNTS, 'bot', { metadata: { labels: { touched: 'yes' } } }, 'bots')
    await eventually(() => expect(world.idle).toBe(true))
    expect(await bindings()).toEqual([first])

    await world.create(ROLES, { metadata: { name: 'viewer', namespace: 'bots' }, rules: [] })
    await world.patch(SERVICE_ACCOUNTS, 'bot', { metadata: { annotations: annotations('viewer') } }, 'bots')
    await eventually(async () =>
      expect((await bindings()).map(({ roleRef }) => roleRef.name)).toEqual(['viewer']),
    )
  })
})
