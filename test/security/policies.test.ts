/**
 * What tenants may not do through the Kubernetes API although their roles allow the request: the policies of the
 * guard, with the stock roles, on the embedded API without controllers.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Passwords } from '../../src/authentication/passwords.js'
import { createAuthorization } from '../../src/authorization/index.js'
import { bootstrapPlatform } from '../../src/bootstrap/index.js'
import { createInformerSet } from '../../src/client/cache/informerset.js'
import { RestClient } from '../../src/client/rest.js'
import { send, type Transport } from '../../src/client/transport.js'
import { createPolicies } from '../../src/guard/index.js'
import { SILENT } from '../../src/serving/log.js'
import { Membership } from '../../src/tenancy/membership.js'
import { tenancyResources } from '../../src/tenancy/resources.js'
import { composedMark } from '../../src/tenancy/roles.js'
import { eventually } from '../../src/client/testing/eventually.js'
import { startKubernetes } from '../fixtures/kubernetes.js'
import { type Harness, start } from '../serving/harness.js'

const IAM = '/apis/iam.kubesphere.io/v1alpha2'
const RBAC = '/apis/rbac.authorization.k8s.io/v1'
const TENANT = '/apis/tenant.kubesphere.io'
const WORKSPACE = 'kubesphere.io/workspace'
const ALL = [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'] }]
const READ = [{ verbs: ['get', 'list', 'watch'], apiGroups: ['*'], resources: ['*'] }]
const MERGE = 'application/merge-patch+json'
const REGO = 'iam.kubesphere.io/rego-override'
const TOKEN_SECRET = 'kubernetes.io/service-account-token'

let platform: Harness
let upstream: Transport
const closers: (() => unknown)[] = []

async function store(method: string, path: string, body?: object): Promise<Record<string, object>> {
  const { status, body: answer } = await send(upstream, {
    method,
    path,
    headers: { 'content-type': method === 'PATCH' ? MERGE : 'application/json' },
    ...(body && { body: Buffer.from(JSON.stringify(body)) }),
  })
  const json = JSON.parse(answer.toString()) as Record<string, object>
  if (status >= 300) throw new Error(`${method} ${path}: ${status} ${answer.toString()}`)
  return json
}

const binding = (name: string, kind: string, role: string, user: string, labels = {}) => ({
  apiVersion: 'rbac.authorization.k8s.io/v1',
  metadata: { name, labels },
  subjects: [{ kind: 'User', apiGroup: 'rbac.authorization.k8s.io', name: user }],
  roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind, name: role },
})
const iamBinding = (...of: Parameters<typeof binding>) => ({
  ...binding(...of),
  apiVersion: 'iam.kubesphere.io/v1alpha2',
})

beforeAll(async () => {
  const kubernetes = await startKubernetes()
  upstream = kubernetes.transport
  await bootstrapPlatform({
    client: upstream,
    adminPassword: 'P@88w0rd',
    logger: SILENT,
    signal: AbortSignal.timeout(30_000),
  })

  for (const workspace of ['a', 'b']) {
    await store('POST', `${TENANT}/v1alpha1/workspaces`, {
      apiVersion: 'tenant.kubesphere.io/v1alpha1',
      kind: 'Workspace',
      metadata: { name: workspace },
      spec: {},
    })
    for (const [role, rules] of [
      ['admin', ALL],
      ['viewer', READ],
    ] as const)
      await store('POST', `${IAM}/workspaceroles`, {
        apiVersion: 'iam.kubesphere.io/v1alpha2',
        kind: 'WorkspaceRole',
        metadata: { name: `${workspace}-${role}`, labels: { [WORKSPACE]: workspace } },
        rules,
      })
  }
  for (const [name, workspace] of [
    ['a1', 'a'],
    ['a2', 'a'],
    ['b1', 'b'],
    ['free', ''],
  ] as const) {
    await store('POST', '/api/v1/namespaces', {
      metadata: {
        name,
        finalizers: ['finalizers.kubesphere.io/namespaces'],
        labels: { 'kubesphere.io/namespace': name, ...(workspace !== '' && { [WORKSPACE]: workspace }) },
      },
    })
    const roles = `${RBAC}/namespaces/${name}/roles`
    await store('POST', roles, { metadata: { name: 'admin' }, rules: ALL })
    await store('POST', roles, {
      metadata: { name: 'operator' },
      rules: [
        ...READ,
        { verbs: ['*'], apiGroups: [''], resources: ['*'] },
        { verbs: ['*'], apiGroups: ['apps'], resources: ['*'] },
      ],
    })
    // Somebody's idea of a person who looks after access.
    await store('POST', roles, {
      metadata: { name: 'access' },
      rules: [...READ, { verbs: ['*'], apiGroups: ['*'], resources: ['roles', 'rolebindings'] }],
    })
  }
  for (const [user, workspace, role] of [
    ['ana', 'a', 'a-admin'],
    ['vic', 'a', 'a-viewer'],
    ['ben', 'b', 'b-admin'],
    ['both', 'a', 'a-admin'],
    ['both', 'b', 'b-admin'],
  ] as const)
    await store('POST', `${IAM}/workspacerolebindings`, {
      ...iamBinding(`${user}-${role}`, 'WorkspaceRole', role, user, { [WORKSPACE]: workspace }),
      kind: 'WorkspaceRoleBinding',
    })
  for (const [user, namespace, role] of [
    ['oper', 'a1', 'operator'],
    ['padmin', 'a1', 'admin'],
    ['acc', 'a1', 'access'],
  ] as const)
    await store(
      'POST',
      `${RBAC}/namespaces/${namespace}/rolebindings`,
      binding(`${user}-${role}`, 'Role', role, user),
    )
  for (const [user, role] of [
    ['wm', 'workspaces-manager'],
    ['um', 'users-manager'],
  ] as const)
    await store('POST', `${IAM}/globalrolebindings`, {
      ...iamBinding(`${user}-${role}`, 'GlobalRole', role, user),
      kind: 'GlobalRoleBinding',
    })
  await store('POST', `${RBAC}/clusterroles`, {
    metadata: { name: 'nearly' },
    rules: [
      ...READ,
      {
        verbs: ['*'],
        apiGroups: ['iam.kubesphere.io', 'rbac.authorization.k8s.io', 'certificates.k8s.io'],
        resources: ['*'],
      },
    ],
  })
  await store('POST', `${RBAC}/clusterrolebindings`, binding('nearly', 'ClusterRole', 'nearly', 'near'))
  await store('POST', '/api/v1/namespaces/a1/serviceaccounts', { metadata: { name: 'strong' } })
  await store('POST', '/api/v1/namespaces/a1/serviceaccounts', { metadata: { name: 'weak' } })
  await store('POST', `${RBAC}/namespaces/a1/rolebindings`, {
    ...binding('strong', 'Role', 'admin', ''),
    subjects: [{ kind: 'ServiceAccount', name: 'strong', namespace: 'a1' }],
  })

  const informers = createInformerSet({ transport: upstream, logger: SILENT })
  const authorization = createAuthorization({ mode: 'RBAC', informers, logger: SILENT })
  const { book, rights, authorizer } = authorization
  const resources = tenancyResources(informers, new RestClient({ transport: upstream }))
  const policies = createPolicies({
    resources,
    rights,
    book,
    membership: new Membership({ resources, book }),
    passwords: new Passwords(),
    userLists: 'full',
    now: () => new Date(),
  })
  platform = await start({ upstream, authorizer, policies })
  closers.push(
    () => platform.close(),
    () => authorization.stop(),
    () => informers.close(),
    () => kubernetes.close(),
  )
  await eventually(async () => {
    expect((await as('oper').get('/api/v1/namespaces/a1/pods')).status).toBe(200)
    expect((await as('near').get(`${RBAC}/clusterroles`)).status).toBe(200)
    expect((await as('both').get('/api/v1/namespaces/b1/pods')).status).toBe(200)
    expect((await as('both').get('/api/v1/namespaces/a1/pods')).status).toBe(200)
    expect(resources.roles.get('admin', 'a1')).toBeDefined()
    expect(resources.workspaceRoles.get('b-admin')).toBeDefined()
  })
}, 60_000)

afterAll(async () => {
  for (const close of closers) await close()
})

function as(user: string) {
  const request = (method: string, path: string, body?: unknown, type = 'application/json') => {
    const text = body === undefined ? undefined : JSON.stringify(body)
    return platform.send(method, path, {
      user,
      ...(text !== undefined && {
        body: text,
        headers: { 'content-type': type, 'content-length': Buffer.byteLength(text) },
      }),
    })
  }
  return {
    get: (path: string) => request('GET', path),
    post: (path: string, body: unknown) => request('POST', path, body),
    put: (path: string, body: unknown) => request('PUT', path, body),
    patch: (path: string, body: unknown) => request('PATCH', path, body, MERGE),
    jsonPatch: (path: string, ...body: unknown[]) =>
      request('PATCH', path, body, 'application/json-patch+json'),
    delete: (path: string) => request('DELETE', path),
  }
}

const ADMIN = 'admin'

/** Of CN=near, base64 of the PEM text. */
const NEARS_REQUEST =
  'LS0tLS1CRUdJTiBDRVJUSUZJQ0FURSBSRVFVRVNULS0tLS0KTUlISk1IRUNBUUF3RHpFTk1Bc0dBMVVFQXd3RWJtVmhjakJaTUJNR0J5cUdTTTQ5QWdFR0NDcUdTTTQ5QXdFSApBMElBQkQ4dVJHTldRYjBMT1hXMGVjcXhxSTlQOGF1YWsrSW40T0RoYkRwM2dCdERrQmNCRCtKRXJUa0FNT1NlCm80aWVyNU96UWgyZEFHMUFPWGZXOU05bE9TeWdBREFLQmdncWhrak9QUVFEQWdOSUFEQkZBaUJ2TnNQWS9zcFgKVkV4dDZQNjY4SldRYWUzMVFva05GdWZ4dWQ2Tys3MVh0QUloQVA1ODFDYzYvaHEwS1VmbVEwU1ZXZi9kdXNqdwphM1lqU29KV1NPVXFmRzE0Ci0tLS0tRU5EIENFUlRJRklDQVRFIFJFUVVFU1QtLS0tLQo='

