/**
 * A real Kubernetes 1.20 API server on a real etcd, holding the seed state, for tests.
 *
 * The state is written straight into etcd as JSON, the way the API server itself would find objects of a restored
 * backup: so uid and creation time are those of the recordings. Binaries: scripts/build-kubernetes.sh.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { existsSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import https from 'node:https'
import { createServer } from 'node:net'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseAllDocuments } from 'yaml'
import { selfSignedAuthority } from '../../src/certificates/index.js'

export const BINARIES = join(
  process.env['ORRERY_CACHE'] ?? join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'orrery'),
  'kubernetes-1.20',
  'bin',
)

export const realClusterAvailable = existsSync(join(BINARIES, 'kube-apiserver'))

export interface RealCluster {
  url: string
  kubeconfig: string
  token: string
  /** Signs client certificates, as the controller manager does. */
  authority: { cert: string; key: string }
  /** Name → pid, for those who measure. */
  processes: Readonly<Record<string, number>>
  /** Sends one request as the administrator; the certificate is not checked. */
  request(method: string, path: string, body?: unknown): Promise<{ status: number; text: string }>
  /** Forgets all revisions before the newest. */
  compact(): Promise<void>
  /** Ends every process at once, and leaves what they wrote. */
  kill(): Promise<void>
  /** Starts them again where they were. */
  restart(): Promise<void>
  stop(): Promise<void>
}

export interface ClusterState {
  /** `{ "<list path>": <List> }` */
  lists?: Record<string, { items?: Record<string, unknown>[]; apiVersion?: string; kind?: string }>
  /** Folder of CustomResourceDefinitions. */
  crds?: string
  /** Controllers of Kubernetes to run, such as `namespace`. Default: none. */
  controllers?: readonly string[]
  /** etcd syncs its log before it acknowledges a write. Default: not, tests are faster so. */
  durable?: boolean
}

export async function startRealCluster(state: ClusterState): Promise<RealCluster> {
  const folder = mkdtempSync(join(tmpdir(), 'orrery-cluster-'))
  const [etcdPort, peerPort, apiPort] = await Promise.all([freePort(), freePort(), freePort()])
  const etcdUrl = `http://127.0.0.1:${etcdPort}`
  const children: ChildProcess[] = []
  const run = (command: string, args: string[], log: string): void => {
    const out = openSync(join(folder, log), 'a')
    children.push(spawn(command, args, { stdio: ['ignore', out, out] }))
  }
  const kill = async (): Promise<void> => {
    await Promise.all(
      children.splice(0).map(
        (child) =>
          new Promise<void>((resolve) => {
            if (child.exitCode !== null || child.signalCode !== null) return resolve()
            child.once('exit', () => resolve())
            child.kill('SIGKILL')
          }),
      ),
    )
  }
  const stop = async (): Promise<void> => {
    await kill()
    rmSync(folder, { recursive: true, force: true })
  }

  const startEtcd = async (): Promise<void> => {
    run(
      'etcd',
      [
        '--data-dir',
        join(folder, 'etcd'),
        '--listen-client-urls',
        etcdUrl,
        '--advertise-client-urls',
        etcdUrl,
        ...(state.durable ? [] : ['--unsafe-no-fsync']),
        '--quota-backend-bytes',
        String(8 * 1024 ** 3),
        '--auto-compaction-mode',
        'revision',
        '--auto-compaction-retention',
        '10000',
        '--listen-peer-urls',
        `http://127.0.0.1:${peerPort}`,
        '--initial-advertise-peer-urls',
        `http://127.0.0.1:${peerPort}`,
        '--initial-cluster',
        `default=http://127.0.0.1:${peerPort}`,
      ],
      'etcd.log',
    )
    await until(async () => (await fetch(`${etcdUrl}/health`)).ok, 'etcd')
  }

  try {
    await startEtcd()
    await putAll(etcdUrl, state.lists ?? {})

    const token = randomBytes(16).toString('hex')
    writeFileSync(join(folder, 'tokens.csv'), `${token},admin,admin,system:masters\n`)
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
    const key = join(folder, 'sa.key')
    writeFileSync(key, privateKey.export({ type: 'pkcs1', format: 'pem' }))
    const authority = selfSignedAuthority('kubernetes', TEN_YEARS)
    const ca = { cert: join(folder, 'ca.crt'), key: join(folder, 'ca.key') }
    writeFileSync(ca.cert, authority.cert)
    writeFileSync(ca.key, authority.key)
    const url = `https://127.0.0.1:${apiPort}`
    const request = requester(apiPort, token)
    const startServer = async (): Promise<void> => {
      run(
        join(BINARIES, 'kube-apiserver'),
        [
          '--client-ca-file',
          ca.cert,
          '--etcd-servers',
          etcdUrl,
          '--secure-port',
          String(apiPort),
          '--bind-address',
          '127.0.0.1',
          '--advertise-address',
          '127.0.0.1',
          '--cert-dir',
          join(folder, 'certs'),
          '--token-auth-file',
          join(folder, 'tokens.csv'),
          '--authorization-mode',
          'RBAC',
          '--service-account-key-file',
          key,
          '--service-account-signing-key-file',
          key,
          '--service-account-issuer',
          'https://kubernetes.default.svc',
          '--service-cluster-ip-range',
          '10.96.0.0/12',
          '--disable-admission-plugins',
          'ServiceAccount',
          '--allow-privileged',
          '--endpoint-reconciler-type',
          'none',
        ],
        'kube-apiserver.log',
      )
      await until(async () => (await request('GET', '/readyz')).status === 200, 'kube-apiserver')
    }
    await startServer()
    if (state.crds !== undefined) await installDefinitions(state.crds, request)
    const kubeconfig = join(folder, 'kubeconfig')
    writeFileSync(kubeconfig, kubeconfigText(url, token))
    const startControllers = (): void => {
      if (state.controllers === undefined) return
      const names = ['--controllers', state.controllers.join(',')]
      const alone = ['--leader-elect=false', '--port=0', '--secure-port=0']
      const signing = ['--cluster-signing-cert-file', ca.cert, '--cluster-signing-key-file', ca.key]
      const accounts = ['--service-account-private-key-file', key, '--root-ca-file', ca.cert]
      run(
        join(BINARIES, 'kube-controller-manager'),
        ['--kubeconfig', kubeconfig, ...names, ...alone, ...signing, ...accounts],
        'kube-controller-manager.log',
      )
    }
    startControllers()
    const restart = async (): Promise<void> => {
      await startEtcd()
      await startServer()
      startControllers()
    }
    const [etcd, apiserver] = children
    const processes = { etcd: etcd?.pid ?? 0, 'kube-apiserver': apiserver?.pid ?? 0 }
    const rest = { compact: () => compact(etcdUrl), kill, restart, stop }
    return { url, kubeconfig, token, authority, processes, request, ...rest }
  } catch (error) {
    const log = join(folder, 'kube-apiserver.log')
    if (existsSync(log)) process.stderr.write(readFileSync(log, 'utf8').split('\n').slice(-15).join('\n'))
    await stop()
    throw error
  }
}

