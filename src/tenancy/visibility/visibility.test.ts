import { beforeEach, describe, expect, it } from 'vitest'
import { EVERYTHING, LiteralTenancy, person } from '../../../test/fixtures/tenancy.js'
import { type PolicyRule } from '../../authorization/rules.js'
import { Access, Visibility, type Visible } from './index.js'

const VIEW: PolicyRule = { verbs: ['get', 'list', 'watch'], apiGroups: ['*'], resources: ['*'] }
const MEMBER: PolicyRule = { verbs: ['get', 'list'], apiGroups: ['*'], resources: ['workspaces'] }
const FORBIDDEN = { code: 403 }

let tenancy: LiteralTenancy
let visibility: Visibility
let access: Access

beforeEach(() => {
  tenancy = new LiteralTenancy()
  for (const name of ['alpha', 'beta']) tenancy.workspace(name)
  tenancy.namespace('a1', 'alpha')
  tenancy.namespace('a2', 'alpha')
  tenancy.namespace('b1', 'beta')
  tenancy.namespace('free')
  tenancy.globally('root', EVERYTHING)
  tenancy.inWorkspace('vic', 'alpha', VIEW)
  tenancy.inWorkspace('reg', 'alpha', MEMBER)
  tenancy.inNamespace('reg', 'b1', VIEW)
  tenancy.inNamespace('group:ops', 'a1', VIEW)
  visibility = new Visibility(tenancy)
  access = new Access(tenancy)
})

const names = (visible: Visible): unknown => visible?.map(({ name }) => name).sort()

describe('workspaces in lists', () => {
  const workspaces = (user: ReturnType<typeof person>): Promise<Visible> =>
    visibility.workspaces(user, tenancy.resources.workspaceTemplates.informer.store)

  it('are all for those who may list them in every API group, else those one is bound in', async () => {
    expect(await workspaces(person('root'))).toBeUndefined()
    expect(names(await workspaces(person('vic')))).toEqual(['alpha'])
    expect(names(await workspaces(person('nob')))).toEqual([])
  })

  it('are not opened by a role that names the tenant group alone', async () => {
    tenancy.globally('half', { verbs: ['*'], apiGroups: ['tenant.kubesphere.io'], resources: ['workspaces'] })

    expect(names(await workspaces(person('half')))).toEqual([])
  })

  it('leave out those that are gone while bindings remain', async () => {
    tenancy.inWorkspace('vic', 'gone', VIEW)

    expect(names(await workspaces(person('vic')))).toEqual(['alpha'])
  })
})

describe('projects in lists', () => {
  it('are all of the workspace for those who may list them there', async () => {
    expect(names(await visibility.namespaces(person('vic'), 'alpha'))).toEqual(['a1', 'a2'])
    expect(names(await visibility.namespaces(person('root'), 'alpha'))).toEqual(['a1', 'a2'])
    expect(names(await visibility.namespaces(person('root'), 'nosuch'))).toEqual([])
  })

  it('are those one is bound in for all others, as a user or through a group', async () => {
    expect(names(await visibility.namespaces(person('reg'), 'alpha'))).toEqual([])
    expect(names(await visibility.namespaces(person('reg', 'ops'), 'alpha'))).toEqual(['a1'])
    expect(names(await visibility.namespaces(person('reg', 'ops')))).toEqual(['a1', 'b1'])
    expect(names(await visibility.namespaces(person('nob')))).toEqual([])
  })

  it('leave out a binding whose namespace is gone', async () => {
    tenancy.inNamespace('reg', 'gone', VIEW)

    expect(names(await visibility.namespaces(person('reg')))).toEqual(['b1'])
  })

  it('are not opened by a role in another workspace', async () => {
    expect(names(await visibility.namespaces(person('vic'), 'beta'))).toEqual([])
  })
})

describe('DevOps projects in lists', () => {
  it('are those whose namespace one is bound in', async () => {
    for (const [name, workspace] of [
      ['pipes', 'alpha'],
      ['other', 'beta'],
    ] as const) {
      tenancy.put('devopsProjects', { metadata: { name, labels: { 'kubesphere.io/workspace': workspace } } })
      tenancy.namespace(`${name}-ns`, workspace, { labels: { 'kubesphere.io/devopsproject': name } })
      tenancy.inNamespace('dev', `${name}-ns`, VIEW)
    }

    expect(names(await visibility.devopsProjects(person('dev'), 'alpha'))).toEqual(['pipes'])
    expect(names(await visibility.devopsProjects(person('vic'), 'alpha'))).toEqual(['pipes'])
    expect(names(await visibility.devopsProjects(person('nob'), 'alpha'))).toEqual([])
  })
})

describe('one workspace', () => {
  it('is for those bound in it, or in one of its projects', async () => {
    await access.demandWorkspace(person('vic'), 'alpha')
    await access.demandWorkspace(person('reg'), 'beta')
    await access.demandWorkspace(person('nob', 'ops'), 'alpha')
    await access.demandWorkspace(person('root'), 'alpha')

    await expect(access.demandWorkspace(person('vic'), 'beta')).rejects.toMatchObject(FORBIDDEN)
    await expect(access.demandWorkspace(person('nob'), 'alpha')).rejects.toMatchObject(FORBIDDEN)
  })

  it('is refused alike whether or not it exists', async () => {
    await expect(access.demandWorkspace(person('nob'), 'nosuch')).rejects.toMatchObject(FORBIDDEN)
    await access.demandWorkspace(person('root'), 'nosuch')
  })

  it('is not that of namespaces which belong to none', async () => {
    tenancy.inNamespace('loner', 'free', VIEW)

    await expect(access.demandWorkspace(person('loner'), '')).rejects.toMatchObject(FORBIDDEN)
  })
})

describe('one project', () => {
  it('is for its members and those of its workspace', async () => {
    await access.demandNamespace(person('reg'), 'alpha', 'a1')
    await access.demandNamespace(person('reg'), 'beta', 'b1')

    await expect(access.demandNamespace(person('vic'), 'beta', 'b1')).rejects.toMatchObject(FORBIDDEN)
    await expect(access.demandNamespace(person('nob'), 'alpha', 'a1')).rejects.toMatchObject(FORBIDDEN)
  })

  it('is not found under another workspace', async () => {
    await expect(access.demandNamespace(person('vic'), 'alpha', 'b1')).rejects.toMatchObject({ code: 404 })
    await expect(access.demandNamespace(person('root'), 'alpha', 'free')).rejects.toMatchObject({ code: 404 })
  })
})
