/**
 * Pages of pods while pods change: how long they take, whether the caches keep up, and what memory is left of it. The updates
 * come from a process between the product and a genuine API server, which could not write so many.
 */
import { writeFileSync } from 'node:fs'
import { haveWrk, load, type Measured, median } from './_load.js'
import { listsOf, SIZES } from './_objects.js'
import { startInFront, startStormSource, tokenOf, until } from './_processes.js'
import { type Report, row } from './_report.js'
import { realClusterAvailable, startRealCluster } from '../test/cluster/realcluster.js'

const PAGE = '/kapis/resources.kubesphere.io/v1alpha3/pods?limit=10&sortBy=createTime'
const UPDATES_PER_SECOND = 5_000
const READERS = 4

export const run = (report: Report): Promise<void> => storm(report, 10 * 60)
export const smoke = (report: Report): Promise<void> => storm(report, 5)

export async function storm(report: Report, seconds: number): Promise<void> {
  if (!haveWrk()) return report.skip('storm', 'wrk is not installed')
  if (!realClusterAvailable) return report.skip('storm', 'scripts/build-kubernetes.sh has not been run')
  const isLong = seconds >= 60
  const [warmUpSeconds, sampleSeconds] = isLong ? [seconds / 5, 20] : [3, 1]
  const cluster = await startRealCluster({ lists: listsOf(SIZES.small) })
  const stops: (() => Promise<void>)[] = [() => cluster.stop()]
  try {
    const source = await startStormSource(cluster.url, cluster.token, UPDATES_PER_SECOND)
    stops.push(() => source.stop())
    writeFileSync(cluster.kubeconfig, kubeconfigOf(source.url, cluster.token))
    const product = await startInFront(cluster.kubeconfig)
    stops.push(() => product.stop())
    const target = { url: product.url + PAGE, token: await tokenOf(product.url, 'admin') }
    // Users are served before the caches are full, and it storms after that.
    await until(async () => (await source.sent()) > 0)
    const pages = (forSeconds: number): Promise<Measured> =>
      // Few readers: what is asked is how long somebody waits, not how many could be served.
      load(target, forSeconds, { orrery: product.pid }, READERS)
    /** The heap goes up and down between collections: one look at it is chance. */
    const residentUnderLoad = async (): Promise<number> => {
      const looks: number[] = []
      const timer = setInterval(() => looks.push(product.memory().residentMb), 500)
      await pages(sampleSeconds)
      clearInterval(timer)
      return median(looks)
    }
    // With the same load: the young generation has its size after twenty seconds, the heap of the C library after a hundred.
    await pages(warmUpSeconds)

    const before = await residentUnderLoad()
    const [sentBefore, startedAt] = [await source.sent(), performance.now()]
    const measured = await pages(seconds)
    const rate = ((await source.sent()) - sentBefore) / ((performance.now() - startedAt) / 1_000)
    const after = await residentUnderLoad()

    report.add(row('storm/rate', 'updates of pods taken in', { value: rate, unit: 'updates/s' }))
    report.add(row('storm/pages', 'page of 10 pods meanwhile', { measured, process: 'orrery' }))
    report.add(
      row('storm/p99', '… 99 of 100 pages within', {
        value: measured.p99Ms,
        unit: 'ms',
        // Of five seconds, one in a hundred is whatever else the machine does.
        ...(isLong && { atMost: 50 }),
      }),
    )
    report.add(
      row('storm/growth', `growth over ${seconds} s of it, at ${after} MB`, {
        value: Math.max(0, (after / before - 1) * 100),
        unit: '%',
        // A short run sees the heap find its size.
        ...(isLong && { atMost: 10 }),
      }),
    )
  } finally {
    for (const stop of stops.reverse()) await stop()
  }
}

const kubeconfigOf = (server: string, token: string): string =>
  JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'storm',
    clusters: [{ name: 'storm', cluster: { server } }],
    users: [{ name: 'storm', user: { token } }],
    contexts: [{ name: 'storm', context: { cluster: 'storm', user: 'storm' } }],
  })
