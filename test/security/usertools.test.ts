/** Kubeconfigs and web terminals of users, and what is left when a user goes. */
import { X509Certificate } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import {
  clientCertificate,
  newKey,
  selfSignedAuthority,
  signingRequest,
} from '../../src/certificates/index.js'
import { A, A1, type Cast, createCast, eventually, good, userObject } from '../fixtures/cast.js'
import { kubectlOn } from '../fixtures/kubectl.js'
import { type Product, startProduct } from '../fixtures/product.js'

const IAM = '/kapis/iam.kubesphere.io/v1alpha2'
const NATIVE = '/apis/iam.kubesphere.io/v1alpha2'
const RBAC = '/apis/rbac.authorization.k8s.io/v1'
const DAY_MS = 24 * 3_600_000
const TOOLS = '/kapis/resources.kubesphere.io/v1alpha2/users'

let product: Product
let cast: Cast

beforeAll(async () => {
  product = await startProduct()
  cast = await createCast(product)
})

afterAll(() => product.close())

interface Kubeconfig {
  users: { name: string; user: Record<string, string> }[] | null
}

describe('a kubeconfig', () => {
  it('is for its user, with certificate and key', async () => {
    const ana = await cast.as('ana')

    await eventually(async () => {
      const answer = await ana.get(`${TOOLS}/ana/kubeconfig`)
      expect(answer.status).toBe(200)
      const { users } = parse(answer.text) as Kubeconfig
      expect(users?.[0]?.name).toBe('ana')
      expect(users?.[0]?.user).toHaveProperty('client-certificate-data')
      expect(users?.[0]?.user).toHaveProperty('client-key-data')
    })
  })

  it('is renewed two days before its end, when its user is looked at', async () => {
    const { root } = cast
    const users = `${IAM}/users`
    good(await root.post(users, userObject('rex', 'platform-regular')))
    const rex = await product.as('rex')
    const certificate = async (): Promise<X509Certificate> => {
      const { users } = parse((await rex.get(`${TOOLS}/rex/kubeconfig`)).text) as Kubeconfig
      return new X509Certificate(Buffer.from(users?.[0]?.user['client-certificate-data'] ?? '', 'base64'))
    }
    await eventually(async () => expect((await certificate()).subject).toBe('CN=rex'))
    const now = Date.now()
    const validity = { notBefore: new Date(now - 300 * DAY_MS), notAfter: new Date(now + 2 * DAY_MS) }
    const authority = selfSignedAuthority('some', validity)
    const subject = { commonName: 'rex', organizations: [] }
    const ending = Buffer.from(clientCertificate(authority, subject, validity).cert).toString('base64')
    const map = '/api/v1/namespaces/kubesphere-controls-system/configmaps/kubeconfig-rex'
    const { config } = (await root.get(map)).json.data as { config: string }
    const replaced = config.replace(/(client-certificate-data: ).*/, `$1${ending}`)
    expect(replaced).not.toBe(config)

    good(await root.patch(map, { data: { config: replaced } }))
    good(await root.patch(`${NATIVE}/users/rex`, { metadata: { labels: { touched: 'yes' } } }))

    await eventually(async () => {
      const { subject: name, validTo } = await certificate()
      expect(name).toBe('CN=rex')
      expect(Date.parse(validTo)).toBeGreaterThan(now + 3 * DAY_MS)
      expect((await root.get(map)).json.data.config).not.toContain(ending)
    })
  })

  it('is for nobody who could not do the same', async () => {
    const { root } = cast
    good(
      await root.post(`${RBAC}/clusterrolebindings`, {
        metadata: { name: 'vic-sees-all' },
        subjects: [{ kind: 'User', name: 'vic', apiGroup: 'rbac.authorization.k8s.io' }],
        roleRef: { kind: 'ClusterRole', name: 'cluster-viewer', apiGroup: 'rbac.authorization.k8s.io' },
      }),
    )
    const vic = await cast.as('vic')
    await eventually(async () => expect((await vic.get(`${IAM}/users/admin`)).status).toBe(200))

    expect((await vic.get(`${TOOLS}/admin/kubeconfig`)).status).toBe(403)
    expect((await vic.get(`${TOOLS}/ana/kubeconfig`)).status).toBe(403)
    expect((await (await cast.as('nob')).get(`${TOOLS}/ana/kubeconfig`)).status).toBe(403)
    expect((await root.get(`${TOOLS}/ana/kubeconfig`)).status).toBe(200)
  })

  it('that is not there is 404', async () => {
    const answer = await cast.root.get(`${TOOLS}/nobody/kubeconfig`)

    expect(answer.status).toBe(404)
    expect(answer.json).toEqual({ message: 'configmap "kubeconfig-nobody" not found' })
    expect((await cast.root.get(`${TOOLS}/..%2f/kubeconfig`)).status).toBeLessThan(500)
  })
})

describe('a signing request', () => {
  it('that somebody made for another user is never approved', async () => {
    // As with kubectl at the cluster itself, past the platform.
    const kubernetes = kubectlOn(product.upstream)
    const requests = '/apis/certificates.k8s.io/v1/certificatesigningrequests'
    const forged = {
      apiVersion: 'certificates.k8s.io/v1',
      kind: 'CertificateSigningRequest',
      metadata: { name: 'forged', labels: { 'kubesphere.io/username': 'admin' } },
      spec: {
        request: Buffer.from(signingRequest(newKey(), { commonName: 'admin', organizations: [] })).toString(
          'base64',
        ),
        signerName: 'kubernetes.io/kube-apiserver-client',
        usages: ['key encipherment', 'digital signature', 'client auth'],
      },
    }
    expect((await kubernetes.post(requests, forged)).status).toBe(201)

    // Whoever comes later gets a certificate: that one has been looked at.
    good(await cast.root.post(`${IAM}/users`, userObject('later', 'platform-regular')))
    await eventually(async () => {
      const { text } = await cast.root.get(`${TOOLS}/later/kubeconfig`)
      expect(text).toContain('client-certificate-data')
    })

    const { status } = (await cast.root.get(`${requests}/forged`)).json
    expect(status?.conditions).toBeUndefined()
    expect(status?.certificate).toBeUndefined()
  })
})

