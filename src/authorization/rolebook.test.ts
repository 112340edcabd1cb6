import { describe, expect, it } from 'vitest'
import { silent } from '../../test/fixtures/logger.js'
import { type BindingObject, type Subject } from './objects.js'
import { RoleBook } from './rolebook.js'

const ana = { name: 'ana', groups: ['ops'] }

function bound(name: string, where: { workspace?: string; namespace?: string }, ...subjects: Subject[]) {
  const { workspace, namespace } = where
  const binding: BindingObject = {
    metadata: {
      name,
      ...(namespace !== undefined && { namespace }),
      ...(workspace !== undefined && { labels: { 'kubesphere.io/workspace': workspace } }),
    },
    subjects,
    roleRef: { kind: workspace === undefined ? 'Role' : 'WorkspaceRole', name: 'any' },
  }
  return binding
}

const user = (name: string): Subject => ({ kind: 'User', name })

describe('the places where somebody holds roles', () => {
  it('are those with a binding of the user or of one of the groups', () => {
    const book = new RoleBook({ logger: silent, findRole: () => undefined })

    book.setBinding('WorkspaceRoleBinding', bound('1', { workspace: 'blue' }, user('ana')))
    book.setBinding(
      'WorkspaceRoleBinding',
      bound('2', { workspace: 'red' }, user('bob'), { kind: 'Group', name: 'ops' }),
    )
    book.setBinding('WorkspaceRoleBinding', bound('3', { workspace: 'green' }, user('bob')))
    book.setBinding('RoleBinding', bound('1', { namespace: 'dev' }, user('ana')))

    expect([...book.workspacesOf(ana)]).toEqual(['blue', 'red'])
    expect([...book.namespacesOf(ana)]).toEqual(['dev'])
  })

  it('follow bindings that change and go, and count two bindings in one place once', () => {
    const book = new RoleBook({ logger: silent, findRole: () => undefined })
    book.setBinding('RoleBinding', bound('1', { namespace: 'dev' }, user('ana'), user('ana')))
    book.setBinding('RoleBinding', bound('2', { namespace: 'dev' }, user('ana')))

    book.deleteBinding('RoleBinding', 'dev', '1')
    expect([...book.namespacesOf(ana)]).toEqual(['dev'])

    book.setBinding('RoleBinding', bound('2', { namespace: 'dev' }, user('bob')))
    expect([...book.namespacesOf(ana)]).toEqual([])
    expect([...book.namespacesOf({ name: 'bob', groups: [] })]).toEqual(['dev'])
  })

  it('do not include a binding that carries no workspace', () => {
    const book = new RoleBook({ logger: silent, findRole: () => undefined })

    book.setBinding('WorkspaceRoleBinding', bound('1', { workspace: '' }, user('ana')))

    expect([...book.workspacesOf(ana)]).toEqual([])
  })
})
