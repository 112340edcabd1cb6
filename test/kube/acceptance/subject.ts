/**
 * What the acceptance checks run against: the embedded API with two simulated nodes, or with ORRERY_TEST_API=cluster a
 * genuine 1.20 API server with its controllers and without nodes. Both are reached over sockets, with a kubeconfig.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { spawn, type ChildProcess } from 'node:child_process'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { it } from 'vitest'
import { createTransport } from '../../../src/client/http.js'
import { parseKubeconfig } from '../../../src/client/kubeconfig.js'
import { send, type Headers, type Transport } from '../../../src/client/transport.js'
import { type Pki } from '../../../src/kube/pki/index.js'
import { ManualClock } from '../../../src/kube/registry/clock.js'
import { startKube } from '../../../src/kube/index.js'
import { freePort, realClusterAvailable, startRealCluster } from '../../cluster/realcluster.js'
import { ON_CLUSTER } from '../../fixtures/product.js'
import { type Ran, runTool } from '../../fixtures/kubetools.js'

export { ON_CLUSTER }

// Answers have many shapes; what a test expects of them is the check.
// eslint-disable-next-line @typescript-eslint/no-explicit-any
export type Json = any

export interface Answer {
  status: number
  headers: Headers
  text: string
  json: Json
}

export interface Watched {
  status: number
  events: { type: string; object: Json }[]
  ended: boolean
  /** Reads no more; the first word of the server may still come. */
  stall(): void
  /** Reads on. */
  resume(): void
  stop(): void
}

export interface Subject {
  kubeconfig: string
  transport: Transport
  /** Signs client certificates and the certificates of webhooks. */
  pki: Pick<Pki, 'authority'>
  call(method: string, path: string, body?: unknown, headers?: Headers): Promise<Answer>
  get(path: string, headers?: Headers): Promise<Answer>
  post(path: string, body: unknown, headers?: Headers): Promise<Answer>
  put(path: string, body: unknown): Promise<Answer>
  /** A merge patch unless said otherwise. */
  patch(path: string, body: unknown, type?: PatchType): Promise<Answer>
  delete(path: string, body?: unknown): Promise<Answer>
  /** The same by another user, by way of impersonation. */
  as(user: string, ...groups: string[]): Pick<Subject, 'call' | 'get' | 'post'>
  watch(path: string): Watched
  /** kubectl 1.32. */
  kubectl(...args: string[]): Promise<Ran>
  kubectlWith(input: string, ...args: string[]): Promise<Ran>
  /** Makes a namespace with the default account in it. @returns its path */
  namespace(name: string): Promise<string>
  /** Drops what was before now, as every few minutes would. */
  forget: () => Promise<void>
  /** Waits until so much time has passed for the server; ours is told that it has. */
  elapse: (ms: number) => Promise<void>
  close(): Promise<void>
}

/** A server of processes on a disk. */
export interface Killable extends Subject {
  /** As `kill -9` does. */
  kill(): Promise<void>
  /** On the same disk, at the same address. */
  restart(): Promise<void>
}

export type PatchType = 'json-patch+json' | 'merge-patch+json' | 'strategic-merge-patch+json'

/** One of the sixty. @param newer why a 1.20 server cannot be asked */
export function check(
  number: number,
  title: string,
  run: () => Promise<void>,
  { newer, timeoutMs = 40_000 }: { newer?: string; timeoutMs?: number } = {},
): void {
  if (ON_CLUSTER && newer !== undefined) return
  it(`${String(number).padStart(2)}. ${title}`, run, timeoutMs)
}

/** @param stands the server's time stands still but for `elapse` */
export async function startSubject({ nodes = 2, stands = false } = {}): Promise<Subject> {
  const home = mkdtempSync(join(tmpdir(), 'orrery-acceptance-'))
  const kubeconfig = join(home, 'kubeconfig')
  const started = ON_CLUSTER ? await genuine() : await ours(nodes, kubeconfig, stands)
  return subjectOf(started, home)
}

/** The same for those who kill it; without nodes. */
export async function startKillable(): Promise<Killable> {
  const home = mkdtempSync(join(tmpdir(), 'orrery-acceptance-'))
  const started = ON_CLUSTER ? await genuine({ durable: true }) : await ourProcess(join(home, 'data'))
  return {
    ...subjectOf(started, home),
    kill: () => started.kill(),
    restart: () => started.restart(),
  }
}

function subjectOf(started: Started, home: string): Subject {
  const { text, pki, forget, elapse } = started
  const kubeconfig = join(home, 'kubeconfig')
  writeFileSync(kubeconfig, text)
  const transport = createTransport(parseKubeconfig(text))
  return {
    ...subjectOn(transport, kubeconfig, home, pki),
    forget,
    elapse,
    async close() {
      await transport.close()
      await started.stop()
      rmSync(home, { recursive: true, force: true })
    },
  }
}

interface Started {
  text: string
  pki: Pick<Pki, 'authority'>
  forget: () => Promise<void>
  elapse: (ms: number) => Promise<void>
  stop(): Promise<void>
}

const reallyElapse = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

async function ours(nodes: number, kubeconfigPath: string, stands: boolean): Promise<Started> {
  const clock = new ManualClock(Date.now())
  const time = stands ? { clock } : {}
  const kube = await startKube({ port: 0, nodes, kubeconfigPath, controllers: ['*'], ...time })
  const elapse = async (ms: number): Promise<void> => (stands ? clock.advance(ms) : reallyElapse(ms))
  const forget = async (): Promise<void> => kube.storage.compact(kube.storage.revision)
  return {
    text: readFileSync(kubeconfigPath, 'utf8'),
    pki: kube.pki,
    forget,
    elapse,
    stop: () => kube.close(),
  }
}

