/**
 * An alert storm: 10,000 alerts over 200 tenants, each with a receiver, and one more receiver of everybody that never
 * answers. All tenants are told, and the one that hangs delays nobody.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import { type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInformerSet } from '../src/client/cache/informerset.js'
import { RestClient } from '../src/client/rest.js'
import { Directory } from '../src/notification/directory.js'
import { Egress } from '../src/notification/egress.js'
import { NotificationManager } from '../src/notification/manager.js'
import { RECEIVERS } from '../src/notification/objects/kinds.js'
import { Journal } from '../src/notification/queue/journal.js'
import { Router } from '../src/notification/routing.js'
import { Sender } from '../src/notification/sender.js'
import { SILENT } from '../src/serving/log.js'
import { startProduct } from '../test/fixtures/product.js'
import { type Report, row } from './_report.js'

const ALERTS = 10_000
const TENANTS = 200
const POST = 100
const MOST_SECONDS = 15

export const run = (report: Report): Promise<void> => measure(report, ALERTS)
export const smoke = (report: Report): Promise<void> => measure(report, ALERTS / 10)

async function measure(report: Report, count: number): Promise<void> {
  let told = 0
  const hooks = createServer((request, response) => {
    let text = ''
    request.on('data', (chunk: Buffer) => (text += chunk.toString()))
    request.on('end', () => {
      if (request.url === '/hangs') return
      told += (JSON.parse(text) as { alerts: unknown[] }).alerts.length
      response.end('{}')
    })
  })
  await new Promise<void>((resolve) => hooks.listen(0, '127.0.0.1', resolve))
  const base = `http://127.0.0.1:${(hooks.address() as AddressInfo).port}`
  const product = await startProduct()
  const scratch = mkdtempSync(join(tmpdir(), 'orrery-bench-'))
  const client = new RestClient({ transport: product.upstream })
  for (let i = 0; i <= TENANTS; i++) {
    const labels = i === TENANTS ? { type: 'global' } : { type: 'tenant', user: `user-${i}` }
    const url = `${base}/${i === TENANTS ? 'hangs' : i}`
    await client
      .resource(RECEIVERS)
      .create({ metadata: { name: `r-${i}`, labels }, spec: { webhook: { url } } })
  }
  const informers = createInformerSet({ transport: product.upstream, logger: SILENT })
  const directory = new Directory({ informers, client })
  const router = new Router(
    directory,
    async (namespace) => [namespace.replace('ns', 'user')],
    () => new Date(),
  )
  const journal = new Journal(join(scratch, 'journal.db'))
  const sender = new Sender({ directory, egress: new Egress(['127.0.0.1/32']), logger: SILENT })
  const manager = new NotificationManager({
    directory,
    router,
    sender,
    journal,
    logger: SILENT,
    clusterName: 'x',
  })
  await manager.start()

  const start = performance.now()
  for (let from = 0; from < count; from += POST) {
    const alerts = Array.from({ length: POST }, (_, n) => ({
      status: 'firing',
      labels: {
        alertname: `A${(from + n) % 7}`,
        namespace: `ns-${(from + n) % TENANTS}`,
        n: String(from + n),
      },
      annotations: { message: 'it burns' },
      startsAt: '2026-11-28T00:00:00Z',
    }))
    manager.accept({ alerts })
    await new Promise((resolve) => setImmediate(resolve))
  }
  const deadline = start + 120_000
  while (told < count && performance.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 20))
  const seconds = (performance.now() - start) / 1_000

  report.add(
    row('notifications-storm', `${told} of ${count} alerts told`, {
      value: seconds,
      unit: 's',
      atMost: MOST_SECONDS,
    }),
  )
  report.add(
    row('notifications-memory', 'resident', { value: process.memoryUsage().rss / 2 ** 20, unit: 'MB' }),
  )
  await manager.close()
  await informers.close()
  await product.close()
  hooks.closeAllConnections()
  hooks.close()
  rmSync(scratch, { recursive: true, force: true })
}
