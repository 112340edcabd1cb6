/**
 * The informer cache with 50,000 pods of 3 KB: memory per pod, CPU of the first list, and what a page costs.
 *
 * The API is in this process and hands out pages that were made beforehand, so that what is measured is the
 * client. Memory is read after full collections.
 */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { createInformerSet } from '../src/client/cache/informerset.js'
import { type CachedObject } from '../src/client/cache/interface.js'
import { silent } from '../src/client/log.js'
import { type Transport } from '../src/client/transport.js'
import { decodeWatchEvent } from '../src/client/cache/watchevent.js'
import { type IndexedStore } from '../src/client/cache/store.js'

const PODS = 50_000
const NAMESPACES = 500
const PAGE = 500

interface PodFields {
  phase: string
  node: string
}

export async function run(): Promise<void> {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  const settle = async (): Promise<NodeJS.MemoryUsage> => {
    for (let i = 0; i < 3; i++) {
      collect()
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
    return process.memoryUsage()
  }

  // Made page by page on demand and not kept, as a server elsewhere would.
  const transport = pagesOf((index) => Buffer.from(JSON.stringify(pod(index))))
  const before = await settle()
  const informers = createInformerSet({ transport, logger: silent, pageLimit: PAGE })
  const startedAt = performance.now()
  making = 0
  const cpu = process.cpuUsage()
  const informer = informers.informer<PodFields>(
    { group: '', version: 'v1', resource: 'pods' },
    {
      extract: ({ spec, status }) => ({
        phase: (status as { phase?: string } | undefined)?.phase ?? '',
        node: (spec as { nodeName?: string } | undefined)?.nodeName ?? '',
      }),
      indexes: { node: (_, { node }) => [node] },
    },
  )
  await informer.whenSynced()
  const { user, system } = process.cpuUsage(cpu)
  const wall = performance.now() - startedAt
  const after = await settle()
  const { store } = informer

  const kilobytes = (bytes: number): string => `${(bytes / PODS / 1024).toFixed(2)} KB`
  const rows: { what: string; result: string; target?: string }[] = [
    { what: 'size of one pod', result: `${JSON.stringify(pod(1)).length} B` },
    { what: 'resident, per pod', result: kilobytes(after.rss - before.rss), target: '5 KB' },
    { what: 'heap, per pod', result: kilobytes(after.heapUsed - before.heapUsed) },
    { what: 'off heap, per pod', result: kilobytes(after.arrayBuffers - before.arrayBuffers) },
    {
      what: 'first list, CPU',
      result: `${((user + system) / 1e6 - making / 1e3).toFixed(2)} s`,
      target: '4 s',
    },
    { what: 'first list, wall clock with making the pods', result: `${(wall / 1e3).toFixed(2)} s` },
  ]
  const pauseAt = performance.now()
  collect()
  rows.push({ what: 'full collection', result: `${(performance.now() - pauseAt).toFixed(0)} ms` })

  let written = 0
  const page = (objects: Iterable<CachedObject<PodFields>>): void => {
    for (const { bytes } of objects) written += bytes.length
  }
  const newest = (view: ReturnType<typeof store.byCreation>): void =>
    page(view.slice(view.length - 10, view.length).reverse())
  const cases: [string, string | undefined, (round: number) => void][] = [
    ['page of 10, newest first', '100 µs', () => newest(store.byCreation())],
    [
      'page of 10 deep inside',
      '100 µs',
      (round) => page(store.byCreation().slice(20_000 + round, 20_010 + round)),
    ],
    [
      'page of 10 of a namespace',
      '100 µs',
      (round) => newest(store.byCreation(`namespace-${round % NAMESPACES}`)),
    ],
    [
      'page of 10 with a rare name, new each time',
      '2 ms',
      (round) => newest(store.byCreation().containing(`x${round.toString(16).padStart(2, '0')}`)),
    ],
    [
      'page of 10 with a name all have, new each time',
      '2 ms',
      (round) =>
        newest(store.byCreation().containing('deployment-1234567890'.slice(round % 8, 10 + (round % 7)))),
    ],
    ['page of 10 with a name, asked again', '2 ms', () => newest(store.byCreation().containing('abc'))],
    [
      'page of 10 of a namespace with a name',
      '2 ms',
      (round) => newest(store.byCreation(`namespace-${round % NAMESPACES}`).containing('a')),
    ],
    ['by label, 100 pods', undefined, (round) => page(store.byLabel('app', `app-${round % 500}`))],
    ['by uid', undefined, (round) => page([store.byUid(uidOf(round))].flatMap((each) => each ?? []))],
  ]
  for (const [what, target, measured] of cases) {
    const micros = median(200, measured)
    rows.push({ what, result: `${micros.toFixed(1)} µs`, ...(target !== undefined && { target }) })
  }

  // Events change a tenth of the pods over and over; names stay, so searches stay warm.
  const events = Array.from({ length: 5_000 }, (_, i) =>
    Buffer.from(`{"type":"MODIFIED","object":${JSON.stringify(pod(i * 10, 1_000_000 + i))}}`),
  )
  const direct = store as IndexedStore<PodFields>
  const eventCpu = process.cpuUsage()
  for (const line of events) {
    const { object, raw } = decodeWatchEvent(line)
    direct.upsert(object, raw)
  }
  const eventUsed = process.cpuUsage(eventCpu)
  rows.push({
    what: 'one event, decoded and stored',
    result: `${((eventUsed.user + eventUsed.system) / events.length).toFixed(1)} µs`,
  })
  const churnStart = performance.now()
  newest(store.byCreation().containing('abc'))
  rows.push({
    what: 'page with a name after 5,000 events',
    result: `${((performance.now() - churnStart) * 1000).toFixed(0)} µs`,
    target: '2 ms',
  })
  console.table(rows)
  if (written === 0) throw new Error('nothing was read')
  await informers.close()
}

function median(rounds: number, measured: (round: number) => void): number {
  const times: number[] = []
  for (let round = 0; round < rounds; round++) {
    const startedAt = performance.now()
    measured(round)
    times.push(performance.now() - startedAt)
  }
  times.sort((left, right) => left - right)
  return (times[rounds >> 1] as number) * 1000
}

/** Milliseconds of CPU spent on making pods, which is not the client's. */
let making = 0

/** An API of pods alone: pages, and a watch in which nothing happens. */
function pagesOf(item: (index: number) => Buffer): Transport {
  return {
    dispatch(request, sink) {
      const query = new URL(request.path, 'http://api').searchParams
      let aborted = false
      setImmediate(() => {
        if (aborted) return
        sink.head(200, { 'content-type': 'application/json' })
        if (query.get('watch') === '1') return
        const start = Number(query.get('continue') ?? 0)
        const end = Math.min(PODS, start + PAGE)
        const startedAt = performance.now()
        const parts: Buffer[] = [
          Buffer.from('{"kind":"PodList","apiVersion":"v1","metadata":{"resourceVersion":"7"'),
        ]
        if (end < PODS) parts.push(Buffer.from(`,"continue":"${end}"`))
        parts.push(Buffer.from('},"items":['))
        for (let i = start; i < end; i++) {
          if (i > start) parts.push(Buffer.from(','))
          parts.push(item(i))
        }
        parts.push(Buffer.from(']}'))
        const body = Buffer.concat(parts)
        // As from a socket: 64 KB at a time, each a buffer of its own.
        const chunks: Buffer[] = []
        for (let i = 0; i < body.length; i += 65_536) chunks.push(Buffer.from(body.subarray(i, i + 65_536)))
        making += performance.now() - startedAt
        const next = (): void => {
          const chunk = chunks.shift()
          if (aborted) return
          if (chunk) {
            sink.data(chunk)
            setImmediate(next)
          } else sink.end()
        }
        next()
      })
      return { abort: () => (aborted = true), resume: () => undefined }
    },
    upgrade: () => Promise.reject(new Error('not served here')),
    close: () => Promise.resolve(),
  }
}

function uidOf(index: number): string {
  return `1c4d2f3e-5a6b-4c7d-8e9f-${index.toString(16).padStart(12, '0')}`
}

/** Numbers spread evenly, the same in every run. */
function scatter(index: number): number {
  return Math.imul(index + 1, 0x9e3779b1) >>> 0
}

function pod(index: number, version = index + 1): object {
  const app = `app-${index % 500}`
  const hash = scatter(index).toString(36).padStart(7, '0')
  const created = new Date(Date.UTC(2024, 0, 1) + (scatter(index) % 10_000_000) * 1000)
  const timestamp = created.toISOString().replace('.000', '')
  const labels = { app, 'pod-template-hash': (scatter(index % 500) % 100_000).toString(16), tier: 'backend' }
  return {
    metadata: {
      name: `deployment-1234567890-${hash.slice(0, 5)}x${scatter(index).toString(16).padStart(8, '0').slice(0, 4)}`,
      namespace: `namespace-${index % NAMESPACES}`,
      uid: uidOf(index),
      resourceVersion: String(version),
      creationTimestamp: timestamp,
      labels,
      annotations: {
        'cni.example.io/podIP': `10.0.${index % 250}.7/32`,
        'kubernetes.io/created-by': 'x'.repeat(200),
      },
      ownerReferences: [
        { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: app, uid: uidOf(index % 500), controller: true },
      ],
      managedFields: [
        {
          manager: 'kube-controller-manager',
          operation: 'Update',
          apiVersion: 'v1',
          time: timestamp,
          fieldsType: 'FieldsV1',
          fieldsV1: { 'f:metadata': { 'f:labels': { '.': {}, 'f:app': {}, 'f:tier': {} } }, 'f:spec': {} },
        },
      ],
    },
    spec: {
      nodeName: `node-${index % 100}`,
      serviceAccountName: 'default',
      restartPolicy: 'Always',
      containers: ['main', 'proxy'].map((name) => ({
        name,
        image: `registry.example.io/team/${name}:1.2.3`,
        env: [1, 2, 3, 4].map((n) => ({ name: `SETTING_${n}`, value: `value of setting number ${n}` })),
        resources: { limits: { cpu: '500m', memory: '512Mi' }, requests: { cpu: '100m', memory: '128Mi' } },
        ports: [{ containerPort: 8080, protocol: 'TCP' }],
        volumeMounts: [
          { name: 'token', readOnly: true, mountPath: '/var/run/secrets/kubernetes.io/serviceaccount' },
        ],
        terminationMessagePath: '/dev/termination-log',
        imagePullPolicy: 'IfNotPresent',
      })),
      tolerations: [
        {
          key: 'node.kubernetes.io/not-ready',
          operator: 'Exists',
          effect: 'NoExecute',
          tolerationSeconds: 300,
        },
      ],
    },
    status: {
      phase: index % 20 === 0 ? 'Pending' : 'Running',
      podIP: `10.0.${index % 250}.7`,
      conditions: ['Initialized', 'Ready', 'ContainersReady', 'PodScheduled'].map((type) => ({
        type,
        status: 'True',
        lastProbeTime: null,
        lastTransitionTime: timestamp,
      })),
      qosClass: 'Burstable',
    },
  }
}