const PROGRAM = fileURLToPath(new URL('../../../bin/orrery.js', import.meta.url))

async function ourProcess(dataDir: string): Promise<Started & Pick<Killable, 'kill' | 'restart'>> {
  const port = String(await freePort())
  const flags = ['--data-dir', dataDir, '--kube-port', port, '--nodes', '0', '--kube-controllers', '*']
  let child: ChildProcess | undefined
  const restart = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const stdio: ('ignore' | 'pipe' | 'inherit')[] = ['ignore', 'pipe', 'inherit']
      child = spawn(process.execPath, [PROGRAM, 'kube', ...flags, '--log-level', 'error'], { stdio })
      child.once('exit', (code) => reject(new Error(`orrery kube ended with ${code ?? 'a signal'}`)))
      let out = ''
      child.stdout?.on('data', (chunk: Buffer) => {
        out += chunk.toString()
        if (out.includes('is ready')) resolve()
      })
    })
  const kill = (): Promise<void> =>
    new Promise((resolve) => {
      if (!child || child.exitCode !== null || child.signalCode !== null) return resolve()
      child.once('exit', () => resolve())
      child.kill('SIGKILL')
    })
  await restart()
  const authority = {
    cert: readFileSync(join(dataDir, 'kube', 'pki', 'ca.crt'), 'utf8'),
    key: readFileSync(join(dataDir, 'kube', 'pki', 'ca.key'), 'utf8'),
  }
  const forget = (): Promise<void> => Promise.reject(new Error('a process forgets in its own time'))
  const text = readFileSync(join(dataDir, 'kubeconfig'), 'utf8')
  return { text, pki: { authority }, forget, elapse: reallyElapse, kill, restart, stop: kill }
}

async function genuine(
  how: { durable?: boolean } = {},
): Promise<Started & Pick<Killable, 'kill' | 'restart'>> {
  if (!realClusterAvailable) throw new Error('no genuine API server: run scripts/build-kubernetes.sh')
  const cluster = await startRealCluster({ controllers: ['*'], ...how })
  return {
    text: readFileSync(cluster.kubeconfig, 'utf8'),
    pki: cluster,
    forget: () => cluster.compact(),
    elapse: reallyElapse,
    kill: () => cluster.kill(),
    restart: () => cluster.restart(),
    stop: () => cluster.stop(),
  }
}

export function subjectOn(
  transport: Transport,
  kubeconfig: string,
  home: string,
  pki: Pick<Pki, 'authority'>,
): Omit<Subject, 'close' | 'forget' | 'elapse'> {
  const callWith =
    (fixed: Headers): Subject['call'] =>
    async (method, path, body, headers = {}) => {
      const raw = typeof body === 'string' || body instanceof Uint8Array
      const bytes =
        body === undefined ? undefined : Buffer.from(raw ? (body as string) : JSON.stringify(body))
      const answer = await send(transport, {
        method,
        path,
        headers: {
          ...(bytes && { 'content-type': 'application/json', 'content-length': String(bytes.length) }),
          ...fixed,
          ...headers,
        },
        ...(bytes && { body: bytes }),
      })
      const text = answer.body.toString()
      let json: Json
      try {
        json = JSON.parse(text)
      } catch {
        // Not everything is.
      }
      return { status: answer.status, headers: answer.headers, text, json }
    }
  const call = callWith({})
  const run = (args: readonly string[], input?: string): Promise<Ran> =>
    runTool('kubectl', args, { kubeconfig, home, ...(input !== undefined && { input }) })
  return {
    kubeconfig,
    transport,
    pki,
    call,
    get: (path, headers) => call('GET', path, undefined, headers),
    post: (path, body, headers) => call('POST', path, body, headers),
    put: (path, body) => call('PUT', path, body),
    patch: (path, body, type = 'merge-patch+json') =>
      call('PATCH', path, body, { 'content-type': `application/${type}` }),
    delete: (path, body) => call('DELETE', path, body),
    as(user, ...groups) {
      const other = callWith({
        'impersonate-user': user,
        'impersonate-group': [...groups, 'system:authenticated'],
      })
      return {
        call: other,
        get: (path, headers) => other('GET', path, undefined, headers),
        post: (path, body, headers) => other('POST', path, body, headers),
      }
    },
    watch: (path) => watchOn(transport, path),
    kubectl: (...args) => run(args),
    kubectlWith: (input, ...args) => run(args, input),
    async namespace(name) {
      await call('POST', '/api/v1/namespaces', { metadata: { name } })
      const path = `/api/v1/namespaces/${name}`
      for (;;) {
        if ((await call('GET', `${path}/serviceaccounts/default`)).status === 200) return path
        await new Promise((resolve) => setTimeout(resolve, 20))
      }
    },
  }
}

function watchOn(transport: Transport, path: string): Watched {
  let text = ''
  let reads = true
  const watched: Watched = {
    status: 0,
    events: [],
    ended: false,
    stall: () => (reads = false),
    resume() {
      reads = true
      dispatched.resume()
    },
    stop: () => dispatched.abort(),
  }
  const dispatched = transport.dispatch(
    { method: 'GET', path, headers: {} },
    {
      head: (status) => (watched.status = status),
      data(chunk) {
        const lines = (text + Buffer.from(chunk).toString()).split('\n')
        text = lines.pop() ?? ''
        for (const line of lines) watched.events.push(JSON.parse(line) as Watched['events'][number])
        return reads
      },
      end: () => (watched.ended = true),
      fail: () => (watched.ended = true),
    },
  )
  return watched
}