const YEAR_MS = 365 * 24 * 3_600_000
/** Longer than what the authority issues. */
const TEN_YEARS = { notBefore: new Date(Date.now() - 300_000), notAfter: new Date(Date.now() + 10 * YEAR_MS) }

type Request = RealCluster['request']

function requester(port: number, token: string): Request {
  const agent = new https.Agent({ keepAlive: true, rejectUnauthorized: false })
  return (method, path, body) =>
    new Promise((resolve, reject) => {
      const payload = body === undefined ? undefined : JSON.stringify(body)
      const outgoing = https.request(
        {
          host: '127.0.0.1',
          port,
          path,
          method,
          agent,
          headers: {
            authorization: `Bearer ${token}`,
            ...(payload !== undefined && {
              'content-type': 'application/json',
              'content-length': Buffer.byteLength(payload),
            }),
          },
        },
        (response) => {
          const chunks: Buffer[] = []
          response.on('data', (chunk: Buffer) => chunks.push(chunk))
          response.on('end', () =>
            resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString('utf8') }),
          )
        },
      )
      outgoing.on('error', reject)
      outgoing.end(payload)
    })
}

async function installDefinitions(folder: string, request: Request): Promise<void> {
  const names: string[] = []
  for (const file of readdirSync(folder).sort()) {
    if (!/\.(ya?ml|json)$/.test(file)) continue
    for (const document of parseAllDocuments(readFileSync(join(folder, file), 'utf8'))) {
      const definition = document.toJS() as { apiVersion: string; metadata: { name: string } } | null
      if (!definition) continue
      const { status, text } = await request(
        'POST',
        `/apis/${definition.apiVersion}/customresourcedefinitions`,
        definition,
      )
      if (status !== 201 && status !== 409) throw new Error(`${file}: ${status} ${text.slice(0, 300)}`)
      names.push(definition.metadata.name)
    }
  }
  await until(async () => {
    const { text } = await request('GET', '/apis/apiextensions.k8s.io/v1/customresourcedefinitions')
    const { items } = JSON.parse(text) as {
      items: { metadata: { name: string }; status?: { conditions?: { type: string; status: string }[] } }[]
    }
    const established = new Set(
      items
        .filter(({ status }) =>
          status?.conditions?.some(({ type, status: value }) => type === 'Established' && value === 'True'),
        )
        .map(({ metadata }) => metadata.name),
    )
    return names.every((name) => established.has(name))
  }, 'the definitions')
}

