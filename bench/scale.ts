/**
 * A large installation on the embedded API, over HTTP: 1,000 workspaces, 4,000 namespaces, 2,000 users, 20,000 bindings.
 * What a start takes, what an ordinary member's lists cost, and how soon a new binding counts.
 */
import { cpuMsOf } from './_load.js'
import { listsOf, MEMBER, namespaceName, SIZES, userName } from './_objects.js'
import { type Running, startEmbedded, tokenOf, until } from './_processes.js'
import { type Report, type Row, row } from './_report.js'

const REQUESTS = 200
/** From when the processor is quiet until collections have come to rest; the history of writes stays for minutes more. */
const REST_MS = 30_000
/** What controllers have to do takes a minute and a half of one core; a machine may be busy with other things. */
const CALM_MS = 900_000
/** Looks in a row that find it so: on a busy machine a process that waits for a processor looks quiet, too. */
const CALM_LOOKS = 5
const TENANT = '/kapis/tenant.kubesphere.io/v1alpha2'

export async function run(report: Report): Promise<void> {
  const product = await startEmbedded(listsOf({ ...SIZES.large, pods: 0 }))
  try {
    report.add(row('scale/ready', 'ready after start', { value: product.readyMs, unit: 'ms' }))
    await atRest(product)
    report.add(resident('scale/resident', 'resident, 30 s after 172,000 objects were made', product, 400))
    const member = await tokenOf(product.url, MEMBER)
    const ofWorkspace = `${TENANT}/workspaces/team-0/namespaces?limit=10`
    for (const [name, path] of [
      ['GET /workspaces as a member', `${TENANT}/workspaces?limit=10`],
      ['GET /workspaces/{w}/namespaces as a member', ofWorkspace],
      ['GET /namespaces as a member with 200 bindings', `${TENANT}/namespaces?limit=10`],
    ] as const)
      report.add(
        row(`scale${path}`, name, { value: await cpuOf(product, path, member), unit: 'CPU ms', atMost: 20 }),
      )
    report.add(
      row('scale/binding', 'until a new binding counts', {
        value: await bindingDelay(product),
        unit: 'ms',
        atMost: 1_000,
      }),
    )
    const again = await product.restarted()
    try {
      report.add(row('scale/ready/filled', 'ready after a restart', { value: again.readyMs, unit: 'ms' }))
      await atRest(again)
      report.add(resident('scale/resident/restarted', 'resident after a restart', again, 300))
    } finally {
      await again.stop()
    }
  } finally {
    await product.stop()
  }
}

function resident(id: string, name: string, product: Running, atMost: number): Row {
  return row(id, name, { value: product.memory().residentMb, unit: 'MB', atMost })
}

/** Until controllers have looked at everything once, and a little longer. */
async function atRest({ pid }: Running): Promise<void> {
  const waited = performance.now()
  let calm = 0
  await until(async () => {
    const before = cpuMsOf(pid)
    await new Promise((resolve) => setTimeout(resolve, 2_000))
    calm = cpuMsOf(pid) - before < 100 ? calm + 1 : 0
    return calm === CALM_LOOKS || performance.now() - waited > CALM_MS
  }, 2 * CALM_MS)
  await new Promise((resolve) => setTimeout(resolve, REST_MS))
}

async function cpuOf({ url, pid }: Running, path: string, token: string): Promise<number> {
  const ask = async (): Promise<void> => {
    const answer = await fetch(url + path, { headers: { authorization: `Bearer ${token}` } })
    await answer.arrayBuffer()
    if (answer.status !== 200) throw new Error(`${path}: ${answer.status}`)
  }
  for (let i = 0; i < 20; i++) await ask()
  const before = cpuMsOf(pid)
  for (let i = 0; i < REQUESTS; i++) await ask()
  return (cpuMsOf(pid) - before) / REQUESTS
}

/** From the moment the binding is asked for to the first request that it allows. */
async function bindingDelay({ url }: Running): Promise<number> {
  const admin = await tokenOf(url, 'admin')
  const stranger = await tokenOf(url, userName(1))
  const [namespace, name] = [namespaceName(SIZES.large.namespaces - 1), 'late']
  const pods = `${url}/api/v1/namespaces/${namespace}/pods`
  const allowed = async (): Promise<boolean> =>
    (await fetch(pods, { headers: { authorization: `Bearer ${stranger}` } })).status === 200
  if (await allowed()) throw new Error('the user was bound there before')
  const binding = {
    metadata: { name },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'viewer' },
    subjects: [{ kind: 'User', apiGroup: 'rbac.authorization.k8s.io', name: userName(1) }],
  }
  const startedAt = performance.now()
  const answer = await fetch(
    `${url}/apis/rbac.authorization.k8s.io/v1/namespaces/${namespace}/rolebindings`,
    {
      method: 'POST',
      headers: { authorization: `Bearer ${admin}`, 'content-type': 'application/json' },
      body: JSON.stringify(binding),
    },
  )
  if (answer.status !== 201) throw new Error(`the binding: ${answer.status} ${await answer.text()}`)
  await until(allowed)
  return performance.now() - startedAt
}
