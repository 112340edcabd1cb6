import { describe, expect, it } from 'vitest'
import { held, type Held } from '../../../test/fixtures/stored.js'
import { type ObjectMeta } from '../../apimachinery/meta/types.js'
import {
  type BindingObject,
  type NamespaceObject,
  type RoleObject,
  type UserObject,
  type WorkspaceObject,
} from '../../tenancy/types.js'
import { NamespaceReconciler, type NamespaceReconcilerDeps } from './namespace.reconciler.js'

const FINALIZER = 'finalizers.kubesphere.io/namespaces'
const WORKSPACE = 'kubesphere.io/workspace'

const project = (metadata: ObjectMeta = {}): NamespaceObject => ({ metadata: { name: 'shop', ...metadata } })
const workspace = (name: string, deletionTimestamp?: string): WorkspaceObject => ({
  metadata: { name, uid: `${name}-uid`, ...(deletionTimestamp !== undefined && { deletionTimestamp }) },
})
const ownerOf = (name: string) => ({
  apiVersion: 'tenant.kubesphere.io/v1alpha1',
  kind: 'Workspace',
  name,
  uid: `${name}-uid`,
  controller: true,
  blockOwnerDeletion: true,
})
const sp: UserObject = { metadata: { name: 'sp' } }
const ROLES: RoleObject[] = [
  { metadata: { name: 'admin' }, rules: [{ apiGroups: ['*'], resources: ['*'], verbs: ['*'] }] },
  { metadata: { name: 'viewer', labels: { shown: 'true' }, annotations: { by: 'system' } }, rules: [] },
]

interface World extends Partial<Omit<NamespaceReconcilerDeps, 'namespaces' | 'roles' | 'bindings'>> {
  namespace: NamespaceObject
  roles?: Held<RoleObject>
}

async function pass({ namespace, roles = held<RoleObject>(), ...others }: World) {
  const namespaces = held(namespace)
  const bindings = held<BindingObject>()
  const removed: string[] = []
  const told: string[] = []
  const reconciler = new NamespaceReconciler({
    workspaces: held(workspace('blue'), workspace('red')),
    users: held(sp),
    ownerFor: ({ metadata }) => ownerOf(metadata.name ?? ''),
    rolesFor: (devops) => (devops ? ROLES.slice(0, 1) : ROLES),
    hasRole: async (name, of) => roles.get(name, of) !== undefined,
    removeRouter: async (name) => void removed.push(name),
    tell: ({ metadata }) => void told.push(metadata.name ?? ''),
    ...others,
    namespaces,
    roles,
    bindings,
  })
  await reconciler.reconcile({ namespace: '', name: 'shop' }, new AbortController().signal)
  return { after: namespaces.get('shop')?.metadata, namespaces, roles, bindings, removed, told }
}

const labelled = (name: string): ObjectMeta => ({ labels: { [WORKSPACE]: name } })
const inBlue: ObjectMeta = {
  labels: { [WORKSPACE]: 'blue', 'kubesphere.io/namespace': 'shop' },
  finalizers: [FINALIZER],
  ownerReferences: [ownerOf('blue')],
}

describe('a new namespace', () => {
  it('outside of workspaces is marked, and that is all', async () => {
    const { after, roles, bindings } = await pass({
      namespace: project({ annotations: { 'kubesphere.io/creator': 'sp' } }),
    })

    expect(after).toMatchObject({ finalizers: [FINALIZER], labels: { 'kubesphere.io/namespace': 'shop' } })
    expect([roles.writes, bindings.writes]).toEqual([[], []])
  })

  it('of a workspace gets everything in one pass, and people are told', async () => {
    const namespace = project({ ...labelled('blue'), annotations: { 'kubesphere.io/creator': 'sp' } })
    const { after, namespaces, roles, bindings, told } = await pass({ namespace })

    expect(after).toMatchObject({ finalizers: [FINALIZER], ownerReferences: [ownerOf('blue')] })
    expect(namespaces.writes).toEqual(['commit shop'])
    expect(roles.writes).toEqual(['create shop/admin', 'create shop/viewer'])
    expect(bindings.get('sp-admin', 'shop')).toEqual({
      metadata: { name: 'sp-admin', namespace: 'shop', labels: { 'iam.kubesphere.io/user-ref': 'sp' } },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'admin' },
      subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'sp' }],
    })
    expect(told).toEqual(['shop'])
  })

  it.each([
    ['nobody', held<UserObject>()],
    [
      'somebody who is leaving',
      held({ metadata: { ...sp.metadata, deletionTimestamp: '2026-01-01T00:00:00Z' } }),
    ],
  ])('made by %s gets no administrator', async (_, users) => {
    const namespace = project({ ...labelled('blue'), annotations: { 'kubesphere.io/creator': 'sp' } })

    expect((await pass({ namespace, users })).bindings.writes).toEqual([])
  })
})

describe('a namespace that lost its finalizer', () => {
  it('is not new while its role admin is there: whoever it names as creator gets nothing', async () => {
    const namespace = project({ ...labelled('blue'), annotations: { 'kubesphere.io/creator': 'sp' } })
    const roles = held<RoleObject>({ ...ROLES[0], metadata: { name: 'admin', namespace: 'shop' } })

    const { after, bindings } = await pass({ namespace, roles })

    expect(after?.finalizers).toEqual([FINALIZER])
    expect(bindings.writes).toEqual([])
  })
})

