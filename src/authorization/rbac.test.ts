import { describe, expect, it } from 'vitest'
import { type KubeObject, type UserInfo } from '../apimachinery/meta/types.js'
import { LiteralInformers } from '../../test/fixtures/informers.js'
import { remembering, silent } from '../../test/fixtures/logger.js'
import { createAuthorization } from './index.js'
import { type Attributes } from './interface.js'
import { type PolicyRule } from './rules.js'

const IAM = { group: 'iam.kubesphere.io', version: 'v1alpha2' }
const RBAC = { group: 'rbac.authorization.k8s.io', version: 'v1' }

const EVERYTHING: PolicyRule = { verbs: ['*'], apiGroups: ['*'], resources: ['*'] }

function role(name: string, rules: PolicyRule[], more: Partial<KubeObject['metadata']> = {}): KubeObject {
  return { metadata: { name, ...more }, rules }
}

function binding(
  name: string,
  roleRef: { kind: string; name: string },
  subject: { kind: string; name: string; namespace?: string },
  more: Partial<KubeObject['metadata']> = {},
): KubeObject {
  return { metadata: { name, ...more }, roleRef, subjects: [subject] }
}

function asked(user: UserInfo, more: Partial<Attributes>): Attributes {
  return {
    path: '/',
    verb: 'get',
    isResourceRequest: true,
    isKubernetesRequest: true,
    apiGroup: '',
    apiVersion: 'v1',
    cluster: '',
    workspace: '',
    namespace: '',
    devops: '',
    resource: 'pods',
    subresource: '',
    name: '',
    resourceScope: 'Cluster',
    user,
    ...more,
  }
}

const eve: UserInfo = { name: 'eve', groups: ['system:authenticated', 'ops'] }
const inNamespace = (namespace: string, more: Partial<Attributes> = {}): Attributes =>
  asked(eve, { namespace, resourceScope: 'Namespace', ...more })

function cluster() {
  const informers = new LiteralInformers()
  const put = (resource: { group: string; version: string; resource: string }, object: KubeObject): void =>
    informers.informer(resource).put(object)
  return {
    informers,
    globalRole: (object: KubeObject) => put({ ...IAM, resource: 'globalroles' }, object),
    globalBinding: (object: KubeObject) => put({ ...IAM, resource: 'globalrolebindings' }, object),
    workspaceRole: (object: KubeObject) => put({ ...IAM, resource: 'workspaceroles' }, object),
    workspaceBinding: (object: KubeObject) => put({ ...IAM, resource: 'workspacerolebindings' }, object),
    role: (object: KubeObject) => put({ ...RBAC, resource: 'roles' }, object),
    roleBinding: (object: KubeObject) => put({ ...RBAC, resource: 'rolebindings' }, object),
    clusterRole: (object: KubeObject) => put({ ...RBAC, resource: 'clusterroles' }, object),
    clusterBinding: (object: KubeObject) => put({ ...RBAC, resource: 'clusterrolebindings' }, object),
    namespace: (name: string, workspace?: string) =>
      put(
        { group: '', version: 'v1', resource: 'namespaces' },
        {
          metadata: { name, labels: workspace === undefined ? {} : { 'kubesphere.io/workspace': workspace } },
        },
      ),
  }
}

