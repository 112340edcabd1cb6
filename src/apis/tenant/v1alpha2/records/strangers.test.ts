/**
 * Whatever a member asks, in whichever words, nothing comes back that is not the member's to read: no record, no line of
 * a download, and no number that counts one. On the own store and on what speaks to Elasticsearch.
 */
import { createServer } from 'node:http'
import { type AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { LiteralTenancy, person } from '../../../../../test/fixtures/tenancy.js'
import { StatusError } from '../../../../apimachinery/errors/index.js'
import { type PolicyRule } from '../../../../authorization/rules.js'
import { startDouble } from '../../../../integrations/records/elasticsearch/double.js'
import { ElasticsearchRecords } from '../../../../integrations/records/elasticsearch/index.js'
import { EmbeddedRecords } from '../../../../integrations/records/embedded/index.js'
import { type JsonDocument, type RecordStores } from '../../../../integrations/records/interface.js'
import { AUDITS, EVENTS, LOGS } from '../../../../integrations/records/kinds.js'
import { recordRoutes } from './index.js'

const VIEW: PolicyRule = { verbs: ['get', 'list', 'watch'], apiGroups: ['*'], resources: ['*'] }
const DAY = Date.parse('2026-03-05T00:00:00Z')
const at = (minutes: number): string => new Date(DAY + minutes * 60_000).toISOString()
const FOREVER = { maxAgeMs: 1e12, maxBytes: 1e9 }

/** vic reads all of alpha, pat only a1 of it, nob nothing. */
const tenancy = new LiteralTenancy()
for (const name of ['alpha', 'alphabet']) tenancy.workspace(name, at(-60))
tenancy.namespace('a1', 'alpha', { creationTimestamp: at(-60) })
tenancy.namespace('a2', 'alpha', { creationTimestamp: at(-60) })
// Names that begin like the own ones, and one with the name of the workspace.
for (const name of ['a1-b', 'a', 'alpha']) tenancy.namespace(name, 'alphabet', { creationTimestamp: at(-60) })
tenancy.namespace('free')
tenancy.inWorkspace('vic', 'alpha', VIEW)
tenancy.inNamespace('pat', 'a1', VIEW)

/** Who may read what was recorded, [namespace, workspace, minutes]. An earlier a1 was somebody else's. */
const PLACES: [string, string, number, readonly string[]][] = [
  ['a1', '', 1, ['vic', 'pat']],
  ['a2', '', 2, ['vic']],
  ['a1', '', -90, []],
  ['a1-b', '', 3, []],
  ['a', '', 4, []],
  ['alpha', '', 5, []],
  ['free', '', 6, []],
  ['gone', '', 7, []],
  ['', '', 8, []],
  ['A1', '', 9, []],
  ['a1,a2', '', 10, []],
  ['*', '', 11, []],
]
const readersOf = (i: number): string => `for:${PLACES[i]?.[3].join('+') || 'nobody'}:`

const lines = PLACES.map(([namespace_name, , minutes], i) => ({
  log: `${readersOf(i)} error 错误 a1 line ${i}\n`,
  time: at(minutes),
  kubernetes: { namespace_name, pod_name: `web-${i}`, container_name: 'main', docker_id: `d${i}` },
}))
const events = PLACES.map(([namespace, , minutes], i) => ({
  metadata: { name: `e${i}` },
  involvedObject: { kind: 'Pod', name: `web-${i}`, uid: `u${i}`, ...(namespace && { namespace }) },
  reason: 'BackOff',
  type: 'Warning',
  message: `${readersOf(i)} error a1`,
  lastTimestamp: at(minutes),
}))
const audits: JsonDocument[] = [
  ...PLACES.map(([Namespace, Workspace, minutes], i) => ({
    Namespace,
    Workspace,
    minutes,
    for: readersOf(i),
  })),
  { Namespace: 'a1-b', Workspace: 'alpha', minutes: 20, for: 'for:vic:' },
  { Namespace: '', Workspace: 'alphabet', minutes: 21, for: 'for:nobody:' },
  { Namespace: '', Workspace: 'alpha', minutes: -90, for: 'for:nobody:' },
].map(({ Namespace, Workspace, minutes, for: readers }, i) => ({
  AuditID: `${readers}${i}`,
  Workspace,
  Verb: 'create',
  Level: 'Metadata',
  User: { Username: 'ann', Groups: ['a1'] },
  SourceIPs: ['10.0.0.1'],
  ObjectRef: { Namespace, Name: 'x', Resource: 'pods', Subresource: '' },
  ResponseStatus: { code: 200 },
  RequestReceivedTimestamp: at(Number(minutes)),
}))
const DOCUMENTS: Record<string, readonly JsonDocument[]> = {
  '/logs': lines,
  '/events': events,
  '/auditing/events': [...audits, { AuditID: 'for:nobody:', RequestReceivedTimestamp: at(1), ObjectRef: {} }],
}
const isFor = (user: string) => (text: string) =>
  new RegExp(`for:(?:\\w+\\+)*${user}(?:\\+\\w+)*:`).test(text)

const NASTY = [
  ...[
    '',
    '*',
    '?',
    '**',
    ',',
    ',,',
    'a1',
    'a1,a1-b',
    'a1,*',
    '*,a',
    'A1',
    'a1-b',
    'alpha',
    'alphabet',
    'alp',
  ],
  ...['.*', 'a.', '[a-z]1', 'a1|a1-b', '^a', 'a1$', '(', '\\', '~a1', '@', '#', '<1-9>', 'a1&free', '"'],
  ...[
    `a1" OR "a`,
    `' OR '1'='1`,
    `a1') OR 1=1 --`,
    'a1"}}]}',
    'NOT a1',
    'a1 OR a',
    'NEAR(a b)',
    'log : error',
  ],
  ...[
    '\0',
    '\n',
    '%',
    '_',
    '[*]',
    'gone',
    'free',
    ' ',
    'null',
    'undefined',
    '__proto__',
    'error',
    '错',
    'web',
  ],
  ...['-1', '0', '200', '9999999999', '1e9', '2026-03-05'],
]
const OPERATIONS = ['', 'query', 'statistics', 'histogram', 'export', '*', 'query,export', 'EXPORT']
const INTERVALS = ['', '15m', '1s', '7m', '1h', 'day', 'month']

/** The same numbers each time. */
function randomFrom(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648
    return Math.floor((state / 2_147_483_648) * below)
  }
}

