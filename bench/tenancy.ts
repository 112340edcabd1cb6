/**
 * What the controllers of tenancy cost on a large platform: the first time, when they make everything, and at every
 * start after that, when all is in order and nothing must be written.
 */
import { bootstrapPlatform } from '../src/bootstrap/index.js'
import { ObjectWriter } from '../src/client/writer.js'
import { type Kube, startKube } from '../src/kube/index.js'
import { SILENT } from '../src/serving/log.js'
import { untilIdle } from './_controllers.js'
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