describe('a workspace role', () => {
  const labels = { 'kubesphere.io/workspace': 'blue' }

  function withWorkspaceAdmin() {
    const kube = cluster()
    kube.workspaceRole(role('blue-admin', [EVERYTHING], { labels }))
    kube.workspaceBinding(
      binding(
        'eve-admin',
        { kind: 'WorkspaceRole', name: 'blue-admin' },
        { kind: 'User', name: 'eve' },
        { labels },
      ),
    )
    kube.namespace('blue-dev', 'blue')
    kube.namespace('red-dev', 'red')
    kube.namespace('loose')
    const { rbac } = createAuthorization({ mode: 'RBAC', informers: kube.informers, logger: silent })
    return { kube, rbac }
  }

  it('counts in the namespaces labelled with its workspace, and in no other', () => {
    const { rbac } = withWorkspaceAdmin()

    expect(rbac.authorize(inNamespace('blue-dev'))).toMatchObject({ allowed: true })
    expect(rbac.authorize(inNamespace('red-dev'))).toMatchObject({ allowed: false })
  })

  it('does not count in namespaces without workspace, whatever the URL says', () => {
    const { rbac } = withWorkspaceAdmin()

    expect(rbac.authorize(inNamespace('loose'))).toMatchObject({ allowed: false })
    expect(rbac.authorize(inNamespace('loose', { workspace: 'blue' }))).toMatchObject({ allowed: false })
    expect(rbac.authorize(inNamespace('missing', { workspace: 'blue' }))).toMatchObject({ allowed: false })
    expect(rbac.authorize(asked(eve, { resourceScope: 'Workspace' }))).toMatchObject({ allowed: false })
  })

  it('counts from the moment the namespace joins and until it leaves', () => {
    const { kube, rbac } = withWorkspaceAdmin()

    kube.namespace('loose', 'blue')
    expect(rbac.authorize(inNamespace('loose'))).toMatchObject({ allowed: true })

    kube.namespace('loose')
    expect(rbac.authorize(inNamespace('loose'))).toMatchObject({ allowed: false })
  })
})

describe('bindings that come and go', () => {
  it('count at once, also when the role comes after the binding', () => {
    const kube = cluster()
    const { rbac } = createAuthorization({ mode: 'RBAC', informers: kube.informers, logger: silent })
    const reader = { kind: 'ClusterRole', name: 'reader' }
    const read = asked(eve, {})

    kube.clusterBinding(binding('ops-read', reader, { kind: 'Group', name: 'ops' }))
    expect(rbac.authorize(read)).toMatchObject({ allowed: false })

    kube.clusterRole(role('reader', [{ verbs: ['get'], apiGroups: [''], resources: ['pods'] }]))
    expect(rbac.authorize(read)).toMatchObject({ allowed: true })

    kube.clusterRole(role('reader', [{ verbs: ['list'], apiGroups: [''], resources: ['pods'] }]))
    expect(rbac.authorize(read)).toMatchObject({ allowed: false })

    kube.clusterRole(role('reader', [EVERYTHING]))
    kube.informers.informer({ ...RBAC, resource: 'clusterrolebindings' }).remove('', 'ops-read')
    expect(rbac.authorize(read)).toMatchObject({ allowed: false })
  })

  it('keep a role that another binding still gives', () => {
    const kube = cluster()
    const { rbac } = createAuthorization({ mode: 'RBAC', informers: kube.informers, logger: silent })
    const all = { kind: 'ClusterRole', name: 'all' }
    kube.clusterRole(role('all', [EVERYTHING]))
    kube.clusterBinding(binding('one', all, { kind: 'User', name: 'eve' }))
    kube.clusterBinding(binding('two', all, { kind: 'User', name: 'eve' }))
    const bindings = kube.informers.informer({ ...RBAC, resource: 'clusterrolebindings' })

    bindings.remove('', 'one')
    expect(rbac.authorize(asked(eve, {}))).toMatchObject({ allowed: true })

    bindings.remove('', 'two')
    expect(rbac.authorize(asked(eve, {}))).toMatchObject({ allowed: false })
  })

  it('bind service accounts by their long user name, in the namespace of the binding by default', () => {
    const kube = cluster()
    const { rbac } = createAuthorization({ mode: 'RBAC', informers: kube.informers, logger: silent })
    kube.role(role('all', [EVERYTHING], { namespace: 'dev' }))
    kube.roleBinding(
      binding(
        'bot',
        { kind: 'Role', name: 'all' },
        { kind: 'ServiceAccount', name: 'bot' },
        { namespace: 'dev' },
      ),
    )
    const bot: UserInfo = { name: 'system:serviceaccount:dev:bot', groups: [] }
    const ask = (namespace: string) => rbac.authorize(asked(bot, { namespace, resourceScope: 'Namespace' }))

    expect(ask('dev')).toMatchObject({ allowed: true })
    expect(ask('prod')).toMatchObject({ allowed: false })
  })
})

