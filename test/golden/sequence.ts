/**
 * The recorded sequence of a genuine Kubernetes API, replayed on a server in this process and compared
 * under the rules of replay.mjs: volatile fields dropped, times and uids blanked, lists as sets.
 */
import { type BufferedResponse, send, type Transport } from '../../src/client/transport.js'
import { type KubeObject } from '../../src/apimachinery/meta/types.js'
import { builtinResources } from '../../src/kube/builtin/index.js'
import { type Kube, startKube } from '../../src/kube/index.js'
import { createCatalogue } from '../../src/kube/registry/catalogue.js'
import { restoreState, type StateLists } from '../../src/kube/restore.js'
import { createMemoryStorage } from '../../src/kube/storage/memory/index.js'
import { goldenPath, readGolden } from './shared.js'

export interface SequenceEntry {
  id: string
  desc: string
  request: { method: string; path: string; contentType?: string; body?: unknown }
  response: { status: number; json?: unknown; text?: string; headers?: Record<string, string> }
}

export function sequence(): SequenceEntry[] {
  return readGolden<{ entries: SequenceEntry[] }>('kube/api-sequence.json').entries
}

export interface Outcome {
  entry: SequenceEntry
  status: number
  /** Undefined when the whole answer is as recorded. */
  difference: string | undefined
  /** The same of its managedFields, which the whole answer leaves out; `none` where none were recorded. */
  ownership: string | undefined
}

/** Who recorded: the administrator of the cluster. */
const ADMIN = { name: 'kubernetes-admin', groups: ['system:masters', 'system:authenticated'] }

/** What the recorder did between two requests and did not write down. */
export type Steps = Readonly<Record<string, (transport: Transport) => Promise<void>>>

/** @param before steps by the id of the entry that they come before */
export async function replaySequence(
  transport: Transport,
  entries: readonly SequenceEntry[],
  before: Steps = {},
): Promise<Outcome[]> {
  const outcomes: Outcome[] = []
  for (const entry of entries) {
    await before[entry.id]?.(transport)
    const { method, path, contentType, body } = entry.request
    const bytes =
      body === undefined ? undefined : Buffer.from(typeof body === 'string' ? body : JSON.stringify(body))
    const answer = await send(transport, {
      method,
      path,
      user: ADMIN,
      headers: {
        'user-agent': 'Python-urllib/3.11',
        accept: 'application/json',
        ...(contentType !== undefined && { 'content-type': contentType }),
      },
      ...(bytes && { body: bytes }),
    })
    const [difference, ownership] = [compare(entry, answer), compareOwnership(entry, answer)]
    outcomes.push({ entry, status: answer.status, difference, ownership })
  }
  return outcomes
}

/** Made by a controller in the recording. */
export async function prepareForTokens(transport: Transport): Promise<void> {
  const account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default' } }
  await send(transport, {
    method: 'POST',
    path: '/api/v1/namespaces/kg/serviceaccounts',
    user: ADMIN,
    headers: { 'content-type': 'application/json' },
    body: Buffer.from(JSON.stringify(account)),
  })
}