describe('roles', () => {
  const ROLES = `${RBAC}/namespaces/a1/roles`

  it('cannot be written to say more than the writer may do', async () => {
    for (const user of ['acc', 'wm']) {
      const wide = await as(user).post(ROLES, { metadata: { name: `wide-${user}` }, rules: ALL })
      expect(wide.status, wide.text).toBe(403)
      expect(wide.text).toContain('attempting to grant permissions not currently held')
    }
    const ok = await as('acc').post(ROLES, { metadata: { name: 'narrow' }, rules: READ })
    expect(ok.status, ok.text).toBe(201)
    expect((await as('acc').patch(`${ROLES}/narrow`, { rules: ALL })).status).toBe(403)
    expect(
      (await as('acc').jsonPatch(`${ROLES}/narrow`, { op: 'add', path: '/rules/-', value: ALL[0] })).status,
    ).toBe(403)
    expect(
      (await as('acc').put(`${ROLES}/narrow`, { metadata: { name: 'narrow' }, rules: ALL })).status,
    ).toBe(403)
    expect((await as('acc').patch(`${ROLES}/narrow`, { metadata: { labels: { a: 'b' } } })).status).toBe(200)
    expect((await as('padmin').patch(`${ROLES}/narrow`, { rules: ALL })).status).toBe(200)
    expect((await as('acc').delete(`${ROLES}/narrow`)).status).toBe(200)
  })

  it('cannot be made of others that say more', async () => {
    const aggregation = (parts: string[]) => ({
      'iam.kubesphere.io/aggregation-roles': JSON.stringify(parts),
    })
    const role = { metadata: { name: 'made', annotations: aggregation(['admin']) }, rules: [] }
    expect((await as('acc').post(ROLES, role)).status).toBe(403)
    expect((await as('acc').post(ROLES, { metadata: { name: 'made' }, rules: READ })).status).toBe(201)
    expect(
      (await as('acc').patch(`${ROLES}/made`, { metadata: { annotations: aggregation(['admin']) } })).status,
    ).toBe(403)
    expect(
      (await as('acc').patch(`${ROLES}/made`, { metadata: { annotations: aggregation(['none']) } })).status,
    ).toBe(404)
  })

  it('cannot be made to follow parts that say more', async () => {
    const aggregation = { 'iam.kubesphere.io/aggregation-roles': '["admin"]' }
    // Written by hand long ago; what its annotation names never came into it.
    const role = { metadata: { name: 'narrowed', annotations: aggregation }, rules: READ }
    expect((await as(ADMIN).post(ROLES, role)).status).toBe(201)
    const mark = { 'iam.kubesphere.io/composed-rules': composedMark(READ) }

    const marked = await as('acc').patch(`${ROLES}/narrowed`, { metadata: { annotations: mark } })

    expect(marked.status, marked.text).toBe(403)
    const other = await as('acc').patch(`${ROLES}/narrowed`, { metadata: { labels: { a: 'b' } } })
    expect(other.status).toBe(200)
  })

  it('carry no policy of a client', async () => {
    const metadata = { name: 'p', annotations: { [REGO]: 'package authz\ndefault allow = true' } }
    expect((await as(ADMIN).post(ROLES, { metadata, rules: [] })).status).toBe(422)
    expect(
      (
        await as(ADMIN).patch(`${IAM}/globalroles/platform-regular`, {
          metadata: { annotations: metadata.annotations },
        })
      ).status,
    ).toBe(422)
    const own = await as('padmin').patch(`${ROLES}/access`, {
      metadata: { annotations: metadata.annotations },
    })
    expect(own.status).toBe(422)
  })

  it('that are built in are for administrators, and some stay for ever', async () => {
    expect((await as('padmin').delete(`${ROLES}/operator`)).status).toBe(403)
    expect((await as('padmin').patch(`${ROLES}/operator`, { rules: ALL })).status).toBe(403)
    expect((await as('um').delete(`${IAM}/globalroles/platform-regular`)).status).toBe(403)
    expect((await as('um').delete(`${IAM}/globalroles`)).status).toBeGreaterThanOrEqual(403)
    expect((await as(ADMIN).delete(`${IAM}/globalroles/authenticated`)).status).toBe(409)
    expect((await as(ADMIN).delete(`${RBAC}/clusterroles/cluster-admin`)).status).toBe(409)
  })

  it('of the platform are no way up for who manages users', async () => {
    const role = {
      apiVersion: 'iam.kubesphere.io/v1alpha2',
      kind: 'GlobalRole',
      metadata: { name: 'up' },
      rules: ALL,
    }
    expect((await as('um').post(`${IAM}/globalroles`, role)).status).toBe(403)
    expect((await as('near').post(`${IAM}/globalroles`, role)).status).toBe(403)
    expect(
      (await as('near').post(`${RBAC}/clusterroles`, { metadata: { name: 'up' }, rules: ALL })).status,
    ).toBe(403)
    const collecting = {
      metadata: { name: 'up' },
      aggregationRule: { clusterRoleSelectors: [{ matchLabels: { a: 'b' } }] },
    }
    expect((await as('near').post(`${RBAC}/clusterroles`, collecting)).status).toBe(403)
  })

  it('of a workspace stay in it', async () => {
    const move = { metadata: { labels: { [WORKSPACE]: 'b' } } }
    expect((await as(ADMIN).patch(`${IAM}/workspaceroles/a-viewer`, move)).status).toBe(403)
    expect((await as('ana').patch(`${IAM}/workspaceroles/a-viewer`, { rules: ALL })).status).toBe(403)
  })
})

