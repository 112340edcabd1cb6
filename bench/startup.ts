/** How long until users can log in, and how much memory it takes: embedded and empty, embedded and large, in front. */
import { listsOf, SIZES } from './_objects.js'
import { type Running, startEmbedded, startInFront } from './_processes.js'
import { type Report, row } from './_report.js'
import { median } from './_load.js'
import { realClusterAvailable, startRealCluster } from '../test/cluster/realcluster.js'

const ROUNDS = 5
/** Until collections have come to rest: the young generation shrinks when it has been quiet for nine seconds. */
const REST_MS = 30_000

export async function run(report: Report): Promise<void> {
  await runEmpty(report, ROUNDS)
  await runLarge(report)
}

async function runEmpty(report: Report, rounds: number): Promise<void> {
  const ready: number[] = []
  let resident = 0
  for (let round = 0; round < rounds; round++) {
    const product = await startEmbedded({})
    ready.push(product.readyMs)
    if (round === rounds - 1) resident = await restedMb(product)
    await product.stop()
  }
  report.add(
    row('startup/empty', 'ready, embedded and empty', { value: median(ready), unit: 'ms', atMost: 1_000 }),
  )
  report.add(
    row('startup/empty/resident', 'resident, embedded and empty', {
      value: resident,
      unit: 'MB',
      atMost: 110,
    }),
  )
}

async function runLarge(report: Report): Promise<void> {
  const { pods: _, ...people } = SIZES.large
  const tenancy = await startEmbedded(listsOf({ ...people, pods: 0 }))
  report.add(
    row('startup/tenancy', 'ready, embedded, 4,000 namespaces and 20,000 bindings', {
      value: tenancy.readyMs,
      unit: 'ms',
    }),
  )
  // Its controllers have much to do now; `scale` measures the memory when they have done it.
  await tenancy.stop()
  if (!realClusterAvailable)
    return report.skip('startup/cluster', 'scripts/build-kubernetes.sh has not been run')
  const cluster = await startRealCluster({ lists: listsOf(SIZES.medium) })
  try {
    const product = await startInFront(cluster.kubeconfig)
    report.add(
      row('startup/cluster', 'ready before a cluster with 50,000 pods', {
        value: product.readyMs,
        unit: 'ms',
        atMost: 6_000,
      }),
    )
    report.add(
      row('startup/cluster/resident', 'resident before 50,000 pods', {
        value: await restedMb(product),
        unit: 'MB',
        atMost: 350,
      }),
    )
    await product.stop()
  } finally {
    await cluster.stop()
  }
}

export const smoke = (report: Report): Promise<void> => runEmpty(report, 1)

async function restedMb(product: Running): Promise<number> {
  await new Promise((resolve) => setTimeout(resolve, REST_MS))
  return product.memory().residentMb
}
