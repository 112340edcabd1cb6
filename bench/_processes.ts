/** The processes that are measured: the product apart from its Kubernetes API or with its own, and a proxy in Go. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { restore } from '../src/cmd/backup.js'
import { type Lists, PASSWORD } from './_objects.js'
import { memoryOf } from './_load.js'

/** In a checkout that is built. */
export const PROGRAM = join('bin', 'orrery.js')

export interface ProcessOptions {
  nodeOptions?: readonly string[]
  /** Another one, such as that of the last release. */
  checkout?: string
}

export interface Running {
  url: string
  pid: number
  /** From the start of the process to its first answer as ready. */
  readyMs: number
  memory(): { residentMb: number; peakMb: number }
  stop(signal?: NodeJS.Signals): Promise<void>
}

const CONFIGURATION = `
authentication:
  jwtSecret: a-secret-for-benchmarks
  oauthOptions:
    clients: [{ name: kubesphere, secret: kubesphere, redirectURIs: ['*'] }]
`

/** `orrery apiserver` before a Kubernetes API that is there already. Ready: users can log in. */
export async function startInFront(
  kubeconfig: string,
  { nodeOptions = [], checkout = process.cwd() }: ProcessOptions = {},
): Promise<Running> {
  const directory = mkdtempSync(join(tmpdir(), 'orrery-bench-'))
  const config = join(directory, 'kubesphere.yaml')
  writeFileSync(config, CONFIGURATION)
  const args = ['apiserver', '--kubeconfig', kubeconfig, '--config', config, '--install', '--port', '0']
  return started(args, directory, { nodeOptions, checkout })
}

export interface Embedded extends Running {
  /** Stopped as by an operator, and started on the same data. */
  restarted(): Promise<Running>
}

/** `orrery up` on its own Kubernetes API that holds the lists. */
export async function startEmbedded(lists: Lists, flags: readonly string[] = []): Promise<Embedded> {
  const directory = mkdtempSync(join(tmpdir(), 'orrery-bench-'))
  const from = join(directory, 'state.json')
  const dataDir = join(directory, 'data')
  if (Object.keys(lists).length > 0) {
    writeState(from, lists)
    await restore({ from, dataDir, crds: join(process.cwd(), 'config', 'crds') })
  }
  const args = ['up', '--data-dir', dataDir, '--port', '0', '--kube-port', '0', ...flags]
  const running = await started(args, directory)
  return {
    ...running,
    async restarted() {
      await running.end('SIGTERM')
      return started(args, directory)
    },
  }
}

/** In pieces: the text of a large state is longer than a string can be. */
function writeState(file: string, lists: Lists): void {
  let separator = '{'
  for (const [path, { items, ...list }] of Object.entries(lists)) {
    const head = JSON.stringify({ ...list, items: [] }).slice(0, -2)
    writeFileSync(file, `${separator}${JSON.stringify(path)}:${head}`, { flag: 'a' })
    for (let i = 0; i < items.length; i += 1_000) {
      const part = items
        .slice(i, i + 1_000)
        .map((item) => JSON.stringify(item))
        .join(',')
      writeFileSync(file, (i === 0 ? '' : ',') + part, { flag: 'a' })
    }
    writeFileSync(file, ']}', { flag: 'a' })
    separator = ','
  }
  writeFileSync(file, '}', { flag: 'a' })
}

async function started(
  args: readonly string[],
  directory: string,
  { nodeOptions = [], checkout = process.cwd() }: ProcessOptions = {},
): Promise<Running & { end(signal: NodeJS.Signals): Promise<void> }> {
  const startedAt = performance.now()
  const program = join(checkout, PROGRAM)
  // Otherwise as users start it, with what it sets for itself, on the same Node.js.
  const [command, first] =
    nodeOptions.length > 0 ? [process.execPath, [...nodeOptions, program]] : [program, []]
  const child = spawn(command, [...first, ...args, '--log-level', 'error'], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, PATH: `${dirname(process.execPath)}:${process.env.PATH ?? ''}` },
  })
  const end = (signal?: NodeJS.Signals): Promise<void> => ended(child, signal)
  const stop = async (signal?: NodeJS.Signals): Promise<void> => {
    await end(signal)
    rmSync(directory, { recursive: true, force: true, maxRetries: 5 })
  }
  try {
    const url = await firstUrl(child)
    await until(async () => (await fetch(`${url}/readyz`)).status === 200)
    const pid = child.pid ?? 0
    return { url, pid, readyMs: performance.now() - startedAt, memory: () => memoryOf(pid), stop, end }
  } catch (error) {
    await stop()
    throw error
  }
}