describe('bindings', () => {
  const BINDINGS = `${RBAC}/namespaces/a1/rolebindings`

  it('give nothing that the giver does not hold', async () => {
    for (const [user, kind, role] of [
      ['acc', 'Role', 'admin'],
      ['acc', 'Role', 'operator'],
      ['acc', 'ClusterRole', 'cluster-admin'],
      ['wm', 'Role', 'admin'],
    ] as const) {
      const answer = await as(user).post(BINDINGS, binding('up', kind, role, user))
      expect(answer.status, `${user} ${role} ${answer.text}`).toBe(403)
    }
    expect((await as('acc').post(BINDINGS, binding('none', 'Role', 'not-there', 'acc'))).status).toBe(404)
    expect((await as('acc').post(BINDINGS, binding('even', 'Role', 'access', 'nob'))).status).toBe(201)
    expect((await as('padmin').post(BINDINGS, binding('adm', 'Role', 'admin', 'nob'))).status).toBe(201)
  })

  it('get no new subjects from who does not hold the role, and lose them freely', async () => {
    const me = {
      op: 'add',
      path: '/subjects/-',
      value: { kind: 'User', apiGroup: 'rbac.authorization.k8s.io', name: 'acc' },
    }
    expect((await as('acc').jsonPatch(`${BINDINGS}/padmin-admin`, me)).status).toBe(403)
    expect((await as('acc').patch(`${BINDINGS}/strong`, { subjects: [] })).status).toBe(200)
    expect((await as('acc').patch(`${BINDINGS}/even`, { roleRef: { name: 'admin' } })).status).toBe(422)
    const group = { kind: 'Group', apiGroup: 'rbac.authorization.k8s.io', name: 'system:authenticated' }
    expect((await as('acc').patch(`${BINDINGS}/padmin-admin`, { subjects: [group] })).status).toBe(403)
    await store('PATCH', `${BINDINGS}/strong`, {
      subjects: [{ kind: 'ServiceAccount', name: 'strong', namespace: 'a1' }],
    })
  })

  it('of the platform and of workspaces give roles of their own level', async () => {
    const up = { ...iamBinding('up', 'GlobalRole', 'platform-admin', 'near'), kind: 'GlobalRoleBinding' }
    expect((await as('near').post(`${IAM}/globalrolebindings`, up)).status).toBe(403)
    const across = {
      ...iamBinding('up', 'GlobalRole', 'platform-admin', 'near', { [WORKSPACE]: 'a' }),
      kind: 'WorkspaceRoleBinding',
    }
    expect((await as('near').post(`${IAM}/workspacerolebindings`, across)).status).toBe(422)
    const foreign = {
      ...iamBinding('up', 'WorkspaceRole', 'b-admin', 'near', { [WORKSPACE]: 'a' }),
      kind: 'WorkspaceRoleBinding',
    }
    expect((await as(ADMIN).post(`${IAM}/workspacerolebindings`, foreign)).status).toBe(404)
    const nowhere = { ...iamBinding('up', 'WorkspaceRole', 'b-admin', 'near'), kind: 'WorkspaceRoleBinding' }
    expect((await as(ADMIN).post(`${IAM}/workspacerolebindings`, nowhere)).status).toBe(422)
    const own = {
      ...iamBinding('up', 'WorkspaceRole', 'a-admin', 'near', { [WORKSPACE]: 'a' }),
      kind: 'WorkspaceRoleBinding',
    }
    expect((await as('near').post(`${IAM}/workspacerolebindings`, own)).status).toBe(403)
  })

  it('of the last administrator stay', async () => {
    const path = `${IAM}/globalrolebindings/admin`
    expect((await as(ADMIN).delete(path)).status).toBe(409)
    expect((await as(ADMIN).patch(path, { subjects: [] })).status).toBe(409)
    expect((await as(ADMIN).delete(`${IAM}/globalrolebindings`)).status).toBe(409)
  })
})

