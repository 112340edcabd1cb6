import { describe, expect, it } from 'vitest'
import { held } from '../../../test/fixtures/stored.js'
import { type ObjectMeta } from '../../apimachinery/meta/types.js'
import {
  type BindingObject,
  type NamespaceObject,
  type RoleObject,
  type UserObject,
  type WorkspaceObject,
  type WorkspaceTemplateObject,
} from '../../tenancy/types.js'
import { direct, federated, type FederatedWorkspaceObject } from './makers.js'
import {
  type WorkspaceTemplateReconcilerDeps,
  WorkspaceTemplateReconciler,
} from './workspacetemplate.reconciler.js'

const FINALIZER = 'finalizers.workspacetemplate.kubesphere.io'
const ORPHAN = 'orphan.finalizers.kubesphere.io'
const WORKSPACE = 'kubesphere.io/workspace'

const template = (metadata: ObjectMeta = {}, manager = 'lin'): WorkspaceTemplateObject => ({
  metadata: { name: 'blue', uid: 'blue-uid', ...metadata },
  spec: {
    placement: { clusters: [] },
    template: { metadata: { labels: { tier: 'gold' } }, spec: { manager, networkIsolation: false } },
  },
})
const going = (...finalizers: string[]): ObjectMeta => ({
  finalizers,
  deletionTimestamp: '2026-01-01T12:00:00Z',
})
const OWNER = {
  apiVersion: 'tenant.kubesphere.io/v1alpha2',
  kind: 'WorkspaceTemplate',
  name: 'blue',
  uid: 'blue-uid',
}
const BASES: RoleObject[] = [
  { metadata: { name: 'admin', annotations: { by: 'system' } }, rules: [] },
  { metadata: { name: 'viewer' }, rules: [] },
]
const user = (name: string): UserObject => ({ metadata: { name } })

function world(of: WorkspaceTemplateObject, others: Partial<WorkspaceTemplateReconcilerDeps> = {}) {
  const templates = held(of)
  const workspaces = held<WorkspaceObject>()
  const namespaces = held<NamespaceObject>(
    { metadata: { name: 'shop', labels: { [WORKSPACE]: of.metadata.name ?? '' } } },
    { metadata: { name: 'other', labels: { [WORKSPACE]: 'other' } } },
  )
  const roles = held<RoleObject>()
  const bindings = held<BindingObject>()
  const told: string[] = []
  const maker = direct(workspaces)
  const reconciler = new WorkspaceTemplateReconciler({
    users: held(user('lin'), user('mia')),
    maker: () => maker,
    isFederated: () => false,
    rolesFor: () => BASES,
    ownerFor: () => OWNER,
    removeApplications: () => Promise.resolve(),
    tell: ({ metadata }) => void told.push(metadata.name ?? ''),
    ...others,
    templates,
    namespaces,
    roles,
    bindings,
  })
  const pass = () =>
    reconciler.reconcile({ namespace: '', name: of.metadata.name ?? '' }, new AbortController().signal)
  return { templates, workspaces, namespaces, roles, bindings, told, pass }
}