describe('an administrator of the platform', () => {
  it('has the cluster and a terminal, for as long as the role is there', async () => {
    const { root } = cast
    const binding = `${RBAC}/clusterrolebindings/chief-cluster-admin`
    const terminal = '/apis/apps/v1/namespaces/kubesphere-controls-system/deployments/kubectl-chief'
    good(await root.post(`${IAM}/users`, userObject('chief', 'platform-admin')))
    await eventually(async () => {
      expect((await root.get(binding)).json).toMatchObject({
        subjects: [{ kind: 'User', name: 'chief' }],
        roleRef: { kind: 'ClusterRole', name: 'cluster-admin' },
      })
      expect((await root.get(terminal)).status).toBe(200)
    })

    good(await root.delete(`${NATIVE}/globalrolebindings/chief-platform-admin`))

    await eventually(async () => {
      expect((await root.get(binding)).status).toBe(404)
      expect((await root.get(terminal)).status).toBe(404)
    })
    expect((await root.get(`${IAM}/users/chief`)).status).toBe(200)
  })
})

describe('a web terminal', () => {
  it('is found when its pod is ready', async () => {
    const { root } = cast
    const pods = '/api/v1/namespaces/kubesphere-controls-system/pods'
    const labels = { 'kubesphere.io/username': 'terminal' }
    const template = {
      metadata: { labels },
      spec: { containers: [{ name: 'kubectl', image: 'kubectl' }] },
    }
    good(await root.post(`${IAM}/users`, userObject('terminal', '')))
    expect((await root.get(`${TOOLS}/terminal/kubectl`)).status).toBe(404)
    good(
      await root.post('/apis/apps/v1/namespaces/kubesphere-controls-system/deployments', {
        metadata: { name: 'kubectl-terminal' },
        spec: { replicas: 0, selector: { matchLabels: labels }, template },
      }),
    )
    good(await root.post(pods, { metadata: { name: 'kubectl-terminal-1', labels }, spec: template.spec }))
    const answer = await root.get(`${TOOLS}/terminal/kubectl`)
    expect(answer.status).toBe(404)
    expect(answer.json.message).toContain('cannot find valid kubectl pod')

    const status = { conditions: [{ type: 'Ready', status: 'True' }] }
    good(await root.patch(`${pods}/kubectl-terminal-1/status`, { status }))

    await eventually(async () =>
      expect((await root.get(`${TOOLS}/terminal/kubectl`)).json).toEqual({
        namespace: 'kubesphere-controls-system',
        pod: 'kubectl-terminal-1',
        container: 'kubectl',
      }),
    )
  })
})

describe('a user who is deleted', () => {
  it('takes along every binding and record, and the next of the name begins with nothing', async () => {
    const { root } = cast
    good(await root.post(`${IAM}/users`, userObject('mover', 'users-manager')))
    good(
      await root.post(`${IAM}/workspaces/${A}/workspacemembers`, [
        { username: 'mover', roleRef: `${A}-viewer` },
      ]),
    )
    good(await root.post(`${IAM}/namespaces/${A1}/members`, [{ username: 'mover', roleRef: 'viewer' }]))
    good(await root.post(`${IAM}/clustermembers`, [{ username: 'mover', roleRef: 'cluster-viewer' }]))
    const groups = `${IAM}/workspaces/${A}/groups`
    const group = good(await root.post(groups, { metadata: { generateName: 'moving-' } })).json.metadata.name
    const membership = [{ userName: 'mover', groupName: group }]
    good(await root.post(`${IAM}/workspaces/${A}/groupbindings`, membership))
    good(
      await root.post(`${NATIVE}/globalrolebindings`, {
        apiVersion: 'iam.kubesphere.io/v1alpha2',
        kind: 'GlobalRoleBinding',
        metadata: { name: 'unlabelled' },
        subjects: [{ kind: 'User', name: 'mover' }],
        roleRef: { kind: 'GlobalRole', name: 'workspaces-manager', apiGroup: 'iam.kubesphere.io' },
      }),
    )
    await product.as('mover')

    good(await root.delete(`${IAM}/users/mover`))

    await eventually(async () => expect((await root.get(`${IAM}/users/mover`)).status).toBe(404))
    for (const path of [
      `${NATIVE}/globalrolebindings`,
      `${NATIVE}/workspacerolebindings`,
      `${RBAC}/clusterrolebindings`,
      `${RBAC}/namespaces/${A1}/rolebindings`,
      `${NATIVE}/loginrecords`,
      `${NATIVE}/groupbindings`,
    ])
      expect((await root.get(path)).text).not.toContain('"mover"')
    good(await root.post(`${IAM}/users`, userObject('mover', 'platform-regular')))
    const again = await product.as('mover')
    expect((await again.get(`${IAM}/users/mover`)).json.spec.groups ?? []).toEqual([])
    expect((await again.get(`/api/v1/namespaces/${A1}/pods`)).status).toBe(403)
    expect((await again.get('/api/v1/pods')).status).toBe(403)
  })
})
