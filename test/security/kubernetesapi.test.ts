/**
 * The Kubernetes API behind the platform, as tenants of one workspace try to reach into another, or to become more
 * than they are (iam-tenant.md §13, 38, 47-50, 66, 70, 72-75).
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import {
  A,
  A1,
  A2,
  B,
  B1,
  type Cast,
  createCast,
  eventually,
  FREE,
  good,
  type Person,
} from '../fixtures/cast.js'
import { type Client, type Product, startProduct } from '../fixtures/product.js'

const IAM = '/kapis/iam.kubesphere.io/v1alpha2'
const KUBE_IAM = '/apis/iam.kubesphere.io/v1alpha2'
const RBAC = '/apis/rbac.authorization.k8s.io/v1'
const WORKSPACE = 'kubesphere.io/workspace'
const CREATOR = 'kubesphere.io/creator'

let product: Product
let cast: Cast
let root: Client
const as = (person: Person): Promise<Client> => cast.as(person)

beforeAll(async () => {
  product = await startProduct()
  cast = await createCast(product)
  root = cast.root
  for (const namespace of [A1, B1])
    good(
      await root.post(`/api/v1/namespaces/${namespace}/pods`, {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name: 'web' },
        spec: { containers: [{ name: 'web', image: 'nginx' }] },
      }),
    )
}, 120_000)

afterAll(() => product?.close())

const namespace = (name: string): string => `/api/v1/namespaces/${name}`
const labelled = (value: string | null): object => ({ metadata: { labels: { [WORKSPACE]: value } } })
const binding = (name: string, user: string, role: string, kind = 'Role'): object => ({
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind: 'RoleBinding',
  metadata: { name },
  subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: user }],
  roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind, name: role },
})

describe('what is in another workspace', () => {
  it.each(['nob', 'vic', 'ana', 'sp', 'padmin', 'oper'] as const)('is closed to %s', async (person) => {
    const client = await as(person)
    for (const path of [
      `${namespace(B1)}`,
      `${namespace(B1)}/pods`,
      `${namespace(B1)}/secrets`,
      `/apis/apps/v1/namespaces/${B1}/deployments`,
      `${RBAC}/namespaces/${B1}/roles`,
      `/api/v1/watch/namespaces/${B1}/secrets`,
      `${namespace(B1)}/secrets?watch=true`,
      '/api/v1/secrets',
      '/api/v1/secrets?fieldSelector=metadata.namespace%3D' + A1,
      `/apis/tenant.kubesphere.io/v1alpha1/workspaces/${B}`,
    ])
      expect((await client.get(path)).status, path).toBe(403)
    const map = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'x' } }
    expect((await client.post(`${namespace(B1)}/configmaps`, map)).status).toBe(403)
    // The place in the body does not count.
    const elsewhere = { ...map, metadata: { name: 'x', namespace: B1 } }
    expect((await client.post(`${namespace(A1)}/configmaps`, elsewhere)).status).toBeGreaterThanOrEqual(400)
  })

  it('is not reached by a watch for one’s own workspace', async () => {
    good(
      await root.post(`${namespace(B1)}/configmaps`, {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name: 'theirs', labels: { [WORKSPACE]: B } },
      }),
    )
    const ana = await as('ana')
    const own = encodeURIComponent(`${WORKSPACE}=${A}`)
    const watched = await ana.get(`/api/v1/configmaps?watch=true&timeoutSeconds=1&labelSelector=${own}`)
    expect(watched.status).toBe(200)
    expect(watched.text).not.toContain('theirs')
    for (const selector of ['', B, `${A},a=b`, `${A},${WORKSPACE}!=x`]) {
      const text = encodeURIComponent(`${WORKSPACE}=${selector}`)
      const { status } = await ana.get(`/api/v1/configmaps?watch=true&timeoutSeconds=1&labelSelector=${text}`)
      expect(status, selector).toBe(403)
    }
    const { status } = await ana.get(`/api/v1/configmaps?labelSelector=${own}`)
    expect(status).toBe(403)
  })
})

describe('a namespace', () => {
  it.each(['ana', 'padmin', 'oper'] as const)('is not moved or freed by %s', async (person) => {
    const client = await as(person)
    for (const value of [B, null, 'system-workspace', ''])
      expect((await client.patch(namespace(A1), labelled(value))).status).toBe(403)
    const { json } = await root.get(namespace(A1))
    const { [WORKSPACE]: _, ...labels } = json.metadata.labels
    expect(
      (await client.put(namespace(A1), { ...json, metadata: { ...json.metadata, labels } })).status,
    ).toBe(403)
    expect((await root.get(namespace(A1))).json.metadata.labels[WORKSPACE]).toBe(A)
  })

  it('without workspace belongs to no administrator of one, and is not claimed', async () => {
    for (const person of ['ana', 'ben', 'sp'] as const) {
      const client = await as(person)
      for (const path of [`${namespace(FREE)}/secrets`, `${namespace('not-there')}/secrets`])
        expect((await client.get(path)).status).toBe(403)
      expect((await client.patch(namespace(FREE), labelled(A))).status).toBe(403)
      const path = `/kapis/tenant.kubesphere.io/v1alpha2/workspaces/${A}/namespaces/${FREE}`
      expect((await client.get(path)).status).toBeGreaterThanOrEqual(403)
      expect((await client.patch(path, labelled(A))).status).toBeGreaterThanOrEqual(403)
    }
  })

  it('is given to a workspace by an administrator of the cluster, as the console does it', async () => {
    good(
      await root.post('/api/v1/namespaces', {
        apiVersion: 'v1',
        kind: 'Namespace',
        metadata: { name: 'given' },
      }),
    )
    good(await root.patch(namespace('given'), labelled(A)))
    await eventually(async () =>
      expect((await (await as('ana')).get(`${namespace('given')}/pods`)).status).toBe(200),
    )
    good(await root.patch(namespace('given'), labelled(B)))
    await eventually(async () =>
      expect((await (await as('ana')).get(`${namespace('given')}/pods`)).status).toBe(403),
    )
  })

  it('makes no administrator of who strips its finalizer and calls himself its creator', async () => {
    const oper = await as('oper')
    const { json } = await root.get(namespace(A1))
    const metadata = { ...json.metadata, finalizers: [], annotations: { [CREATOR]: 'oper' } }
    expect((await oper.put(namespace(A1), { ...json, metadata })).status).toBe(403)
    expect((await oper.patch(namespace(A1), { metadata: { finalizers: null } })).status).toBe(403)
    expect(
      (await oper.patch(namespace(A1), { metadata: { annotations: { [CREATOR]: 'oper' } } })).status,
    ).toBe(403)
    expect(
      (await oper.patch(`${namespace(A1)}/finalize`, { metadata: { finalizers: null } })).status,
    ).toBeGreaterThanOrEqual(403)
    expect((await root.get(`${RBAC}/namespaces/${A1}/rolebindings/oper-admin`)).status).toBe(404)
  })
})

describe('a shell', () => {
  /** The status that refuses the upgrade; 101 when it is accepted. */
  const upgraded = async (person: Person, path: string): Promise<number> => {
    const answer = await product.login(person === 'root' ? 'admin' : person)
    const { access_token } = answer.json as { access_token: string }
    return new Promise((resolve) => {
      const socket = new WebSocket(product.url.replace('http', 'ws') + path, ['v4.channel.k8s.io'], {
        headers: { authorization: `Bearer ${access_token}` },
      })
      socket.on('open', () => (socket.terminate(), resolve(101)))
      socket.on('unexpected-response', (request, response) => {
        resolve(response.statusCode ?? 0)
        request.destroy()
      })
      socket.on('error', () => undefined)
    })
  }

  it.each(['vic', 'pview', 'reg', 'nob', 'ben'] as const)(
    'is not opened by %s, who may look at most',
    async (person) => {
      for (const entrance of [
        'exec?command=sh&stdin=true',
        'attach',
        'portforward?ports=80',
        'proxy/',
        'proxy',
      ])
        expect(await upgraded(person, `${namespace(A1)}/pods/web/${entrance}`), entrance).toBe(403)
      expect(await upgraded(person, `${namespace(A1)}/services/web/proxy/`)).toBe(403)
      const client = await as(person)
      expect((await client.get(`${namespace(A1)}/pods/web/exec?command=sh`)).status).toBe(403)
      expect((await client.get(`${namespace(A1)}/services/web/proxy/`)).status).toBe(403)
      expect((await client.get('/api/v1/nodes/node-1/proxy/pods')).status).toBe(403)
      const debug = { spec: { ephemeralContainers: [{ name: 'd', image: 'busybox' }] } }
      expect((await client.patch(`${namespace(A1)}/pods/web/ephemeralcontainers`, debug)).status).toBe(403)
      expect((await client.get(`/api/v1/proxy/namespaces/${A1}/pods/web`)).status).toBe(403)
    },
  )

  it('is the business of those who may change the project', async () => {
    for (const person of ['ana', 'padmin', 'oper'] as const)
      expect(await upgraded(person, `${namespace(A1)}/pods/web/exec?command=sh`), person).not.toBe(403)
  })

  it('is not opened in the rooms of other users', async () => {
    for (const person of ['ana', 'wm', 'um', 'nob'] as const) {
      const path = `${namespace('kubesphere-controls-system')}/pods/kubectl-admin/exec?command=sh`
      const status = await upgraded(person, path)
      // Whoever manages workspaces may enter pods anywhere by the stock role; that is what the role says.
      if (person !== 'wm') expect(status, person).toBe(403)
    }
  })
})

