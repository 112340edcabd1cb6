/** What every store of records does, as a suite that each backend runs. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  type JsonDocument,
  type Match,
  type ReadablePlace,
  type RecordQuery,
  type RecordStores,
} from './interface.js'
import { workloadPattern } from './workloads.js'

export interface OpenedStores extends RecordStores {
  close(): Promise<void>
}

const DAY = Date.parse('2026-03-05T00:00:00Z')
const at = (minutes: number): string => new Date(DAY + minutes * 60_000).toISOString()
const everything = (...where: Match[][]): RecordQuery => ({ readable: 'everything', where })
const PAGE = { offset: 0, limit: 10, order: 'desc' } as const

function line(minutes: number, log: string, pod = 'web-7d9f8c6b5-x2x4z', namespace = 'shop'): JsonDocument {
  return {
    log: `${log}\n`,
    time: at(minutes),
    kubernetes: {
      namespace_name: namespace,
      pod_name: pod,
      container_name: 'main',
      docker_id: `id-of-${pod}`,
    },
  }
}

function event(minutes: number, message: string, about: JsonDocument, more: JsonDocument = {}): JsonDocument {
  return {
    metadata: { name: `e${minutes}`, namespace: 'default' },
    involvedObject: { kind: 'Pod', name: 'web-0', uid: 'u-1', ...about },
    reason: 'FailedMount',
    message,
    type: 'Warning',
    lastTimestamp: at(minutes),
    ...more,
  }
}

function audit(minutes: number, ref: JsonDocument, more: JsonDocument = {}): JsonDocument {
  return {
    AuditID: `a-${minutes}`,
    Workspace: '',
    Verb: 'create',
    Level: 'Metadata',
    User: { Username: 'ann', Groups: ['system:authenticated', 'ops'] },
    SourceIPs: ['10.1.2.3'],
    ObjectRef: { Namespace: '', Name: 'x', Resource: 'deployments', Subresource: '', ...ref },
    ResponseStatus: { metadata: {}, code: 201 },
    RequestReceivedTimestamp: at(minutes),
    ...more,
  }
}

export function describeRecordStores(name: string, open: () => Promise<OpenedStores>): void {
  describe(name, () => {
    let stores: OpenedStores

    beforeEach(async () => {
      stores = await open()
    })
    afterEach(() => stores.close())

    const texts = async (query: RecordQuery, options: object = {}): Promise<unknown[]> =>
      (await stores.logs.page(query, { ...PAGE, ...options })).documents.map(({ log }) => log)
    const found = async (...where: Match[][]): Promise<unknown[]> => texts(everything(...where))

    describe('log lines', () => {
      it('come back as they were stored', async () => {
        await stores.logs.append([line(1, 'one "quoted" line')])

        expect(await stores.logs.page(everything(), PAGE)).toEqual({
          total: 1,
          documents: [line(1, 'one "quoted" line')],
        })
      })

      it('are found by words side by side, the last of which may go on, whatever their case', async () => {
        await stores.logs.append([
          line(1, 'Error: connection refused'),
          line(2, 'connection was refused'),
          line(3, 'myerror happened'),
        ])

        expect(await found([{ field: 'log', prefix: 'Err' }])).toEqual(['Error: connection refused\n'])
        expect(await found([{ field: 'log', prefix: 'connection ref' }])).toEqual([
          'Error: connection refused\n',
        ])
        expect(await found([{ field: 'log', prefix: 'conn refused' }])).toEqual([])
        expect(await found([{ field: 'log', prefix: '?!' }])).toEqual([])
        expect(await found([{ field: 'log', prefix: '" OR log : "was' }])).toEqual([])
      })

      it('in Chinese are found by any part of them', async () => {
        await stores.logs.append([
          line(1, '订单服务:数据库连接失败'),
          line(2, '连接数据库成功 ok'),
          line(3, 'なんでもない text with 漢字 inside'),
        ])

        expect(await found([{ field: 'log', prefix: '库连' }])).toEqual(['订单服务:数据库连接失败\n'])
        expect(await found([{ field: 'log', prefix: '连接' }])).toHaveLength(2)
        expect(await found([{ field: 'log', prefix: '接连' }])).toEqual([])
        expect(await found([{ field: 'log', prefix: '成功 o' }])).toEqual(['连接数据库成功 ok\n'])
        expect(await found([{ field: 'log', prefix: '字 ins' }])).toHaveLength(1)
        expect(await found([{ field: 'log', prefix: '订单服务：数据库' }])).toHaveLength(1)
      })

      it('are found by any of several texts, and by all kinds of conditions together', async () => {
        await stores.logs.append([
          line(1, 'red'),
          line(2, 'green'),
          line(3, 'blue'),
          line(4, 'red', 'db-0', 'other'),
        ])

        expect(
          await found([
            { field: 'log', prefix: 'red' },
            { field: 'log', prefix: 'blue' },
          ]),
        ).toEqual(['red\n', 'blue\n', 'red\n'])
        expect(
          await found(
            [{ field: 'log', prefix: 'red' }],
            [{ field: 'kubernetes.pod_name', is: 'db-0' }],
            [{ field: 'kubernetes.container_name', prefix: 'ma' }],
          ),
        ).toEqual(['red\n'])
        expect(await found([{ field: 'kubernetes.pod_name', is: 'db' }])).toEqual([])
        expect(await found([{ field: 'kubernetes.pod_name', prefix: 'db' }])).toEqual(['red\n'])
        expect(await found([])).toEqual([])
      })

      it('are found by workload, and not by another whose name begins alike', async () => {
        await stores.logs.append([
          line(1, 'a', 'web-7d9f8c6b5-x2x4z'),
          line(2, 'b', 'web-0'),
          line(3, 'c', 'web-abcde'),
          line(4, 'd', 'webx-7d9f8c6b5-x2x4z'),
          line(5, 'e', 'web-api-7d9f8c6b5-x2x4z'),
        ])

        expect(
          await texts(everything([{ field: 'kubernetes.pod_name', pattern: workloadPattern('web') }]), {
            order: 'asc',
          }),
        ).toEqual(['a\n', 'b\n', 'c\n'])
      })

      it('of a time include both ends', async () => {
        await stores.logs.append([line(1, 'early'), line(2, 'first'), line(3, 'last'), line(4, 'late')])
        const query = { ...everything(), from: new Date(at(2)), to: new Date(at(3)) }

        expect(await texts(query)).toEqual(['last\n', 'first\n'])
        expect(await texts({ ...query, to: new Date(at(1)) })).toEqual([])
      })

      it('come in pages, newest or oldest first, with the total of all', async () => {
        const lines = Array.from({ length: 25 }, (_, i) => line(i, `line ${i}`))
        await stores.logs.append([...lines.slice(10), ...lines.slice(0, 10)])

        expect(await texts(everything(), { offset: 20 })).toEqual(
          ['4', '3', '2', '1', '0'].map((i) => `line ${i}\n`),
        )
        expect(await texts(everything(), { limit: 2, order: 'asc' })).toEqual(['line 0\n', 'line 1\n'])
        expect((await stores.logs.page(everything(), { ...PAGE, offset: 50 })).total).toBe(25)
        expect(await stores.logs.page(everything(), { ...PAGE, limit: 0 })).toEqual({
          total: 25,
          documents: [],
        })
      })

      it('of many at one time are all kept', async () => {
        const lines = Array.from({ length: 300 }, (_, i) => line(1, `line ${i}`))
        await stores.logs.append(lines)
        await stores.logs.append(lines)

        expect((await stores.logs.page(everything(), PAGE)).total).toBe(600)
      })

      it('are counted with their containers', async () => {
        await stores.logs.append([line(1, 'a x'), line(2, 'b x'), line(3, 'a', 'db-0')])

        expect(await stores.logs.statistics(everything())).toEqual({ total: 3, distinct: 2 })
        expect(await stores.logs.statistics(everything([{ field: 'log', prefix: 'x' }]))).toEqual({
          total: 2,
          distinct: 1,
        })
        expect(await stores.logs.statistics(everything([{ field: 'log', prefix: 'none' }]))).toEqual({
          total: 0,
          distinct: 0,
        })
      })

      it('are counted over time, without gaps between the first and the last', async () => {
        await stores.logs.append([line(1, 'x'), line(2, 'x'), line(31, 'x'), line(70, 'y')])

        expect(await stores.logs.histogram(everything([{ field: 'log', prefix: 'x' }]), '15m')).toEqual({
          total: 3,
          buckets: [
            { time: DAY, count: 2 },
            { time: DAY + 900_000, count: 0 },
            { time: DAY + 1_800_000, count: 1 },
          ],
        })
        expect(await stores.logs.histogram(everything(), 'month')).toEqual({
          total: 4,
          buckets: [{ time: Date.parse('2026-03-01T00:00:00Z'), count: 4 }],
        })
        expect(await stores.logs.histogram(everything([{ field: 'log', prefix: 'none' }]), '1h')).toEqual({
          total: 0,
          buckets: [],
        })
      })

      it('with an interval that is none are a bad request', async () => {
        for (const interval of ['', '15', 'x', '0s', '-1h', '1.5h'])
          await expect(stores.logs.histogram(everything(), interval)).rejects.toMatchObject({ code: 400 })
      })

      it('are exported newest first, at most as many as asked for', async () => {
        const lines = Array.from({ length: 2_500 }, (_, i) => line(i / 10, `line ${i}`))
        await stores.logs.append(lines)
        const exported = async (limit: number): Promise<unknown[]> => {
          const all: unknown[] = []
          for await (const portion of stores.logs.stream(everything(), limit))
            all.push(...portion.map(({ log }) => log))
          return all
        }

        expect(await exported(10_000)).toEqual(lines.map(({ log }) => log).reverse())
        expect(await exported(1_200)).toHaveLength(1_200)
      })
    })

    describe('what may be read', () => {
      const since = (name: string, minutes?: number): ReadablePlace => ({
        field: 'kubernetes.namespace_name',
        is: name,
        since: minutes === undefined ? undefined : new Date(at(minutes)),
      })

      it('are the records of the places named, each since its own time', async () => {
        await stores.logs.append([
          line(1, 'shop before'),
          line(5, 'shop after'),
          line(1, 'other before', 'db-0', 'other'),
          line(5, 'secret', 'db-0', 'vault'),
        ])
        const query = { readable: [since('shop', 5), since('other')], where: [] }

        expect((await texts(query)).sort()).toEqual(['other before\n', 'shop after\n'])
        expect(await stores.logs.statistics(query)).toEqual({ total: 2, distinct: 2 })
        expect((await stores.logs.histogram(query, '1h')).total).toBe(2)
        expect(await texts({ ...query, where: [[{ field: 'log', prefix: 'secret' }]] })).toEqual([])
        expect(await texts({ ...query, where: [[{ field: 'log', prefix: 'shop' }]] })).toEqual([
          'shop after\n',
        ])
        expect(await texts({ readable: [], where: [] })).toEqual([])
      })

      it('follows what is asked next, and what has been added since', async () => {
        await stores.logs.append([line(1, 'a'), line(1, 'b', 'db-0', 'other')])
        expect(await texts({ readable: [since('shop')], where: [] })).toEqual(['a\n'])
        expect(await texts({ readable: [since('other')], where: [] })).toEqual(['b\n'])

        await stores.logs.append([line(2, 'c', 'db-1', 'other')])

        expect(await texts({ readable: [since('other')], where: [] })).toEqual(['c\n', 'b\n'])
      })

      it('is that of many places at once', async () => {
        await stores.logs.append([line(1, 'in', 'a-0', 'n777'), line(1, 'out', 'a-0', 'n2000')])
        const readable = Array.from({ length: 1_000 }, (_, i) => since(`n${i}`, 0))

        expect(await texts({ readable, where: [] })).toEqual(['in\n'])
      })
    })

    describe('Events', () => {
      const messages = async (query: RecordQuery): Promise<unknown[]> =>
        (await stores.events.page(query, { ...PAGE, order: 'asc' })).documents.map(({ message }) => message)

      it('are found by what they are about, and come back whole', async () => {
        const whole = event(
          1,
          'Unable to attach volumes',
          { namespace: 'shop' },
          { count: 3, source: { host: 'n1' } },
        )
        await stores.events.append([
          whole,
          event(2, 'Node is lost', { kind: 'Node', name: 'n1', uid: 'u-2' }),
        ])

        expect(
          (await stores.events.page(everything([{ field: 'message', prefix: 'attach vol' }]), PAGE))
            .documents,
        ).toEqual([whole])
        expect(await messages(everything([{ field: 'involvedObject.kind', words: 'node' }]))).toEqual([
          'Node is lost',
        ])
        expect(await messages(everything([{ field: 'involvedObject.name', prefix: 'web' }]))).toEqual([
          whole['message'],
        ])
        expect(await messages(everything([{ field: 'reason', glob: '*Mount*' }]))).toHaveLength(2)
        expect(await messages(everything([{ field: 'reason', glob: '*mount*' }]))).toEqual([])
        expect(await messages(everything([{ field: 'reason', glob: '*[M]ount*' }]))).toEqual([])
        expect(await messages(everything([{ field: 'type', words: 'WARNING' }]))).toHaveLength(2)
        expect(await stores.events.statistics(everything())).toEqual({ total: 2, distinct: 2 })
      })

      it('about things of the cluster are those that name no namespace', async () => {
        await stores.events.append([event(1, 'in shop', { namespace: 'shop' }), event(2, 'of a node', {})])
        const lacks = { lacks: 'involvedObject.namespace' }
        const shop = { field: 'involvedObject.namespace', is: 'shop', since: new Date(at(0)) }

        expect(await messages({ readable: [lacks], where: [] })).toEqual(['of a node'])
        expect(await messages({ readable: [lacks, shop], where: [] })).toEqual(['in shop', 'of a node'])
        expect(await messages({ readable: [shop], where: [] })).toEqual(['in shop'])
      })

      it('without a time are not kept', async () => {
        await stores.events.append([event(1, 'x', {}, { lastTimestamp: null })])

        expect(await messages({ ...everything(), from: new Date(0) })).toEqual([])
      })
    })

    describe('audit events', () => {
      const ids = async (query: RecordQuery): Promise<unknown[]> =>
        (await stores.audits.page(query, { ...PAGE, order: 'asc' })).documents.map(({ AuditID }) => AuditID)

      it('are found by who, what and how it ended', async () => {
        await stores.audits.append([
          audit(1, { Name: 'web' }),
          audit(
            2,
            { Name: 'db', Resource: 'secrets' },
            { User: { Username: 'bob' }, ResponseStatus: { code: 403 } },
          ),
          audit(3, { Name: 'web', Subresource: 'scale' }, { Verb: 'update', SourceIPs: ['10.9.9.9'] }),
        ])

        expect(await ids(everything([{ field: 'ObjectRef.Name', is: 'web' }]))).toEqual(['a-1', 'a-3'])
        expect(
          await ids(
            everything(
              [{ field: 'ObjectRef.Resource', prefix: 'deploy' }],
              [{ field: 'Verb', is: 'update' }],
            ),
          ),
        ).toEqual(['a-3'])
        expect(
          await ids(
            everything([
              { field: 'ResponseStatus.code', number: 403 },
              { field: 'ResponseStatus.code', number: 500 },
            ]),
          ),
        ).toEqual(['a-2'])
        expect(await ids(everything([{ field: 'User.Groups', glob: '*ops*' }]))).toEqual(['a-1', 'a-3'])
        expect(await ids(everything([{ field: 'SourceIPs', glob: '10.9*' }]))).toEqual(['a-3'])
        expect(await ids(everything([{ field: 'User.Username', glob: '*b?b*' }]))).toEqual(['a-2'])
        expect(await stores.audits.statistics(everything())).toEqual({ total: 3, distinct: 3 })
      })

      it('may be read for their namespace, for their workspace, or because they name neither', async () => {
        await stores.audits.append([
          audit(1, { Namespace: 'shop' }),
          audit(2, { Namespace: 'gone' }, { Workspace: 'blue' }),
          audit(3, {}),
          audit(4, {}, { Workspace: undefined, ObjectRef: { Name: 'x' } }),
        ])
        const shop = { field: 'ObjectRef.Namespace', is: 'shop', since: new Date(at(0)) }
        const blue = { field: 'Workspace', is: 'blue', since: new Date(at(0)) }
        const neither = [
          { field: 'ObjectRef.Namespace', is: '', since: undefined },
          { field: 'Workspace', is: '', since: undefined },
        ]

        expect(await ids({ readable: [shop], where: [] })).toEqual(['a-1'])
        expect(await ids({ readable: [shop, blue], where: [] })).toEqual(['a-1', 'a-2'])
        expect(await ids({ readable: [shop, blue, ...neither], where: [] })).toEqual(['a-1', 'a-2', 'a-3'])
      })
    })
  })
}