describe('namespaces', () => {
  const A1 = '/api/v1/namespaces/a1'
  const labels = (value: string | null) => ({ metadata: { labels: { [WORKSPACE]: value } } })

  it.each(['ana', 'padmin', 'oper'])('are not moved or freed by %s of a workspace', async (user) => {
    for (const [path, value] of [
      [A1, 'b'],
      [A1, null],
      [`${A1}/status`, 'b'],
    ] as const) {
      const answer = await as(user).patch(path, labels(value))
      expect(answer.status, answer.text).toBe(403)
    }
    const { metadata } = await store('GET', A1)
    const moved = { metadata: { ...metadata, labels: {} }, spec: { finalizers: ['kubernetes'] } }
    expect((await as(user).put(A1, moved)).status).toBe(403)
    expect((await as(user).put(`${A1}/finalize`, moved)).status).toBe(403)
    expect((await as(user).jsonPatch(A1, { op: 'remove', path: '/metadata/labels' })).status).toBe(403)
  })

  it('without workspace are nobody’s in any workspace, and cannot be claimed', async () => {
    for (const user of ['ana', 'ben']) {
      expect((await as(user).get('/api/v1/namespaces/free/secrets')).status).toBe(403)
      expect((await as(user).patch('/api/v1/namespaces/free', labels('a'))).status).toBe(403)
    }
  })

  it('move with rights on both sides, and by an administrator', async () => {
    expect((await as('both').patch('/api/v1/namespaces/a2', labels('b'))).status).toBe(200)
    expect((await as(ADMIN).patch('/api/v1/namespaces/a2', labels('a'))).status).toBe(200)
    // As the console assigns a namespace to a workspace.
    expect((await as(ADMIN).patch('/api/v1/namespaces/free', labels('a'))).status).toBe(200)
    expect((await as(ADMIN).patch('/api/v1/namespaces/free', labels(null))).status).toBe(200)
  })

  it('do not make an administrator of who strips the finalizer and calls himself creator', async () => {
    const creator = { metadata: { annotations: { 'kubesphere.io/creator': 'oper' } } }
    expect((await as('oper').patch(A1, creator)).status).toBe(403)
    expect((await as('oper').patch(A1, { metadata: { finalizers: [] } })).status).toBe(403)
    expect(
      (await as('oper').jsonPatch(`${A1}/status`, { op: 'remove', path: '/metadata/finalizers/0' })).status,
    ).toBe(403)
    expect((await as('oper').patch(A1, { metadata: { annotations: { other: 'fine' } } })).status).toBe(200)
  })

  it('keep the label that network policies know them by', async () => {
    const label = { metadata: { labels: { 'kubesphere.io/namespace': 'b1' } } }
    expect((await as('padmin').patch(A1, label)).status).toBe(403)
    expect(
      (await as('padmin').patch(A1, { metadata: { labels: { 'kubesphere.io/devopsproject': 'x' } } })).status,
    ).toBe(403)
  })

  it('have the creator who created them', async () => {
    const made = await as(ADMIN).post('/api/v1/namespaces', {
      metadata: { name: 'made', annotations: { 'kubesphere.io/creator': 'ben' } },
    })
    expect(made.json()).toMatchObject({ metadata: { annotations: { 'kubesphere.io/creator': 'admin' } } })
  })
})

