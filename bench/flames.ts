/**
 * Flame graphs of the hottest requests, into docs/flames: the product in front of a genuine API server with 10,000 pods, under
 * `wrk`. Only run when asked for by name, since it writes into the documentation.
 */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { haveWrk, load } from './_load.js'
import { listsOf, namespaceName, SIZES } from './_objects.js'
import { startInFront, tokenOf } from './_processes.js'
import { type Report } from './_report.js'
import { realClusterAvailable, startRealCluster } from '../test/cluster/realcluster.js'

export const isOnRequest = true

const REQUESTS = {
  page: ['A page of 10 of 10,000 pods', '/kapis/resources.kubesphere.io/v1alpha3/pods?limit=10'],
  proxied: ['A ConfigMap through the proxy', `/api/v1/namespaces/${namespaceName(0)}/configmaps/anchor`],
  users: ['A page of users', '/kapis/iam.kubesphere.io/v1alpha2/users?limit=10'],
} as const
const WARM_SECONDS = 3
const SECONDS = 8
const SHOWN = 8

interface FlameGraphs {
  flameGraph: (profile: unknown, title: string) => { svg: string; shares: [string, number][] }
}

export async function run(report: Report): Promise<void> {
  if (!haveWrk()) return report.skip('flames', 'wrk is not installed')
  if (!realClusterAvailable) return report.skip('flames', 'scripts/build-kubernetes.sh has not been run')
  const script = pathToFileURL(join(process.cwd(), 'scripts', 'flamegraph.js')).href
  const { flameGraph } = (await import(script)) as FlameGraphs
  const folder = join(process.cwd(), 'docs', 'flames')
  mkdirSync(folder, { recursive: true })
  const cluster = await startRealCluster({ lists: listsOf(SIZES.small) })
  try {
    for (const [name, [title, path]] of Object.entries(REQUESTS)) {
      const profile = await profileOf(cluster.kubeconfig, path)
      const { svg, shares } = flameGraph(profile, title)
      writeFileSync(join(folder, `${name}.svg`), svg)
      console.log(`${title}, own time:`)
      for (const [what, share] of shares.slice(0, SHOWN))
        console.log(`  ${(share * 100).toFixed(1).padStart(5)} %  ${what}`)
    }
  } finally {
    await cluster.stop()
  }
}

/** Of a process of its own, all its life; what is before the load is little beside it. */
async function profileOf(kubeconfig: string, path: string): Promise<unknown> {
  const profiles = mkdtempSync(join(tmpdir(), 'orrery-profile-'))
  try {
    const product = await startInFront(kubeconfig, {
      nodeOptions: ['--cpu-prof', '--cpu-prof-dir', profiles],
    })
    const target = { url: product.url + path, token: await tokenOf(product.url, 'admin') }
    await load(target, WARM_SECONDS)
    await load(target, SECONDS)
    await product.stop('SIGTERM')
    const [file = ''] = readdirSync(profiles)
    return JSON.parse(readFileSync(join(profiles, file), 'utf8'))
  } finally {
    rmSync(profiles, { recursive: true, force: true })
  }
}
