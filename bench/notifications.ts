/**
 * An alert storm on `orrery up`: 10,000 alerts over 200 tenants, each with a receiver, and one more receiver of everybody
 * that never answers. All tenants are told, and the one that hangs delays nobody. The alerts come over HTTP, as an
 * Alertmanager sends them, within ten seconds; who a tenant is follows from users, roles and bindings.
 */
import { type KubeObject } from '../src/apimachinery/meta/types.js'
import { freePort } from '../test/fixtures/slapd.js'
import { cpuMsOf } from './_load.js'
import { type Lists } from './_objects.js'
import { startEmbedded, startReceivers, until } from './_processes.js'
import { type Report, row } from './_report.js'

const ALERTS = 10_000
const TENANTS = 200
const POST = 100
const WITHIN_MS = 10_000
const MOST_SECONDS = 15
const MOST_MB = 300

export const run = (report: Report): Promise<void> => measure(report, ALERTS)
export const smoke = (report: Report): Promise<void> => measure(report, ALERTS / 10)

async function measure(report: Report, count: number): Promise<void> {
  const receivers = await startReceivers()
  const stops = [() => receivers.stop()]
  try {
    const port = await freePort()
    const flags = ['--notification-port', String(port), '--allow-egress', '127.0.0.1/32']
    const product = await startEmbedded(listsOf(receivers.url), flags)
    stops.push(() => product.stop())
    const manager = `http://127.0.0.1:${port}`
    await until(async () => (await fetch(`${manager}/-/ready`)).status === 200)
    await quiet(product.pid)
    const before = cpuMsOf(product.pid)
    const start = performance.now()
    for (let from = 0; from < count; from += POST) {
      await post(manager, from)
      const due = start + (WITHIN_MS * (from + POST)) / ALERTS
      await new Promise((resolve) => setTimeout(resolve, Math.max(0, due - performance.now())))
    }
    let told = await receivers.told()
    for (const deadline = start + 120_000; told.alerts < count && performance.now() < deadline;) {
      await new Promise((resolve) => setTimeout(resolve, 50))
      told = await receivers.told()
    }
    const seconds = (performance.now() - start) / 1_000
    const cpuMs = cpuMsOf(product.pid) - before
    const { residentMb, peakMb } = product.memory()

    const name = `${told.alerts} of ${count} alerts, sent within 10 s, told in ${told.messages} messages`
    report.add(row('notifications-storm', name, { value: seconds, unit: 's', atMost: MOST_SECONDS }))
    const twice = { value: told.twice, unit: 'alerts', atMost: 0 }
    report.add(row('notifications-twice', 'alerts told twice', twice))
    report.add(row('notifications-cpu', 'of one alert', { value: cpuMs / count, unit: 'ms CPU' }))
    const added = row('notifications-memory', 'the whole product, at its largest', {
      value: peakMb,
      unit: 'MB',
      atMost: MOST_MB,
    })
    report.add({ ...added, cells: { ...added.cells, 'MB in the end': residentMb } })
  } finally {
    for (const stop of stops.reverse()) await stop()
  }
}

/** The first passes of controllers over all users are over. */
async function quiet(pid: number): Promise<void> {
  for (let before = 0, now = cpuMsOf(pid); now - before > 100; now = cpuMsOf(pid)) {
    before = now
    await new Promise((resolve) => setTimeout(resolve, 1_000))
  }
}

async function post(manager: string, from: number): Promise<void> {
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
  const answer = await fetch(`${manager}/api/v2/alerts`, { method: 'POST', body: JSON.stringify({ alerts }) })
  if (answer.status !== 200) throw new Error(`${answer.status}: ${await answer.text()}`)
}

function listsOf(url: string): Lists {
  const rbac = 'rbac.authorization.k8s.io'
  const user = (n: number): string => `user-${n}`
  const namespace = (n: number): string => `ns-${n}`
  const receiver = (name: string, labels: Record<string, string>, path: string): KubeObject =>
    object({ name, labels }, { spec: { webhook: { url: `${url}/${path}` } } })
  return {
    ...list('v1', 'Namespace', (n) =>
      object({ name: namespace(n) }, { spec: { finalizers: ['kubernetes'] }, status: { phase: 'Active' } }),
    ),
    ...list('iam.kubesphere.io/v1alpha2', 'User', (n) =>
      object({ name: user(n) }, { spec: { email: `${user(n)}@example.com` }, status: { state: 'Active' } }),
    ),
    ...list(`${rbac}/v1`, 'Role', (n) =>
      object(
        { name: 'viewer', namespace: namespace(n) },
        { rules: [{ apiGroups: ['*'], resources: ['*'], verbs: ['get', 'list', 'watch'] }] },
      ),
    ),
    ...list(`${rbac}/v1`, 'RoleBinding', (n) =>
      object(
        { name: 'viewer', namespace: namespace(n) },
        {
          roleRef: { apiGroup: rbac, kind: 'Role', name: 'viewer' },
          subjects: [{ apiGroup: rbac, kind: 'User', name: user(n) }],
        },
      ),
    ),
    ...list(
      'notification.kubesphere.io/v2beta2',
      'Receiver',
      (n) => receiver(`r-${n}`, { type: 'tenant', user: user(n) }, String(n)),
      [receiver('hangs', { type: 'global' }, 'hangs')],
    ),
  }
}

let serial = 0

function object(metadata: Omit<KubeObject['metadata'], 'uid'>, rest: object): KubeObject {
  const uid = `00000000-0000-4000-8000-${(++serial).toString(16).padStart(12, '0')}`
  const creationTimestamp = '2026-11-27T00:00:00Z'
  return { metadata: { uid, resourceVersion: String(serial), creationTimestamp, ...metadata }, ...rest }
}

function list(
  apiVersion: string,
  kind: string,
  make: (n: number) => KubeObject,
  more: readonly KubeObject[] = [],
): Lists {
  const path = `/${apiVersion.includes('/') ? 'apis' : 'api'}/${apiVersion}/${kind.toLowerCase()}s`
  const items = [...Array.from({ length: TENANTS }, (_, n) => make(n)), ...more]
  return { [path]: { apiVersion, kind: `${kind}List`, items } }
}
