/**
 * One process or two on the same cores: requests a second and memory, in front of a genuine API server. The figures behind
 * docs/performance.md, "One process or several".
 */
import { haveWrk, load, type Measured } from './_load.js'
import { listsOf, namespaceName, SIZES } from './_objects.js'
import { type Running, startInFront, tokenOf } from './_processes.js'
import { type Report, row } from './_report.js'
import { realClusterAvailable, startRealCluster } from '../test/cluster/realcluster.js'

const REQUESTS = {
  page: ['page of 10 pods', '/kapis/resources.kubesphere.io/v1alpha3/pods?limit=10'],
  proxied: ['ConfigMap through the proxy', `/api/v1/namespaces/${namespaceName(0)}/configmaps/anchor`],
} as const
const CONNECTIONS = 32
const SECONDS = 3
const ROUNDS = 3

export async function run(report: Report): Promise<void> {
  if (!haveWrk()) return report.skip('replicas', 'wrk is not installed')
  if (!realClusterAvailable) return report.skip('replicas', 'scripts/build-kubernetes.sh has not been run')
  const cluster = await startRealCluster({ lists: listsOf(SIZES.small) })
  const products: Running[] = []
  try {
    products.push(await startInFront(cluster.kubeconfig))
    products.push(await startInFront(cluster.kubeconfig))
    // Without a Redis each knows the tokens that it has given.
    const tokens = new Map<Running, string>()
    for (const product of products) tokens.set(product, await tokenOf(product.url, 'admin'))
    for (const [name, [title, path]] of Object.entries(REQUESTS)) {
      const one: number[] = []
      const two: number[] = []
      await together(products, path, tokens, 1)
      for (let round = 0; round < ROUNDS; round++) {
        one.push(sum(await together(products.slice(0, 1), path, tokens, SECONDS)))
        two.push(sum(await together(products, path, tokens, SECONDS)))
      }
      const middle = (values: number[]): number => values.sort((a, b) => a - b)[values.length >> 1] ?? 0
      report.add(row(`replicas/${name}/one`, `${title}, one process`, { value: middle(one), unit: 'req/s' }))
      report.add(
        row(`replicas/${name}/two`, `${title}, two processes`, { value: middle(two), unit: 'req/s' }),
      )
    }
    const resident = products.map((product) => product.memory().residentMb)
    report.add(
      row('replicas/one', 'resident, one of the processes', { value: Math.max(...resident), unit: 'MB' }),
    )
    report.add(
      row('replicas/both', 'resident, both', { value: resident.reduce((a, b) => a + b, 0), unit: 'MB' }),
    )
  } finally {
    for (const product of products) await product.stop()
    await cluster.stop()
  }
}

/** The same number of connections in all. */
function together(
  products: readonly Running[],
  path: string,
  tokens: ReadonlyMap<Running, string>,
  seconds: number,
): Promise<Measured[]> {
  return Promise.all(
    products.map(async (product) => {
      const target = { url: product.url + path, token: tokens.get(product) ?? '' }
      const measured = await load(target, seconds, {}, CONNECTIONS / products.length)
      if (measured.failed > 0) throw new Error(`${measured.failed} requests for ${path} failed`)
      return measured
    }),
  )
}

const sum = (rounds: readonly Measured[]): number => rounds.reduce((all, { perSecond }) => all + perSecond, 0)