describe('workspaces', () => {
  it('are changed by those who may change every workspace', async () => {
    const path = `${TENANT}/v1alpha1/workspaces/a`
    expect((await as('ana').patch(path, { spec: { manager: 'ana' } })).status).toBe(403)
    expect((await as('ana').delete(path)).status).toBe(403)
    expect((await as('wm').patch(path, { spec: { networkIsolation: true } })).status).toBe(200)
  })

  it('of the system stay', async () => {
    for (const path of ['v1alpha1/workspaces', 'v1alpha2/workspacetemplates'])
      for (const user of [ADMIN, 'wm'])
        expect((await as(user).delete(`${TENANT}/${path}/system-workspace`)).status).toBe(403)
  })
})

describe('service accounts', () => {
  const ACCOUNTS = '/api/v1/namespaces/a1/serviceaccounts'
  const request = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: { audiences: [] } }

  it('are given roles by those who hold them', async () => {
    const metadata = { annotations: { 'iam.kubesphere.io/role': 'admin' } }
    expect((await as('oper').post(ACCOUNTS, { metadata: { name: 'x', ...metadata } })).status).toBe(403)
    expect((await as('oper').patch(`${ACCOUNTS}/weak`, { metadata })).status).toBe(403)
    expect((await as('oper').post(ACCOUNTS, { metadata: { name: 'y' } })).status).toBe(201)
    expect((await as('padmin').patch(`${ACCOUNTS}/weak`, { metadata })).status).toBe(200)
  })

  it('give their token to those who hold what they hold', async () => {
    const refused = await as('oper').post(`${ACCOUNTS}/strong/token`, request)
    expect(refused.status, refused.text).toBe(403)
    const given = await as('padmin').post(`${ACCOUNTS}/strong/token`, request)
    expect(given.status, given.text).toBe(201)
    const secret = (account: string, name: string) => ({
      metadata: { name, annotations: { 'kubernetes.io/service-account.name': account } },
      type: TOKEN_SECRET,
    })
    const secrets = '/api/v1/namespaces/a1/secrets'
    expect((await as('oper').post(secrets, secret('strong', 's1'))).status).toBe(403)
    expect((await as('oper').post(secrets, secret('y', 's2'))).status).toBe(201)
    const annotations = { 'kubernetes.io/service-account.name': 'strong' }
    expect((await as('oper').patch(`${secrets}/s2`, { metadata: { annotations } })).status).toBe(403)
    expect(
      (await as('oper').post(secrets, { metadata: { name: 'plain' }, stringData: { a: 'b' } })).status,
    ).toBe(201)
  })
})

