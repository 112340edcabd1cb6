/**
 * One page of a console: sixty named metrics of two hundred namespaces, sorted, from a metrics backend in another process
 * that takes 5 ms for each. Queries run beside each other, so the page may take little more than the slowest.
 */
import { fork } from 'node:child_process'
import { createServer } from 'node:http'
import { type AddressInfo } from 'node:net'
import { performance } from 'node:perf_hooks'
import { fileURLToPath } from 'node:url'
import { PrometheusClient } from '../src/integrations/prometheus/client.js'
import { SharedPrometheus } from '../src/integrations/prometheus/sharing.js'
import { Catalogue } from '../src/monitoring/definitions.js'
import { PrometheusSource } from '../src/monitoring/metricsource.js'
import { NamedMetrics } from '../src/monitoring/namedmetrics.js'
import { namespaceSelection } from '../src/monitoring/selection.js'
import { type Report, row } from './_report.js'

const METRICS = 60
const NAMESPACES = 200
const ANSWER_MS = 5
const AT_MOST_MS = 1.2 * ANSWER_MS + 30

export const run = (report: Report): Promise<void> => measure(report, 200)
export const smoke = (report: Report): Promise<void> => measure(report, 20)

async function measure(report: Report, times: number): Promise<void> {
  const child = fork(fileURLToPath(import.meta.url), ['serve'], { execArgv: process.execArgv })
  const port = await new Promise<number>((resolve) =>
    child.once('message', (value) => resolve(Number(value))),
  )
  const client = new PrometheusClient({ endpoint: `http://127.0.0.1:${port}` })
  const definitions = Array.from({ length: METRICS }, (_, index) => ({
    name: `namespace_metric_${index}`,
    help: '',
    unit: '',
    labels: ['namespace'],
    expr: `metric_${index}{$namespace}`,
  }))
  const catalogue = new Catalogue([{ level: 'namespace', identifier: 'namespace', metrics: definitions }])
  const metrics = new NamedMetrics(
    () => Promise.resolve(catalogue),
    new PrometheusSource(new SharedPrometheus(client)),
  )
  const page = async (time: number): Promise<number> => {
    const start = performance.now()
    const question = {
      selections: [namespaceSelection({ filter: '.*' })],
      filter: '.*',
      times: { kind: 'instant', time } as const,
      sorting: { metric: 'namespace_metric_0', ascending: false, page: 1, limit: 10 },
    }
    const { results } = await metrics.ask('namespace', question, new AbortController().signal)
    if (results?.length !== METRICS || results.some(({ error }) => error !== undefined))
      throw new Error('the page is not whole')
    return performance.now() - start
  }
  try {
    for (let time = 0; time < 20; time++) await page(time)
    const took: number[] = []
    // Another time for each, so that none is shared with the one before.
    for (let index = 0; index < times; index++) took.push(await page(1_000 + index))
    took.sort((a, b) => a - b)
    const name = `${METRICS} metrics of ${NAMESPACES} namespaces`
    const value = took[Math.floor(took.length / 2)] ?? 0
    report.add(row('monitoring-page', name, { value, unit: 'ms', atMost: AT_MOST_MS }))
  } finally {
    client.close()
    child.kill()
  }
}

if (process.argv[2] === 'serve' && process.send) {
  const result = Array.from({ length: NAMESPACES }, (_, index) => ({
    metric: { namespace: `project-${index}` },
    value: [1, String((index * 7919) % NAMESPACES)],
  }))
  const body = JSON.stringify({ status: 'success', data: { resultType: 'vector', result } })
  const server = createServer((request, response) => {
    request.resume()
    setTimeout(() => {
      response.writeHead(200, {
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(body),
      })
      response.end(body)
    }, ANSWER_MS)
  })
  server.keepAliveTimeout = 60_000
  server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port))
}