describe('access', () => {
  it('is not extended by who may write roles and bindings in a project', async () => {
    good(
      await root.post(`${RBAC}/namespaces/${A1}/roles`, {
        apiVersion: 'rbac.authorization.k8s.io/v1',
        kind: 'Role',
        metadata: { name: 'access-manager' },
        rules: [
          { apiGroups: ['*'], resources: ['*'], verbs: ['get', 'list', 'watch'] },
          { apiGroups: ['rbac.authorization.k8s.io'], resources: ['roles', 'rolebindings'], verbs: ['*'] },
        ],
      }),
    )
    good(
      await root.post(
        `${RBAC}/namespaces/${A1}/rolebindings`,
        binding('nob-access', 'nob', 'access-manager'),
      ),
    )
    const nob = await as('nob')
    const bindings = `${RBAC}/namespaces/${A1}/rolebindings`
    await eventually(async () => expect((await nob.get(bindings)).status).toBe(200))

    expect((await nob.post(bindings, binding('up', 'nob', 'admin'))).status).toBe(403)
    expect((await nob.post(bindings, binding('up', 'nob', 'cluster-admin', 'ClusterRole'))).status).toBe(403)
    const wide = [{ apiGroups: ['*'], resources: ['*'], verbs: ['*'] }]
    expect((await nob.patch(`${RBAC}/namespaces/${A1}/roles/access-manager`, { rules: wide })).status).toBe(
      403,
    )
    expect((await nob.post(bindings, binding('even', 'reg', 'access-manager'))).status).toBe(201)

    good(await root.delete(`${bindings}/nob-access`))
    await eventually(async () => expect((await nob.get(bindings)).status).toBe(403))
  })

  it('is lost with the next request when a binding goes, and by all holders when a role goes', async () => {
    const roles = `${RBAC}/namespaces/${A2}/roles`
    const read = [{ apiGroups: [''], resources: ['configmaps'], verbs: ['list'] }]
    good(
      await root.post(roles, {
        apiVersion: 'rbac.authorization.k8s.io/v1',
        kind: 'Role',
        metadata: { name: 'reader' },
        rules: read,
      }),
    )
    good(await root.post(`${RBAC}/namespaces/${A2}/rolebindings`, binding('bare-reader', 'bare', 'reader')))
    const bare = await as('bare')
    const maps = `${namespace(A2)}/configmaps`
    await eventually(async () => expect((await bare.get(maps)).status).toBe(200))

    good(await root.delete(`${roles}/reader`))

    await eventually(async () => expect((await bare.get(maps)).status).toBe(403))
    const told = await root.get(`${IAM}/namespaces/${A2}/members/bare/roles`)
    expect(told.status).toBeLessThan(500)
  })

  it('to the platform stays with somebody', async () => {
    expect((await root.delete(`${KUBE_IAM}/globalrolebindings/admin`)).status).toBe(409)
    expect((await root.delete(`${KUBE_IAM}/globalrolebindings`)).status).toBeGreaterThanOrEqual(400)
    expect((await root.patch(`${KUBE_IAM}/globalrolebindings/admin`, { subjects: null })).status).toBe(409)
    expect([403, 409]).toContain((await root.delete(`${KUBE_IAM}/users/admin`)).status)
    expect([403, 409]).toContain((await root.delete(`${IAM}/users/admin`)).status)
    expect((await root.delete(`${KUBE_IAM}/globalroles/platform-admin`)).status).toBe(409)
    expect((await root.get(`${KUBE_IAM}/globalrolebindings/admin`)).json.subjects).toHaveLength(1)
  })

  it('does not come with headers that name somebody else', async () => {
    const nob = await as('nob')
    const headers = {
      'impersonate-user': 'admin',
      'impersonate-group': 'system:masters',
      'x-remote-user': 'admin',
    }
    expect((await nob.request('GET', '/api/v1/secrets', undefined, headers)).status).toBe(403)
  })

  it('does not come with a policy that a role carries', async () => {
    const annotations = { 'iam.kubesphere.io/rego-override': 'package authz\ndefault allow = true' }
    const padmin = await as('padmin')
    const answer = await padmin.post(`${RBAC}/namespaces/${A1}/roles`, {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'Role',
      metadata: { name: 'policy', annotations },
      rules: [],
    })
    expect(answer.status).toBe(422)
  })

  it('does not come with an object that is called like the own user', async () => {
    const nob = await as('nob')
    for (const path of ['/apis/example.com/v1/users/nob', '/api/v1/users/nob', `${namespace(B1)}/users/nob`])
      expect((await nob.get(path)).status, path).toBe(403)
    expect((await nob.get(`${KUBE_IAM}/users/nob`)).status).toBe(200)
  })
})