describe('what other objects are made of', () => {
  it('is written by administrators', async () => {
    const base = {
      apiVersion: 'iam.kubesphere.io/v1alpha2',
      kind: 'RoleBase',
      metadata: { name: 'x' },
      role: { apiVersion: 'v1', kind: 'Role', rules: ALL },
    }
    expect((await as('near').post(`${IAM}/rolebases`, base)).status).toBe(403)
    const federated = {
      apiVersion: 'iam.kubesphere.io/v1alpha2',
      kind: 'FederatedRoleBinding',
      metadata: { name: 'x' },
    }
    expect((await as('near').post(`${IAM}/namespaces/a1/federatedrolebindings`, federated)).status).toBe(403)
  })

  it('is a group only with what its binder has', async () => {
    const IAM_V = { apiVersion: 'iam.kubesphere.io/v1alpha2' }
    await store('POST', `${IAM}/groups`, {
      ...IAM_V,
      kind: 'Group',
      metadata: { name: 'g', labels: { [WORKSPACE]: 'a' } },
    })
    await store('POST', `${IAM}/workspacerolebindings`, {
      ...iamBinding('g', 'WorkspaceRole', 'a-admin', '', { [WORKSPACE]: 'a' }),
      kind: 'WorkspaceRoleBinding',
      subjects: [{ kind: 'Group', name: 'g' }],
    })
    const into = (labels: object) => ({
      ...IAM_V,
      kind: 'GroupBinding',
      metadata: { name: 'near-g', labels },
      groupRef: { apiGroup: 'iam.kubesphere.io', kind: 'groups', name: 'g' },
      users: ['near'],
    })
    await eventually(async () => {
      expect((await as('near').post(`${IAM}/groupbindings`, into({ [WORKSPACE]: 'a' }))).status).toBe(403)
    })
    expect((await as('near').post(`${IAM}/groupbindings`, into({ [WORKSPACE]: 'b' }))).status).toBe(404)
    expect(
      (await as('near').patch(`${IAM}/groups/g`, { metadata: { labels: { [WORKSPACE]: 'b' } } })).status,
    ).toBe(403)
  })
})

describe('the quota of a workspace', () => {
  const QUOTAS = '/apis/quota.kubesphere.io/v1alpha2/resourcequotas'
  const quota = (name: string, workspace: string, selects = workspace) => ({
    apiVersion: 'quota.kubesphere.io/v1alpha2',
    kind: 'ResourceQuota',
    metadata: { name, labels: { [WORKSPACE]: workspace } },
    spec: { selector: { [WORKSPACE]: selects }, quota: { hard: { pods: '5' } } },
  })

  it('is not for the administrators of the workspace, however they get there', async () => {
    await store('POST', QUOTAS, quota('a', 'a'))
    const more = { spec: { quota: { hard: { pods: '500' } } } }

    for (const user of ['ana', 'padmin', 'oper', 'um'])
      for (const path of [
        `${QUOTAS}/a`,
        `${QUOTAS}/a/status`,
        '/apis/quota.kubesphere.io/v1alpha2/namespaces/a1/resourcequotas/a',
        '/apis/quota.kubesphere.io/v1alpha2/workspaces/a/resourcequotas/a',
      ]) {
        expect((await as(user).patch(path, more)).status, `${user} ${path}`).toBeGreaterThanOrEqual(403)
        expect((await as(user).delete(path)).status, `${user} ${path}`).toBeGreaterThanOrEqual(403)
      }

    expect(await store('GET', `${QUOTAS}/a`)).toMatchObject({ spec: { quota: { hard: { pods: '5' } } } })
    expect((await as('wm').patch(`${QUOTAS}/a`, { spec: { quota: { hard: { pods: '6' } } } })).status).toBe(
      200,
    )
  })

  it('counts its workspace and no other, unless an administrator says so', async () => {
    expect((await as('wm').post(QUOTAS, quota('wide', 'a', 'b'))).status).toBe(403)
    const everything = { ...quota('all', 'a'), spec: { selector: {}, quota: { hard: { pods: '0' } } } }
    expect((await as('wm').post(QUOTAS, everything)).status).toBe(403)
    expect((await as('wm').post(QUOTAS, quota('b', 'b'))).status).toBe(201)
    expect((await as('wm').patch(`${QUOTAS}/b`, { spec: { selector: { [WORKSPACE]: 'a' } } })).status).toBe(
      403,
    )
    expect((await as(ADMIN).post(QUOTAS, everything)).status).toBe(201)
  })
})

