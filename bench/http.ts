/**
 * Requests to the whole product: requests per second, CPU per request, latency, and the ratio to the same ConfigMap
 * read straight from the Kubernetes API.
 *
 * The product runs in a process of its own; its CPU is read from /proc. The load comes from this process.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import http from 'node:http'
import https from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parse } from 'yaml'
import { cpuMsOf, memoryOf } from './_load.js'

const PODS = 10_000
const CONNECTIONS = 32
const SECONDS = 3
const PROGRAM = join(process.cwd(), 'bin', 'orrery.js')

interface Product {
  child: ChildProcess
  url: URL
  kubeconfig: string
  token: string
}

interface Measured {
  perSecond: number
  cpuMs: number
  p50: number
  p99: number
  failed: number
}

type Send = () => Promise<number>

export async function run(): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'orrery-bench-'))
  const product = await start(directory)
  try {
    await fill(product)
    const get = (path: string): Send => requester(product.url, path, product.token)
    const direct = directRequester(product, '/api/v1/namespaces/bench-0/configmaps/anchor')
    const root = '/kapis/resources.kubesphere.io/v1alpha3'
    const cases: [string, Send][] = [
      ['own version route', get('/kapis/version')],
      ['page of 10 of 10,000 pods, newest first', get(`${root}/pods?limit=10`)],
      ['the same with name=pod-77', get(`${root}/pods?limit=10&name=pod-77`)],
      ['page of a namespace', get(`${root}/namespaces/bench-3/pods?limit=10`)],
      ['ConfigMap through the proxy', get('/api/v1/namespaces/bench-0/configmaps/anchor')],
    ]
    const pid = product.child.pid ?? 0
    await measure(direct, pid, 1)
    const rows: [string, Measured, Measured][] = []
    for (const [name, send] of cases) {
      await measure(send, pid, 0.5)
      // The anchor runs beside each case, so that a slow moment of the machine hits both.
      const anchor = await measure(direct, pid, SECONDS / 2)
      rows.push([name, await measure(send, pid, SECONDS), anchor])
    }
    print(rows)
    await loginDuringLoad(product, get(`${root}/namespaces/bench-3/pods?limit=10`))
    console.log(`resident: ${memoryOf(pid).residentMb} MB with ${PODS.toLocaleString('en')} pods`)
  } finally {
    product.child.kill('SIGKILL')
    rmSync(directory, { recursive: true, force: true, maxRetries: 5 })
  }
}

function print(rows: readonly [string, Measured, Measured][]): void {
  const line = (cells: readonly string[]): string =>
    cells.map((cell, position) => (position === 0 ? cell.padEnd(42) : cell.padStart(11))).join('')
  console.log(line(['embedded, 32 connections', 'req/s', 'CPU ms', 'p50 ms', 'p99 ms', 'x direct', 'failed']))
  for (const [name, { perSecond, cpuMs, p50, p99, failed }, anchor] of rows) {
    const ratio = (perSecond / anchor.perSecond).toFixed(2)
    console.log(
      line([
        name,
        perSecond.toFixed(0),
        cpuMs.toFixed(3),
        p50.toFixed(2),
        p99.toFixed(2),
        ratio,
        String(failed),
      ]),
    )
  }
  const anchors = rows.map(([, , { perSecond }]) => perSecond).sort((a, b) => a - b)
  console.log(
    line([
      'direct: the ConfigMap over HTTPS (median)',
      (anchors[Math.floor(anchors.length / 2)] ?? 0).toFixed(0),
    ]),
  )
}

/** Readers must keep most of their rate while 8 clients log in as fast as they can. */
async function loginDuringLoad({ url, child }: Product, reader: Send): Promise<void> {
  const pid = child.pid ?? 0
  const alone = await measure(reader, pid, SECONDS)
  let stop = false
  let logins = 0
  const flood = Array.from({ length: 8 }, async () => {
    while (!stop) {
      if ((await tokenOf(url)) !== undefined) logins++
    }
  })
  const beside = await measure(reader, pid, SECONDS)
  stop = true
  await Promise.all(flood)
  const kept = ((100 * beside.perSecond) / alone.perSecond).toFixed(0)
  console.log(
    `readers during a login flood keep ${kept} % of their rate (${(logins / SECONDS).toFixed(1)} logins/s)`,
  )
}

