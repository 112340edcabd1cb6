import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type UserInfo } from '../../apimachinery/meta/types.js'
import { Objects } from '../objects.js'
import { type AuthorizationAttributes } from '../server/interfaces.js'
import { createMemoryStorage } from '../storage/memory/index.js'
import { type Storage } from '../storage/interface.js'
import { Rbac } from './rbac.js'
import { missingFrom, ruleText } from './rules.js'

const GROUP = 'rbac.authorization.k8s.io'
const alice: UserInfo = { name: 'alice', groups: ['devs', 'system:authenticated'] }

function ask(verb: string, resource: string, more: Partial<AuthorizationAttributes> = {}) {
  const [name = '', subresource = ''] = resource.split('/')
  return {
    user: alice,
    verb,
    resourceRequest: true,
    path: '',
    apiGroup: '',
    apiVersion: 'v1',
    namespace: 'blue',
    resource: name,
    subresource,
    name: '',
    ...more,
  }
}

describe('the RBAC authorizer', () => {
  let storage: Storage
  let rbac: Rbac
  const put = (path: string, object: object) =>
    storage.put(`/registry/${GROUP}/${path}`, () => Buffer.from(JSON.stringify(object)))
  const role = (path: string, ...rules: object[]) => put(path, { metadata: {}, rules })
  const bind = (path: string, kind: string, name: string, ...subjects: object[]) => {
    const [, namespace, own] = /^(?:rolebindings\/(.*)|clusterrolebindings)\/(.*)$/.exec(path) ?? []
    return put(path, {
      metadata: { name: own, ...(namespace !== undefined && { namespace }) },
      subjects,
      roleRef: { kind, name },
    })
  }
  beforeEach(() => {
    storage = createMemoryStorage()
    rbac = new Rbac(new Objects(storage))
  })
  afterEach(async () => {
    rbac.close()
    await storage.close()
  })

  it('allows what a role bound in the namespace says, there only', async () => {
    await role('roles/blue/reader', { verbs: ['get', 'list'], apiGroups: [''], resources: ['pods'] })
    await bind('rolebindings/blue/b', 'Role', 'reader', { kind: 'User', name: 'alice' })

    expect(rbac.authorize(ask('get', 'pods')).allowed).toBe(true)
    expect(rbac.authorize(ask('delete', 'pods')).allowed).toBe(false)
    expect(rbac.authorize(ask('get', 'pods/log')).allowed).toBe(false)
    expect(rbac.authorize(ask('get', 'pods', { namespace: 'red' })).allowed).toBe(false)
    expect(rbac.authorize(ask('get', 'pods', { namespace: '' })).allowed).toBe(false)
    expect(rbac.authorize(ask('get', 'pods', { apiGroup: 'metrics.k8s.io' })).allowed).toBe(false)
  })

  it('knows groups, service accounts, names and wildcards', async () => {
    await role('clusterroles/names', {
      verbs: ['get'],
      apiGroups: ['*'],
      resources: ['secrets', '*/scale'],
      resourceNames: ['a'],
    })
    await bind('clusterrolebindings/g', 'ClusterRole', 'names', { kind: 'Group', name: 'devs' })
    await role('clusterroles/all', { verbs: ['*'], apiGroups: ['*'], resources: ['*'] })
    await bind('rolebindings/blue/sa', 'ClusterRole', 'all', { kind: 'ServiceAccount', name: 'robot' })
    const robot = { name: 'system:serviceaccount:blue:robot', groups: [] }

    expect(rbac.authorize(ask('get', 'secrets', { name: 'a' })).allowed).toBe(true)
    expect(rbac.authorize(ask('get', 'secrets', { name: 'b' })).allowed).toBe(false)
    expect(rbac.authorize(ask('get', 'secrets')).allowed).toBe(false)
    expect(rbac.authorize(ask('get', 'deployments/scale', { name: 'a', apiGroup: 'apps' })).allowed).toBe(
      true,
    )
    expect(rbac.authorize(ask('delete', 'pods/exec', { user: robot })).allowed).toBe(true)
    expect(rbac.authorize(ask('delete', 'pods', { user: robot, namespace: 'red' })).allowed).toBe(false)
  })

  it('decides on paths', async () => {
    await role('clusterroles/paths', { verbs: ['get'], nonResourceURLs: ['/healthz', '/logs/*'] })
    await bind('clusterrolebindings/p', 'ClusterRole', 'paths', { kind: 'Group', name: 'devs' })
    const path = (text: string) =>
      rbac.authorize({ ...ask('get', ''), resourceRequest: false, path: text }).allowed

    expect(path('/healthz')).toBe(true)
    expect(path('/healthz/x')).toBe(false)
    expect(path('/logs/a/b')).toBe(true)
  })

  it('follows changes, and says which role is missing', async () => {
    await bind('clusterrolebindings/b', 'ClusterRole', 'late', { kind: 'User', name: 'alice' })
    expect(rbac.authorize(ask('get', 'pods'))).toEqual({
      allowed: false,
      reason: 'RBAC: clusterrole.rbac.authorization.k8s.io "late" not found',
    })

    await role('clusterroles/late', { verbs: ['get'], apiGroups: [''], resources: ['pods'] })
    expect(rbac.authorize(ask('get', 'pods')).allowed).toBe(true)

    await bind('clusterrolebindings/b', 'ClusterRole', 'late', { kind: 'User', name: 'bob' })
    expect(rbac.authorize(ask('get', 'pods'))).toEqual({ allowed: false, reason: '' })
  })

  it('asks masters nothing', () => {
    expect(rbac.authorize(ask('x', 'y', { user: { name: 'z', groups: ['system:masters'] } })).allowed).toBe(
      true,
    )
  })
})

describe('missing permissions', () => {
  it('are those not covered, by resource', () => {
    const held = [{ verbs: ['get', 'list'], apiGroups: [''], resources: ['pods', '*/scale'] }]
    const wanted = [
      { verbs: ['get', 'delete', 'create'], apiGroups: [''], resources: ['pods'] },
      { verbs: ['get'], apiGroups: [''], resources: ['replicationcontrollers/scale'] },
      { verbs: ['get'], nonResourceURLs: ['/x'] },
    ]

    expect(missingFrom(held, wanted).map(ruleText)).toEqual([
      '{APIGroups:[""], Resources:["pods"], Verbs:["delete" "create"]}',
      '{NonResourceURLs:["/x"], Verbs:["get"]}',
    ])
  })

  it('are none under a wildcard, and a name needs no more than the whole', () => {
    const all = [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'] }]
    const one = { verbs: ['get'], apiGroups: [''], resources: ['secrets'], resourceNames: ['a'] }

    expect(missingFrom(all, [one])).toEqual([])
    expect(missingFrom([one], all)).toHaveLength(1)
    expect(missingFrom([one], [{ ...one, resourceNames: [] }])).toHaveLength(1)
  })
})
