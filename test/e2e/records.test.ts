/**
 * Finding out afterwards, as people do it: what somebody has done is found by those who may know, and by nobody else.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { eventually } from '../fixtures/cast.js'
import { type Client, PASSWORD, type Product, startProduct } from '../fixtures/product.js'

const IAM = '/kapis/iam.kubesphere.io/v1alpha2'
const TENANT = '/kapis/tenant.kubesphere.io/v1alpha2'

let product: Product
let admin: Client
let mia: Client
let eve: Client
let receiver: Server
let directory: string
const received: { Items: { Verb: string; RequestURI: string; RequestObject: unknown }[] }[] = []

beforeAll(async () => {
  receiver = createServer((request, response) => {
    let body = ''
    request.on('data', (chunk: Buffer) => (body += chunk.toString()))
    request.on('end', () => {
      received.push(JSON.parse(body) as (typeof received)[0])
      response.end()
    })
  })
  await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve))
  directory = mkdtempSync(join(tmpdir(), 'orrery-e2e-records-'))
  const config = join(directory, 'kubesphere.yaml')
  writeFileSync(
    config,
    JSON.stringify({
      auditing: {
        enable: true,
        webhookUrl: `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/`,
        eventBatchInterval: '50ms',
      },
      records: { enabled: true, auditFile: join(directory, 'audit.log') },
    }),
  )
  product = await startProduct({ config, nodes: 1 })
  admin = await product.as('admin')
  for (const name of ['mia', 'eve'])
    await admin.post(`${IAM}/users`, {
      apiVersion: 'iam.kubesphere.io/v1alpha2',
      kind: 'User',
      metadata: { name, annotations: { 'iam.kubesphere.io/globalrole': 'platform-regular' } },
      spec: { email: `${name}@example.com`, password: PASSWORD },
    })
  await admin.post(`${TENANT}/workspaces`, {
    apiVersion: 'tenant.kubesphere.io/v1alpha2',
    kind: 'WorkspaceTemplate',
    metadata: { name: 'blue' },
    spec: { template: { spec: { manager: 'admin' } } },
  })
  await eventually(async () => {
    const { status } = await admin.post(`${IAM}/workspaces/blue/workspacemembers`, [
      { username: 'mia', roleRef: 'blue-viewer' },
    ])
    expect(status).toBe(200)
  })
  await eventually(async () => {
    const { status } = await admin.post(`${TENANT}/workspaces/blue/namespaces`, {
      metadata: { name: 'blue-dev' },
    })
    expect(status).toBe(200)
  })
  mia = await product.as('mia')
  eve = await product.as('eve')
})

afterAll(async () => {
  await product.close()
  receiver.close()
  rmSync(directory, { recursive: true })
})

const auditsFor = async (client: Client, query: string): Promise<{ ObjectRef: { Name: string } }[]> =>
  (await client.get(`${TENANT}/auditing/events?${query}`)).json.query.records ?? []

describe('what somebody has written', () => {
  it('is on record a moment later, for administrators and for members of the workspace, not for strangers', async () => {
    await admin.post('/api/v1/namespaces/blue-dev/configmaps', {
      metadata: { name: 'settings' },
      data: { a: 'b' },
    })

    await eventually(async () => {
      expect(await auditsFor(admin, 'objectref_name_filter=settings&verb_filter=create')).toMatchObject([
        {
          Level: 'Metadata',
          Verb: 'create',
          User: { Username: 'admin' },
          ObjectRef: { Resource: 'configmaps', Namespace: 'blue-dev', Name: 'settings' },
          ResponseStatus: { code: 201 },
          RequestObject: null,
        },
      ])
    })
    expect(await auditsFor(mia, 'objectref_name_filter=settings')).toHaveLength(1)
    expect(await auditsFor(eve, 'objectref_name_filter=settings')).toEqual([])
    expect(await auditsFor(admin, 'verb_filter=get,list,watch')).toEqual([])
  })

  it('is sent to the receiver and written with its body once the policy asks for that', async () => {
    await admin.post('/apis/auditing.kubesphere.io/v1alpha1/webhooks', {
      apiVersion: 'auditing.kubesphere.io/v1alpha1',
      kind: 'Webhook',
      metadata: { name: 'kube-auditing-webhook' },
      spec: { auditLevel: 'Request' },
    })

    await eventually(async () => {
      await admin.post('/api/v1/namespaces/blue-dev/configmaps', {
        metadata: { generateName: 'more-' },
        data: { x: 'y' },
      })
      const items = received.flatMap(({ Items }) => Items)
      expect(items.filter(({ Verb }) => Verb === 'create')).toContainEqual(
        expect.objectContaining({
          RequestURI: '/api/v1/namespaces/blue-dev/configmaps',
          Level: 'Request',
          RequestObject: { metadata: { generateName: 'more-' }, data: { x: 'y' } },
        }),
      )
    })
    await eventually(async () => {
      const lines = readFileSync(join(directory, 'audit.log'), 'utf8').trim().split('\n')
      expect(lines.map((line) => (JSON.parse(line) as { Verb: string }).Verb)).toContain('create')
    })
  })

  it('is counted', async () => {
    const { text } = await admin.get('/metrics')

    expect(text).toMatch(/ks_server_audit_events_total\{sink="archive",outcome="delivered"\} [1-9]/)
    expect(text).toMatch(/ks_server_audit_events_total\{sink="webhook",outcome="failed"\} 0/)
    const { statistics } = (await admin.get(`${TENANT}/auditing/events?operation=statistics`)).json
    expect(statistics.events).toBeGreaterThan(3)
  })
})

describe('what a workload has gone through', () => {
  const linesFor = async (client: Client): Promise<string[]> =>
    (
      (await client.get(`${TENANT}/logs?namespaces=blue-dev&workloads=web&log_query=start+worker`)).json.query
        .records ?? []
    ).map(({ log }: { log: string }) => log)
  const reasonsFor = async (client: Client): Promise<string[]> =>
    (
      (await client.get(`${TENANT}/events?involved_object_namespace_filter=blue-dev&size=100`)).json.query
        .records ?? []
    ).map(({ reason }: { reason: string }) => reason)

  it('is found by a member as log lines and as Events, and not by a stranger', async () => {
    const labels = { app: 'web' }
    const { status } = await admin.post('/apis/apps/v1/namespaces/blue-dev/deployments', {
      metadata: { name: 'web' },
      spec: {
        replicas: 1,
        selector: { matchLabels: labels },
        template: { metadata: { labels }, spec: { containers: [{ name: 'main', image: 'nginx' }] } },
      },
    })
    expect(status).toBe(201)

    await eventually(async () => {
      expect(await linesFor(mia)).toEqual([expect.stringContaining('start worker processes')])
      expect(await reasonsFor(mia)).toEqual(expect.arrayContaining(['ScalingReplicaSet', 'Started']))
    })
    expect(await linesFor(eve)).toEqual([])
    expect(await reasonsFor(eve)).toEqual([])
    const exported = await mia.get(`${TENANT}/logs?operation=export&pod_query=web`)
    expect(exported.text).toContain('[simulated] nginx runs no program here\n')
  })
})
