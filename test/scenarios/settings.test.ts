/** What the configuration file decides: how long accounts are locked and logins kept, and who reaches a project. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { eventually, good, userObject } from '../fixtures/cast.js'
import { type Client, type Product, startProduct } from '../fixtures/product.js'

const IAM = '/kapis/iam.kubesphere.io/v1alpha2'
const NATIVE = '/apis/iam.kubesphere.io/v1alpha2'
const TENANT = '/kapis/tenant.kubesphere.io/v1alpha2'

const CONFIGURATION = `
authentication:
  authenticateRateLimiterMaxTries: 2
  authenticateRateLimiterDuration: 5s
  loginHistoryMaximumEntries: 3
  loginHistoryRetentionPeriod: 12s
network:
  enableNetworkPolicy: true
`

const directory = mkdtempSync(join(tmpdir(), 'orrery-settings-'))
let product: Product
let root: Client

beforeAll(async () => {
  const config = join(directory, 'kubesphere.yaml')
  writeFileSync(config, CONFIGURATION)
  product = await startProduct({ config })
  root = await product.as('admin')
})

afterAll(async () => {
  await product?.close()
  rmSync(directory, { recursive: true, force: true })
})

async function person(name: string): Promise<void> {
  good(await root.post(`${IAM}/users`, userObject(name, 'platform-regular')))
  await eventually(async () =>
    expect((await root.get(`${IAM}/users/${name}`)).json.status.state).toBe('Active'),
  )
}

const stateOf = async (name: string): Promise<unknown> =>
  (await root.get(`${IAM}/users/${name}`)).json.status.state

describe('a locked account', () => {
  it('opens by itself when nobody has failed for the time of the lock', async () => {
    await person('locked')
    await eventually(async () => {
      for (let tries = 0; tries < 2; tries++) await product.login('locked', 'wrong')
      expect((await product.login('locked')).status).toBe(429)
      expect(await stateOf('locked')).toBe('AuthLimitExceeded')
    })

    await eventually(async () => expect((await product.login('locked')).status).toBe(200))

    await eventually(async () => expect(await stateOf('locked')).toBe('Active'))
  }, 60_000)
})

describe('records of logins', () => {
  const record = (name: string, user: string): object => ({
    apiVersion: 'iam.kubesphere.io/v1alpha2',
    kind: 'LoginRecord',
    metadata: { name, labels: { 'iam.kubesphere.io/user-ref': user } },
    spec: { type: 'Token', provider: '', sourceIP: '10.0.0.1', success: true, reason: 'authenticated' },
  })
  const recordsOf = async (user: string): Promise<string[]> => {
    const selector = `labelSelector=iam.kubesphere.io/user-ref%3D${user}`
    const { json } = await root.get(`${NATIVE}/loginrecords?${selector}`)
    return (json.items as { metadata: { name: string } }[]).map(({ metadata }) => metadata.name).sort()
  }

  it('are kept as many and as long as configured', async () => {
    await person('frequent')

    for (const name of ['frequent-1', 'frequent-2', 'frequent-3', 'frequent-4'])
      good(await root.post(`${NATIVE}/loginrecords`, record(name, 'frequent')))

    await eventually(async () =>
      expect(await recordsOf('frequent')).toEqual(['frequent-2', 'frequent-3', 'frequent-4']),
    )
    await eventually(async () => expect(await recordsOf('frequent')).toEqual([]))
  }, 60_000)

  it('go with their user', async () => {
    await person('leaver')
    good(await root.post(`${NATIVE}/loginrecords`, record('leaver-1', 'leaver')))

    good(await root.delete(`${IAM}/users/leaver`))

    await eventually(async () => expect(await recordsOf('leaver')).toEqual([]))
  })
})

describe('the projects of an isolated workspace', () => {
  it('admit the workspace alone, and only themselves when they say so', async () => {
    good(
      await root.post(`${TENANT}/workspaces`, {
        metadata: { name: 'island' },
        spec: { template: { spec: { networkIsolation: true } }, placement: { clusterSelector: {} } },
      }),
    )
    for (const name of ['island-one', 'island-two'])
      good(await root.post(`${TENANT}/workspaces/island/namespaces`, { metadata: { name } }))
    const policy = (namespace: string): string =>
      `/apis/networking.k8s.io/v1/namespaces/${namespace}/networkpolicies/nsnp-network-isolate`
    const admits = (namespace: string, labels: object): Promise<void> =>
      eventually(async () =>
        expect((await root.get(policy(namespace))).json).toMatchObject({
          spec: { podSelector: {}, ingress: [{ from: [{ namespaceSelector: { matchLabels: labels } }] }] },
        }),
      )

    for (const name of ['island-one', 'island-two'])
      await admits(name, { 'kubesphere.io/workspace': 'island' })

    const isolate = { metadata: { annotations: { 'kubesphere.io/network-isolate': 'enabled' } } }
    good(await root.patch('/api/v1/namespaces/island-one', isolate))
    await admits('island-one', { 'kubesphere.io/namespace': 'island-one' })
    await admits('island-two', { 'kubesphere.io/workspace': 'island' })
  })
})
