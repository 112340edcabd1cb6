/**
 * What managedFields cost: pods created, their status written, all of them listed, with and without, by the same
 * server in the same run.
 */
import { type KubeObject } from '../src/apimachinery/meta/types.js'
import { send, type Transport } from '../src/client/transport.js'
import { builtinResources, definitions } from '../src/kube/builtin/index.js'
import { createCatalogue } from '../src/kube/registry/catalogue.js'
import { createKubeServer } from '../src/kube/server/index.js'
import { createMemoryStorage } from '../src/kube/storage/memory/index.js'

const ADMIN = { name: 'admin', groups: ['system:masters', 'system:authenticated'] }
const PODS = '/api/v1/namespaces/default/pods'

interface Figures {
  createsPerSecond: number
  updatesPerSecond: number
  listMs: number
  listMegabytes: number
  residentMegabytes: number
}

export async function run({ smoke = false } = {}): Promise<void> {
  const count = smoke ? 200 : 10_000
  await measure(false, Math.min(count, 1000)) // Warm.
  await measure(true, Math.min(count, 1000))
  const [without, withFields] = [await measure(false, count), await measure(true, count)]
  console.table({ without, 'with managedFields': withFields })
}

async function measure(ownsFields: boolean, count: number): Promise<Figures> {
  const storage = createMemoryStorage()
  const server = createKubeServer({
    storage,
    catalogue: createCatalogue(builtinResources()),
    authenticate: () => ADMIN,
    authorize: () => ({ allowed: true, reason: '' }),
    admission: [],
    version: { ...VERSION },
    definitions: definitions(),
    ownsFields,
  })
  const { transport } = server
  const before = process.memoryUsage().rss
  const createsPerSecond = await perSecond(count, async (i) => {
    await ask(transport, 'POST', PODS, pod(i), 'application/json')
  })
  const updatesPerSecond = await perSecond(count, async (i) => {
    const path = `${PODS}/pod-${i}/status`
    await ask(transport, 'PATCH', path, STATUS, 'application/strategic-merge-patch+json')
  })
  const residentMegabytes = Math.round((process.memoryUsage().rss - before) / 1e6)
  const started = performance.now()
  let listed = await ask(transport, 'GET', PODS)
  const rounds = 5
  for (let i = 1; i < rounds; i++) listed = await ask(transport, 'GET', PODS)
  const listMs = Math.round(((performance.now() - started) / rounds) * 10) / 10
  await storage.close()
  const listMegabytes = Math.round(listed.length / 1e5) / 10
  return { createsPerSecond, updatesPerSecond, listMs, listMegabytes, residentMegabytes }
}

async function perSecond(count: number, each: (i: number) => Promise<void>): Promise<number> {
  const started = performance.now()
  const numbers = Array.from({ length: count }, (_, i) => i).values()
  const worker = async (): Promise<void> => {
    for (const i of numbers) await each(i)
  }
  await Promise.all(Array.from({ length: 32 }, worker))
  return Math.round((count / (performance.now() - started)) * 1000)
}

async function ask(
  transport: Transport,
  method: string,
  path: string,
  body?: object,
  contentType = '',
): Promise<Buffer> {
  const answer = await send(transport, {
    method,
    path,
    user: ADMIN,
    headers: { 'user-agent': 'bench/1', 'content-type': contentType },
    ...(body && { body: Buffer.from(JSON.stringify(body)) }),
  })
  if (answer.status >= 300) throw new Error(answer.body.toString())
  return answer.body
}

const VERSION = {
  major: '1',
  minor: '20',
  gitVersion: 'v1.20.2',
  gitCommit: '',
  gitTreeState: 'clean',
  buildDate: '',
  goVersion: '',
  compiler: '',
  platform: '',
}

function pod(i: number): KubeObject {
  const labels = { app: 'web', tier: 'front', number: String(i % 100) }
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: `pod-${i}`, labels },
    spec: {
      containers: [
        {
          name: 'web',
          image: 'nginx:1.25',
          ports: [{ containerPort: 80 }],
          env: [{ name: 'A', value: '1' }],
          resources: { requests: { cpu: '100m', memory: '64Mi' }, limits: { memory: '128Mi' } },
          volumeMounts: [{ name: 'data', mountPath: '/data' }],
        },
      ],
      volumes: [{ name: 'data', emptyDir: {} }],
    },
  }
}

const STATUS = {
  status: {
    phase: 'Running',
    podIP: '10.0.0.1',
    conditions: ['Initialized', 'Ready', 'ContainersReady', 'PodScheduled'].map((type) => ({
      type,
      status: 'True',
      lastTransitionTime: '2026-01-01T00:00:00Z',
    })),
    containerStatuses: [
      { name: 'web', ready: true, restartCount: 0, image: 'nginx:1.25', imageID: '', state: {} },
    ],
  },
}