describe('a workspace template', () => {
  it('becomes a workspace, with roles and the binding of its manager', async () => {
    const { templates, workspaces, roles, bindings, pass } = world(template())

    await pass()

    expect(templates.get('blue')?.metadata.finalizers).toEqual([FINALIZER])
    expect(workspaces.get('blue')).toEqual({
      metadata: { name: 'blue', labels: { tier: 'gold' } },
      spec: { manager: 'lin', networkIsolation: false },
    })
    expect(roles.get('blue-admin')).toEqual({
      metadata: {
        name: 'blue-admin',
        labels: { [WORKSPACE]: 'blue' },
        annotations: { by: 'system' },
        ownerReferences: [OWNER],
      },
      rules: [],
    })
    expect(roles.writes).toEqual(['create blue-admin', 'create blue-viewer'])
    expect(bindings.get('blue-admin')).toEqual({
      metadata: {
        name: 'blue-admin',
        labels: { [WORKSPACE]: 'blue', 'iam.kubesphere.io/user-ref': 'lin' },
        ownerReferences: [OWNER],
      },
      roleRef: { apiGroup: 'iam.kubesphere.io', kind: 'WorkspaceRole', name: 'blue-admin' },
      subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'lin' }],
    })
  })

  it('in order is left alone, and nobody is told again', async () => {
    const { templates, workspaces, roles, bindings, told, pass } = world(template())
    await pass()
    const writes = [templates, workspaces, roles, bindings].flatMap((each) => each.writes)

    await pass()

    expect([templates, workspaces, roles, bindings].flatMap((each) => each.writes)).toEqual(writes)
    expect(told).toEqual(['blue'])
  })

  it('leaves the labels of federation on roles and bindings', async () => {
    const { roles, pass } = world(template())
    await pass()
    const role = roles.get('blue-viewer') as RoleObject
    const labels = { ...role.metadata.labels, 'kubefed.io/managed': 'false' }
    await roles.commit(
      role,
      { ...role, metadata: { ...role.metadata, labels } },
      new AbortController().signal,
    )
    const before = [...roles.writes]

    await pass()

    expect(roles.writes).toEqual(before)
  })

  it.each([
    ['has none', ''],
    ['names one who is no user', 'nobody'],
  ])('that %s gets no binding of a manager', async (_, manager) => {
    const { bindings, pass } = world(template({}, manager))

    await pass()

    expect(bindings.writes).toEqual([])
  })

  it('waits for a workspace that is going before it makes another', async () => {
    const { workspaces, pass } = world(template())
    await workspaces.create(
      { metadata: { name: 'blue', deletionTimestamp: '2026-01-01T00:00:00Z' } },
      new AbortController().signal,
    )

    await pass()

    expect(workspaces.writes).toEqual(['create blue'])
  })
})

describe('a workspace template that is being deleted', () => {
  it('takes its namespaces and its workspace along', async () => {
    const { templates, workspaces, namespaces, pass } = world(template(going(FINALIZER)))
    await workspaces.create({ metadata: { name: 'blue' } }, new AbortController().signal)

    await pass()

    expect(namespaces.writes).toEqual(['delete shop (Background)'])
    expect(workspaces.writes).toEqual(['create blue', 'delete blue (Background)'])
    expect(templates.get('blue')?.metadata.finalizers).toEqual([])
  })

  it.each([
    ['that orphans them', template(going(FINALIZER, ORPHAN))],
    ['of the system', template({ ...going(FINALIZER), name: 'system-workspace' })],
  ])('%s leaves the namespaces', async (_, of) => {
    const { templates, workspaces, namespaces, pass } = world(of)
    const { name = '' } = of.metadata
    await workspaces.create({ metadata: { name } }, new AbortController().signal)

    await pass()

    expect(namespaces.writes).toEqual([])
    expect(workspaces.writes.at(-1)).toBe(`delete ${name} (Orphan)`)
    expect(templates.get(name)?.metadata.finalizers).toEqual([])
  })

  it('stays until everything has gone', async () => {
    const { templates, pass } = world(template(going(FINALIZER)), {
      removeApplications: () => Promise.reject(new Error('no answer')),
    })

    await expect(pass()).rejects.toThrow('no answer')
    expect(templates.get('blue')?.metadata.finalizers).toEqual([FINALIZER])
  })
})

describe('through federation', () => {
  it('a template becomes a FederatedWorkspace of its own labels and spec', async () => {
    const [twins, workspaces] = [held<FederatedWorkspaceObject>(), held<WorkspaceObject>()]
    const of = template({ labels: { tier: 'own' } })
    const { templates, pass } = world(of, {
      maker: () => federated(twins, workspaces),
      isFederated: () => true,
    })

    await pass()

    expect(twins.get('blue')).toEqual({ metadata: { name: 'blue', labels: { tier: 'own' } }, spec: of.spec })
    expect(workspaces.writes).toEqual([])
    expect(templates.get('blue')?.metadata.labels).toMatchObject({ 'kubefed.io/managed': 'false' })
  })

  it('members are told to keep what is orphaned', async () => {
    const twins = held<FederatedWorkspaceObject>({ metadata: { name: 'blue' } })
    const workspaces = held<WorkspaceObject>({ metadata: { name: 'blue' } })
    const { pass } = world(template(going(FINALIZER, ORPHAN)), { maker: () => federated(twins, workspaces) })

    await pass()

    expect(twins.writes).toEqual(['commit blue', 'delete blue (Background)'])
    expect(workspaces.writes).toEqual(['delete blue (Orphan)'])
  })
})
