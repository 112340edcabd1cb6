/**
 * An alert storm: 10,000 alerts over 200 tenants, each with a receiver, and one more receiver of everybody that never
 * answers. All tenants are told, and the one that hangs delays nobody.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInformerSet } from '../src/client/cache/informerset.js'
import { RestClient } from '../src/client/rest.js'
import { Directory } from '../src/notification/directory.js'
import { Egress } from '../src/integrations/egress.js'
import { NotificationManager } from '../src/notification/manager.js'
import { RECEIVERS } from '../src/notification/objects/kinds.js'
import { Journal } from '../src/notification/queue/journal.js'
import { Router } from '../src/notification/routing.js'
import { Sender } from '../src/notification/sender.js'
import { SILENT } from '../src/serving/log.js'
import { startProduct } from '../test/fixtures/product.js'
import { startReceivers } from './_processes.js'
import { type Report, row } from './_report.js'

const ALERTS = 10_000
const TENANTS = 200
const POST = 100
const MOST_SECONDS = 15
const MOST_MB = 300

export const run = (report: Report): Promise<void> => measure(report, ALERTS)
export const smoke = (report: Report): Promise<void> => measure(report, ALERTS / 10)

async function measure(report: Report, count: number): Promise<void> {
  const receivers = await startReceivers()
  const product = await startProduct()
  const scratch = mkdtempSync(join(tmpdir(), 'orrery-bench-'))
  const client = new RestClient({ transport: product.upstream })
  for (let i = 0; i <= TENANTS; i++) {
    const labels = i === TENANTS ? { type: 'global' } : { type: 'tenant', user: `user-${i}` }
    const url = `${receivers.url}/${i === TENANTS ? 'hangs' : i}`
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
  const journal = Journal.open(join(scratch, 'journal.db'))
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

  const cpu = process.cpuUsage()
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
    await manager.accept({ alerts })
    await new Promise((resolve) => setImmediate(resolve))
  }
  const deadline = start + 120_000
  let told = await receivers.told()
  while (told.alerts < count && performance.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, 50))
    told = await receivers.told()
  }
  const seconds = (performance.now() - start) / 1_000
  const { user, system } = process.cpuUsage(cpu)

  report.add(
    row('notifications-storm', `${told.alerts} of ${count} alerts told in ${told.messages} messages`, {
      value: seconds,
      unit: 's',
      atMost: MOST_SECONDS,
    }),
  )
  report.add(
    row('notifications-twice', 'alerts told twice', { value: told.twice, unit: 'alerts', atMost: 0 }),
  )
  report.add(
    row('notifications-cpu', 'of one alert', { value: (user + system) / 1_000 / count, unit: 'ms CPU' }),
  )
  report.add(
    row('notifications-memory', 'resident, with a whole product in the process', {
      value: process.memoryUsage().rss / 2 ** 20,
      unit: 'MB',
      atMost: MOST_MB,
    }),
  )
  await manager.close()
  await informers.close()
  await product.close()
  await receivers.stop()
  rmSync(scratch, { recursive: true, force: true })
}
