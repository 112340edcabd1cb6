/** What the pages of metrics show right after a start, without a Prometheus. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { A, A1, B1, type Cast, createCast, good } from '../fixtures/cast.js'
import { type Client, ON_CLUSTER, type Product, startProduct } from '../fixtures/product.js'

const MONITORING = '/kapis/monitoring.kubesphere.io/v1alpha3'

let product: Product
let cast: Cast

beforeAll(async () => {
  product = await startProduct({ nodes: 1 })
  cast = await createCast(product)
  for (const [namespace, replicas] of [
    [A1, 3],
    [B1, 1],
  ] as const) {
    const labels = { app: 'web' }
    good(
      await cast.root.post(`/apis/apps/v1/namespaces/${namespace}/deployments`, {
        metadata: { name: 'web' },
        spec: {
          replicas,
          selector: { matchLabels: labels },
          template: { metadata: { labels }, spec: { containers: [{ name: 'main', image: 'nginx' }] } },
        },
      }),
    )
  }
}, 120_000)

afterAll(() => product?.close())

interface Metric {
  metric_name: string
  error?: string
  data: { result?: { metric?: Record<string, string>; value?: [number, string] }[] }
}

async function metrics(client: Client, path: string): Promise<Metric[]> {
  const { json } = good(await client.get(`${MONITORING}${path}`))
  return (json as { results: Metric[] }).results
}

/** Values by the label. */
async function values(client: Client, path: string, label: string): Promise<Record<string, string>> {
  const [metric] = await metrics(client, path)
  return Object.fromEntries(
    (metric?.data.result ?? []).map(({ metric: labels, value }) => [labels?.[label] ?? '', value?.[1] ?? '']),
  )
}

it.skipIf(ON_CLUSTER)('a project shows its pods, workloads and what they use', async () => {
  const ana = await cast.as('ana')
  const running = `/namespaces/${A1}?metrics_filter=namespace_pod_running_count$`
  await expect.poll(() => values(ana, running, 'namespace'), { timeout: 30_000 }).toEqual({ [A1]: '3' })

  expect(
    await values(ana, `/namespaces/${A1}/workloads?metrics_filter=deployment_replica$`, 'workload'),
  ).toEqual({ 'Deployment:web': '3' })
  const pods = await values(ana, `/namespaces/${A1}/pods?metrics_filter=pod_cpu_usage`, 'pod')
  expect(Object.keys(pods)).toHaveLength(3)
  for (const cores of Object.values(pods)) expect(Number(cores)).toBeGreaterThan(0)
  const used = await values(
    ana,
    `/workspaces/${A}?metrics_filter=workspace_memory_usage_wo_cache`,
    'workspace',
  )
  expect(Number(used[A])).toBeGreaterThan(1e6)
})

it.skipIf(ON_CLUSTER)('a filter chooses as in a Prometheus', async () => {
  const namespaces = (filter: string) =>
    values(
      cast.root,
      `/namespaces?metrics_filter=namespace_deployment_count&resources_filter=${encodeURIComponent(filter)}`,
      'namespace',
    )

  await expect.poll(() => namespaces(`${A1}|${B1}`)).toEqual({ [A1]: '1', [B1]: '1' })
  expect(await namespaces(A1.slice(0, -1))).toEqual({})
  const [metric] = await metrics(cast.root, '/namespaces?metrics_filter=pod_count$&resources_filter=(')
  expect(metric?.error).toMatch(/^bad_data: /)
})

it.skipIf(ON_CLUSTER)('what cannot be told is said to need a Prometheus, metric by metric', async () => {
  const found = await metrics(cast.root, '/nodes?metrics_filter=node_cpu_total|node_load1$')

  expect(found.map(({ metric_name, error }) => [metric_name, error])).toEqual([
    ['node_cpu_total', undefined],
    ['node_load1', expect.stringContaining('needs a Prometheus')],
  ])
})

it.skipIf(ON_CLUSTER)('strangers are refused', async () => {
  const ben = await cast.as('ben')

  expect((await ben.get(`${MONITORING}/namespaces/${A1}/pods`)).status).toBe(403)
  expect((await ben.get(`${MONITORING}/namespaces`)).status).toBe(403)
})

it.skipIf(ON_CLUSTER)(
  'without anybody who measures, objects are counted and the rest says why it is not',
  async () => {
    const bare = await startProduct({ nodes: 0 })
    try {
      const admin = await bare.as('admin')
      const found = await metrics(admin, '/cluster?metrics_filter=cluster_cpu_usage|cluster_namespace_count')

      expect(found.map(({ metric_name, error }) => [metric_name, error])).toEqual([
        ['cluster_cpu_usage', expect.stringContaining('nobody serves metrics.k8s.io')],
        ['cluster_namespace_count', undefined],
      ])
      expect(Number(found[1]?.data.result?.[0]?.value?.[1])).toBeGreaterThan(3)
    } finally {
      await bare.close()
    }
  },
)
