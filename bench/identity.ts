/**
 * What the controllers of identity cost with many people: the first time, when they make states and kubeconfigs, at
 * every start after that, when nothing must be written.
 */
import { hashSync } from 'bcrypt'
import { bootstrapPlatform } from '../src/bootstrap/index.js'
import { ObjectWriter } from '../src/client/writer.js'
import { type Kube, startKube } from '../src/kube/index.js'
import { SILENT } from '../src/serving/log.js'
import { untilIdle } from './_controllers.js'
import { type Report, row } from './_report.js'

const LARGE = { users: 2_000, bindings: 20_000 }
const SMALL = { users: 10, bindings: 100 }
const IAM = '/apis/iam.kubesphere.io/v1alpha2'
const WORKSPACES = 200

export const run = (report: Report): Promise<void> => measure(report, LARGE)
export const smoke = (report: Report): Promise<void> => measure(report, SMALL)

async function measure(report: Report, { users, bindings }: typeof LARGE): Promise<void> {
  const kube = await startKube({ memory: true })
  try {
    await bootstrapPlatform({
      client: kube.transport,
      adminPassword: 'P@88w0rd',
      logger: SILENT,
      signal: AbortSignal.timeout(60_000),
    })
    await populate(kube, users, bindings)
    const address = { server: 'https://10.96.0.1:443', ca: kube.caPem }
    const of = `${users} users, ${bindings} bindings`
    const made = await untilIdle(kube, address)
    report.add(row('identity/first', `all made, ${of}`, { value: made.cpuMs, unit: 'CPU ms' }))
    const again = await untilIdle(kube, address)
    report.add(
      row('identity/again', `started again, ${of}`, { value: again.cpuMs, unit: 'CPU ms', atMost: 5_000 }),
    )
    report.add(
      row('identity/again/writes', 'written then', { value: again.writes, unit: 'writes', atMost: 0 }),
    )
  } finally {
    await kube.close()
  }
}

async function populate(kube: Kube, users: number, bindings: number): Promise<void> {
  const writer = new ObjectWriter(kube.transport)
  const password = hashSync('P@88w0rd', 4)
  for (let i = 0; i < users; i++)
    await writer.create(`${IAM}/users`, {
      apiVersion: 'iam.kubesphere.io/v1alpha2',
      kind: 'User',
      metadata: { name: `user-${i}` },
      spec: { email: `user-${i}@example.com`, password },
    })
  for (let i = 0; i < bindings; i++) {
    const [user, workspace] = [`user-${i % users}`, `ws-${i % WORKSPACES}`]
    await writer.create(`${IAM}/workspacerolebindings`, {
      apiVersion: 'iam.kubesphere.io/v1alpha2',
      kind: 'WorkspaceRoleBinding',
      metadata: {
        name: `${user}-${i}`,
        labels: { 'kubesphere.io/workspace': workspace, 'iam.kubesphere.io/user-ref': user },
      },
      subjects: [{ kind: 'User', name: user, apiGroup: 'iam.kubesphere.io' }],
      roleRef: { apiGroup: 'iam.kubesphere.io', kind: 'WorkspaceRole', name: `${workspace}-viewer` },
    })
  }
}
