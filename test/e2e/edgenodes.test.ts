/** Edge nodes, which no Prometheus scrapes, are told of by the metrics API. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { A1, type Cast, createCast, good } from '../fixtures/cast.js'
import { type Product, startProduct } from '../fixtures/product.js'
import { type StandIn, startStandIn } from '../fixtures/prometheus.js'

const MONITORING = '/kapis/monitoring.kubesphere.io/v1alpha3'
const FROM_PROMETHEUS = { metric: { node: 'scraped', role: 'worker' }, value: [1, '7'] }
const POLL = { timeout: 30_000 }

let scratch: string
let prometheus: StandIn
let product: Product
let cast: Cast
let edge: string
/** What the Prometheus has. */
let scraped: object[] = []

beforeAll(async () => {
  scratch = mkdtempSync(join(tmpdir(), 'orrery-edge-'))
  prometheus = await startStandIn(({ path }) => {
    const resultType = path.endsWith('query_range') ? 'matrix' : 'vector'
    return { status: 200, body: JSON.stringify({ status: 'success', data: { resultType, result: scraped } }) }
  })
  const config = join(scratch, 'kubesphere.yaml')
  writeFileSync(config, `monitoring:\n  endpoint: ${prometheus.url}\n`)
  product = await startProduct({ config, nodes: 2 })
  cast = await createCast(product)
  const nodes = good(await cast.root.get('/api/v1/nodes')).json.items as { metadata: { name: string } }[]
  edge = nodes[0]?.metadata.name ?? ''
  good(
    await cast.root.patch(`/api/v1/nodes/${edge}`, {
      metadata: { labels: { 'node-role.kubernetes.io/edge': '' } },
    }),
  )
  good(
    await cast.root.post(`/api/v1/namespaces/${A1}/pods`, {
      metadata: { name: 'at-the-edge' },
      spec: { nodeName: edge, containers: [{ name: 'main', image: 'nginx' }] },
    }),
  )
}, 120_000)

afterAll(async () => {
  await product?.close()
  await prometheus?.close()
  rmSync(scratch, { recursive: true, force: true })
})

interface Answered {
  metric_name: string
  data: {
    result?: { metric: Record<string, string>; value?: [number, string]; values?: [number, string][] }[]
  }
}

async function ask(path: string): Promise<Answered[]> {
  return good(await cast.root.get(`${MONITORING}${path}`)).json.results as Answered[]
}

const seriesOf = (answers: Answered[], name: string) =>
  answers.find(({ metric_name }) => metric_name === name)?.data.result ?? []

describe('edge nodes', () => {
  it('appear with six metrics where the Prometheus has nothing', async () => {
    await expect
      .poll(async () => seriesOf(await ask('/nodes?type=rank'), 'node_cpu_usage').length, POLL)
      .toBe(1)
    const answers = await ask('/nodes?type=rank')
    const told = answers.filter(({ data }) => data.result !== undefined)

    expect(told.map(({ metric_name }) => metric_name).sort()).toEqual([
      'node_cpu_total',
      'node_cpu_usage',
      'node_cpu_utilisation',
      'node_memory_total',
      'node_memory_usage_wo_cache',
      'node_memory_utilisation',
    ])
    for (const { metric_name } of told) {
      const [series] = seriesOf(answers, metric_name)
      expect(series?.metric).toMatchObject({ node: edge, role: 'edge' })
      expect(Number(series?.value?.[1])).toBeGreaterThan(0)
    }
  })

  it('are ranked among those that are scraped, and left out of other answers', async () => {
    scraped = [FROM_PROMETHEUS]
    const filter = 'metrics_filter=node_cpu_usage$'
    const nodes = async (path: string) =>
      seriesOf(await ask(path), 'node_cpu_usage').map(({ metric }) => metric['node'])

    expect(await nodes(`/nodes?type=rank&${filter}`)).toEqual(['scraped', edge])
    expect(await nodes(`/nodes?${filter}`)).toEqual(['scraped'])
    scraped = []
  })

  it('are not told of in place of another node', async () => {
    const answers = await ask('/nodes/another?metrics_filter=node_cpu_usage$')

    expect(seriesOf(answers, 'node_cpu_usage')).toEqual([])
  })

  it('have one point in a range', async () => {
    const now = Math.floor(Date.now() / 1_000)
    const answers = await ask(
      `/nodes/${edge}?metrics_filter=node_cpu_usage$&start=${now - 600}&end=${now}&step=60s`,
    )

    expect(seriesOf(answers, 'node_cpu_usage')[0]?.values).toHaveLength(1)
  })

  it('have pods, in bytes, for who may see their project', async () => {
    const path = `/namespaces/${A1}/pods?metrics_filter=pod_memory_usage_wo_cache$`
    const named = async () => seriesOf(await ask(path), 'pod_memory_usage_wo_cache')
    await expect.poll(async () => (await named()).length, POLL).toBe(1)

    expect((await named())[0]?.metric).toEqual({ namespace: A1, pod: 'at-the-edge' })
    expect(Number((await named())[0]?.value?.[1])).toBeGreaterThan(1 << 20)
    expect(seriesOf(await ask(`/nodes/another/pods?metrics_filter=pod_cpu_usage$`), 'pod_cpu_usage')).toEqual(
      [],
    )
  })
})