async function start(directory: string): Promise<Product> {
  const args = [
    PROGRAM,
    'up',
    '--data-dir',
    directory,
    '--port',
    '0',
    '--kube-port',
    '0',
    '--log-level',
    'error',
  ]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  const url = await new Promise<URL>((resolve, reject) => {
    child.on('exit', (code) => reject(new Error(`the product ended with ${code ?? 'a signal'}`)))
    let text = ''
    child.stdout.on('data', (chunk: Buffer) => {
      text += chunk.toString()
      const [found] = /http:\/\/[\d.:]+/.exec(text) ?? []
      if (found !== undefined && text.includes('Ctrl-C')) resolve(new URL(found))
    })
  })
  return { child, url, kubeconfig: join(directory, 'kubeconfig'), token: (await tokenOf(url)) ?? '' }
}

async function tokenOf(url: URL): Promise<string | undefined> {
  const body = new URLSearchParams({
    grant_type: 'password',
    username: 'admin',
    password: 'P@88w0rd',
    client_id: 'kubesphere',
    client_secret: 'kubesphere',
  })
  const answer = await fetch(`${url.origin}/oauth/token`, { method: 'POST', body })
  const { access_token: token } = (await answer.json()) as { access_token?: string }
  return token
}

async function fill({ url, token }: Product): Promise<void> {
  const post = async (path: string, object: object): Promise<void> => {
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
    const answer = await fetch(`${url.origin}${path}`, {
      method: 'POST',
      headers,
      body: JSON.stringify(object),
    })
    await answer.arrayBuffer()
    if (answer.status !== 201) throw new Error(`POST ${path}: ${answer.status}`)
  }
  for (let i = 0; i < 50; i++)
    await post('/api/v1/namespaces', {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: `bench-${i}` },
    })
  await post('/api/v1/namespaces/bench-0/configmaps', {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'anchor' },
    data: { text: 'x'.repeat(2_000) },
  })
  let next = 0
  await Promise.all(
    Array.from({ length: CONNECTIONS }, async () => {
      while (next < PODS) {
        const i = next++
        await post(`/api/v1/namespaces/bench-${i % 50}/pods`, {
          apiVersion: 'v1',
          kind: 'Pod',
          metadata: {
            name: `pod-${i}`,
            labels: { app: `app-${i % 100}`, tier: i % 2 === 0 ? 'front' : 'back' },
            annotations: { note: 'x'.repeat(1_200) },
          },
          spec: { containers: [{ name: 'main', image: 'nginx', env: [{ name: 'A', value: 'b' }] }] },
        })
      }
    }),
  )
}

function requester(url: URL, path: string, token: string): Send {
  const agent = new http.Agent({ keepAlive: true, maxSockets: CONNECTIONS })
  return () =>
    sendOne(
      http.request({
        host: url.hostname,
        port: url.port,
        path,
        agent,
        headers: { authorization: `Bearer ${token}` },
      }),
    )
}

function directRequester({ kubeconfig }: Product, path: string): Send {
  const config = parse(readFileSync(kubeconfig, 'utf8')) as {
    clusters: { cluster: { server: string; 'certificate-authority-data': string } }[]
    users: { user: { 'client-certificate-data': string; 'client-key-data': string } }[]
  }
  const decode = (text: string | undefined): Buffer => Buffer.from(text ?? '', 'base64')
  const { cluster } = config.clusters[0] ?? {}
  const { user } = config.users[0] ?? {}
  const { hostname, port } = new URL(cluster?.server ?? '')
  const agent = new https.Agent({
    keepAlive: true,
    maxSockets: CONNECTIONS,
    ca: decode(cluster?.['certificate-authority-data']),
    cert: decode(user?.['client-certificate-data']),
    key: decode(user?.['client-key-data']),
  })
  return () => sendOne(https.request({ host: hostname, port, path, agent }))
}

function sendOne(request: http.ClientRequest): Promise<number> {
  return new Promise((resolve, reject) => {
    request.on('error', reject)
    request.on('response', (response) => {
      response.on('data', () => {})
      response.on('end', () => resolve(response.statusCode ?? 0))
    })
    request.end()
  })
}

async function measure(send: Send, pid: number, seconds: number): Promise<Measured> {
  const latencies: number[] = []
  let failed = 0
  const cpuBefore = cpuMsOf(pid)
  const startedAt = performance.now()
  const endsAt = startedAt + seconds * 1_000
  await Promise.all(
    Array.from({ length: CONNECTIONS }, async () => {
      while (performance.now() < endsAt) {
        const sentAt = performance.now()
        if ((await send()) !== 200) failed++
        latencies.push(performance.now() - sentAt)
      }
    }),
  )
  const elapsed = (performance.now() - startedAt) / 1_000
  const cpuMs = (cpuMsOf(pid) - cpuBefore) / latencies.length
  latencies.sort((a, b) => a - b)
  const at = (share: number): number => latencies[Math.floor(latencies.length * share)] ?? 0
  return { perSecond: latencies.length / elapsed, cpuMs, p50: at(0.5), p99: at(0.99), failed }
}