/** Resources whose key is not `/registry/<resource>`. */
const KEYS: Readonly<Record<string, string>> = {
  nodes: 'minions',
  services: 'services/specs',
  endpoints: 'services/endpoints',
  ingresses: 'ingress',
  apiservices: 'apiregistration.k8s.io/apiservices',
}

/** Groups that the API server keeps under the bare resource name. */
const BUILT_IN = new Set([
  '',
  'apps',
  'batch',
  'autoscaling',
  'certificates.k8s.io',
  'networking.k8s.io',
  'rbac.authorization.k8s.io',
  'storage.k8s.io',
  'admissionregistration.k8s.io',
  'scheduling.k8s.io',
  'flowcontrol.apiserver.k8s.io',
  'apiregistration.k8s.io',
  'policy',
  'coordination.k8s.io',
])

/** The same objects listed in another version, and lists that are computed. */
const SKIPPED = new Set([
  '/apis/autoscaling/v2beta2/horizontalpodautoscalers',
  '/api/v1/componentstatuses',
  '/apis/apiregistration.k8s.io/v1/apiservices',
  '/apis/notification.kubesphere.io/v2beta2/configs',
  '/apis/notification.kubesphere.io/v2beta2/receivers',
])

/** As many as etcd takes in one transaction. */
const BATCH = 100
const WRITERS = 8

async function putAll(etcdUrl: string, lists: NonNullable<ClusterState['lists']>): Promise<void> {
  const batches = batchesOf(keysOf(lists))
  const write = async (): Promise<void> => {
    for (const batch of batches) await putBatch(etcdUrl, batch)
  }
  await Promise.all(Array.from({ length: WRITERS }, write))
}

function* keysOf(lists: NonNullable<ClusterState['lists']>): Iterable<[key: string, value: unknown]> {
  for (const [path, list] of Object.entries(lists)) {
    if (SKIPPED.has(path)) continue
    const parts = path.split('/').filter((part) => part !== '')
    const [group, version, resource] =
      parts[0] === 'api' ? ['', parts[1], parts[2]] : [parts[1], parts[2], parts[3]]
    if (group === undefined || version === undefined || resource === undefined)
      throw new Error(`not a list path: ${path}`)
    const folder = KEYS[resource] ?? (BUILT_IN.has(group) ? resource : `${group}/${resource}`)
    const apiVersion = group === '' ? version : `${group}/${version}`
    const kind = list.kind?.replace(/List$/, '')
    for (const item of list.items ?? []) {
      const { name, namespace } = item['metadata'] as { name: string; namespace?: string }
      const stored = { apiVersion, kind, ...item }
      yield [`/registry/${folder}/${namespace === undefined ? '' : `${namespace}/`}${name}`, stored]
    }
  }
}

function* batchesOf<T>(items: Iterable<T>): Generator<T[]> {
  let batch: T[] = []
  for (const item of items) {
    batch.push(item)
    if (batch.length < BATCH) continue
    yield batch
    batch = []
  }
  if (batch.length > 0) yield batch
}

async function putBatch(etcdUrl: string, batch: readonly [key: string, value: unknown][]): Promise<void> {
  const encode = (text: string): string => Buffer.from(text).toString('base64')
  const success = batch.map(([key, value]) => ({
    requestPut: { key: encode(key), value: encode(JSON.stringify(value)) },
  }))
  const response = await fetch(`${etcdUrl}/v3/kv/txn`, { method: 'POST', body: JSON.stringify({ success }) })
  if (!response.ok) throw new Error(`etcd refused ${batch[0]?.[0] ?? ''}: ${await response.text()}`)
}

async function compact(etcdUrl: string): Promise<void> {
  const post = async (path: string, body: object): Promise<{ header?: { revision?: string } }> => {
    const response = await fetch(`${etcdUrl}${path}`, { method: 'POST', body: JSON.stringify(body) })
    if (!response.ok) throw new Error(`etcd refused ${path}: ${await response.text()}`)
    return (await response.json()) as { header?: { revision?: string } }
  }
  const { header } = await post('/v3/kv/range', { key: Buffer.from('/').toString('base64') })
  await post('/v3/kv/compaction', { revision: header?.revision })
}

function kubeconfigText(server: string, token: string): string {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'test', cluster: { server, 'insecure-skip-tls-verify': true } }],
    users: [{ name: 'admin', user: { token } }],
    contexts: [{ name: 'test', context: { cluster: 'test', user: 'admin' } }],
    'current-context': 'test',
  })
}

async function until(check: () => Promise<boolean>, what: string, timeoutMs = 60_000): Promise<void> {
  const deadline = Date.now() + timeoutMs
  for (;;) {
    try {
      if (await check()) return
    } catch {
      // Not listening yet.
    }
    if (Date.now() > deadline) throw new Error(`${what} did not become ready`)
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.on('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number }
      server.close(() => resolve(port))
    })
  })
}

/** True when etcd is on the path. */
export function etcdAvailable(): boolean {
  try {
    execFileSync('etcd', ['--version'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}
