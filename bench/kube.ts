/**
 * The embedded Kubernetes API as a process of its own beside etcd and a genuine API server 1.20, both durable: time to
 * ready, memory, creates, a large list, many watchers, and whether every acknowledged write outlives kill -9.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { Agent } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type RealCluster, realClusterAvailable, startRealCluster } from '../test/cluster/realcluster.js'
import { call, configMap, creates, type KubeTarget, MAPS, open, startKubeProcess } from './_kubeload.js'
import { memoryOf } from './_load.js'
import { type Report, row } from './_report.js'

const REST_MS = 8_000
const CLIENTS = [1, 32, 256]
const MEASURE_MS = 5_000

interface Plan {
  clients: readonly number[]
  measureMs: number
  restMs: number
  watchers: number
  events: number
  kills: number
}

export const run = (report: Report): Promise<void> =>
  measure(report, {
    ...{ clients: CLIENTS, measureMs: MEASURE_MS, restMs: REST_MS },
    ...{ watchers: 1_000, events: 1_000, kills: 200 },
  })

export const smoke = (report: Report): Promise<void> =>
  measure(report, { clients: [32], measureMs: 1_000, restMs: 0, watchers: 20, events: 50, kills: 2 })

async function measure(report: Report, plan: Plan): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'orrery-bench-kube-'))
  const ours = await startKubeProcess(join(folder, 'data'))
  let cluster: RealCluster | undefined
  try {
    const startedAt = performance.now()
    if (realClusterAvailable) cluster = await startRealCluster({ durable: true })
    else report.skip('kube/anchor', 'scripts/build-kubernetes.sh has not been run')
    const theirReadyMs = performance.now() - startedAt
    report.add(row('kube/ready', 'ready, embedded API', { value: ours.readyMs, unit: 'ms', atMost: 1_000 }))
    if (cluster)
      report.add(row('kube/ready/anchor', 'ready, etcd and API server', { value: theirReadyMs, unit: 'ms' }))
    await sleep(plan.restMs)
    report.add(
      row('kube/resident', 'resident, embedded API, empty', {
        value: ours.residentMb(),
        unit: 'MB',
        atMost: 150,
      }),
    )
    if (cluster) {
      const pids = Object.values(cluster.processes)
      const value = pids.reduce((sum, pid) => sum + memoryOf(pid).residentMb, 0)
      report.add(row('kube/resident/anchor', 'resident, etcd and API server, empty', { value, unit: 'MB' }))
    }
    const theirs: KubeTarget | undefined = cluster && {
      url: cluster.url,
      headers: { authorization: `Bearer ${cluster.token}` },
      tls: {},
    }
    for (const clients of plan.clients) {
      const value = await creates(ours, clients, plan.measureMs)
      const anchor = theirs && (await creates(theirs, clients, plan.measureMs))
      report.add(row(`kube/creates/${clients}`, `durable creates, ${clients} clients`, { value, unit: '/s' }))
      if (anchor === undefined) continue
      const ratio = { value: value / anchor, unit: 'times', ...(clients > 1 && { atLeast: 1.5 }) }
      report.add(
        row(`kube/creates/${clients}/anchor`, `  etcd and API server: ${Math.round(anchor)} /s`, ratio),
      )
    }
    const name = `p99 of delivery to ${plan.watchers} watchers, 100 events/s`
    const delivered = { value: await deliveryP99(ours, plan), unit: 'ms', atMost: 100 }
    report.add(row('kube/watchers', name, delivered))
    if (theirs) {
      const value = await deliveryP99(theirs, plan)
      report.add(row('kube/watchers/anchor', `${name}, etcd and API server`, { value, unit: 'ms' }))
    }
  } finally {
    await ours.kill()
    await cluster?.stop()
  }
  const lost = await killLoop(join(folder, 'killed'), plan.kills)
  report.add(
    row('kube/killed', `lost of acknowledged writes, ${plan.kills} times kill -9`, {
      value: lost,
      unit: 'writes',
      atMost: 0,
    }),
  )
  rmSync(folder, { recursive: true, force: true })
}

/** From the moment a create is sent until a watcher has its event, in milliseconds. */
async function deliveryP99(target: KubeTarget, { watchers, events }: Plan): Promise<number> {
  const agent = new Agent({ keepAlive: true, maxSockets: Infinity })
  const sentAt = new Map<string, number>()
  const delays: number[] = []
  const streams = []
  for (let i = 0; i < watchers; i++) {
    const stream = await open(target, agent, 'GET', `${MAPS}?watch=1&timeoutSeconds=600`)
    stream.on('error', () => undefined)
    stream.on('data', (chunk: Buffer) => {
      for (const [, name = ''] of chunk.toString().matchAll(/"name":"(watched-\d+)"/g)) {
        const at = sentAt.get(name)
        if (at !== undefined) delays.push(performance.now() - at)
      }
    })
    streams.push(stream)
  }
  const writer = new Agent({ keepAlive: true })
  const pending = []
  for (let i = 0; i < events; i++) {
    const name = `watched-${i}`
    sentAt.set(name, performance.now())
    pending.push(call(target, writer, 'POST', MAPS, configMap(name)))
    await sleep(10)
  }
  await Promise.all(pending)
  await sleep(1_000)
  for (const stream of streams) stream.destroy()
  agent.destroy()
  writer.destroy()
  return delays.sort((a, b) => a - b)[Math.floor(delays.length * 0.99)] ?? Infinity
}

/** @returns how many acknowledged writes are not there after a restart */
async function killLoop(dataDir: string, rounds: number): Promise<number> {
  const acknowledged = new Set<string>()
  let lost = 0
  for (let round = 0; round < rounds; round++) {
    const server = await startKubeProcess(dataDir)
    const agent = new Agent({ keepAlive: true, maxSockets: 16 })
    const fresh: string[] = []
    const writer = async (number: number): Promise<void> => {
      for (let i = 0; ; i++) {
        const name = `k${round}-${number}-${i}`
        const answer = await call(server, agent, 'POST', MAPS, configMap(name)).catch(() => undefined)
        if (answer?.status !== 201) return
        fresh.push(name)
      }
    }
    const writers = Array.from({ length: 16 }, (_, number) => writer(number))
    await sleep(50 + Math.random() * 200)
    await server.kill()
    await Promise.all(writers)
    agent.destroy()
    for (const name of fresh) acknowledged.add(name)
    lost += await missing(dataDir, fresh)
  }
  return lost + (await missing(dataDir, [...acknowledged]))
}

async function missing(dataDir: string, names: readonly string[]): Promise<number> {
  const server = await startKubeProcess(dataDir)
  const found = new Set<string>()
  const agent = new Agent()
  let text = ''
  for await (const chunk of await open(server, agent, 'GET', MAPS)) text += (chunk as Buffer).toString()
  await server.kill()
  for (const [, name = ''] of text.matchAll(/"name":"(k\d+-\d+-\d+)"/g)) found.add(name)
  return names.filter((name) => !found.has(name)).length
}