/** The objects that the recorded lists find: five made for them, one of a controller. */
export async function prepareForLists(transport: Transport): Promise<void> {
  const root = sequence().find(({ id }) => id === 'kube-223')?.response.json as { items: KubeObject[] }
  const certificate = root.items[0]
  const objects: KubeObject[] = [
    { metadata: { name: 'kube-root-ca.crt' }, data: certificate?.['data'] },
    ...[0, 1, 2, 3, 4].map((n) => ({ metadata: { name: `page-${n}`, labels: { n: String(n) } } })),
  ]
  for (const object of objects) {
    await send(transport, {
      method: 'POST',
      path: '/api/v1/namespaces/kg/configmaps',
      user: ADMIN,
      headers: { 'content-type': 'application/json' },
      body: Buffer.from(JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', ...object })),
    })
  }
}

/** The embedded API on the seed state, without controllers: nothing moves between two requests. */
export async function sequenceKube(): Promise<Kube> {
  const storage = createMemoryStorage()
  const lists = readGolden<StateLists>('state.json')
  const crds = goldenPath('crds')
  await restoreState(storage, createCatalogue(builtinResources()), lists, { crds })
  return startKube({ storage, controllers: false })
}

function compare({ response }: SequenceEntry, answer: BufferedResponse): string | undefined {
  const text = answer.body.toString('utf8')
  if (answer.status !== response.status) {
    return `status: want ${response.status}, got ${answer.status} ${text.slice(0, 300).trim()}`
  }
  if (!('json' in response)) {
    const [want, got] = [normal(response.text ?? '') as string, normal(text) as string]
    return want.trim() === got.trim()
      ? undefined
      : `text: want ${want.slice(0, 300)}, got ${got.slice(0, 300)}`
  }
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch {
    return `body: want JSON, got ${text.slice(0, 200)}`
  }
  const [want, got] = [normal(response.json), normal(parsed)]
  if (firstDifference(want, got) === undefined) return undefined
  return firstDifference(unordered(want), unordered(got))
}

interface Owned {
  metadata?: { managedFields?: Record<string, unknown>[] }
}

function compareOwnership({ response }: SequenceEntry, answer: BufferedResponse): string | undefined {
  const wanted = (response.json as Owned | undefined)?.metadata?.managedFields
  if (wanted === undefined || answer.status >= 300) return 'none'
  const got = (JSON.parse(answer.body.toString('utf8')) as Owned).metadata?.managedFields
  const plain = (entries: Record<string, unknown>[]): unknown =>
    normal(entries.map(({ time: _, ...entry }) => entry))
  return firstDifference(plain(wanted), plain(got ?? []))
}

const VOLATILE = new Set([
  ...['uid', 'resourceVersion', 'generation', 'creationTimestamp', 'deletionTimestamp', 'managedFields'],
  ...['selfLink', 'lastTransitionTime', 'observedGeneration', 'continue', 'remainingItemCount'],
])
const TIME = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)/g
const UID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g
/** The revision that a server has come to. */
const REVISION = /(?<=current: |too old resource version: 1 \()\d+/g
/** Go prints where a pointer points. */
const POINTER = /0xc[0-9a-f]{9}/g

function normal(value: unknown): unknown {
  if (typeof value === 'string') {
    return value
      .replace(TIME, '<time>')
      .replace(UID, '<uid>')
      .replace(POINTER, '<pointer>')
      .replace(REVISION, '<revision>')
  }
  if (Array.isArray(value)) return value.map(normal)
  if (value === null || typeof value !== 'object') return value
  const entries = Object.entries(value).filter(([key]) => !VOLATILE.has(key))
  return Object.fromEntries(
    entries.sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, item]) => [key, normal(item)]),
  )
}

function unordered(value: unknown): unknown {
  if (Array.isArray(value)) {
    return value.map(unordered).sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1))
  }
  if (value === null || typeof value !== 'object') return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, unordered(item)]))
}

function firstDifference(want: unknown, got: unknown, path = '$'): string | undefined {
  if (JSON.stringify(want) === JSON.stringify(got)) return undefined
  const nested = [want, got].every((value) => value !== null && typeof value === 'object')
  if (!nested || Array.isArray(want) !== Array.isArray(got)) {
    return `${path}: want ${JSON.stringify(want)?.slice(0, 400)}, got ${JSON.stringify(got)?.slice(0, 400)}`
  }
  const [a, b] = [want as Record<string, unknown>, got as Record<string, unknown>]
  if (Array.isArray(want) && Array.isArray(got) && want.length !== got.length) {
    return `${path}: want ${want.length} items, got ${got.length}`
  }
  for (const key of new Set([...Object.keys(a), ...Object.keys(b)])) {
    const found = firstDifference(a[key], b[key], `${path}.${key}`)
    if (found !== undefined) return found
  }
  return undefined
}
