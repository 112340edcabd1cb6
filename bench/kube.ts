/**
 * The embedded Kubernetes API as a process of its own beside etcd and a genuine API server 1.20, both durable: time to
 * ready, memory, creates, a large list, many watchers, and whether every acknowledged write outlives kill -9.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { Agent } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { realClusterAvailable, startRealCluster } from '../test/cluster/realcluster.js'
import { killLoop } from './_kubekills.js'
import {
  call,
  creates,
  type Kind,
  type KubeTarget,
  listed,
  MAPS,
  markedConfigMap,
  now,
  OBJECTS,
  startKubeProcess,
  watching,
} from './_kubeload.js'
import { median, memoryOf } from './_load.js'
import { type Report, row } from './_report.js'

interface Plan {
  kinds: readonly Kind[]
  clients: readonly number[]
  warmMs: number
  measureMs: number
  restMs: number
  pods: number
  watchers: number
  events: number
  kills: number
}

export const run = (report: Report): Promise<void> =>
  measure(report, {
    ...{ kinds: ['ConfigMap', 'Pod'], clients: [1, 32, 256], warmMs: 3_000, measureMs: 5_000 },
    ...{ restMs: 8_000, pods: 50_000, watchers: 1_000, events: 1_000, kills: 200 },
  })

export const smoke = (report: Report): Promise<void> =>
  measure(report, {
    ...{ kinds: ['ConfigMap'], clients: [32], warmMs: 500, measureMs: 1_000 },
    ...{ restMs: 0, pods: 0, watchers: 20, events: 50, kills: 2 },
  })

async function measure(report: Report, plan: Plan): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'orrery-bench-kube-'))
  if (!realClusterAvailable) report.skip('kube/anchor', 'scripts/build-kubernetes.sh has not been run')
  try {
    await withBoth(join(folder, 'written'), async (ours, theirs) => {
      await starts(report, plan, ours, theirs)
      for (const kind of plan.kinds) {
        for (const clients of plan.clients) await writes(report, plan, kind, clients, ours, theirs)
      }
    })
    if (plan.pods > 0) await withBoth(join(folder, 'pods'), (...both) => many(report, plan, ...both))
    await withBoth(join(folder, 'watched'), (...both) => watches(report, plan, ...both))
    const { acknowledged, lost } = await killLoop(join(folder, 'killed'), plan.kills)
    const name = `lost of ${acknowledged} acknowledged writes, ${plan.kills} times kill -9`
    report.add(row('kube/killed', name, { value: lost, unit: 'writes', atMost: 0 }))
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

interface Server extends KubeTarget {
  readyMs: number
  residentMb(): number
}

/** Neither has anything but what it makes itself. */
async function withBoth(
  dataDir: string,
  use: (ours: Server, theirs: Server | undefined) => Promise<void>,
): Promise<void> {
  const ours = await startKubeProcess(dataDir)
  const startedAt = performance.now()
  const cluster = realClusterAvailable ? await startRealCluster({ durable: true }) : undefined
  try {
    const theirs = cluster && {
      readyMs: performance.now() - startedAt,
      url: cluster.url,
      headers: { authorization: `Bearer ${cluster.token}` },
      tls: {},
      residentMb: () =>
        Object.values(cluster.processes).reduce((sum, pid) => sum + memoryOf(pid).residentMb, 0),
    }
    await use(ours, theirs)
  } finally {
    await ours.kill()
    await cluster?.stop()
  }
}

interface Figure {
  id: string
  name: string
  unit: string
  ours: number
  theirs: number | undefined
  /** Of the figure itself. */
  atMost?: number
  /** Of ours to theirs. */
  times?: { atLeast?: number; atMost?: number }
}

function compare(report: Report, { id, name, unit, ours, theirs, atMost, times }: Figure): void {
  report.add(row(id, name, { value: ours, unit, ...(atMost !== undefined && { atMost }) }))
  if (theirs === undefined) return
  const text = `  etcd and API server: ${theirs >= 10 ? Math.round(theirs) : theirs.toFixed(1)} ${unit}`
  report.add(row(`${id}/anchor`, text, { value: ours / theirs, unit: 'times', ...times }))
}

