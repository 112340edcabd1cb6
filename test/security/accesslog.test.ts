/** Every change of access leaves a line in the log, and no secret does. */
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { good, userObject } from '../fixtures/cast.js'
import { type Client, PASSWORD, type Product, startProduct } from '../fixtures/product.js'

const IAM = '/kapis/iam.kubesphere.io/v1alpha2'
const NEW = 'Another1pass'

interface Line {
  fields: Record<string, unknown>
  message: string
}

let product: Product
let root: Client
let lines: Line[] = []
const keep = (fields: object, message: string): void => {
  lines.push({ fields: fields as Record<string, unknown>, message })
}

beforeAll(async () => {
  product = await startProduct({ logger: { debug: keep, info: keep, warn: keep, error: keep } })
  root = await product.as('admin')
})

beforeEach(() => {
  lines = []
})

afterAll(() => product?.close())

const told = (): Record<string, unknown>[] =>
  lines.filter(({ message }) => /access/.test(message)).map(({ fields, message }) => ({ ...fields, message }))

it('tells who made whom, with which role, and what was refused', async () => {
  good(await root.post(`${IAM}/users`, userObject('lin', 'platform-regular')))
  good(await root.put(`${IAM}/users/lin/password`, { password: NEW }))
  const lin = await product.as('lin', NEW)
  expect((await lin.delete('/apis/iam.kubesphere.io/v1alpha2/users/lin/status')).status).toBeGreaterThan(300)
  const role = {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRole',
    metadata: { name: 'r' },
    rules: [],
  }
  good(await root.post('/apis/rbac.authorization.k8s.io/v1/clusterroles', role))
  good(await root.post(`${IAM}/clustermembers`, [{ username: 'lin', roleRef: 'r' }]))
  good(await root.patch('/apis/iam.kubesphere.io/v1alpha2/users/lin', { spec: { password: 'Again1pass' } }))
  good(await root.delete(`${IAM}/users/lin`))

  expect(told()).toMatchObject([
    { user: 'admin', verb: 'create', resource: 'users', name: 'lin', status: 200, message: 'access changed' },
    { user: 'admin', verb: 'update', resource: 'users/password', name: 'lin' },
    { user: 'lin', verb: 'delete', resource: 'users/status', message: 'change of access refused' },
    { verb: 'create', group: 'rbac.authorization.k8s.io', resource: 'clusterroles', name: 'r', status: 201 },
    { verb: 'create', resource: 'clustermembers', users: ['lin'], roles: ['r'] },
    { verb: 'patch', resource: 'users', name: 'lin' },
    { verb: 'delete', resource: 'users', name: 'lin' },
  ])
})

it('keeps passwords, hashes and tokens out of the log altogether', async () => {
  good(await root.post(`${IAM}/users`, userObject('mia', 'platform-regular')))
  const mia = await product.as('mia')
  good(await mia.put(`${IAM}/users/mia/password`, { currentPassword: PASSWORD, password: NEW }))
  await product.login('mia', NEW)

  const text = JSON.stringify(lines)
  expect(text).toContain('mia')
  for (const secret of [PASSWORD, NEW, '$2a$', '$2b$', 'eyJ']) expect(text).not.toContain(secret)
})

it('says nothing of reads', async () => {
  await root.get(`${IAM}/users`)
  await root.get('/apis/rbac.authorization.k8s.io/v1/clusterroles')

  expect(told()).toEqual([])
})
