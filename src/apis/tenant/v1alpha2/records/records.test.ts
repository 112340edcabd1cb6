import { createServer, type Server } from 'node:http'
import { type AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { EVERYTHING, LiteralTenancy, person } from '../../../../../test/fixtures/tenancy.js'
import { type PolicyRule } from '../../../../authorization/rules.js'
import { type Double, startDouble } from '../../../../integrations/records/elasticsearch/double.js'
import { ElasticsearchRecords } from '../../../../integrations/records/elasticsearch/index.js'
import { EmbeddedRecords } from '../../../../integrations/records/embedded/index.js'
import { AUDITS, LOGS } from '../../../../integrations/records/kinds.js'
import { recordRoutes } from './index.js'

const VIEW: PolicyRule = { verbs: ['get', 'list', 'watch'], apiGroups: ['*'], resources: ['*'] }
const DAY = Date.parse('2026-03-05T00:00:00Z')
const at = (minutes: number): string => new Date(DAY + minutes * 60_000).toISOString()
const seconds = (minutes: number): number => DAY / 1000 + minutes * 60
const FOREVER = { maxAgeMs: 1e12, maxBytes: 1e9 }

let tenancy: LiteralTenancy
let records: EmbeddedRecords

beforeEach(() => {
  tenancy = new LiteralTenancy()
  for (const name of ['alpha', 'beta']) tenancy.workspace(name)
  tenancy.namespace('a1', 'alpha', { creationTimestamp: at(-60) })
  tenancy.namespace('b1', 'beta', { creationTimestamp: at(-60) })
  tenancy.globally('root', EVERYTHING)
  tenancy.inWorkspace('vic', 'alpha', VIEW)
  tenancy.inNamespace('pat', 'b1', VIEW)
  records = new EmbeddedRecords({
    directory: undefined,
    retention: { logs: FOREVER, events: FOREVER, audits: FOREVER },
  })
})
afterEach(() => records.close())

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- answers of any shape
async function ask(user: string, path: string, parameters: Record<string, unknown> = {}): Promise<any> {
  const route = recordRoutes({ ...tenancy, records, exportLogsLimit: 1_000 }).find((one) => one.path === path)
  const query = new URLSearchParams(
    Object.entries(parameters).map(([name, value]): [string, string] => [name, String(value)]),
  )
  const { signal } = new AbortController()
  return route?.handle({ user: person(user), query, signal, exchange: { signal } } as never)
}

const line = (minutes: number, log: string, namespace = 'a1', pod = 'web-0'): Record<string, unknown> => ({
  log,
  time: at(minutes),
  kubernetes: { namespace_name: namespace, pod_name: pod, container_name: 'main', docker_id: `of-${pod}` },
})
const event = (minutes: number, namespace: string | undefined, message: string): Record<string, unknown> => ({
  involvedObject: { kind: 'Pod', name: 'web-0', uid: `u-${minutes}`, ...(namespace && { namespace }) },
  reason: 'Killing',
  type: 'Normal',
  message,
  lastTimestamp: at(minutes),
})
const audit = (
  minutes: number,
  Workspace: string,
  Namespace: string,
  code = 200,
): Record<string, unknown> => ({
  AuditID: `a-${minutes}`,
  Workspace,
  Verb: 'create',
  User: { Username: 'root', Groups: [] },
  ObjectRef: { Namespace, Name: 'x', Resource: 'pods', Subresource: '' },
  ResponseStatus: { code },
  RequestReceivedTimestamp: at(minutes),
})

describe('logs', () => {
  beforeEach(() =>
    records.logs.append([
      line(-90, 'of an earlier a1'),
      line(1, 'one error', 'a1', 'web-7d9f8c6b5-x2x4z'),
      line(2, 'two', 'a1', 'webx-7d9f8c6b5-x2x4z'),
      line(20, 'three', 'b1'),
      line(3, 'of a namespace that is gone', 'gone'),
    ]),
  )
  const lines = async (user: string, parameters = {}): Promise<unknown[]> =>
    ((await ask(user, '/logs', parameters)).query.records ?? []).map(({ log }: { log: string }) => log)

  it('are those of the own projects, since these are there', async () => {
    expect(await lines('vic')).toEqual(['two', 'one error'])
    expect(await lines('pat', { namespaces: 'a1,b1' })).toEqual(['three'])
    expect(await lines('root')).toHaveLength(5)
    expect(await lines('root', { namespaces: 'a1' })).toContain('of an earlier a1')
    expect(await lines('root', { namespaces: 'gone' })).toEqual([])
  })

  it('of nothing that may be read are empty answers, and not refused', async () => {
    expect(await ask('nob', '/logs')).toEqual({ query: { total: 0 } })
    expect(await ask('nob', '/logs', { operation: 'statistics' })).toEqual({
      statistics: { containers: 0, logs: 0 },
    })
    expect(await ask('nob', '/logs', { operation: 'histogram' })).toEqual({
      histogram: { total: 0, histograms: null },
    })
  })

  it('are found by workload and text, in the form that clients know', async () => {
    expect(await ask('vic', '/logs', { workloads: 'web', log_query: 'ERR', start_time: seconds(0) })).toEqual(
      {
        query: {
          total: 1,
          records: [
            { log: 'one error', time: at(1), namespace: 'a1', pod: 'web-7d9f8c6b5-x2x4z', container: 'main' },
          ],
        },
      },
    )
  })

  it('are counted, and over time in milliseconds', async () => {
    expect(await ask('vic', '/logs', { operation: 'statistics' })).toEqual({
      statistics: { containers: 2, logs: 2 },
    })
    expect(
      await ask('root', '/logs', { operation: 'histogram', interval: '15m', start_time: seconds(0) }),
    ).toEqual({
      histogram: {
        total: 4,
        histograms: [
          { time: DAY, count: 3 },
          { time: DAY + 900_000, count: 1 },
        ],
      },
    })
  })

  it('are paged and sorted, and numbers that are none mean the defaults', async () => {
    expect(await lines('vic', { size: 1, from: 1, sort: 'asc' })).toEqual(['two'])
    expect(await lines('vic', { size: 'x', from: 'y' })).toHaveLength(2)
  })

  it('with bad times are a bad request', async () => {
    await expect(ask('vic', '/logs', { start_time: 'x' })).rejects.toMatchObject({
      code: 400,
      message: 'strconv.ParseInt: parsing "x": invalid syntax',
    })
    await expect(ask('nob', '/events', { end_time: '1.5' })).rejects.toMatchObject({ code: 400 })
    await expect(ask('vic', '/logs', { operation: 'histogram', interval: '15' })).rejects.toMatchObject({
      code: 400,
    })
  })

  it('whose time begins after its end are none', async () => {
    expect(await lines('root', { start_time: seconds(5), end_time: seconds(1) })).toEqual([])
    expect(await lines('root', { start_time: '99999999999999999' })).toEqual([])
  })
})

describe('the export of logs', () => {
  let server: Server
  let url: string

  beforeEach(async () => {
    server = createServer((request, response) => {
      const route = recordRoutes({ ...tenancy, records, exportLogsLimit: 3 })[0]
      const query = new URL(request.url ?? '', 'http://x').searchParams
      const { signal } = new AbortController()
      void route?.handle({
        user: person(query.get('as') ?? ''),
        query,
        exchange: { response, signal },
      } as never)
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/?operation=export&sort=asc&as=`
  })
  afterEach(() => new Promise((resolve) => server.close(resolve)))

  it('is the plain text of the lines, newest first, without colours, up to the limit', async () => {
    await records.logs.append([
      line(1, 'a\n'),
      line(2, '\u001b[1;31mred\u001b[0m\n'),
      line(3, 'c'),
      line(4, 'd\n'),
      line(5, 'x', 'b1'),
    ])

    const answer = await fetch(`${url}vic`)

    expect(answer.headers.get('content-type')).toBe('text/plain')
    expect(answer.headers.get('content-disposition')).toBe('attachment')
    expect(await answer.text()).toBe('d\ncred\n')
  })

  it('is empty when nothing may be read', async () => {
    await records.logs.append([line(1, 'a')])

    const answer = await fetch(`${url}nob`)

    expect(answer.status).toBe(200)
    expect(await answer.text()).toBe('')
  })
})

describe('events', () => {
  const messages = async (user: string, parameters = {}): Promise<unknown> =>
    (await ask(user, '/events', { sort: 'asc', ...parameters })).query.records?.map(
      ({ message }: { message: string }) => message,
    ) ?? null

  beforeEach(() =>
    records.events.append([event(1, 'a1', 'in a'), event(2, 'b1', 'in b'), event(3, undefined, 'node')]),
  )

  it('of the cluster are shown to its viewers while nothing is filtered', async () => {
    expect(await messages('root')).toEqual(['in a', 'in b', 'node'])
    expect(await messages('root', { involved_object_namespace_filter: 'a1' })).toEqual(['in a'])
    expect(await messages('vic')).toEqual(['in a'])
    expect(await messages('vic', { workspace_filter: 'beta' })).toBeNull()
  })

  it('come with the real total also on a page beyond the end', async () => {
    expect(await ask('root', '/events', { from: 20 })).toEqual({ query: { total: 3, records: null } })
  })

  it('are counted', async () => {
    expect(await ask('root', '/events', { operation: 'statistics', reason_search: 'ill' })).toEqual({
      statistics: { resources: 3, events: 3 },
    })
    expect(await ask('nob', '/events', { operation: 'histogram' })).toEqual({
      histogram: { total: 0, buckets: null },
    })
    expect(await ask('vic', '/events', { operation: 'histogram', interval: '1h' })).toEqual({
      histogram: { total: 1, buckets: [{ time: DAY, count: 1 }] },
    })
  })
})

describe('audit events', () => {
  const ids = async (user: string, parameters = {}): Promise<unknown> =>
    (await ask(user, '/auditing/events', { sort: 'asc', ...parameters })).query.records?.map(
      ({ AuditID }: { AuditID: string }) => AuditID,
    ) ?? null

  beforeEach(() =>
    records.audits.append([
      audit(1, 'alpha', ''),
      audit(2, '', 'b1', 403),
      audit(3, '', ''),
      { AuditID: 'no places', RequestReceivedTimestamp: at(4), ObjectRef: { Name: 'x' } },
    ]),
  )

  it('are shown for the workspace, for the project, and those of no place to administrators', async () => {
    expect(await ids('vic')).toEqual(['a-1'])
    expect(await ids('pat')).toEqual(['a-2'])
    expect(await ids('root')).toEqual(['a-1', 'a-2', 'a-3'])
    expect(await ids('root', { workspace_search: 'alp' })).toEqual(['a-1'])
    expect(await ids('nob')).toBeNull()
  })

  it('are found by codes, of which those that are no numbers do not count', async () => {
    expect(await ids('root', { response_code_filter: '403,abc' })).toEqual(['a-2'])
    expect(await ids('root', { response_code_filter: 'abc' })).toBeNull()
    expect(await ids('root', { user_search: 'r?o', objectref_resource_filter: 'po' })).toEqual([
      'a-1',
      'a-2',
      'a-3',
    ])
  })
})

it('says that there is no store where none is configured', async () => {
  const route = recordRoutes({ ...tenancy, records: {}, exportLogsLimit: 1 })[0]
  await expect(route?.handle({ query: new URLSearchParams() } as never)).rejects.toMatchObject({ code: 501 })
})

describe('with Elasticsearch', () => {
  let double: Double
  let logs: ElasticsearchRecords
  let audits: ElasticsearchRecords

  beforeEach(async () => {
    double = await startDouble('7')
    const section = { host: double.url, basicAuth: false, username: '', password: '', version: '7' }
    const now = (): number => Date.parse('2026-03-06T12:00:00Z')
    logs = new ElasticsearchRecords(LOGS, { ...section, indexPrefix: 'ks-logstash-log' }, now)
    audits = new ElasticsearchRecords(AUDITS, { ...section, indexPrefix: 'ks-logstash-auditing' }, now)
  })
  afterEach(async () => {
    logs.close()
    audits.close()
    await double.close()
  })

  const asked = async (user: string, path: string, parameters: Record<string, unknown> = {}) => {
    const route = recordRoutes({ ...tenancy, records: { logs, audits }, exportLogsLimit: 1_000 }).find(
      (one) => one.path === path,
    )
    const query = new URLSearchParams(
      Object.entries(parameters).map(([name, value]): [string, string] => [name, String(value)]),
    )
    const { signal } = new AbortController()
    const answer = await route?.handle({ user: person(user), query, signal, exchange: { signal } } as never)
    const [line = ''] = double.asked.splice(0)
    const [, url = '', body = ''] = /^\w+ (\S+) (.*)$/s.exec(line) ?? []
    return { answer, indices: decodeURIComponent(url.split('/')[1] ?? ''), body }
  }

  it('the search of a member is for the own projects, since they are there', async () => {
    const { body } = await asked('vic', '/logs')

    expect(JSON.parse(body)).toMatchObject({
      query: {
        bool: {
          filter: [
            {
              bool: {
                minimum_should_match: 1,
                should: [
                  {
                    bool: {
                      filter: [
                        { match_phrase: { 'kubernetes.namespace_name.keyword': 'a1' } },
                        { range: { time: { gte: at(-60) } } },
                      ],
                    },
                  },
                ],
              },
            },
          ],
        },
      },
      sort: [{ time: { order: 'desc' } }],
      from: 0,
      size: 10,
    })
  })

  it('who may read nothing has it asked nothing', async () => {
    const { answer, body } = await asked('nob', '/logs')

    expect(answer).toEqual({ query: { total: 0 } })
    expect(body).toBe('')
  })

  it('two days are two indices, the newest first, and more than thirty all of them', async () => {
    const days = async (from: number, to: number): Promise<string> =>
      (await asked('vic', '/logs', { start_time: seconds(from), end_time: seconds(to) })).indices.split(
        '/',
      )[0] ?? ''

    expect(await days(0, 24 * 60)).toBe('ks-logstash-log-2026.03.06,ks-logstash-log-2026.03.05')
    expect(await days(-31 * 24 * 60, 0)).toBe('ks-logstash-log*')
    expect(await days(10, 5)).toBe('')
  })

  it('codes that are no numbers are left out of its terms', async () => {
    const { body } = await asked('root', '/auditing/events', { response_code_filter: '200,abc' })

    expect(body).toContain('{"terms":{"ResponseStatus.code":[200]}}')
  })

  it('the total is that of all records, however many', async () => {
    const many = Array.from({ length: 25_000 }, (_, i) => line(1 + i / 25_000, 'x'))
    await logs.append(many)
    double.asked.length = 0

    const { answer, body } = await asked('vic', '/logs')

    expect(answer).toMatchObject({ query: { total: 25_000 } })
    expect(JSON.parse(body)).toMatchObject({ track_total_hits: true })
  })
})
