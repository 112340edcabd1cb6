/**
 * Finding out why something broke, as a person does it on the configuration that `npm start` has: the Event, the log
 * line and the audit record are found by a member of the project through the tenant API, and by nobody else.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { eventually } from '../fixtures/cast.js'
import { type Client, PASSWORD, type Product, startProduct } from '../fixtures/product.js'

const IAM = '/kapis/iam.kubesphere.io/v1alpha2'
const TENANT = '/kapis/tenant.kubesphere.io/v1alpha2'

let product: Product
let admin: Client
let mia: Client
let eve: Client

beforeAll(async () => {
  product = await startProduct({ nodes: 1 })
  admin = await product.as('admin')
  for (const name of ['mia', 'eve'])
    await admin.post(`${IAM}/users`, {
      apiVersion: 'iam.kubesphere.io/v1alpha2',
      kind: 'User',
      metadata: { name, annotations: { 'iam.kubesphere.io/globalrole': 'platform-regular' } },
      spec: { email: `${name}@example.com`, password: PASSWORD },
    })
  for (const [workspace, member] of [
    ['blue', 'mia'],
    ['red', 'eve'],
  ]) {
    await admin.post(`${TENANT}/workspaces`, {
      apiVersion: 'tenant.kubesphere.io/v1alpha2',
      kind: 'WorkspaceTemplate',
      metadata: { name: workspace },
      spec: { template: { spec: { manager: 'admin' } } },
    })
    await eventually(async () => {
      const { status } = await admin.post(`${IAM}/workspaces/${workspace}/workspacemembers`, [
        { username: member, roleRef: `${workspace}-admin` },
      ])
      expect(status).toBe(200)
    })
    await eventually(async () => {
      const { status } = await admin.post(`${TENANT}/workspaces/${workspace}/namespaces`, {
        metadata: { name: `${workspace}-shop` },
      })
      expect(status).toBe(200)
    })
  }
  mia = await product.as('mia')
  eve = await product.as('eve')
})

afterAll(() => product.close())

interface Found {
  /** A question that finds records, and one that names the project. */
  ask: string
  /** Seen of them by the member. */
  shows: (record: any) => unknown // eslint-disable-line @typescript-eslint/no-explicit-any -- records of all kinds
  expected: unknown[]
}

const QUESTIONS: Record<string, Found> = {
  Event: {
    ask: 'events?involved_object_namespace_filter=blue-shop&reason_filter=BackOff&type_filter=Warning',
    shows: ({ involvedObject }) => involvedObject.name,
    expected: [expect.stringMatching(/^till-/)],
  },
  'entry of the log': {
    ask: `logs?namespaces=blue-shop&workloads=till&log_query=${encodeURIComponent('连接失败')}`,
    shows: ({ log }) => log,
    expected: ['cannot open the till: 数据库连接失败\n'],
  },
  'audit record': {
    ask: 'auditing/events?objectref_namespace_filter=blue-shop&objectref_name_filter=till&verb_filter=create',
    shows: ({ User, ObjectRef }) => `${User.Username} ${ObjectRef.Resource}`,
    expected: ['mia deployments'],
  },
}

describe('a workload that somebody has broken', () => {
  it('is created by a member', async () => {
    const labels = { app: 'till' }
    const { status } = await mia.post('/apis/apps/v1/namespaces/blue-shop/deployments', {
      metadata: { name: 'till' },
      spec: {
        replicas: 1,
        selector: { matchLabels: labels },
        template: {
          metadata: { labels },
          spec: {
            containers: [
              {
                name: 'main',
                image: 'busybox',
                command: ['sh', '-c', 'echo cannot open the till: 数据库连接失败; exit 3'],
              },
            ],
          },
        },
      },
    })

    expect(status).toBe(201)
    await eventually(async () => {
      const { items } = (await mia.get('/api/v1/namespaces/blue-shop/pods')).json
      expect(items[0].status.containerStatuses[0].state.waiting.reason).toBe('CrashLoopBackOff')
    })
  })

  it.each(Object.entries(QUESTIONS))(
    'leaves an %s for a member to find',
    async (_, { ask, shows, expected }) => {
      await eventually(async () => {
        const { query } = (await mia.get(`${TENANT}/${ask}`)).json
        const seen = [...new Set((query.records ?? []).map(shows))]
        expect(seen).toEqual(expected)
        expect(query.total).toBe(query.records.length)
      })
    },
  )

  it.each(Object.entries(QUESTIONS))('leaves an %s for no stranger to find', async (_, { ask }) => {
    const mine = (await mia.get(`${TENANT}/${ask}`)).json.query
    expect(mine.total).toBeGreaterThan(0)

    const hers = (await eve.get(`${TENANT}/${ask}`)).json.query
    expect({ total: hers.total, records: hers.records ?? null }).toEqual({ total: 0, records: null })
    const wider = (await eve.get(`${TENANT}/${ask.replace(/\?.*/, '?size=1000')}`)).text
    expect(wider).not.toContain('blue-shop')
    expect((await product.withToken(undefined).get(`${TENANT}/${ask}`)).status).toBe(403)
  })

  it('is counted over time and downloaded by the member alone', async () => {
    const logs = `${TENANT}/logs?namespaces=blue-shop`
    const { histogram } = (await mia.get(`${logs}&operation=histogram&interval=1m`)).json
    expect(histogram.total).toBeGreaterThan(0)
    expect((await mia.get(`${logs}&operation=export`)).text).toContain('数据库连接失败\n')

    expect((await eve.get(`${logs}&operation=histogram`)).json).toEqual({
      histogram: { total: 0, histograms: null },
    })
    expect((await eve.get(`${logs}&operation=export`)).text).toBe('')
  })

  it('shows in the metrics what was collected, and that nothing was lost', async () => {
    const { text } = await admin.get('/metrics')

    for (const kind of ['events', 'logs']) {
      expect(text).toMatch(new RegExp(`collected_records_total{kind="${kind}",outcome="delivered"} [1-9]`))
      for (const outcome of ['dropped', 'failed'])
        expect(text).toContain(`ks_server_collected_records_total{kind="${kind}",outcome="${outcome}"} 0`)
    }
    expect(text).toContain('ks_server_audit_events_total{sink="archive",outcome="dropped"} 0')
  })
})