const BACKENDS: Record<string, () => Promise<{ stores: RecordStores; close(): Promise<void> }>> = {
  'the own store': async () => {
    const retention = { logs: FOREVER, events: FOREVER, audits: FOREVER }
    const stores = new EmbeddedRecords({ directory: undefined, retention })
    return { stores, close: () => stores.close() }
  },
  'Elasticsearch 7': () => behind('7'),
}

async function behind(version: '7') {
  const double = await startDouble(version)
  const section = { host: double.url, basicAuth: false, username: '', password: '', version: '' }
  const stores = {
    logs: new ElasticsearchRecords(LOGS, { ...section, indexPrefix: 'logs' }),
    events: new ElasticsearchRecords(EVENTS, { ...section, indexPrefix: 'events' }),
    audits: new ElasticsearchRecords(AUDITS, { ...section, indexPrefix: 'audits' }),
  }
  return {
    stores,
    async close() {
      for (const store of Object.values(stores)) store.close()
      await double.close()
    },
  }
}

describe.each(Object.entries(BACKENDS))('with %s', (_, open) => {
  let backend: Awaited<ReturnType<typeof open>>

  beforeAll(async () => {
    backend = await open()
    await backend.stores.logs.append(lines)
    await backend.stores.events.append(events)
    await backend.stores.audits.append(DOCUMENTS['/auditing/events'] ?? [])
  })
  afterAll(() => backend.close())

  /** The answer as text; a refusal is 400 and nothing else. */
  async function ask(user: string, path: string, query: URLSearchParams): Promise<string | undefined> {
    const routes = recordRoutes({ ...tenancy, records: backend.stores, exportLogsLimit: 1_000 })
    const route = routes.find((one) => one.path === path)
    const { signal } = new AbortController()
    const asked = { user: person(user), query, signal }
    if (query.get('operation') === 'export' && path === '/logs')
      return downloaded((response) => route?.handle({ ...asked, exchange: { signal, response } } as never))
    try {
      return JSON.stringify(await route?.handle({ ...asked, exchange: { signal } } as never))
    } catch (error) {
      expect(error).toBeInstanceOf(StatusError)
      expect((error as StatusError).code).toBe(400)
      return undefined
    }
  }

  function check(user: string, path: string, query: URLSearchParams, answer: string): void {
    const about = `${user} ${path}?${query.toString()}`
    const own = (DOCUMENTS[path] ?? []).map((document) => JSON.stringify(document)).filter(isFor(user)).length
    for (const [readers] of answer.matchAll(/for:[\w+]+:/g)) expect(readers, about).toSatisfy(isFor(user))
    for (const [, count] of answer.matchAll(/"(?:total|containers|logs|resources|events|count)":(\d+)/g))
      expect(Number(count), about).toBeLessThanOrEqual(own)
    const counts = [...answer.matchAll(/"count":(\d+)/g)].reduce((sum, [, count]) => sum + Number(count), 0)
    expect(counts, about).toBeLessThanOrEqual(own)
  }

  const parametersOf = (path: string): string[] => {
    const route = recordRoutes({ ...tenancy, records: {}, exportLogsLimit: 1 }).find(
      (one) => one.path === path,
    )
    return Object.keys((route?.query as { properties?: object } | undefined)?.properties ?? {})
  }

  it.each(Object.keys(DOCUMENTS))(
    '%s shows members what is theirs when they ask for nothing',
    async (path) => {
      for (const user of ['vic', 'pat', 'nob']) {
        const own = (DOCUMENTS[path] ?? []).map((document) => JSON.stringify(document)).filter(isFor(user))
        const answer = JSON.parse((await ask(user, path, new URLSearchParams({ size: '100' }))) ?? '')
        expect(answer.query.total).toBe(own.length)
      }
    },
  )

  it.each(Object.keys(DOCUMENTS))(
    '%s shows nobody more for any value of one parameter',
    { timeout: 60_000 },
    async (path) => {
      const names = parametersOf(path)
      expect(names.length).toBeGreaterThan(12)
      for (const name of names)
        for (const value of NASTY) {
          const query = new URLSearchParams({ size: '100', [name]: value })
          const answer = await ask('vic', path, query)
          if (answer !== undefined) check('vic', path, query, answer)
        }
    },
  )

  it.each(Object.keys(DOCUMENTS))(
    '%s shows nobody more for any values of several',
    { timeout: 60_000 },
    async (path) => {
      const random = randomFrom(4711)
      const names = parametersOf(path)
      const of = <T>(list: readonly T[]): T => list[random(list.length)] as T
      for (let round = 0; round < 300; round++) {
        const user = of(['vic', 'pat', 'nob'])
        const query = new URLSearchParams({ operation: of(OPERATIONS), interval: of(INTERVALS), size: '100' })
        // The same parameter may come twice.
        for (let i = 0; i < 1 + random(4); i++) query.append(of(names), of(NASTY))
        const answer = await ask(user, path, query)
        if (answer !== undefined) check(user, path, query, answer)
      }
    },
  )
})

async function downloaded(handle: (response: unknown) => unknown): Promise<string> {
  const server = createServer((_, response) => {
    void Promise.resolve(handle(response)).catch((error: unknown) => {
      response.writeHead(error instanceof StatusError ? error.code : 500).end()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const answer = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`)
  const text = await answer.text()
  server.close()
  expect(answer.status).toBeLessThan(500)
  return text
}