describe('rules', () => {
  const cases: [string, PolicyRule, Partial<Attributes>, boolean][] = [
    [
      'pods do not cover pods/log',
      { verbs: ['get'], apiGroups: [''], resources: ['pods'] },
      { subresource: 'log' },
      false,
    ],
    [
      'pods/log covers itself',
      { verbs: ['get'], apiGroups: [''], resources: ['pods/log'] },
      { subresource: 'log' },
      true,
    ],
    [
      '*/log covers pods/log',
      { verbs: ['get'], apiGroups: [''], resources: ['*/log'] },
      { subresource: 'log' },
      true,
    ],
    [
      '* covers pods/log',
      { verbs: ['get'], apiGroups: [''], resources: ['*'] },
      { subresource: 'log' },
      true,
    ],
    ['another group', { verbs: ['get'], apiGroups: ['apps'], resources: ['pods'] }, {}, false],
    [
      'a name in the list',
      { verbs: ['get'], apiGroups: [''], resources: ['pods'], resourceNames: ['a'] },
      { name: 'a' },
      true,
    ],
    [
      'a name not in it',
      { verbs: ['get'], apiGroups: [''], resources: ['pods'], resourceNames: ['a'] },
      { name: 'b' },
      false,
    ],
    [
      'names and a list',
      { verbs: ['list'], apiGroups: [''], resources: ['pods'], resourceNames: ['a'] },
      { verb: 'list' },
      false,
    ],
    [
      'resources say nothing of paths',
      EVERYTHING,
      { isResourceRequest: false, path: '/x', verb: 'GET', resourceScope: '' },
      false,
    ],
    [
      'a path below a star',
      { verbs: ['GET'], nonResourceURLs: ['/x/*'] },
      { isResourceRequest: false, path: '/x/y', verb: 'GET', resourceScope: '' },
      true,
    ],
    [
      'the verb of paths is the method',
      { verbs: ['get'], nonResourceURLs: ['*'] },
      { isResourceRequest: false, path: '/x', verb: 'GET', resourceScope: '' },
      false,
    ],
    [
      'get does not open a shell',
      { verbs: ['get'], apiGroups: [''], resources: ['*'] },
      { subresource: 'exec' },
      false,
    ],
    ...(
      [
        ['pods', 'attach'],
        ['pods', 'portforward'],
        ['pods', 'proxy'],
        ['services', 'proxy'],
        ['nodes', 'proxy'],
      ] as const
    ).map(
      ([resource, subresource]) =>
        [
          `get does not reach inside by ${resource}/${subresource}`,
          { verbs: ['get', 'list', 'watch'], apiGroups: ['*'], resources: ['*'] },
          { resource, subresource },
          false,
        ] as (typeof cases)[number],
    ),
    [
      'get reads a log',
      { verbs: ['get'], apiGroups: [''], resources: ['pods/log'] },
      { subresource: 'log' },
      true,
    ],
    [
      'create opens a shell',
      { verbs: ['create'], apiGroups: [''], resources: ['pods/exec'] },
      { subresource: 'exec' },
      true,
    ],
  ]

  it.each(cases)('%s', (_, rule, request, allowed) => {
    const kube = cluster()
    kube.clusterRole(role('r', [rule]))
    kube.clusterBinding(binding('b', { kind: 'ClusterRole', name: 'r' }, { kind: 'User', name: 'eve' }))
    const { rbac } = createAuthorization({ mode: 'RBAC', informers: kube.informers, logger: silent })

    expect(rbac.authorize(asked(eve, request))).toMatchObject({ allowed })
  })
})

describe('scope Global', () => {
  it('looks at platform roles alone', () => {
    const kube = cluster()
    kube.clusterRole(role('all', [EVERYTHING]))
    kube.clusterBinding(binding('b', { kind: 'ClusterRole', name: 'all' }, { kind: 'User', name: 'eve' }))
    const { rbac } = createAuthorization({ mode: 'RBAC', informers: kube.informers, logger: silent })

    expect(rbac.authorize(asked(eve, { resourceScope: 'Global' }))).toMatchObject({ allowed: false })
    expect(rbac.authorize(asked(eve, { resourceScope: 'Cluster' }))).toMatchObject({ allowed: true })
  })
})

