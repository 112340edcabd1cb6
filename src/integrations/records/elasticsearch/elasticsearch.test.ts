import { createServer } from 'node:http'
import { type AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { describeRecordStores } from '../conformance.js'
import { type RecordQuery } from '../interface.js'
import { AUDITS, EVENTS, LOGS } from '../kinds.js'
import { workloadPattern } from '../workloads.js'
import { histogramBody, pageBody, scrollBody, statisticsBody } from './body.js'
import { DIALECTS, dialectNamed, dialectOf } from './dialects.js'
import { type Double, startDouble } from './double.js'
import { ElasticsearchRecords } from './index.js'
import { indicesFor } from './indices.js'
import { refusal } from './recorded.js'

const VERSIONS = Object.keys(DIALECTS) as (keyof typeof DIALECTS)[]
const NOW = Date.parse('2026-03-06T12:00:00Z')
const SECTION = { basicAuth: false, username: '', password: '', version: '' }
const EVERYTHING = { readable: 'everything', where: [] } as const
const PAGE = { offset: 0, limit: 10, order: 'desc' } as const

for (const version of VERSIONS)
  describeRecordStores(DIALECTS[version].name, async () => {
    const double = await startDouble(version)
    const section = { ...SECTION, host: double.url }
    const stores = {
      logs: new ElasticsearchRecords(LOGS, { ...section, indexPrefix: 'logs' }, () => NOW),
      events: new ElasticsearchRecords(EVENTS, { ...section, indexPrefix: 'events' }, () => NOW),
      audits: new ElasticsearchRecords(AUDITS, { ...section, indexPrefix: 'audits' }, () => NOW),
    }
    return {
      ...stores,
      async close() {
        for (const store of Object.values(stores)) store.close()
        await double.close()
      },
    }
  })

describe('bodies of searches', () => {
  const since = new Date('2021-08-01T00:00:00Z')
  const times = { from: new Date('2021-08-05T00:00:00Z'), to: new Date('2021-08-06T00:00:00Z') }
  const logs: RecordQuery = {
    readable: ['a', 'b'].map((is) => ({ field: 'kubernetes.namespace_name', is, since })),
    where: [
      [{ field: 'kubernetes.pod_name', pattern: workloadPattern('web') }],
      [{ field: 'log', prefix: 'error' }],
    ],
    ...times,
  }
  const audits: RecordQuery = {
    readable: [{ field: 'Workspace', is: '', since: undefined }, { lacks: 'x' }],
    where: [
      [
        { field: 'ResponseStatus.code', number: 200 },
        { field: 'ResponseStatus.code', number: 404 },
      ],
      [{ field: 'User.Username', glob: '*a*' }],
    ],
  }

  const events: RecordQuery = {
    readable: [{ field: 'involvedObject.namespace', is: 'a', since }, { lacks: 'involvedObject.namespace' }],
    where: [
      [{ field: 'involvedObject.name', is: 'web-0' }],
      [{ field: 'involvedObject.kind', words: 'Pod' }],
      [{ field: 'reason', glob: '*Back*' }],
      [{ field: 'message', prefix: 'restarting fai' }],
      [{ field: 'type', words: 'Warning' }],
    ],
    from: times.from,
  }

  it.each(VERSIONS)('are as reviewed, for %s', (version) => {
    const dialect = DIALECTS[version]
    expect({
      logs: pageBody(LOGS, logs, dialect, { offset: 10, limit: 10, order: 'desc' }),
      histogram: histogramBody(EVENTS, { ...EVERYTHING, ...times }, dialect, '15m'),
      months: histogramBody(EVENTS, EVERYTHING, dialect, 'month'),
      audits: statisticsBody(AUDITS, audits, dialect),
      events: pageBody(EVENTS, events, dialect, { offset: 0, limit: 50, order: 'asc' }),
      download: scrollBody(LOGS, logs, dialect, 1_000),
    }).toMatchSnapshot()
  })
})

describe('the release of the server', () => {
  it('is told by its number, and OpenSearch by its distribution', () => {
    expect(dialectOf({ version: { number: '7.17.3' } }).name).toBe('Elasticsearch 7')
    expect(dialectOf({ version: { number: '2.11.0', distribution: 'opensearch' } }).name).toBe('OpenSearch 2')
    expect(() => dialectOf({ version: { number: '2.4.0' } })).toThrow('unsupported elasticsearch version 2')
    expect(() => dialectOf('x')).toThrow('unsupported')
    expect(() => dialectNamed('constructor')).toThrow('unsupported elasticsearch version constructor')
  })
})

describe('indices', () => {
  const days = (from: string | undefined, to?: string): string =>
    indicesFor('logs', from ? new Date(from) : undefined, to ? new Date(to) : undefined, NOW)

  it('are those of the days, the newest first, or all where there are too many', () => {
    expect(days('2021-08-05T23:59:59Z', '2021-08-06T00:00:00Z')).toBe('logs-2021.08.06,logs-2021.08.05')
    expect(days('2026-03-06T00:00:00Z')).toBe('logs-2026.03.06')
    expect(days('2021-07-01T00:00:00Z', '2021-08-02T00:00:00Z')).toBe('logs*')
    expect(days(undefined, '2021-08-02T00:00:00Z')).toBe('logs*')
  })
})

describe('the client', () => {
  let double: Double
  const open = async (more: object = {}): Promise<ElasticsearchRecords> => {
    double = await startDouble('7')
    return new ElasticsearchRecords(LOGS, { ...SECTION, host: double.url, indexPrefix: 'logs', ...more })
  }
  afterEach(() => double.close())

  it('asks nothing where nothing can match', async () => {
    const store = await open()
    const nothing = { total: 0, documents: [] }

    expect(await store.page({ readable: [], where: [] }, PAGE)).toEqual(nothing)
    expect(await store.page({ ...EVERYTHING, from: new Date(2), to: new Date(1) }, PAGE)).toEqual(nothing)
    expect(double.asked).toEqual([])
  })

  it('asks for the release once, and not when it is configured', async () => {
    const store = await open()
    await store.statistics(EVERYTHING)
    await store.statistics(EVERYTHING)
    expect(double.asked.filter((line) => line.startsWith('GET / '))).toHaveLength(1)
    await double.close()

    const configured = await open({ version: '7' })
    await configured.statistics(EVERYTHING)
    expect(double.asked).toHaveLength(1)
    expect(double.asked[0]).toContain('POST /logs*/_search?ignore_unavailable=true ')
  })

  it('releases its scroll, also when the download is given up', async () => {
    const store = await open()
    const line = (i: number) => ({ log: `${i}`, time: '2026-03-05T00:00:00Z' })
    await store.append(Array.from({ length: 1_500 }, (_, i) => line(i)))

    for await (const _ of store.stream(EVERYTHING, 10_000)) break

    expect(double.scrolls.size).toBe(0)
  })

  it('says in the words of the server what was wrong, and that there is none where none answers', async () => {
    const store = await open({ version: '6' })
    await expect(store.statistics(EVERYTHING)).rejects.toMatchObject({
      code: 500,
      message: 'type: parsing_exception, reason: track_total_hits',
    })

    const server = createServer((_, response) =>
      response
        .writeHead(400)
        .end(JSON.stringify(refusal('illegal_argument_exception', 'Unable to parse interval [30m0s]', true))),
    )
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const host = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    const picky = new ElasticsearchRecords(LOGS, { ...SECTION, version: '7', host, indexPrefix: 'logs' })
    await expect(picky.statistics(EVERYTHING)).rejects.toMatchObject({
      code: 500,
      message: 'type: search_phase_execution_exception, reason: Unable to parse interval [30m0s]',
    })
    picky.close()
    server.close()

    const lost = new ElasticsearchRecords(LOGS, { ...SECTION, host: '127.0.0.1:1', indexPrefix: 'logs' })
    await expect(lost.statistics(EVERYTHING)).rejects.toMatchObject({ code: 503 })
  })
})
