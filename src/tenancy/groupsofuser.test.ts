import { describe, expect, it } from 'vitest'
import { groupsOfUser } from './groupsofuser.js'
import { type GroupBindingObject, type GroupObject } from './types.js'

const labels = (workspace: string) => ({ 'kubesphere.io/workspace': workspace })
const GROUPS: Record<string, GroupObject> = {
  ops: { metadata: { name: 'ops', labels: labels('blue') } },
  dev: { metadata: { name: 'dev', labels: labels('blue') } },
  red: { metadata: { name: 'red', labels: labels('red') } },
  leaving: {
    metadata: { name: 'leaving', labels: labels('blue'), deletionTimestamp: '2026-01-01T00:00:00Z' },
  },
}
const binding = (name: string, workspace = 'blue', more: object = {}): GroupBindingObject => ({
  metadata: { labels: labels(workspace), ...more },
  groupRef: { name },
  users: ['ann'],
})

const groups = (has: string[] | undefined, ...bindings: GroupBindingObject[]): string[] =>
  groupsOfUser(
    { metadata: { name: 'ann' }, spec: has ? { groups: has } : {} },
    {
      group: (name) => GROUPS[name],
      wasGroup: (name) => name === 'gone',
      bindingsOf: (name) => (name === 'ann' ? bindings : []),
    },
  )

describe('the groups of a user', () => {
  it.each([
    ['come from bindings, in one order', groups(undefined, binding('ops'), binding('dev')), ['dev', 'ops']],
    [
      'keep the order they are in',
      groups(['ops', 'x', 'dev'], binding('dev'), binding('ops')),
      ['ops', 'x', 'dev'],
    ],
    ['are each there once', groups(['ops', 'ops'], binding('ops'), binding('ops')), ['ops']],
    ['keep those that the platform does not know', groups(['from-ldap']), ['from-ldap']],
    ['lose a Group without a binding', groups(['ops', 'from-ldap']), ['from-ldap']],
    ['are not given by another workspace', groups(['red'], binding('red', 'blue')), []],
    [
      'are not given by a binding that goes',
      groups(['ops'], binding('ops', 'blue', { deletionTimestamp: '2026-01-01T00:00:00Z' })),
      [],
    ],
    ['are not those of a Group that goes', groups(['leaving'], binding('leaving')), []],
    ['are not those of a Group that went while it was given', groups(['gone', 'from-ldap']), ['from-ldap']],
    ['are not made of a binding to nothing', groups(undefined, binding('unknown'), { metadata: {} }), []],
  ])('%s', (_, is, wanted) => expect(is).toEqual(wanted))
})
