/**
 * Paths and queries that mean one thing to whoever judges them and another to whoever serves them
 * (iam-tenant.md §13, 51-54; weaknesses W18-W20).
 */
import net from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { A, A1, B, B1, type Cast, createCast, good, type Person } from '../fixtures/cast.js'
import { type Product, startProduct } from '../fixtures/product.js'

const IAM = '/kapis/iam.kubesphere.io/v1alpha2'
const SECRET = 'top-secret-value'

let product: Product
let cast: Cast

beforeAll(async () => {
  product = await startProduct()
  cast = await createCast(product)
  const data = { token: SECRET }
  good(
    await cast.root.post(`/api/v1/namespaces/${B1}/configmaps`, {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'theirs' },
      data,
    }),
  )
}, 120_000)

afterAll(() => product?.close())

/** As it is: `fetch` would tidy the path up first. */
async function raw(person: Person | undefined, target: string): Promise<{ status: number; text: string }> {
  let authorization = ''
  if (person !== undefined) {
    const answer = await product.login(person === 'root' ? 'admin' : person)
    authorization = `Authorization: Bearer ${(answer.json as { access_token: string }).access_token}\r\n`
  }
  const { hostname, port } = new URL(product.url)
  const text = await new Promise<string>((resolve, reject) => {
    const socket = net.connect(Number(port), hostname)
    let received = ''
    socket.setEncoding('utf8').on('data', (chunk: string) => (received += chunk))
    socket.on('end', () => resolve(received)).on('error', reject)
    socket.write(`GET ${target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${authorization}\r\n`)
  })
  return { status: Number(/^HTTP\/1\.1 (\d+)/.exec(text)?.[1]), text }
}

const FOREIGN = `/api/v1/namespaces/${B1}/configmaps`
const OWN = `/api/v1/namespaces/${A1}/configmaps`

describe('a path', () => {
  it.each([
    `/api/v1/namespaces/${A1}/../${B1}/configmaps`,
    `/api/v1/namespaces/${A1}/%2e%2e/${B1}/configmaps`,
    `/api/v1/namespaces/${A1}%2f..%2f${B1}/configmaps`,
    `/api/v1/namespaces/${A1}%2F%2E%2E%2F${B1}%2Fconfigmaps`,
    `/api/v1/namespaces/${A1}/configmaps/../../${B1}/configmaps/theirs`,
    `/api/v1/namespaces/${A1}/%252e%252e/${B1}/configmaps`,
    `/api/v1/namespaces/${A1}/..%5c${B1}/configmaps`,
    `/api/v1/namespaces/${A1}\\..\\${B1}/configmaps`,
    `/api//v1/namespaces/${B1}/configmaps`,
    `//api/v1/namespaces/${B1}/configmaps`,
    `/./api/v1/namespaces/${B1}/configmaps`,
    `/api/v1/namespaces//${B1}/configmaps`,
    `/api/v1/namespaces/${B1}%00${A1}/configmaps`,
    `/api/v1/namespaces/${A1};/../${B1}/configmaps`,
    `/oauth/../api/v1/namespaces/${B1}/configmaps`,
    `/oauth/%2e%2e/api/v1/namespaces/${B1}/configmaps`,
    `/oauth%2f..%2fapi/v1/namespaces/${B1}/configmaps`,
    `/kapis/config.kubesphere.io/../../api/v1/namespaces/${B1}/configmaps`,
    `/kapis/version/../../api/v1/namespaces/${B1}/configmaps`,
    `/healthz/../api/v1/namespaces/${B1}/configmaps`,
    `http://evil.example/api/v1/namespaces/${B1}/configmaps`,
    `/kapis/tenant.kubesphere.io/v1alpha2/workspaces/${A}/../${B}`,
    `/api/clusters/host/v1/namespaces/${B1}/configmaps`,
    `/api/v1/workspaces/${A}/namespaces/${B1}/configmaps`,
    `/apis/iam.kubesphere.io/v1alpha2/workspaces/${A}/workspacerolebindings`,
    `/apis/iam.kubesphere.io/v1alpha2/namespaces/${A1}/users`,
    `/api/v1/namespaces/${A1}/namespaces/${B1}/configmaps`,
    `/api/v1/devops/x/namespaces/${B1}/configmaps`,
  ])('%s leads nobody to data', async (target) => {
    for (const person of [undefined, 'nob', 'ana', 'padmin'] as const) {
      const { status, text } = await raw(person, target)
      expect(status, `${person} ${text}`).toBeGreaterThanOrEqual(300)
      expect(status, text).toBeLessThan(500)
      expect(text).not.toContain(SECRET)
      const location = /^location: (\S+)/im.exec(text)?.[1]
      // Where it sends, judged on its own.
      if (location !== undefined) {
        const there = await raw(person, location)
        expect(there.status, location).toBeGreaterThanOrEqual(400)
        expect(there.text).not.toContain(SECRET)
      }
    }
  })

  it.each(['%', '%zz', '%00', '%0d%0aX:y', '%ff', '\\', '%5C'])(
    'with %s in it is a bad request',
    async (part) => {
      for (const prefix of [OWN, '/kapis/tenant.kubesphere.io/v1alpha2/workspaces', '/oauth']) {
        const { status, text } = await raw('root', `${prefix}/${part}`)
        expect(status, text).toBe(400)
        expect(text).toContain('"kind":"Status"')
      }
    },
  )

  it('names a namespace of the workspace it names, or there is none', async () => {
    const ana = await cast.as('ana')
    const path = `/kapis/tenant.kubesphere.io/v1alpha2/workspaces/${A}/namespaces/${B1}`
    expect([403, 404]).toContain((await ana.get(path)).status)
    expect([403, 404]).toContain((await ana.put(path, { metadata: { name: B1 } })).status)
  })
})

describe('a query', () => {
  it('does not make a list one’s own entry', async () => {
    const ben = await cast.as('ben')
    const own = encodeURIComponent('metadata.name=ben')
    for (const path of [
      `${IAM}/workspaces/${A}/workspacemembers`,
      `${IAM}/clustermembers`,
      `${IAM}/namespaces/${A1}/members`,
      FOREIGN.replace(B1, A1),
    ])
      expect((await ben.get(`${path}?fieldSelector=${own}`)).status, path).toBe(403)
  })

  it('does not make a route of the platform a watch in one’s own workspace', async () => {
    const ana = await cast.as('ana')
    for (const path of [
      `${IAM}/clustermembers`,
      `${IAM}/workspaces/${B}/workspacemembers`,
      `${IAM}/globalroles`,
    ])
      for (const workspace of [A, ''])
        expect(
          (await ana.get(`${path}?watch=true&labelSelector=kubesphere.io/workspace=${workspace}`)).status,
        ).toBe(403)
  })

  it('does not take a watch below one name out of its namespace', async () => {
    const ana = await cast.as('ana')
    const selector = encodeURIComponent(`kubesphere.io/workspace=${A}`)
    for (const path of [
      `/api/v1/watch/namespaces/${B1}/pods/web/log`,
      `/api/v1/watch/namespaces/${B1}/services/x/proxy`,
    ])
      expect((await ana.get(`${path}?labelSelector=${selector}`)).status).toBe(403)
    const narrowed = await ana.get(`${FOREIGN}?watch=true&timeoutSeconds=1&labelSelector=${selector}`)
    expect(narrowed.text).not.toContain(SECRET)
  })
})
