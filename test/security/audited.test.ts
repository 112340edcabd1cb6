/**
 * What audit documents are for, and what they must never hold: every change of who may do what is in them, and no
 * password, token, key or content of a Secret, whichever route it came by.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { everyRoute } from '../../src/serving/everyroute.js'
import { eventually } from '../fixtures/cast.js'
import { type Client, PASSWORD, type Product, startProduct } from '../fixtures/product.js'

interface Item {
  Verb: string
  RequestURI: string
  Level: string
  RequestObject: unknown
  ResponseObject: unknown
}

const IAM = '/kapis/iam.kubesphere.io/v1alpha2'
const NOTIFICATION = '/kapis/notification.kubesphere.io/v2beta2'
const RESOURCES = '/kapis/resources.kubesphere.io'
const WEBHOOKS = '/apis/auditing.kubesphere.io/v1alpha1/webhooks'
/** Stands for everything that nobody may read in an audit document. */
const MARK = 'Hush-4711-x'
const IN_BASE64 = Buffer.from(MARK).toString('base64')
const around = new RegExp(`.{0,80}(?:${MARK}|${IN_BASE64})`, 'g')

let product: Product
let root: Client
let receiver: Server
let directory: string
const received: Item[] = []

beforeAll(async () => {
  receiver = createServer((request, response) => {
    let body = ''
    request.on('data', (chunk: Buffer) => (body += chunk.toString()))
    request.on('end', () => {
      received.push(...(JSON.parse(body) as { Items: Item[] }).Items)
      response.end()
    })
  })
  await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve))
  directory = mkdtempSync(join(tmpdir(), 'orrery-audited-'))
  const webhookUrl = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/`
  const config = join(directory, 'kubesphere.yaml')
  writeFileSync(
    config,
    JSON.stringify({
      auditing: { enable: true, webhookUrl, eventBatchInterval: '50ms' },
      records: { enabled: true, auditFile: join(directory, 'audit.log') },
    }),
  )
  product = await startProduct({ config })
  root = await product.as('admin')
})

afterAll(async () => {
  await product.close()
  receiver.close()
  rmSync(directory, { recursive: true })
})

const written = (): Item[] => {
  const file = join(directory, 'audit.log')
  if (!existsSync(file)) return []
  const lines = readFileSync(file, 'utf8').split('\n').slice(0, -1)
  return lines.map((line) => JSON.parse(line) as Item)
}

describe('a change of who may do what', () => {
  it('is recorded by whichever route it comes, without anybody having configured that', async () => {
    const asked: string[] = []
    for (const { route, example } of everyRoute(product.groups)) {
      if (!/\/(?:iam|tenant)\.kubesphere\.io\//.test(example) || route.method === 'GET') continue
      const { status } = await root.request(route.method, example, {})
      if (status !== 401 && status !== 403) asked.push(example)
    }
    for (const resource of ['users', 'globalrolebindings', 'workspacerolebindings', 'groupbindings']) {
      const path = `/apis/iam.kubesphere.io/v1alpha2/${resource}`
      await root.post(path, {})
      asked.push(path)
    }
    for (const resource of ['rolebindings', 'roles']) {
      const path = `/apis/rbac.authorization.k8s.io/v1/namespaces/default/${resource}`
      await root.post(path, {})
      asked.push(path)
    }
    expect(asked.length).toBeGreaterThan(40)

    await eventually(async () => {
      const seen = new Set(written().map(({ RequestURI }) => RequestURI))
      expect(asked.filter((path) => !seen.has(path))).toEqual([])
    })
    expect(new Set(written().map(({ Level }) => Level))).toEqual(new Set(['Metadata']))
  })
})

describe('a secret', () => {
  const marked = async (method: string, path: string, body: unknown, type = 'application/json') => {
    const { status } = await root.request(method, path, body, { 'content-type': type })
    return `${method} ${path}: ${status}`
  }
  const secret = (name: string, more: object = {}) => ({
    metadata: { name },
    type: 'Opaque',
    data: { other: IN_BASE64 },
    stringData: { key: MARK },
    ...more,
  })

  it('that went through any route is in no audit document', async () => {
    await root.post(WEBHOOKS, {
      apiVersion: 'auditing.kubesphere.io/v1alpha1',
      kind: 'Webhook',
      metadata: { name: 'kube-auditing-webhook' },
      spec: { auditLevel: 'RequestResponse' },
    })
    await eventually(async () => {
      await root.get('/api/v1/namespaces')
      expect(received.some(({ Level }) => Level === 'RequestResponse')).toBe(true)
    })
    const user = `${IAM}/users`
    const strange = { email: 'sue@example.com', password: `${MARK}Aa1` }
    const secrets = '/api/v1/namespaces/default/secrets'
    const shown = `${RESOURCES}/v1alpha3/namespaces/default/secrets`
    const receiverOf = (channel: object) => ({
      metadata: { name: 'r', labels: { type: 'global' } },
      spec: channel,
    })
    const answers = [
      await marked('POST', user, {
        apiVersion: 'iam.kubesphere.io/v1alpha2',
        kind: 'User',
        metadata: { name: 'sue' },
        spec: strange,
      }),
      await marked('PUT', `${user}/sue`, { metadata: { name: 'sue' }, spec: strange }),
      await marked(
        'PATCH',
        `${user}/sue`,
        { spec: { password: `${MARK}Bb2` } },
        'application/merge-patch+json',
      ),
      await marked('PUT', `${user}/sue/password`, { currentPassword: PASSWORD, password: `${MARK}Cc3` }),
      await marked(
        'PATCH',
        '/apis/iam.kubesphere.io/v1alpha2/users/sue',
        [{ op: 'replace', path: '/spec/password', value: MARK }],
        'application/json-patch+json',
      ),
      await marked('POST', secrets, secret('one')),
      await marked('PUT', `${secrets}/one`, secret('one')),
      await marked(
        'PATCH',
        `${secrets}/one`,
        { stringData: { more: MARK } },
        'application/strategic-merge-patch+json',
      ),
      await marked(
        'PATCH',
        `${secrets}/one`,
        [{ op: 'add', path: '/data/x', value: IN_BASE64 }],
        'application/json-patch+json',
      ),
      await marked('GET', secrets, undefined),
      await marked('GET', `${secrets}/one`, undefined),
      await marked('GET', shown, undefined),
      await marked('GET', `${shown}/one`, undefined),
      await marked('POST', `${RESOURCES}/v1alpha3/namespaces/default/registrysecrets/one/verify`, {
        type: 'kubernetes.io/dockerconfigjson',
        data: {
          '.dockerconfigjson': Buffer.from(
            JSON.stringify({ auths: { 'r.example': { password: MARK } } }),
          ).toString('base64'),
        },
      }),
      await marked('POST', `${NOTIFICATION}/secrets`, secret('two', { labels: { type: 'global' } })),
      await marked('POST', `${NOTIFICATION}/users/admin/secrets`, secret('three')),
      await marked(
        'POST',
        `${NOTIFICATION}/receivers`,
        receiverOf({ discord: { webhook: { value: `https://d.example/${MARK}` } } }),
      ),
      await marked(
        'POST',
        `${NOTIFICATION}/configs`,
        receiverOf({ email: { authUsername: 'u', authPassword: { value: MARK } } }),
      ),
      await marked('POST', '/apis/cluster.kubesphere.io/v1alpha1/clusters', {
        metadata: { name: 'far' },
        spec: { connection: { type: 'direct', kubeconfig: IN_BASE64, token: MARK } },
      }),
      await marked('POST', '/api/v1/namespaces/default/serviceaccounts/default/token', {
        apiVersion: 'authentication.k8s.io/v1',
        kind: 'TokenRequest',
        spec: {},
      }),
      await marked('POST', '/oauth/authenticate', { kind: 'TokenReview', spec: { token: MARK } }),
      await marked('GET', `${RESOURCES}/v1alpha2/users/admin/kubeconfig`, undefined),
    ]
    await product.login('admin')
    expect(answers.filter((answer) => /: 5\d\d$/.test(answer))).toEqual([])
    const last = '/api/v1/namespaces/default/configmaps/last'
    await root.delete(last)

    await eventually(async () => {
      expect(received.map(({ RequestURI }) => RequestURI)).toContain(last)
      expect(written().map(({ RequestURI }) => RequestURI)).toContain(last)
    })
    for (const items of [received, written()]) {
      const told = items.map((item) => JSON.stringify(item))
      expect(told.flatMap((text) => text.match(around) ?? [])).toEqual([])
      // Tokens, keys and hashes of passwords, by how they begin.
      expect(told.filter((text) => /eyJ[\w-]{10}|PRIVATE KEY|\$2[aby]\$/.test(text))).toEqual([])
      expect(items.some(({ RequestObject }) => JSON.stringify(RequestObject).includes('(not kept)'))).toBe(
        true,
      )
    }
  })
})
