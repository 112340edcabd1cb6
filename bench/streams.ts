/**
 * Streams through the proxy to a genuine Kubernetes API server, beside the plainest reverse proxy in Go: many watches
 * in which nothing happens, one in which much does, and a list too large to be held in memory as a whole.
 */
import http from 'node:http'
import { cpuMsOf, median } from './_load.js'
import { listsOf, namespaceName, type Size } from './_objects.js'
import { type Running, startGoProxy, startInFront, tokenOf, until } from './_processes.js'
import { type Report, row } from './_report.js'
import { type RealCluster, realClusterAvailable, startRealCluster } from '../test/cluster/realcluster.js'

const SIZE: Size = { pods: 5_000, namespaces: 50, workspaces: 10, users: 20, bindings: 200 }

export interface StreamsOptions {
  watches?: number
  eventsPerSecond?: number
  seconds?: number
  lists?: number
  /** Contenders take turns; medians count. */
  rounds?: number
}

interface Contender {
  process: Running
  token: string
  /** Milliseconds of CPU, one figure for each round. */
  lists: number[]
  events: number[]
}

export async function run(
  report: Report,
  { watches = 2_000, eventsPerSecond = 1_000, seconds = 6, lists = 20, rounds = 5 }: StreamsOptions = {},
): Promise<void> {
  if (!realClusterAvailable) return report.skip('streams', 'scripts/build-kubernetes.sh has not been run')
  const cluster = await startRealCluster({ lists: listsOf(SIZE) })
  const stops: (() => Promise<void>)[] = [() => cluster.stop()]
  try {
    const product = await startInFront(cluster.kubeconfig)
    stops.push(() => product.stop())
    const token = await tokenOf(product.url, 'admin')
    const proxy = await startGoProxy(cluster.url, cluster.token)
    if (proxy) stops.push(() => proxy.stop())
    const ours: Contender = { process: product, token, lists: [], events: [] }
    const go: Contender | undefined = proxy && {
      process: proxy,
      token: cluster.token,
      lists: [],
      events: [],
    }
    const contenders = go ? [ours, go] : [ours]
    // In the first round neither is what it is after a minute.
    for (let round = 0; round <= rounds; round++) {
      for (const { process, token: credentials, lists: costs, events } of contenders) {
        const list = await listCost(process, credentials, lists)
        const event = await eventCost(process, credentials, cluster, eventsPerSecond, seconds)
        if (round === 0) continue
        costs.push(list)
        events.push(event)
      }
    }
    report.add(
      row('streams/list', `list of ${SIZE.pods} pods through the proxy`, {
        value: median(ours.lists),
        unit: 'CPU ms',
        ...(go && { atMost: median(go.lists) }),
      }),
    )
    report.add(
      row('streams/event', `one of ${eventsPerSecond} watch events a second`, {
        value: median(ours.events) * 1_000,
        unit: 'CPU µs',
        ...(go && { atMost: median(go.events) * 1_000 }),
      }),
    )
    report.add(
      row('streams/watch', `each of ${watches} idle watches`, {
        value: await watchSize(product, token, watches),
        unit: 'KB',
        atMost: 20,
      }),
    )
    if (proxy)
      report.add(
        row('streams/watch/go', '… through the Go proxy', {
          value: await watchSize(proxy, cluster.token, watches),
          unit: 'KB',
        }),
      )
  } finally {
    for (const stop of stops.reverse()) await stop()
  }
}

/** Milliseconds of CPU for one whole list. */
async function listCost({ url, pid }: Running, token: string, lists: number): Promise<number> {
  const once = (): Promise<number> => drained(`${url}/api/v1/pods?resourceVersion=0`, token)
  await once()
  const before = cpuMsOf(pid)
  for (let i = 0; i < lists; i++) await once()
  return (cpuMsOf(pid) - before) / lists
}

/** Milliseconds of CPU for one event, of ConfigMaps that change under a watch. */
async function eventCost(
  { url, pid }: Running,
  token: string,
  cluster: RealCluster,
  perSecond: number,
  seconds: number,
): Promise<number> {
  const namespace = namespaceName(1)
  const path = `/api/v1/namespaces/${namespace}/configmaps`
  let events = 0
  const close = await streamed(`${url}${path}?watch=true`, token, (chunk) => {
    for (const byte of chunk) if (byte === 0x0a) events++
  })
  const names = Array.from({ length: 20 }, (_, i) => `changing-${i}`)
  for (const name of names) await cluster.request('POST', path, { metadata: { name }, data: { n: '0' } })
  await until(async () => events >= names.length)
  const [eventsBefore, cpuBefore] = [events, cpuMsOf(pid)]
  const wanted = perSecond * seconds
  const startedAt = performance.now()
  let sent = 0
  const write = async (name: string): Promise<void> => {
    for (; sent < wanted;) {
      const n = sent++
      await cluster.request('PUT', `${path}/${name}`, { metadata: { name }, data: { n: String(n + 1) } })
      const early = startedAt + (n * 1_000) / perSecond - performance.now()
      if (early > 1) await new Promise((resolve) => setTimeout(resolve, early))
    }
  }
  await Promise.all(names.map(write))
  await until(async () => events - eventsBefore >= wanted, 30_000)
  const cost = (cpuMsOf(pid) - cpuBefore) / wanted
  close()
  for (const name of names) await cluster.request('DELETE', `${path}/${name}`)
  return cost
}

/** KB of resident memory for one watch in which nothing happens. */
async function watchSize(product: Running, token: string, watches: number): Promise<number> {
  const settle = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 2_000))
  await settle()
  const before = product.memory().residentMb
  const closes: (() => void)[] = []
  const path = `/api/v1/namespaces/${namespaceName(2)}/secrets?watch=true`
  for (let i = 0; i < watches; i += 50)
    closes.push(
      ...(await Promise.all(
        Array.from({ length: Math.min(50, watches - i) }, () =>
          streamed(product.url + path, token, () => undefined),
        ),
      )),
    )
  await settle()
  const size = ((product.memory().residentMb - before) * 1_024) / watches
  for (const close of closes) close()
  return size
}

function drained(url: string, token: string): Promise<number> {
  return new Promise((resolve, reject) => {
    http
      .get(url, { headers: { authorization: `Bearer ${token}` } }, (response) => {
        let size = 0
        response.on('data', (chunk: Buffer) => (size += chunk.length))
        response.on('end', () =>
          response.statusCode === 200
            ? resolve(size)
            : reject(new Error(`${url}: ${response.statusCode ?? 0}`)),
        )
      })
      .on('error', reject)
  })
}

/** Settles when the answer has begun. @returns close */
function streamed(url: string, token: string, onData: (chunk: Buffer) => void): Promise<() => void> {
  return new Promise((resolve, reject) => {
    const request = http.get(
      url,
      { headers: { authorization: `Bearer ${token}` }, agent: false },
      (response) => {
        if (response.statusCode !== 200) return reject(new Error(`${url}: ${response.statusCode ?? 0}`))
        response.on('data', onData)
        response.on('error', () => undefined)
        resolve(() => request.destroy())
      },
    )
    request.on('error', reject)
  })
}