async function starts(report: Report, { restMs }: Plan, ours: Server, theirs?: Server): Promise<void> {
  const ready = { ours: ours.readyMs, theirs: theirs?.readyMs, unit: 'ms' }
  compare(report, { id: 'kube/ready', name: 'ready', ...ready, atMost: 1_000, times: { atMost: 0.2 } })
  await sleep(restMs)
  const resident = { ours: ours.residentMb(), theirs: theirs?.residentMb(), unit: 'MB' }
  const times = { atMost: 0.333 }
  compare(report, { id: 'kube/resident', name: 'resident, empty', ...resident, atMost: 150, times })
}

async function writes(
  report: Report,
  { warmMs, measureMs }: Plan,
  kind: Kind,
  clients: number,
  ours: Server,
  theirs?: Server,
): Promise<void> {
  const load = { clients, warmMs, measureMs }
  const made = await creates(ours, kind, load)
  const anchor = theirs && (await creates(theirs, kind, load))
  const failed = made.failed + (anchor?.failed ?? 0)
  if (failed > 0) throw new Error(`${failed} creates failed`)
  compare(report, {
    id: `kube/creates/${kind}/${clients}`,
    name: `durable creates of ${kind}s, ${clients} clients`,
    unit: '/s',
    ours: made.perSecond,
    theirs: anchor?.perSecond,
    ...(clients > 1 && { times: { atLeast: 1.5 } }),
  })
}

const FILLERS = 64
const LISTS = 5

async function many(report: Report, { pods, restMs }: Plan, ours: Server, theirs?: Server): Promise<void> {
  const figures = async (server: Server): Promise<{ residentMb: number; listMs: number }> => {
    await creates(server, 'Pod', { clients: FILLERS, warmMs: 0, measureMs: 0, total: pods })
    await sleep(restMs)
    const residentMb = server.residentMb()
    const lists = []
    for (let i = 0; i < LISTS; i++) lists.push((await listed(server, OBJECTS.Pod.path)).ms)
    return { residentMb, listMs: median(lists) }
  }
  const our = await figures(ours)
  const their = theirs && (await figures(theirs))
  const count = pods.toLocaleString('en')
  compare(report, {
    id: 'kube/resident/pods',
    name: `resident, ${count} pods`,
    unit: 'MB',
    ours: our.residentMb,
    theirs: their?.residentMb,
    times: { atMost: 0.5 },
  })
  compare(report, {
    id: 'kube/list',
    name: `a list of ${count} pods`,
    unit: 'ms',
    ours: our.listMs,
    theirs: their?.listMs,
  })
}

async function watches(report: Report, plan: Plan, ours: Server, theirs?: Server): Promise<void> {
  compare(report, {
    id: 'kube/watchers',
    name: `p99 of delivery to ${plan.watchers} watchers, 100 events/s`,
    unit: 'ms',
    ours: await deliveryP99(ours, plan),
    theirs: theirs && (await deliveryP99(theirs, plan)),
    atMost: 100,
  })
}

/** From the moment a create is sent until a watcher, in another process, has its event; in milliseconds. */
async function deliveryP99(target: KubeTarget, { watchers, events }: Plan): Promise<number> {
  const { url, headers, tls } = target
  const crowd = await watching({ url, headers, tls, watchers, events, patienceMs: PATIENCE_MS })
  const agent = new Agent({ keepAlive: true, maxSockets: WRITERS })
  await Promise.all(Array.from({ length: WRITERS }, () => call(target, agent, 'GET', '/version')))
  const pending = []
  const startedAt = now()
  for (let i = 0; i < events; i++) {
    await sleep(Math.max(0, startedAt + i * EVERY_MS - now()))
    pending.push(call(target, agent, 'POST', MAPS, markedConfigMap(`watched-${i}`)))
  }
  await Promise.all(pending)
  agent.destroy()
  const { p99Ms, missing } = await crowd.delivered
  if (missing > 0) throw new Error(`${missing} events were not delivered`)
  return p99Ms
}

/** Connections that are there before the first event: a handshake is not what is measured. */
const WRITERS = 16
const EVERY_MS = 10
const PATIENCE_MS = 60_000
