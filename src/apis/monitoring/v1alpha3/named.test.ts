import { afterEach, expect, it } from 'vitest'
import { type StandIn, startStandIn } from '../../../../test/fixtures/prometheus.js'
import { PrometheusClient } from '../../../integrations/prometheus/client.js'
import { Catalogue } from '../../../monitoring/definitions.js'
import { PrometheusSource } from '../../../monitoring/metricsource.js'
import { NamedMetrics } from '../../../monitoring/namedmetrics.js'
import { type MonitoringDeps } from './deps.js'
import { namedMetricRoutes } from './named.js'

let standIn: StandIn | undefined
let client: PrometheusClient | undefined

afterEach(async () => {
  client?.close()
  await standIn?.close()
})

it('answers when Prometheus never does, with an error of the metric that waited', async () => {
  const up = { status: 'success', data: { resultType: 'vector', result: [] } }
  standIn = await startStandIn(({ fields }) =>
    fields.get('query') === 'slow' ? new Promise(() => undefined) : { status: 200, body: JSON.stringify(up) },
  )
  client = new PrometheusClient({ endpoint: standIn.url, timeoutMs: 2_000 })
  const catalogue = new Catalogue([
    {
      level: 'cluster',
      metrics: ['slow', 'fast'].map((name) => ({ name, help: '', unit: '', labels: [], expr: name })),
    },
  ])
  const deps = {
    metrics: new NamedMetrics(() => Promise.resolve(catalogue), new PrometheusSource(client)),
    now: () => new Date(),
  }
  const route = namedMetricRoutes(deps as unknown as MonitoringDeps).find(({ path }) => path === '/cluster')
  const asked = { params: {}, query: new URLSearchParams(), signal: new AbortController().signal }

  expect(await route?.handle(asked as never)).toEqual({
    results: [
      { metric_name: 'slow', data: {}, error: 'timeout: no answer within 2 seconds' },
      { metric_name: 'fast', data: { resultType: 'vector' } },
    ],
  })
}, 20_000)
