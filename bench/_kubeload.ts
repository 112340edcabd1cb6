/** Clients of a Kubernetes API, embedded or genuine, that speak to it over TLS with many connections. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { type IncomingMessage } from 'node:http'
import { Agent, request } from 'node:https'
import { join } from 'node:path'
import { parse } from 'yaml'
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

export const MAPS = '/api/v1/namespaces/default/configmaps'
export const configMap = (name: string): string =>
  JSON.stringify({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name },
    data: { text: 'x'.repeat(1_000) },
  })

/** ConfigMaps made per second by so many clients, each waiting for its answer. */
export async function creates(target: KubeTarget, clients: number, milliseconds: number): Promise<number> {
  const agent = new Agent({ keepAlive: true, maxSockets: clients })
  const startedAt = performance.now()
  const until = startedAt + milliseconds
  let made = 0
  const client = async (number: number): Promise<void> => {
    for (let i = 0; performance.now() < until; i++) {
      const name = `c${clients}-${number}-${i}`
      const { status } = await call(target, agent, 'POST', MAPS, configMap(name))
      if (status === 201) made++
    }
  }
  await Promise.all(Array.from({ length: clients }, (_, number) => client(number)))
  agent.destroy()
  return (made * 1_000) / (performance.now() - startedAt)
}
