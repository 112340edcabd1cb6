/** Dashboards of Grafana, imported into the whole product. */
import { createServer, type Server } from 'node:http'
import { type AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Egress } from '../../src/integrations/egress.js'
import { download } from '../../src/monitoring/dashboards/download.js'
import { type Client, type Product, startProduct } from '../fixtures/product.js'

const BASE = '/kapis/monitoring.kubesphere.io/v1alpha3'
const OBJECTS = '/apis/monitoring.kubesphere.io/v1alpha2'
const grafana = JSON.stringify({ title: 'Nodes', panels: [{ type: 'graph', targets: [{ expr: 'up' }] }] })
const at = (name: string): string => `${BASE}/clusterdashboards/${name}/template`

let product: Product
let admin: Client
let site: Server
let siteUrl: string

beforeAll(async () => {
  site = createServer((request, response) => {
    if (request.url === '/inside')
      response.writeHead(302, { location: 'http://169.254.169.254/latest' }).end()
    else if (request.url === '/loop') response.writeHead(302, { location: '/loop' }).end()
    else if (request.url === '/moved') response.writeHead(301, { location: '/nodes.json' }).end()
    else if (request.url === '/missing') response.writeHead(404).end()
    else if (request.url === '/endless') response.write('[')
    else response.end(grafana)
  })
  await new Promise<void>((resolve) => site.listen(0, '127.0.0.1', resolve))
  siteUrl = `http://127.0.0.1:${(site.address() as AddressInfo).port}`
  product = await startProduct({})
  admin = await product.as('admin')
}, 60_000)

afterAll(async () => {
  site.closeAllConnections()
  site.close()
  await product.close()
})

describe('importing a dashboard', () => {
  it('by content stores one of the cluster, once', async () => {
    const body = { grafanaDashboardContent: grafana, description: 'all nodes' }
    const made = await admin.post(at('nodes'), body)

    expect(made).toMatchObject({
      status: 200,
      json: {
        kind: 'ClusterDashboard',
        metadata: { name: 'nodes', annotations: { 'kubesphere.io/description': 'all nodes' } },
        spec: { title: 'Nodes', panels: [{ type: 'graph', targets: [{ refId: 1, expr: 'up' }] }] },
      },
    })
    expect((await admin.get(`${OBJECTS}/clusterdashboards/nodes`)).json.spec).toEqual(made.json.spec)
    expect(await admin.post(at('nodes'), body)).toMatchObject({
      status: 400,
      text: 'a dashboard with the same name already exists.\n',
    })
  })

  it('of a project stores it there', async () => {
    const path = `${BASE}/namespaces/default/dashboards/own/template`
    expect(
      await admin.post(path, { grafanaDashboardContent: grafana, namespace: 'kube-system' }),
    ).toMatchObject({
      status: 200,
      json: { kind: 'Dashboard', metadata: { name: 'own', namespace: 'default' } },
    })
    expect((await admin.get(`${OBJECTS}/namespaces/default/dashboards/own`)).status).toBe(200)
  })

  it.each([
    [
      {},
      'the requested parameter grafanaDashboardUrl and grafanaDashboardContent cannot be empty at the same time',
    ],
    [{ grafanaDashboardContent: '[]' }, 'a dashboard is a JSON object'],
    [{ grafanaDashboardContent: '{' }, ''],
    [{ grafanaDashboardUrl: 'file:///etc/passwd' }, 'unsupported protocol scheme'],
    [{ grafanaDashboardUrl: 'http://127.0.0.1:1/' }, 'an address inside'],
    [{ grafanaDashboardUrl: 'http://localhost:1/' }, 'an address inside'],
    [{ grafanaDashboardUrl: 'http://[::ffff:10.0.0.1]/' }, 'an address inside'],
    [{ grafanaDashboardUrl: 'http://169.254.169.254/latest/meta-data' }, 'an address inside'],
    [{ grafanaDashboardUrl: 'nonsense' }, 'cannot be fetched'],
  ])('%o is refused', async (body, message) => {
    const { status, text } = await admin.post(at('refused'), body)
    expect(status).toBe(400)
    expect(text).toContain(message)
  })

  it('refuses a name that no object can have, and a project that is not there', async () => {
    const body = { grafanaDashboardContent: grafana }
    expect((await admin.post(at('No_Name'), body)).status).toBe(400)
    const nowhere = `${BASE}/namespaces/nowhere/dashboards/own/template`
    expect((await admin.post(nowhere, body)).status).toBe(400)
  })

  it('is not for those without a role', async () => {
    const anonymous = product.withToken(undefined)
    expect(
      (await anonymous.post(at('own'), { grafanaDashboardContent: grafana })).status,
    ).toBeGreaterThanOrEqual(401)
  })
})

describe('fetching a dashboard', () => {
  const allowed = new Egress(['127.0.0.0/8'])
  const signal = new AbortController().signal

  it('follows redirects, where they lead outside', async () => {
    expect(await download(`${siteUrl}/moved`, allowed, signal)).toBe(grafana)
    await expect(download(`${siteUrl}/inside`, allowed, signal)).rejects.toThrow('an address inside')
    await expect(download(`${siteUrl}/loop`, allowed, signal)).rejects.toThrow('too many redirects')
  })

  it('fails for another status, for what is too long, and for what never ends', async () => {
    await expect(download(`${siteUrl}/missing`, allowed, signal)).rejects.toThrow('it answers 404')
    await expect(download(siteUrl, allowed, signal, { longestBytes: 10 })).rejects.toThrow('longer than 10')
    await expect(download(`${siteUrl}/endless`, allowed, signal, { timeoutMs: 200 })).rejects.toThrow(
      'no answer within 200 ms',
    )
  })
})
