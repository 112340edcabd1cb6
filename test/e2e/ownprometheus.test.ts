/** `orrery up --prometheus`: a Prometheus of our own, from which metrics are answered. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { findProgram } from '../../src/integrations/prometheus/daemon.js'
import { A, A1, type Cast, createCast, good } from '../fixtures/cast.js'
import { type Client, type Product, startProduct } from '../fixtures/product.js'
import { WITHOUT_PROMETHEUS } from '../fixtures/realprometheus.js'

const MONITORING = '/kapis/monitoring.kubesphere.io/v1alpha3'
const HAVE_PROMETHEUS = findProgram('prometheus', process.env['PATH'] ?? '') !== undefined
const POLL = { timeout: 150_000, interval: 1_000 }

describe.skipIf(!HAVE_PROMETHEUS)(HAVE_PROMETHEUS ? 'a Prometheus of our own' : WITHOUT_PROMETHEUS, () => {
  let product: Product
  let cast: Cast

  beforeAll(async () => {
    product = await startProduct({ nodes: 1, prometheus: true })
    cast = await createCast(product)
    const labels = { app: 'web' }
    good(
      await cast.root.post(`/apis/apps/v1/namespaces/${A1}/deployments`, {
        metadata: { name: 'web' },
        spec: {
          replicas: 2,
          selector: { matchLabels: labels },
          template: { metadata: { labels }, spec: { containers: [{ name: 'main', image: 'nginx' }] } },
        },
      }),
    )
  }, 120_000)

  afterAll(() => product?.close())

  const value = async (client: Client, path: string): Promise<number | undefined> => {
    const { json } = good(await client.get(`${MONITORING}${path}`))
    const [metric] = json.results ?? [json]
    const text = metric?.data?.result?.[0]?.value?.[1] as string | undefined
    return text === undefined ? undefined : Number(text)
  }

  it('has data for every level, by the rules that ship', async () => {
    const ana = await cast.as('ana')

    await expect
      .poll(() => value(ana, `/namespaces/${A1}?metrics_filter=namespace_pod_running_count$`), POLL)
      .toBe(2)
    for (const path of [
      '/cluster?metrics_filter=cluster_cpu_utilisation$',
      '/cluster?metrics_filter=cluster_memory_utilisation$',
      '/nodes?metrics_filter=node_cpu_usage$',
      `/workspaces/${A}?metrics_filter=workspace_memory_usage_wo_cache$`,
      `/namespaces/${A1}?metrics_filter=namespace_cpu_usage$`,
      `/namespaces/${A1}/workloads?metrics_filter=workload_memory_usage_wo_cache$`,
      `/namespaces/${A1}/pods?metrics_filter=pod_cpu_usage$`,
    ])
      await expect.poll(() => value(ana, path), { ...POLL, message: path }).toBeGreaterThan(0)
  }, 400_000)

  it('answers PromQL of one’s own', async () => {
    const ana = await cast.as('ana')

    await expect
      .poll(() => value(ana, `/namespaces/${A1}/targets/query?expr=count(kube_pod_info)`), POLL)
      .toBe(2)
  }, 200_000)

  it('comes back when it ends, and goes with the platform', async () => {
    const before = product.prometheus?.pid() ?? 0
    process.kill(before, 'SIGKILL')

    await expect.poll(() => product.prometheus?.pid(), POLL).not.toBe(before)
    await expect.poll(() => value(cast.root, '/targets/query?expr=vector(7)'), POLL).toBe(7)

    const after = product.prometheus?.pid() ?? 0
    await product.close()
    expect(() => process.kill(after, 0)).toThrow('ESRCH')
  }, 200_000)
})
