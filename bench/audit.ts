/**
 * What audit costs the requests that it watches, at 2,000 writes a second: the time that the filter and the queue take of
 * each, at the level of the archive and at the level that keeps both bodies; and the time that the event loop spends on
 * the batches besides. The store runs in its own thread, as it does in the product.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { Registry } from 'prom-client'
import { createAuditing } from '../src/cmd/auditing.js'
import { loadConfiguration } from '../src/configuration/load.js'
import { EmbeddedRecords } from '../src/integrations/records/embedded/index.js'
import { type Exchange } from '../src/serving/exchange.js'
import { audit } from '../src/serving/filters/audit.js'
import { SILENT } from '../src/serving/log.js'
import { NO_INFO } from '../src/serving/requestinfo.js'
import { LiteralInformers } from '../test/fixtures/informers.js'
import { type Report, row } from './_report.js'

const PER_SECOND = 2_000
const TICK_MS = 10
const FOREVER = { maxAgeMs: 1e12, maxBytes: 1e9 }
const TARGET = { unit: 'µs', atMost: 20 }
const BODY = Buffer.from(
  JSON.stringify({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'settings', namespace: 'blue-dev', labels: { app: 'web', tier: 'front' } },
    data: Object.fromEntries(Array.from({ length: 10 }, (_, i) => [`key-${i}`, 'some value of a setting'])),
  }),
)

export const run = (report: Report): Promise<void> => measureAll(report, 10)
export const smoke = (report: Report): Promise<void> => measureAll(report, 2)

async function measureAll(report: Report, seconds: number): Promise<void> {
  for (const level of ['Metadata', 'RequestResponse'] as const) {
    const { requestUs, loopUs, lost } = await measure(level, seconds)
    report.add(row(`audit-request-${level}`, `a write, level ${level}`, { value: requestUs, ...TARGET }))
    report.add(
      row(`audit-loop-${level}`, `… in all, with its share of the batches`, { value: loopUs, unit: 'µs' }),
    )
    report.add(
      row(`audit-lost-${level}`, `… lost of ${seconds * PER_SECOND}`, { value: lost, unit: 'events' }),
    )
  }
}

async function measure(
  auditLevel: string,
  seconds: number,
): Promise<{ requestUs: number; loopUs: number; lost: number }> {
  const directory = mkdtempSync(join(tmpdir(), 'orrery-bench-'))
  const records = new EmbeddedRecords({
    directory,
    retention: { logs: FOREVER, events: FOREVER, audits: FOREVER },
  })
  const informers = new LiteralInformers()
  informers
    .informer({ group: 'auditing.kubesphere.io', version: 'v1alpha1', resource: 'webhooks' })
    .put({ metadata: { name: 'kube-auditing-webhook' }, spec: { auditLevel } })
  const metrics = new Registry()
  const { options } = loadConfiguration({
    directories: [],
    environment: {},
    overrides: { 'auditing.enable': false },
  })
  const auditing = createAuditing({ options, informers, archive: records.audits, metrics, logger: SILENT })
  const filter = audit(auditing.recipients)
  const idle = audit([])
  await paced(1, (id) => write(filter, id))

  const without = await loopTime(() => paced(seconds / 2, (id) => write(idle, id)))
  const within = await loopTime(() => paced(seconds, (id) => write(filter, id)))
  await auditing.close()
  const lost = await lostOf(metrics)
  await records.close()
  rmSync(directory, { recursive: true, force: true })
  return { requestUs: medianOfMeans(within.costs), loopUs: within.eachUs - without.eachUs, lost }
}

/** @returns besides, for how long the event loop was busy for each */
async function loopTime(load: () => Promise<number[]>): Promise<{ costs: number[]; eachUs: number }> {
  const before = performance.eventLoopUtilization()
  const costs = await load()
  const { active } = performance.eventLoopUtilization(before)
  return { costs, eachUs: (active / costs.length) * 1_000 }
}

class Answer {
  statusCode = 201
  write(): boolean {
    return true
  }
  end(): this {
    return this
  }
}

/** @returns microseconds that the filter has kept the request and the event loop */
async function write(filter: ReturnType<typeof audit>, id: string): Promise<number> {
  const response = new Answer()
  let over = (): void => undefined
  const exchange = {
    id,
    response,
    search: '',
    info: {
      ...NO_INFO,
      path: '/api/v1/namespaces/blue-dev/configmaps',
      verb: 'create',
      isResourceRequest: true,
      isKubernetesRequest: true,
      apiPrefix: 'api',
      apiVersion: 'v1',
      namespace: 'blue-dev',
      resource: 'configmaps',
      resourceScope: 'Namespace',
      sourceIP: '10.1.2.3',
      userAgent: 'kubectl/v1.20',
    },
    user: { name: 'mia', groups: ['system:authenticated'] },
    whenOver: (callback: () => void) => (over = callback),
  } as unknown as Exchange
  const start = performance.now()
  await filter.handle(exchange, async () => undefined)
  exchange.tapRequest?.(BODY)
  response.write.call(response)
  exchange.response.end(BODY)
  over()
  return (performance.now() - start) * 1_000
}

async function paced(seconds: number, request: (id: string) => Promise<number>): Promise<number[]> {
  const costs: number[] = []
  const start = performance.now()
  for (let elapsed = 0; elapsed < seconds * 1_000; elapsed = performance.now() - start) {
    while (costs.length < (elapsed * PER_SECOND) / 1_000) costs.push(await request(`id-${costs.length}`))
    await new Promise((resolve) => setTimeout(resolve, TICK_MS))
  }
  return costs
}

/** The machine has other work: a moment without the processor is not the filter's. */
function medianOfMeans(costs: readonly number[]): number {
  const size = PER_SECOND / 10
  const means: number[] = []
  for (let from = 0; from < costs.length; from += size) {
    const part = costs.slice(from, from + size)
    means.push(part.reduce((sum, cost) => sum + cost, 0) / part.length)
  }
  return means.sort((a, b) => a - b)[Math.floor(means.length / 2)] ?? 0
}

async function lostOf(metrics: Registry): Promise<number> {
  const text = await metrics.metrics()
  return [...text.matchAll(/outcome="(?:dropped|failed)"\} (\d+)/g)].reduce(
    (sum, [, n]) => sum + Number(n),
    0,
  )
}
