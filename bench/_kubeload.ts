/** Clients of a Kubernetes API, embedded or genuine, that speak to it over TLS with many connections. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { type IncomingMessage } from 'node:http'
import { Agent, request } from 'node:https'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parse } from 'yaml'
import type { Created, CreatorPlan } from './_creator.js'
import type { Delivered, WatchersPlan } from './_watchers.js'
import { memoryOf } from './_load.js'
import { PROGRAM, until } from './_processes.js'

export interface KubeTarget {
  url: string
  headers: Record<string, string>
  /** Of a client certificate. */
  tls: { cert?: string; key?: string }
}

export interface KubeProcess extends KubeTarget {
  readyMs: number
  residentMb(): number
  kill(signal?: NodeJS.Signals): Promise<void>
}

interface Kubeconfig {
  users: { user: { 'client-certificate-data': string; 'client-key-data': string } }[]
}

/** `orrery kube` on a directory, as a process of its own. */
export async function startKubeProcess(dataDir: string, nodes = 0): Promise<KubeProcess> {
  const startedAt = performance.now()
  const args = [
    'kube',
    '--data-dir',
    dataDir,
    '--kube-port',
    '0',
    '--nodes',
    String(nodes),
    '--log-level',
    'error',
  ]
  const child = spawn(process.execPath, [join(process.cwd(), PROGRAM), ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let text = ''
  child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()))
  await until(() => Promise.resolve(text.includes('is ready at')))
  const url = /https:\/\/[\d.:]+\d/.exec(text)?.[0] ?? ''
  const { users } = parse(readFileSync(join(dataDir, 'kubeconfig'), 'utf8')) as Kubeconfig
  const decoded = (data = ''): string => Buffer.from(data, 'base64').toString()
  const user = users[0]?.user
  const target: KubeTarget = {
    url,
    headers: {},
    tls: { cert: decoded(user?.['client-certificate-data']), key: decoded(user?.['client-key-data']) },
  }
  await until(async () => (await call(target, new Agent(), 'GET', '/readyz')).status === 200)
  return {
    ...target,
    readyMs: performance.now() - startedAt,
    residentMb: () => memoryOf(child.pid ?? 0).residentMb,
    async kill(signal = 'SIGKILL') {
      if (child.exitCode !== null || child.signalCode !== null) return
      const exit = once(child, 'exit')
      child.kill(signal)
      await exit
    },
  }
}

export function open(
  { url, headers, tls }: KubeTarget,
  agent: Agent,
  method: string,
  path: string,
  body?: string,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const sent = request(`${url}${path}`, {
      ...{ method, agent, rejectUnauthorized: false, ...tls },
      headers: {
        ...headers,
        accept: 'application/json',
        ...(body && { 'content-type': 'application/json' }),
      },
    })
    sent.on('response', resolve).on('error', reject).end(body)
  })
}

export async function call(
  target: KubeTarget,
  agent: Agent,
  method: string,
  path: string,
  body?: string,
): Promise<{ status: number; bytes: number }> {
  const answer = await open(target, agent, method, path, body)
  let bytes = 0
  for await (const chunk of answer) bytes += (chunk as Buffer).length
  return { status: answer.statusCode ?? 0, bytes }
}

const NAMESPACE = '/api/v1/namespaces/default'
export const MAPS = `${NAMESPACE}/configmaps`
export const configMap = (name: string, bytes = 1_000): string =>
  JSON.stringify({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name },
    data: { text: 'x'.repeat(bytes) },
  })

/** Of all processes of this machine, in milliseconds and their fractions. */
export const now = (): number => performance.timeOrigin + performance.now()

export const SENT_AT = 'sentAt'
/** Says when it was made. */
export const markedConfigMap = (name: string, bytes = 200): string =>
  JSON.stringify({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name },
    data: { [SENT_AT]: now().toFixed(3), text: 'x'.repeat(bytes) },
  })

/** As a Deployment of some shop would make it. */
const POD = JSON.stringify({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: {
    name: 'NAME',
    labels: { app: 'shop', tier: 'web', 'pod-template-hash': '5d4f8c7b9' },
    annotations: { 'prometheus.io/scrape': 'true', 'prometheus.io/port': '8080' },
  },
  spec: {
    containers: [
      {
        name: 'app',
        image: 'registry.example.com/shop/web:1.4.2',
        ports: [{ name: 'http', containerPort: 8080 }],
        env: [
          { name: 'LOG_LEVEL', value: 'info' },
          { name: 'POD_NAME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
        ],
        resources: {
          requests: { cpu: '100m', memory: '128Mi' },
          limits: { cpu: '500m', memory: '256Mi' },
        },
        readinessProbe: { httpGet: { path: '/healthz', port: 'http' } },
        volumeMounts: [{ name: 'config', mountPath: '/etc/shop' }],
      },
    ],
    volumes: [{ name: 'config', configMap: { name: 'shop' } }],
  },
})

export const OBJECTS = {
  ConfigMap: { path: MAPS, object: configMap('NAME') },
  Pod: { path: `${NAMESPACE}/pods`, object: POD },
} as const

export type Kind = keyof typeof OBJECTS

/** Objects made by so many clients of another process, each waiting for its answer. */
export async function creates(
  { url, headers, tls }: KubeTarget,
  kind: Kind,
  load: Pick<CreatorPlan, 'clients' | 'warmMs' | 'measureMs' | 'total'>,
): Promise<Created> {
  const plan: CreatorPlan = { url, headers, tls, ...OBJECTS[kind], ...load }
  const { said, closed } = helper('_creator.js', plan)
  await closed
  return JSON.parse(said()) as Created
}

/** Watchers in another process, all of which watch when this settles. */
export async function watching(plan: WatchersPlan): Promise<{ delivered: Promise<Delivered> }> {
  const { said, closed } = helper('_watchers.js', plan)
  await until(() => Promise.resolve(said().includes('open')))
  const delivered = closed.then(() => JSON.parse(said().split('\n')[1] ?? '') as Delivered)
  return { delivered }
}

/** A program of this folder as a process of its own, and what it says. */
function helper(name: string, plan: object): { said: () => string; closed: Promise<unknown> } {
  const program = fileURLToPath(new URL(name, import.meta.url))
  const child = spawn(process.execPath, [program, JSON.stringify(plan)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let text = ''
  child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()))
  return { said: () => text, closed: once(child, 'close') }
}

/** Milliseconds until the last byte of a whole list. */
export async function listed(target: KubeTarget, path: string): Promise<{ ms: number; bytes: number }> {
  const agent = new Agent()
  const startedAt = performance.now()
  const { status, bytes } = await call(target, agent, 'GET', path)
  if (status !== 200) throw new Error(`${path}: ${status}`)
  return { ms: performance.now() - startedAt, bytes }
}