describe('a refusal', () => {
  it('names a role reference of unknown kind when that is why', () => {
    const kube = cluster()
    kube.globalBinding(binding('odd', { kind: 'Duke', name: 'x' }, { kind: 'User', name: 'eve' }))
    const { rbac } = createAuthorization({ mode: 'RBAC', informers: kube.informers, logger: silent })

    expect(rbac.authorize(asked(eve, {}))).toEqual({
      allowed: false,
      reason: 'RBAC: unsupported role reference kind: "Duke"',
    })
    expect(rbac.authorize(asked({ name: 'bob', groups: [] }, {}))).toEqual({ allowed: false, reason: '' })
  })
})

describe('explain', () => {
  it('names the binding, the role and the rule that decided', async () => {
    const kube = cluster()
    const rule: PolicyRule = { verbs: ['get'], apiGroups: [''], resources: ['pods'] }
    kube.role(role('viewer', [rule], { namespace: 'dev' }))
    kube.roleBinding(
      binding(
        'ops-viewer',
        { kind: 'Role', name: 'viewer' },
        { kind: 'Group', name: 'ops' },
        { namespace: 'dev' },
      ),
    )
    const { rbac } = createAuthorization({ mode: 'RBAC', informers: kube.informers, logger: silent })

    const allowed = await rbac.explain(inNamespace('dev'))
    const refused = await rbac.explain(inNamespace('dev', { verb: 'delete' }))

    expect(allowed.explanation).toEqual({
      text: 'RoleBinding "dev/ops-viewer" of Role "dev/viewer" to Group "ops"',
      level: 'namespace',
      binding: { kind: 'RoleBinding', name: 'ops-viewer', namespace: 'dev' },
      role: { kind: 'Role', name: 'viewer', namespace: 'dev' },
      rule,
    })
    expect(refused.explanation.considered).toEqual([
      { binding: 'RoleBinding "dev/ops-viewer"', role: 'Role "dev/viewer"' },
    ])
  })
})

describe('policy modules', () => {
  const module = 'package authz\ndefault allow = false\nallow = true { input.User.Name == "eve" }'
  const annotations = { 'iam.kubesphere.io/rego-override': module }

  it('on tenant roles never count, and on platform roles grant nothing without a policy server', () => {
    const kube = cluster()
    const log = remembering()
    const labels = { 'kubesphere.io/workspace': 'blue' }
    const { rbac } = createAuthorization({ mode: 'RBAC', informers: kube.informers, logger: log })
    kube.workspaceRole(role('w', [], { annotations, labels }))
    kube.workspaceBinding(
      binding('w', { kind: 'WorkspaceRole', name: 'w' }, { kind: 'User', name: 'eve' }, { labels }),
    )
    kube.globalRole(role('g', [], { annotations }))
    kube.globalRole(role('g', [], { annotations }))
    kube.globalBinding(binding('g', { kind: 'GlobalRole', name: 'g' }, { kind: 'User', name: 'eve' }))

    expect(rbac.authorize(asked(eve, { resourceScope: 'Workspace', workspace: 'blue' }))).toMatchObject({
      allowed: false,
    })
    expect(log.lines.filter(({ level }) => level === 'warn')).toEqual([
      {
        level: 'warn',
        fields: { kind: 'GlobalRole', name: 'g' },
        message: 'policy module of a role grants nothing: no OPA server is configured',
      },
    ])
  })
})