describe('a project', () => {
  it('in order is left alone, and nobody is told', async () => {
    const roles = held<RoleObject>(
      ...ROLES.map((role) => ({ ...role, metadata: { ...role.metadata, namespace: 'shop' } })),
    )
    const { namespaces, told } = await pass({ namespace: project(inBlue), roles })

    expect([namespaces.writes, roles.writes, told]).toEqual([[], [], []])
  })

  it('gets changed roles back as they were, and keeps those of its own', async () => {
    const roles = held<RoleObject>(
      { metadata: { name: 'admin', namespace: 'shop' }, rules: [] },
      { metadata: { name: 'viewer', namespace: 'shop', labels: { other: 'x' } }, rules: [] },
      { metadata: { name: 'custom', namespace: 'shop' }, rules: [] },
    )
    await pass({ namespace: project(inBlue), roles })

    expect(roles.writes).toEqual(['commit shop/admin', 'commit shop/viewer'])
    expect(roles.get('viewer', 'shop')?.metadata).toMatchObject({
      labels: { shown: 'true' },
      annotations: { by: 'system' },
    })
  })

  it('of DevOps gets the roles of DevOps', async () => {
    const namespace = project({ labels: { 'kubesphere.io/devopsproject': 'pipes' } })

    expect((await pass({ namespace })).roles.writes).toEqual(['create shop/admin'])
  })

  it('cannot pass for another: its label says its own name again', async () => {
    const labels = { ...inBlue.labels, 'kubesphere.io/namespace': 'bank' }

    expect((await pass({ namespace: project({ ...inBlue, labels }) })).after?.labels).toEqual(inBlue.labels)
  })

  it('changes its owner with its label', async () => {
    const moved = project({ ...inBlue, ...labelled('red') })

    expect((await pass({ namespace: moved })).after?.ownerReferences).toEqual([ownerOf('red')])
  })

  it('loses its owner without the label, and keeps other owners', async () => {
    const other = { apiVersion: 'v1', kind: 'ConfigMap', name: 'x', uid: 'x' }
    const namespace = project({ ...inBlue, labels: {}, ownerReferences: [ownerOf('blue'), other] })

    expect((await pass({ namespace })).after?.ownerReferences).toEqual([other])
  })

  it('that federation manages keeps its owners, and gets roles', async () => {
    const namespace = project({ ...inBlue, labels: { [WORKSPACE]: 'red', 'kubefed.io/managed': 'true' } })
    const { after, roles } = await pass({ namespace })

    expect(after?.ownerReferences).toEqual([ownerOf('blue')])
    expect(roles.writes).toHaveLength(2)
  })
})

describe('a project whose workspace is not there', () => {
  it('keeps its label when no workspace had it: one of that name may come', async () => {
    const { after } = await pass({ namespace: project({ ...labelled('later'), finalizers: [FINALIZER] }) })

    expect(after).toMatchObject(labelled('later'))
  })

  it('keeps its owner when that is the one gone: garbage collection takes it along', async () => {
    const namespace = project({ ...inBlue })
    const { after } = await pass({ namespace, workspaces: held<WorkspaceObject>() })

    expect(after).toMatchObject({ ...labelled('blue'), ownerReferences: [ownerOf('blue')] })
  })

  it('loses label and owner when it came there from another', async () => {
    const { after } = await pass({ namespace: project({ ...inBlue, ...labelled('nowhere') }) })

    expect(after).toMatchObject({ labels: {}, ownerReferences: [] })
  })
})

describe('a project whose workspace is going', () => {
  const workspaces = held(workspace('blue', '2026-01-01T12:00:00Z'))

  it('keeps label and owner', async () => {
    const namespace = project({ ...inBlue, creationTimestamp: '2026-01-01T11:00:00Z' })

    expect((await pass({ namespace, workspaces })).after).toMatchObject(inBlue)
  })

  it('and that was let go by it keeps its label', async () => {
    const { ownerReferences: _none, ...orphan } = inBlue
    const namespace = project({ ...orphan, creationTimestamp: '2026-01-01T11:00:00Z' })

    expect((await pass({ namespace, workspaces })).after?.labels).toEqual(inBlue.labels)
  })

  it('and that was made after that began loses its label', async () => {
    const late = project({
      ...labelled('blue'),
      finalizers: [FINALIZER],
      creationTimestamp: '2026-01-01T12:00:01Z',
    })

    expect((await pass({ namespace: late, workspaces })).after?.labels).not.toHaveProperty([WORKSPACE])
  })
})

describe('a namespace that is being deleted', () => {
  const going = { ...inBlue, deletionTimestamp: '2026-01-01T12:00:00Z' }

  it('loses its router, then the finalizer', async () => {
    const { after, removed } = await pass({ namespace: project(going) })

    expect([removed, after?.finalizers]).toEqual([['shop'], []])
  })

  it('keeps the finalizer when the router cannot be removed', async () => {
    const namespace = project(going)
    const removeRouter = () => Promise.reject(new Error('no answer'))

    await expect(pass({ namespace, removeRouter })).rejects.toThrow('no answer')
  })
})
