/** Federated twins, on an API that serves their definitions, before and after it does. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Controlled, startControlled } from '../../test/fixtures/controlled.js'
import { type KubeObject } from '../apimachinery/meta/types.js'
import { eventually } from '../client/testing/eventually.js'
import {
  GLOBAL_ROLE_BINDINGS,
  GLOBAL_ROLES,
  GROUP_BINDINGS,
  GROUPS,
  USERS,
  WORKSPACE_ROLE_BINDINGS,
  WORKSPACE_ROLES,
} from '../tenancy/resources.js'
import { type TwinObject } from './federation/twin.reconciler.js'

const SOURCES = [
  USERS,
  GLOBAL_ROLES,
  GLOBAL_ROLE_BINDINGS,
  WORKSPACE_ROLES,
  WORKSPACE_ROLE_BINDINGS,
  GROUPS,
  GROUP_BINDINGS,
]
const twinOf = ({ resource, kind }: { resource: string; kind: string }) => ({
  group: 'types.kubefed.io',
  version: 'v1beta1',
  resource: `federated${resource}`,
  kind: `Federated${kind}`,
})
const DEFINITIONS = {
  group: 'apiextensions.k8s.io',
  version: 'v1',
  resource: 'customresourcedefinitions',
  kind: 'CustomResourceDefinition',
}
const SCHEMA = { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } }
const definitionOf = ({ group, version, resource, kind }: ReturnType<typeof twinOf>): KubeObject => ({
  metadata: { name: `${resource}.${group}` },
  spec: {
    group,
    scope: 'Cluster',
    names: { plural: resource, singular: kind.toLowerCase(), kind, listKind: `${kind}List` },
    versions: [{ name: version, served: true, storage: true, schema: SCHEMA }],
  },
})

let world: Controlled

beforeAll(async () => {
  world = await startControlled({
    controllers: ['*', '-namespace', '-workspace', '-workspacetemplate'],
    options: { 'multicluster.enable': 'true' },
  })
  await world.create(USERS, { metadata: { name: 'early' }, spec: { email: 'early@example.com' } })
  await eventually(() => expect(world.resources.users.get('early')?.metadata.finalizers).toHaveLength(1))
  for (const source of SOURCES) await world.create(DEFINITIONS, definitionOf(twinOf(source)))
})
afterAll(() => world.close())

const templateOf = async (source: (typeof SOURCES)[number], name: string) =>
  (await world.read<TwinObject>(twinOf(source), name))?.spec?.template
const labels = { team: 'blue' }

describe('the federated twin', () => {
  it('of a user says who may log in, and not with which password', async () => {
    await world.create(USERS, {
      metadata: { name: 'fay', labels },
      spec: { email: 'fay@example.com', password: 'P@88w0rd' },
    })

    await eventually(async () =>
      expect(await templateOf(USERS, 'fay')).toEqual({
        metadata: { labels },
        spec: { email: 'fay@example.com' },
        status: expect.objectContaining({ state: 'Active' }) as object,
      }),
    )
    expect(await world.read(twinOf(USERS), 'fay')).toMatchObject({
      metadata: { ownerReferences: [{ kind: 'User', name: 'fay', controller: true }] },
      spec: { placement: { clusterSelector: {} } },
    })
    expect((await world.read(USERS, 'fay'))?.metadata.labels).toEqual({
      ...labels,
      'kubefed.io/managed': 'false',
    })
  })

  it('is made of what was there before federation', async () => {
    await eventually(async () => expect(await templateOf(USERS, 'early')).toBeDefined())
  })

  it.each([
    [GLOBAL_ROLES, { rules: [] }, { annotations: { note: 'x' } }],
    [WORKSPACE_ROLES, { rules: [] }, {}],
    [
      GLOBAL_ROLE_BINDINGS,
      { roleRef: { apiGroup: 'a', kind: 'GlobalRole', name: 'r' }, subjects: [{ kind: 'User', name: 'u' }] },
      { annotations: { note: 'x' } },
    ],
    [
      WORKSPACE_ROLE_BINDINGS,
      {
        roleRef: { apiGroup: 'a', kind: 'WorkspaceRole', name: 'r' },
        subjects: [{ kind: 'User', name: 'u' }],
      },
      {},
    ],
    [GROUPS, { spec: {} }, {}],
    [GROUP_BINDINGS, { groupRef: { kind: 'groups', name: 'g' }, users: ['u'] }, {}],
  ])('of a $kind carries what members need', async (source, contents, more) => {
    await world.create(source, { metadata: { name: 'one', labels, annotations: { note: 'x' } }, ...contents })

    await eventually(async () =>
      expect(await templateOf(source, 'one')).toEqual({ metadata: { labels, ...more }, ...contents }),
    )
  })

  it('follows its object, leaves the placement to operators, and goes with it', async () => {
    await world.create(GLOBAL_ROLES, { metadata: { name: 'moving', labels }, rules: [] })
    await eventually(async () => expect(await templateOf(GLOBAL_ROLES, 'moving')).toBeDefined())
    const placement = { clusters: [{ name: 'edge' }], clusterSelector: null }
    await world.patch(twinOf(GLOBAL_ROLES), 'moving', { spec: { placement } })

    await world.patch(GLOBAL_ROLES, 'moving', {
      rules: [{ verbs: ['get'], apiGroups: [''], resources: ['pods'] }],
    })

    await eventually(async () =>
      expect(await world.read(twinOf(GLOBAL_ROLES), 'moving')).toMatchObject({
        spec: { placement: { clusters: [{ name: 'edge' }] }, template: { rules: [{ resources: ['pods'] }] } },
      }),
    )
    await world.delete(GLOBAL_ROLES, 'moving')
    await eventually(async () => expect(await world.read(twinOf(GLOBAL_ROLES), 'moving')).toBeUndefined())
  })

  it('is not made of what federation wrote', async () => {
    const foreign = { 'kubefed.io/managed': 'true' }
    await world.create(GLOBAL_ROLES, { metadata: { name: 'foreign', labels: foreign }, rules: [] })
    await world.create(GLOBAL_ROLES, { metadata: { name: 'marker' }, rules: [] })
    await eventually(async () => expect(await templateOf(GLOBAL_ROLES, 'marker')).toBeDefined())

    expect(await templateOf(GLOBAL_ROLES, 'foreign')).toBeUndefined()
  })
})