describe('native rules', () => {
  function withSelfService() {
    const kube = cluster()
    const annotations = {
      'iam.kubesphere.io/native-rules': 'own-user,own-membership,api-roots,tenant-read',
    }
    kube.globalRole(role('authenticated', [], { annotations }))
    kube.globalBinding(
      binding(
        'a',
        { kind: 'GlobalRole', name: 'authenticated' },
        { kind: 'Group', name: 'system:authenticated' },
      ),
    )
    return createAuthorization({ mode: 'RBAC', informers: kube.informers, logger: silent }).rbac
  }
  const iam = { apiGroup: 'iam.kubesphere.io', apiVersion: 'v1alpha2' }

  const cases: [string, Partial<Attributes>, boolean][] = [
    [
      'own user',
      { ...iam, resource: 'users', name: 'eve', verb: 'update', isKubernetesRequest: false },
      true,
    ],
    ['own user through the proxy', { ...iam, resource: 'users', name: 'eve', verb: 'patch' }, true],
    ['another user', { ...iam, resource: 'users', name: 'bob' }, false],
    [
      'own kubeconfig',
      {
        apiGroup: 'resources.kubesphere.io',
        resource: 'users',
        subresource: 'kubeconfig',
        name: 'eve',
        isKubernetesRequest: false,
      },
      true,
    ],
    ['users of any other API', { apiGroup: 'example.org', resource: 'users', name: 'eve' }, false],
    [
      'a named list of the platform',
      {
        ...iam,
        resource: 'workspacemembers',
        name: 'eve',
        verb: 'list',
        isKubernetesRequest: false,
        resourceScope: 'Workspace',
        workspace: 'blue',
      },
      false,
    ],
    [
      'own membership',
      {
        ...iam,
        resource: 'workspacemembers',
        name: 'eve',
        isKubernetesRequest: false,
        resourceScope: 'Workspace',
        workspace: 'blue',
      },
      true,
    ],
    [
      'leaving by force',
      {
        ...iam,
        resource: 'workspacemembers',
        name: 'eve',
        verb: 'delete',
        isKubernetesRequest: false,
        resourceScope: 'Workspace',
        workspace: 'blue',
      },
      false,
    ],
    [
      'the API root',
      { isResourceRequest: false, resource: '', path: '/api', verb: 'GET', resourceScope: '' },
      true,
    ],
    [
      'the groups',
      { isResourceRequest: false, resource: '', path: '/apis', verb: 'GET', resourceScope: '' },
      false,
    ],
    [
      'tenant reads',
      { apiGroup: 'tenant.kubesphere.io', resource: 'workspaces', verb: 'list', isKubernetesRequest: false },
      true,
    ],
    [
      'tenant writes',
      {
        apiGroup: 'tenant.kubesphere.io',
        resource: 'workspaces',
        verb: 'create',
        isKubernetesRequest: false,
      },
      false,
    ],
    [
      'tenant objects through the proxy',
      { apiGroup: 'tenant.kubesphere.io', resource: 'workspaces', verb: 'list' },
      false,
    ],
  ]

  it.each(cases)('%s', (_, request, allowed) => {
    expect(withSelfService().authorize(asked(eve, request))).toMatchObject({ allowed })
  })
})

describe('modes', () => {
  it('AlwaysAllow and AlwaysDeny look at nothing', async () => {
    const { informers } = cluster()
    const allow = createAuthorization({ mode: 'AlwaysAllow', informers, logger: silent }).authorizer
    const deny = createAuthorization({ mode: 'AlwaysDeny', informers, logger: silent }).authorizer

    expect(await allow.authorize(asked(eve, {}))).toMatchObject({ allowed: true })
    expect(await deny.authorize(asked(eve, {}))).toEqual({
      allowed: false,
      reason: 'Everything is forbidden.',
    })
  })
})

describe('with 20,000 bindings', () => {
  it('a decision does not depend on their number', () => {
    const measure = (bindings: number): number => {
      const kube = cluster()
      kube.workspaceRole(role('view', [{ verbs: ['get'], apiGroups: [''], resources: ['pods'] }]))
      for (let i = 0; i < bindings; i++) {
        const labels = { 'kubesphere.io/workspace': `w${i % 100}` }
        kube.workspaceBinding(
          binding(
            `b${i}`,
            { kind: 'WorkspaceRole', name: 'view' },
            { kind: 'User', name: `u${i}` },
            { labels },
          ),
        )
      }
      kube.namespace('dev', 'w1')
      const { rbac } = createAuthorization({ mode: 'RBAC', informers: kube.informers, logger: silent })
      const request = asked(
        { name: 'u1', groups: ['system:authenticated'] },
        { namespace: 'dev', resourceScope: 'Namespace' },
      )
      expect(rbac.authorize(request)).toMatchObject({ allowed: true })
      const rounds = 20_000
      let best = Infinity
      for (let run = 0; run < 5; run++) {
        const start = performance.now()
        for (let i = 0; i < rounds; i++) void rbac.authorize(request)
        best = Math.min(best, performance.now() - start)
      }
      return (best * 1000) / rounds
    }

    expect(measure(20_000)).toBeLessThan(10 * measure(200) + 1) // µs
  })
})