describe('a federated namespace', () => {
  const PATH = '/apis/types.kubefed.io/v1beta1/namespaces/a1/federatednamespaces'
  const twin = (spec: object, labels: object = { [WORKSPACE]: 'a' }) => ({
    apiVersion: 'types.kubefed.io/v1beta1',
    kind: 'FederatedNamespace',
    metadata: { name: 'a1', labels },
    spec,
  })
  const says = (metadata: object) => ({ template: { metadata }, placement: { clusters: [] } })

  beforeAll(async () => {
    const names = {
      plural: 'federatednamespaces',
      singular: 'federatednamespace',
      kind: 'FederatedNamespace',
    }
    const schema = { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } }
    await store('POST', '/apis/apiextensions.k8s.io/v1/customresourcedefinitions', {
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      metadata: { name: 'federatednamespaces.types.kubefed.io' },
      spec: {
        group: 'types.kubefed.io',
        scope: 'Namespaced',
        names: { ...names, listKind: 'FederatedNamespaceList' },
        versions: [{ name: 'v1beta1', served: true, storage: true, schema }],
      },
    })
    await eventually(() => store('GET', PATH))
    await store('POST', `${TENANT}/v1alpha2/workspacetemplates`, {
      apiVersion: 'tenant.kubesphere.io/v1alpha2',
      kind: 'WorkspaceTemplate',
      metadata: { name: 'a' },
      spec: { template: { spec: {} }, placement: { clusters: [{ name: 'mine' }] } },
    })
  })

  it.each([
    ['a label of its template', twin(says({ labels: { [WORKSPACE]: 'b' } }))],
    ['its own label', twin(says({}), { [WORKSPACE]: 'b' })],
    ['no workspace at all', twin(says({ labels: { [WORKSPACE]: '' } }))],
    ['the name of another', twin(says({ labels: { 'kubesphere.io/namespace': 'b1' } }))],
    ['a creator', twin(says({ annotations: { 'kubesphere.io/creator': 'padmin' } }))],
    ['finalizers', twin(says({ finalizers: [] }))],
    [
      'an override',
      twin({
        ...says({}),
        overrides: [{ clusterName: 'x', clusterOverrides: [{ path: '/metadata/labels', value: {} }] }],
      }),
    ],
    ['a cluster that is not the workspace’s', twin({ placement: { clusters: [{ name: 'theirs' }] } })],
    ['every cluster', twin({ placement: { clusterSelector: {} } })],
  ])('does not move the project by %s', async (_, object) => {
    for (const user of ['ana', 'padmin']) {
      const answer = await as(user).post(PATH, object)
      expect(answer.status, answer.text).toBe(403)
    }
    expect((await as('padmin').patch(`${PATH}/a1`, object)).status).toBeGreaterThanOrEqual(403)
  })

  it('brings the project to clusters of its workspace, as its administrators like', async () => {
    const made = await as('padmin').post(
      PATH,
      twin({ template: {}, placement: { clusters: [{ name: 'mine' }] } }),
    )
    expect(made.status, made.text).toBe(201)

    const moved = await as('padmin').patch(`${PATH}/a1`, { spec: says({ labels: { [WORKSPACE]: 'b' } }) })
    expect(moved.status).toBe(403)
    const labelled = await as('padmin').patch(`${PATH}/a1`, { metadata: { labels: { tier: 'gold' } } })
    expect(labelled.status, labelled.text).toBe(200)
    expect(
      (await as(ADMIN).patch(`${PATH}/a1`, { spec: { placement: { clusters: [{ name: 'theirs' }] } } }))
        .status,
    ).toBe(200)
    expect((await as('padmin').delete(`${PATH}/a1`)).status).toBe(200)
  })
})

describe('a monitor of a project', () => {
  const path = (plural: string) => `/apis/monitoring.coreos.com/v1/namespaces/a1/${plural}`
  const monitor = (kind: string, spec: object) => ({
    apiVersion: 'monitoring.coreos.com/v1',
    kind,
    metadata: { generateName: 'm-' },
    spec,
  })
  const service = (endpoint: object, more: object = {}) =>
    ['servicemonitors', monitor('ServiceMonitor', { selector: {}, endpoints: [endpoint], ...more })] as const

  beforeAll(async () => {
    for (const kind of ['ServiceMonitor', 'PodMonitor', 'Probe', 'ScrapeConfig']) {
      const singular = kind.toLowerCase()
      const names = { plural: `${singular}s`, singular, kind, listKind: `${kind}List` }
      const schema = { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } }
      await store('POST', '/apis/apiextensions.k8s.io/v1/customresourcedefinitions', {
        apiVersion: 'apiextensions.k8s.io/v1',
        kind: 'CustomResourceDefinition',
        metadata: { name: `${names.plural}.monitoring.coreos.com` },
        spec: {
          group: 'monitoring.coreos.com',
          scope: 'Namespaced',
          names,
          versions: [{ name: 'v1', served: true, storage: true, schema }],
        },
      })
      await eventually(() => store('GET', path(names.plural)))
    }
  })

  it.each([
    ['the token of Prometheus', service({ bearerTokenFile: '/var/run/secrets/token' })],
    ['a key of Prometheus', service({ tlsConfig: { keyFile: '/etc/key' } })],
    ['credentials of Prometheus', service({ authorization: { credentialsFile: '/x' } })],
    ['every namespace', service({}, { namespaceSelector: { any: true } })],
    ['another namespace', service({}, { namespaceSelector: { matchNames: ['a1', 'b1'] } })],
    ['labels of its targets', service({ honorLabels: true })],
    [
      'another name for its namespace',
      service({ metricRelabelings: [{ targetLabel: 'namespace', replacement: 'b1' }] }),
    ],
    ['labels that are made up', service({ relabelings: [{ targetLabel: 'name$1' }] })],
    ['labels of labels', service({ relabelings: [{ action: 'labelmap', regex: 'x_(.+)' }] })],
    [
      'another address',
      service({ relabelings: [{ targetLabel: '__address__', replacement: '10.0.0.1:80' }] }),
    ],
    [
      'pods of another namespace',
      [
        'podmonitors',
        monitor('PodMonitor', { namespaceSelector: { matchNames: ['b1'] }, podMetricsEndpoints: [] }),
      ],
    ],
    [
      'static targets of another namespace',
      [
        'probes',
        monitor('Probe', { targets: { staticConfig: { static: ['x'], labels: { namespace: 'b1' } } } }),
      ],
    ],
    [
      'whatever there is',
      ['scrapeconfigs', monitor('ScrapeConfig', { staticConfigs: [{ targets: ['b1:80'] }] })],
    ],
  ] as const)('does not read %s', async (_, [plural, object]) => {
    const answer = await as('padmin').post(path(plural), object)
    expect(answer.status, answer.text).toBe(403)
    expect((await as(ADMIN).post(path(plural), object)).status).toBe(201)
  })

  it('reads the project, by any label and in any rhythm', async () => {
    const [plural, object] = service(
      {
        port: 'metrics',
        interval: '30s',
        basicAuth: { username: { name: 's', key: 'u' } },
        relabelings: [
          { action: 'keep', sourceLabels: ['a'], regex: 'b' },
          { targetLabel: 'tier', replacement: 'x' },
        ],
      },
      { namespaceSelector: { matchNames: ['a1'] }, selector: { matchLabels: { namespace: 'mine' } } },
    )
    const answer = await as('padmin').post(path(plural), object)

    expect(answer.status, answer.text).toBe(201)
  })
})

