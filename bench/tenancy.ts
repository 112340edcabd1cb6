/**
 * What the controllers of tenancy cost on a large platform: the first time, when they make everything, and at every
 * start after that, when all is in order and nothing must be written.
 */
import { bootstrapPlatform } from '../src/bootstrap/index.js'
import { createInformerSet } from '../src/client/cache/informerset.js'
import { RestClient } from '../src/client/rest.js'
import { ObjectWriter, PLATFORM } from '../src/client/writer.js'
import { loadConfiguration } from '../src/configuration/load.js'
import { EventWriter, Manager } from '../src/controller/index.js'
import { platformControllers } from '../src/controllers/index.js'
import { Passwords } from '../src/authentication/passwords.js'
import { type Kube, startKube } from '../src/kube/index.js'
import { SILENT } from '../src/serving/log.js'
import { tenancyResources } from '../src/tenancy/resources.js'
import { type Report, row } from './_report.js'

const LARGE = { workspaces: 1_000, namespaces: 4_000 }
const SMALL = { workspaces: 5, namespaces: 20 }
const TEMPLATES = '/apis/tenant.kubesphere.io/v1alpha2/workspacetemplates'

export const run = (report: Report): Promise<void> => measure(report, LARGE)
export const smoke = (report: Report): Promise<void> => measure(report, SMALL)

async function measure(report: Report, { workspaces, namespaces }: typeof LARGE): Promise<void> {
  const kube = await startKube({ memory: true })
  try {
    await bootstrapPlatform({
      client: kube.transport,
      adminPassword: 'P@88w0rd',
      logger: SILENT,
      signal: AbortSignal.timeout(60_000),
    })
    await populate(kube, workspaces, namespaces)
    const of = `${workspaces} workspaces, ${namespaces} namespaces`
    const made = await untilIdle(kube)
    report.add(row('tenancy/first', `all made, ${of}`, { value: made.cpuMs, unit: 'CPU ms' }))
    const again = await untilIdle(kube)
    report.add(
      row('tenancy/again', `started again, ${of}`, { value: again.cpuMs, unit: 'CPU ms', atMost: 5_000 }),
    )
    report.add(
      row('tenancy/again/writes', 'written then', { value: again.writes, unit: 'writes', atMost: 0 }),
    )
  } finally {
    await kube.close()
  }
}

async function populate(kube: Kube, workspaces: number, namespaces: number): Promise<void> {
  const writer = new ObjectWriter(kube.transport)
  for (let i = 0; i < workspaces; i++)
    await writer.create(TEMPLATES, {
      apiVersion: 'tenant.kubesphere.io/v1alpha2',
      kind: 'WorkspaceTemplate',
      metadata: { name: `ws-${i}` },
      spec: { template: { spec: { manager: 'admin' } }, placement: { clusters: [] } },
    })
  for (let i = 0; i < namespaces; i++)
    await writer.create('/api/v1/namespaces', {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: `ns-${i}`, labels: { 'kubesphere.io/workspace': `ws-${i % workspaces}` } },
    })
}

/** CPU of everything: the lists, the caches, and the API that is written to. */
async function untilIdle(kube: Kube): Promise<{ cpuMs: number; writes: number }> {
  const startedAt = process.cpuUsage()
  const revision = kube.storage.revision
  const informers = createInformerSet({ transport: kube.transport, logger: SILENT, user: PLATFORM })
  const client = new RestClient({ transport: kube.transport, user: PLATFORM })
  const events = new EventWriter({ client, logger: SILENT })
  const manager = new Manager({ clock: CLOCK, logger: SILENT })
  const { options } = loadConfiguration({ directories: [], environment: {} })
  const resources = tenancyResources(informers, client)
  const deps = { resources, events, informers, client, options, passwords: new Passwords(), logger: SILENT }
  for (const controller of platformControllers(deps)) manager.start(controller)
  await resources.roles.informer.whenSynced()
  for (let quiet = 0; quiet < 10; quiet = manager.idle ? quiet + 1 : 0)
    await new Promise((resolve) => setTimeout(resolve, 100))
  await events.drained()
  const { user, system } = process.cpuUsage(startedAt)
  await manager.close()
  await events.close()
  await informers.close()
  return { cpuMs: (user + system) / 1_000, writes: kube.storage.revision - revision }
}

const CLOCK = {
  now: () => Date.now(),
  after(ms: number, action: () => void): () => void {
    const timer = setTimeout(action, ms)
    timer.unref()
    return () => clearTimeout(timer)
  },
}