interface GoProgram {
  path: string
  remove(): void
}

/** @returns undefined when no Go compiler is there */
function goProgram(name: string): GoProgram | undefined {
  const directory = mkdtempSync(join(tmpdir(), 'orrery-bench-'))
  const path = join(directory, name)
  const remove = (): void => rmSync(directory, { recursive: true, force: true })
  try {
    execFileSync('go', ['build', '-o', path, join(process.cwd(), 'bench', name, 'main.go')], {
      stdio: ['ignore', 'ignore', 'inherit'],
      env: { ...process.env, GO111MODULE: 'off', GOFLAGS: '' },
    })
    return { path, remove }
  } catch (error) {
    remove()
    if ((error as { code?: string }).code === 'ENOENT') return undefined
    throw error
  }
}

/** What sends at an even rate, see `paced` of `_load.ts`. */
export const buildPacer = (): GoProgram | undefined => goProgram('pacer')

/** @returns undefined when no Go compiler is there */
export async function startGoProxy(upstream: string, token: string): Promise<Running | undefined> {
  const program = goProgram('goproxy')
  if (!program) return undefined
  const startedAt = performance.now()
  const child = spawn(program.path, [upstream, token], { stdio: ['ignore', 'pipe', 'ignore'] })
  const url = await firstUrl(child)
  const pid = child.pid ?? 0
  return {
    url,
    pid,
    readyMs: performance.now() - startedAt,
    memory: () => memoryOf(pid),
    async stop() {
      await ended(child)
      program.remove()
    },
  }
}

/** @param updates of pods a second, for who watches them; see `_stormsource.ts` */
export async function startStormSource(
  upstream: string,
  token: string,
  updates: number,
): Promise<{ url: string; sent(): Promise<number>; stop(): Promise<void> }> {
  const program = fileURLToPath(new URL('_stormsource.js', import.meta.url))
  const child = spawn(process.execPath, [program, upstream, token, String(updates)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const url = await firstUrl(child)
  return {
    url,
    sent: async () => ((await (await fetch(`${url}/storm`)).json()) as { sent: number }).sent,
    stop: () => ended(child),
  }
}

/** Receivers of notifications, see `_receivers.ts`. */
export async function startReceivers(): Promise<{
  url: string
  told(): Promise<{ alerts: number; twice: number; messages: number }>
  stop(): Promise<void>
}> {
  const program = fileURLToPath(new URL('_receivers.js', import.meta.url))
  const child = spawn(process.execPath, [program], { stdio: ['ignore', 'pipe', 'inherit'] })
  const url = await firstUrl(child)
  return {
    url,
    told: async () =>
      (await (await fetch(`${url}/told`)).json()) as { alerts: number; twice: number; messages: number },
    stop: () => ended(child),
  }
}

/** Waits for the account: the first administrator is made after the start. */
export async function tokenOf(url: string, username: string): Promise<string> {
  await until(async () => (await login(url, username)).status === 200, 60_000)
  const text = await (await login(url, username)).text()
  return (JSON.parse(text) as { access_token: string }).access_token
}

function login(url: string, username: string): Promise<Response> {
  const client = { client_id: 'kubesphere', client_secret: 'kubesphere' }
  const body = new URLSearchParams({ grant_type: 'password', username, password: PASSWORD, ...client })
  return fetch(`${url}/oauth/token`, { method: 'POST', body })
}

export async function until(check: () => Promise<boolean>, timeoutMs = 120_000): Promise<void> {
  const deadline = performance.now() + timeoutMs
  for (;;) {
    if (await check().catch(() => false)) return
    if (performance.now() > deadline) throw new Error('waited too long')
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

function firstUrl(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('exit', (code) => reject(new Error(`the process ended with ${code ?? 'a signal'}`)))
    let text = ''
    child.stdout?.on('data', (chunk: Buffer) => {
      text += chunk.toString()
      const [found] = /http:\/\/[\d.:]+\d/.exec(text) ?? []
      if (found !== undefined && text.includes('\n')) resolve(found)
    })
  })
}

function ended(child: ChildProcess, signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
  return new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) return resolve()
    child.removeAllListeners('exit')
    child.once('exit', () => resolve())
    child.kill(signal)
  })
}
