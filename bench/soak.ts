/**
 * Churn, aborted requests and reconnecting watches for minutes, and the memory that is left of it.
 *
 * The first round warms up: what it leaves is what later rounds are held against.
 */
import { setTimeout as pause } from 'node:timers/promises'
import { listsOf, type Size } from './_objects.js'
import { type Running, startEmbedded, startInFront, tokenOf } from './_processes.js'
import { type Report, row } from './_report.js'
import { realClusterAvailable, startRealCluster } from '../test/cluster/realcluster.js'

const ROOT = '/kapis/resources.kubesphere.io/v1alpha3'
const PATHS = [
  `${ROOT}/configmaps?limit=10`,
  `${ROOT}/namespaces/default/configmaps?name=churn`,
  '/kapis/iam.kubesphere.io/v1alpha2/users?limit=10',
  '/api/v1/configmaps?limit=500',
]
const WATCH = '/api/v1/configmaps?watch=true'
const COLLECTION = '/api/v1/namespaces/default/configmaps'
/**
 * Longer than the server takes to collect when nobody asks for anything: a young generation of 32 MB goes at the third quiet look,
 * which may be twelve seconds after the last request.
 */
const REST_MS = 30_000

const FOR_MS = 15 * 60_000
/** Of the cluster: somebody who logs in, and little else. */
const SIZE: Size = { pods: 100, namespaces: 10, workspaces: 2, users: 2, bindings: 20 }

export interface SoakOptions {
  /** Behind what: in the same process, or a genuine API server. */
  apis?: readonly ('embedded' | 'genuine')[]
}

export async function run(
  report: Report,
  { apis = ['embedded', 'genuine'] }: SoakOptions = {},
): Promise<void> {
  if (apis.includes('embedded')) await soak(report, FOR_MS, 'embedded', await startEmbedded({}))
  if (!apis.includes('genuine')) return
  if (!realClusterAvailable)
    return report.skip('soak/genuine', 'scripts/build-kubernetes.sh has not been run')
  const cluster = await startRealCluster({ lists: listsOf(SIZE) })
  try {
    await soak(report, FOR_MS, 'genuine', await startInFront(cluster.kubeconfig))
  } finally {
    await cluster.stop()
  }
}

export const smoke = async (report: Report): Promise<void> =>
  soak(report, 5_000, 'embedded', await startEmbedded({}))

async function soak(report: Report, forMs: number, api: string, product: Running): Promise<void> {
  try {
    const headers = { authorization: `Bearer ${await tokenOf(product.url, 'admin')}` }
    const work = (ms: number) => churn(product, headers, performance.now() + ms)
    // As many writes as the server remembers have to be there before and after.
    await work(Math.max(5_000, forMs / 5))
    await pause(REST_MS)
    const { residentMb: before } = product.memory()
    const done = await work(forMs)
    await pause(REST_MS)
    const { residentMb: after, peakMb } = product.memory()
    console.log(
      `${done} requests; ${before.toFixed(0)} MB before, ${after.toFixed(0)} MB after, ${peakMb} MB peak`,
    )
    const grownPercent = Math.max(0, (after / before - 1) * 100)
    report.add(
      row(
        `soak/${api}`,
        `${api} API: growth over ${Math.round(forMs / 1000)} s of churn, aborts and reconnects`,
        {
          value: grownPercent,
          unit: '%',
          atMost: 10,
        },
      ),
    )
  } finally {
    await product.stop()
  }
}

/** @returns how many requests were made */
async function churn({ url }: Running, headers: Record<string, string>, until: number): Promise<number> {
  let requests = 0
  const over = (): boolean => performance.now() >= until
  const send = async (path: string, init: RequestInit = {}): Promise<void> => {
    requests++
    const answer = await fetch(url + path, { ...init, headers: { ...headers, ...init.headers } })
    await answer.arrayBuffer()
  }
  const writer = async (number: number): Promise<void> => {
    for (let i = 0; !over(); i++) {
      const name = `churn-${number}-${i % 50}`
      const body = JSON.stringify({ metadata: { name }, data: { text: 'x'.repeat(i % 2_000) } })
      await send(COLLECTION, { method: 'POST', body, headers: { 'content-type': 'application/json' } })
      await send(`${COLLECTION}/${name}`, { method: 'DELETE' })
    }
  }
  const reader = async (number: number): Promise<void> => {
    for (let i = number; !over(); i++) await send(PATHS[i % PATHS.length] ?? WATCH)
  }
  /** Goes away in the middle, over and over: of a list now and of a watch then. */
  const leaver = async (number: number): Promise<void> => {
    for (let i = number; !over(); i++) {
      const signal = AbortSignal.timeout(5 + ((i * 37) % 200))
      await send(i % 2 === 0 ? WATCH : (PATHS[i % PATHS.length] ?? WATCH), { signal }).catch(
        (error: unknown) => {
          if (!signal.aborted) throw error
        },
      )
    }
  }
  await Promise.all([0, 1, 2, 3].flatMap((number) => [writer(number), reader(number), leaver(number)]))
  return requests
}