describe('a gateway', () => {
  it.each([
    ['Gateway', 'v1alpha1', 'gateways'],
    ['Nginx', 'v1alpha1', 'nginxes'],
  ])('is not made of values of a project: %s', async (kind, version, plural) => {
    const path = `/apis/gateway.kubesphere.io/${version}/namespaces/a1/${plural}`
    const gateway = {
      apiVersion: `gateway.kubesphere.io/${version}`,
      kind,
      metadata: { name: 'entrance' },
      spec: { controller: { scope: { enabled: true, namespace: 'b1' } } },
    }

    const answer = await as('padmin').post(path, gateway)
    expect(answer.status, answer.text).toBe(403)

    const made = await as(ADMIN).post(path, gateway)
    expect(made.status, made.text).toBe(201)
    expect((await as('padmin').patch(`${path}/entrance`, { spec: { controller: {} } })).status).toBe(403)
    expect((await as('padmin').delete(`${path}/entrance`)).status).toBe(200)
  })
})

describe('a DevOps project', () => {
  const PATH = '/apis/devops.kubesphere.io/v1alpha3/devopsprojects'
  const project = (name: string, workspace: string, status: object = {}) => ({
    apiVersion: 'devops.kubesphere.io/v1alpha3',
    kind: 'DevOpsProject',
    metadata: { name, labels: { [WORKSPACE]: workspace } },
    spec: {},
    status,
  })

  it('is ruled from where its workspace is, and from no namespace of choice', async () => {
    expect(
      (await as('wm').post(PATH, project('chosen', 'a', { adminNamespace: 'kubesphere-system' }))).status,
    ).toBe(403)
    expect((await as('ana').post(PATH, project('mine', 'a'))).status).toBe(403)
    expect((await as('wm').post(PATH, project('pipes', 'a'))).status).toBe(201)
    const elsewhere = { status: { adminNamespace: 'kubesphere-system' } }
    expect((await as('wm').patch(`${PATH}/pipes`, elsewhere)).status).toBe(403)
    expect((await as(ADMIN).patch(`${PATH}/pipes`, elsewhere)).status).toBe(200)
  })
})

describe('certificate signing requests', () => {
  const CSRS = '/apis/certificates.k8s.io/v1/certificatesigningrequests'

  it('of users are made by the platform alone, and their keys are not shown', async () => {
    const csr = {
      metadata: { name: 'admin-csr', labels: { 'kubesphere.io/username': 'admin' } },
      spec: {
        request: 'aGVsbG8=',
        signerName: 'kubernetes.io/kube-apiserver-client',
        usages: ['client auth'],
      },
    }
    for (const user of ['near', ADMIN]) expect((await as(user).post(CSRS, csr)).status).toBe(403)
  })

  it('are approved and signed by administrators alone', async () => {
    const csr = {
      apiVersion: 'certificates.k8s.io/v1',
      kind: 'CertificateSigningRequest',
      metadata: { name: 'own' },
      spec: {
        request: NEARS_REQUEST,
        signerName: 'kubernetes.io/kube-apiserver-client',
        usages: ['client auth'],
      },
    }
    const made = await as('near').post(CSRS, csr)
    expect(made.status, made.text).toBe(201)
    const conditions = [{ type: 'Approved', status: 'True', reason: 'Me', message: 'me' }]
    expect((await as('near').patch(`${CSRS}/own/approval`, { status: { conditions } })).status).toBe(403)
    // A genuine server does not take this condition here from anybody.
    const signed = await as('near').patch(`${CSRS}/own/status`, { status: { conditions } })
    expect([403, 422]).toContain(signed.status)
    expect((await as(ADMIN).patch(`${CSRS}/own/approval`, { status: { conditions } })).status).toBe(200)
  })
})