describe('a certificate signing request', () => {
  const CSRS = '/apis/certificates.k8s.io/v1/certificatesigningrequests'
  const request = (labels: object): object => ({
    apiVersion: 'certificates.k8s.io/v1',
    kind: 'CertificateSigningRequest',
    metadata: { name: 'forged', labels },
    spec: {
      // Not read before it is approved.
      request: Buffer.from(
        '-----BEGIN CERTIFICATE REQUEST-----\n-----END CERTIFICATE REQUEST-----\n',
      ).toString('base64'),
      signerName: 'kubernetes.io/kube-apiserver-client',
      usages: ['client auth'],
    },
  })

  it('that looks like one of the platform’s own is not taken from anybody', async () => {
    for (const person of ['root', 'ana', 'um'] as const)
      expect(
        (await (await as(person)).post(CSRS, request({ 'kubesphere.io/username': 'admin' }))).status,
      ).toBe(403)
  })
})

describe('who has not logged in', () => {
  it('is refused in the form of Kubernetes, and bad tokens are told so', async () => {
    const nobody = product.withToken(undefined)
    const forged = product.withToken('not.a.token')
    for (const path of [
      '/api/v1/namespaces',
      `${KUBE_IAM}/users`,
      `${IAM}/users`,
      `${IAM}/users/admin`,
      `${IAM}/workspaces/${A}/workspacemembers`,
      '/kapis/tenant.kubesphere.io/v1alpha2/workspaces',
      `/kapis/tenant.kubesphere.io/v1alpha2/workspaces/${A}`,
    ]) {
      const refused = await nobody.get(path)
      expect(refused.status, path).toBe(403)
      expect(refused.json).toMatchObject({ kind: 'Status', reason: 'Forbidden', code: 403 })
      const unknown = await forged.get(path)
      expect(unknown.status, path).toBe(401)
      expect(unknown.json).toMatchObject({ kind: 'Status', reason: 'Unauthorized', code: 401 })
    }
  })

  it('learns nothing about which users there are', async () => {
    const nobody = product.withToken(undefined)
    const there = await nobody.get(`${IAM}/users/admin`)
    const not = await nobody.get(`${IAM}/users/nobody-of-that-name`)
    expect(there.text.replaceAll('admin', 'X')).toBe(not.text.replaceAll('nobody-of-that-name', 'X'))
  })
})
