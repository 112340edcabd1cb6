/**
 * The recorded read-only groups against `orrery apiserver` in front of a real Kubernetes 1.20 API server that holds
 * the seed state. Runs where scripts/build-kubernetes.sh has built one.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { MEANT } from '../golden/meant.js'
import { judge, replay, type GroupResult, type Meant } from '../golden/replay.js'
import { goldenPath, HAVE_GOLDEN, readGolden } from '../golden/shared.js'
import { realClusterAvailable, startRealCluster, type ClusterState, type RealCluster } from './realcluster.js'

const PROGRAM = fileURLToPath(new URL('../../bin/orrery.js', import.meta.url))
/** What differs because this cluster is another one than the recorded: its port, and etcd's own revisions in texts. */
const THIS_CLUSTER: Meant = {
  'proxy-read-001': 'the address of the API server',
  'base-014': 'the address of the API server',
  'proxy-read-021': 'resourceVersions inside a text',
  'proxy-read-023': 'resourceVersions inside a text',
  'proxy-read-008': 'the resolver of the machine names another server',
}
const NONE: GroupResult = { group: '', total: 0, ok: 0, statusOk: 0, differences: [] }
const possible = HAVE_GOLDEN && realClusterAvailable

/** Told apart from a skip: without the binaries there is nothing to test here, and `.ci/run` says so itself. */
const suite = describe.skipIf(!possible)

suite(`a real Kubernetes API${possible ? '' : ' SKIPPED: run scripts/build-kubernetes.sh first'}`, () => {
  let cluster: RealCluster
  let server: ChildProcess
  let base = ''

  beforeAll(async () => {
    cluster = await startRealCluster({
      lists: readGolden<NonNullable<ClusterState['lists']>>('state.json'),
      crds: goldenPath('crds'),
    })
    server = spawn(
      process.execPath,
      [
        PROGRAM,
        'apiserver',
        '--kubeconfig',
        cluster.kubeconfig,
        '--config',
        goldenPath('kubesphere.yaml'),
        '--port',
        '0',
        '--bind-address',
        '127.0.0.1',
        '--log-level',
        'warn',
      ],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    )
    base = await new Promise<string>((resolve, reject) => {
      server.on('exit', (code) => reject(new Error(`orrery apiserver ended with ${code ?? 'a signal'}`)))
      server.stdout?.on('data', (text: Buffer) => {
        const [url] = /http:\/\/[\d.:]+/.exec(text.toString()) ?? []
        if (url !== undefined) resolve(url)
      })
    })
    await until(async () => (await fetch(`${base}/readyz`)).ok)
  }, 120_000)

  afterAll(async () => {
    server?.kill('SIGTERM')
    await cluster?.stop()
  })

  it.each([
    ['proxy-read', 0.95],
    ['resources-v1alpha3-kinds', 0.95],
    ['resources-v1alpha3-filters', 0.95],
    ['base', 0.9],
  ])('%s match to at least %d', async (group, least) => {
    const [result = NONE] = await replay({ base, groups: [group] })

    const { share, remaining } = judge(result, { ...MEANT, ...THIS_CLUSTER })
    if (remaining.length > 0) console.log(`${group}: ${(share * 100).toFixed(1)} %\n${remaining.join('\n')}`)
    expect(share).toBeGreaterThanOrEqual(least)
  })
})

async function until(check: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 30_000
  while (!(await check().catch(() => false))) {
    if (Date.now() > deadline) throw new Error('not ready in time')
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}
