import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { silent } from '../../../client/log.js'
import { describeRecordStores } from '../conformance.js'
import { type RecordQuery } from '../interface.js'
import { LOGS } from '../kinds.js'
import { EmbeddedRecords } from './index.js'
import { Segments, type SegmentsOptions } from './segments.js'

const FOREVER = { maxAgeMs: 1e12, maxBytes: 1e9 }
const retention = { logs: FOREVER, events: FOREVER, audits: FOREVER }
const EVERYTHING = { readable: 'everything', where: [] } as const
const PAGE = { offset: 0, limit: 10, order: 'desc' } as const

describeRecordStores(
  'the embedded store in memory',
  async () => new EmbeddedRecords({ directory: undefined, retention }),
)

describeRecordStores('the embedded store on disk', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'orrery-records-'))
  const store = new EmbeddedRecords({ directory, retention })
  return Object.assign(store, {
    async close() {
      await EmbeddedRecords.prototype.close.call(store)
      rmSync(directory, { recursive: true })
    },
  })
})

describe('the files of the embedded store', () => {
  let directory: string
  let opened: Segments[] = []

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'orrery-records-'))
  })
  afterEach(() => {
    for (const segments of opened) segments.close()
    opened = []
    rmSync(directory, { recursive: true })
  })

  const open = (options: Partial<SegmentsOptions> = {}): Segments => {
    const segments = new Segments({ directory, schema: LOGS, ...FOREVER, ...options })
    opened.push(segments)
    return segments
  }
  const line = (time: string, log: string): Record<string, unknown> => ({
    log,
    time,
    kubernetes: { namespace_name: 'n', pod_name: 'p', container_name: 'c', docker_id: 'd' },
  })
  const logs = (segments: Segments, query: object = {}, options: object = {}): unknown[] =>
    segments.page({ ...EVERYTHING, ...query }, { ...PAGE, ...options }).documents.map(({ log }) => log)

  it('are searched for a letter alone by the first 50 words that begin with it, and by all for more', () => {
    const segments = open()
    const words = Array.from({ length: 200 }, (_, index) => `w${String(index).padStart(3, '0')}`)
    segments.append(['w', ...words].map((word) => line('2026-01-01T00:00:00Z', `took ${word}\n`)))
    const total = (prefix: string): number =>
      segments.statistics({ ...EVERYTHING, where: [[{ field: 'log', prefix }]] }).total

    expect(total('w')).toBe(50)
    expect(total(' W.')).toBe(50)
    expect(total('w1')).toBe(100)
    expect(total('Took w')).toBe(201)
    expect(total('t')).toBe(201)
    expect(total('brought w')).toBe(0)
    expect(total('x')).toBe(0)
    expect(logs(segments, { where: [[{ field: 'log', words: 'w' }]] })).toEqual(['took w\n'])
  })

  it('hold what was there before a restart', () => {
    const first = open()
    first.append([line('2026-01-01T00:00:00Z', 'old')])
    first.close()

    const second = open()
    second.append([line('2026-01-01T00:00:00Z', 'new')])

    expect(logs(second)).toHaveLength(2)
    expect(
      logs(second, { readable: [{ field: 'kubernetes.namespace_name', is: 'n', since: undefined }] }),
    ).toHaveLength(2)
  })

  it('are searched together, in order of time, also where their times overlap', () => {
    const segments = open({ segmentBytes: 1 })
    for (const day of ['03', '01', '04', '02']) segments.append([line(`2026-01-${day}T00:00:00Z`, day)])

    expect(segments.files).toBe(4)
    expect(logs(segments)).toEqual(['04', '03', '02', '01'])
    expect(logs(segments, {}, { offset: 1, limit: 2, order: 'asc' })).toEqual(['02', '03'])
    expect(segments.histogram(EVERYTHING, '1d').buckets).toHaveLength(4)
    expect(segments.statistics(EVERYTHING)).toEqual({ total: 4, distinct: 1 })
  })

  it('are streamed without leaving out or repeating what has the same time in several', () => {
    const segments = open({ segmentBytes: 1 })
    for (let i = 0; i < 7; i++) segments.append([line('2026-01-01T00:00:00Z', String(i))])

    const all: unknown[] = []
    let after: ReturnType<Segments['portion']>['after']
    do {
      const portion = segments.portion(EVERYTHING, 2, after)
      all.push(...portion.documents.map(({ log }) => log))
      after = portion.after
    } while (after)

    expect(all.sort()).toEqual(['0', '1', '2', '3', '4', '5', '6'])
  })

  it('go when all in them is too old', () => {
    const segments = open({
      segmentBytes: 1,
      maxAgeMs: 86_400_000,
      now: () => Date.parse('2026-01-03T12:00:00Z'),
    })
    for (const day of ['01', '02', '03']) segments.append([line(`2026-01-${day}T20:00:00Z`, day)])

    expect(logs(segments)).toEqual(['03', '02'])
    expect(readdirSync(directory).filter((name) => name.endsWith('.db'))).toHaveLength(2)
  })

  it('go oldest first when there is too much', () => {
    const segments = open({ segmentBytes: 50_000, maxBytes: 200_000 })
    for (let i = 0; i < 60; i++) {
      const lines = Array.from({ length: 50 }, (_, k) =>
        line(new Date(1.77e12 + i * 1000).toISOString(), `line ${i} ${k} ${'x'.repeat(100)}`),
      )
      segments.append(lines)
    }

    expect(segments.sizeBytes).toBeLessThanOrEqual(400_000)
    expect(logs(segments, {}, { limit: 1 })).toEqual([`line 59 49 ${'x'.repeat(100)}`])
    expect(logs(segments, {}, { limit: 1, order: 'asc' })).not.toEqual([`line 0 0 ${'x'.repeat(100)}`])
  })

  it('hold no memory once they are full: a server under load grew by 8 MB with each', () => {
    const kib = 1024
    const residentMib = (): number => process.memoryUsage.rss() / kib / kib
    const segments = open({ segmentBytes: 10_000 * kib })
    const lines = Array.from({ length: 250 }, () => line('2026-01-01T00:00:00Z', 'x'.repeat(4 * kib)))
    const fill = (files: number): void => {
      while (segments.files < files) segments.append(lines)
    }
    fill(2)
    const before = residentMib()
    fill(10)

    expect(residentMib() - before).toBeLessThan(32)
  })

  it('that are full and gone when they are searched leave the others to answer', () => {
    const lost: string[] = []
    const segments = open({ segmentBytes: 1, onLost: (file) => void lost.push(file) })
    for (const day of ['01', '02', '03']) segments.append([line(`2026-01-${day}T00:00:00Z`, day)])
    expect(logs(segments)).toEqual(['03', '02', '01'])
    segments.append([line('2026-01-04T00:00:00Z', '04')])
    rmSync(join(directory, '00000002.db'))

    expect(logs(segments)).toEqual(['04', '03', '01'])
    expect(lost).toEqual([join(directory, '00000002.db')])
    expect(logs(segments)).toEqual(['04', '03', '01'])
  })

  it('that are damaged are set aside, and the others read', () => {
    const first = open({ segmentBytes: 1 })
    for (const day of ['01', '02']) first.append([line(`2026-01-${day}T00:00:00Z`, day)])
    first.close()
    writeFileSync(
      join(directory, '00000001.db'),
      'no database at all, but longer than a header of one'.repeat(20),
    )

    expect(logs(open())).toEqual(['02'])
    expect(readdirSync(directory)).toContain('00000001.db.damaged')
  })

  it('that turn out to be damaged while they are read are set aside, and the question is answered by the others', () => {
    const lost: string[] = []
    const lines = (day: string): Record<string, unknown>[] =>
      Array.from({ length: 2_000 }, (_, i) => line(`2026-01-${day}T00:00:00Z`, `${day} line ${i}`))
    const first = open({ segmentBytes: 1 })
    for (const day of ['01', '02']) first.append(lines(day))
    first.close()
    const path = join(directory, '00000001.db')
    const bytes = readFileSync(path)
    writeFileSync(path, bytes.fill(0x5a, 4096 * 12))

    const segments = open({ onLost: (file) => void lost.push(file) })

    expect(segments.statistics({ ...EVERYTHING, where: [[{ field: 'log', prefix: 'line 1' }]] }).total).toBe(
      1_111,
    )
    expect(lost).toEqual([path])
    expect(readdirSync(directory)).toContain('00000001.db.damaged')
    expect(logs(segments)).toHaveLength(10)
  })

  it('that are damaged are followed by a new one, and kept no longer than records', () => {
    let now = Date.parse('2026-01-03T00:00:00Z')
    const options = { maxAgeMs: 86_400_000, now: () => now }
    writeFileSync(join(directory, '00000004.db'), 'no database at all, but longer'.repeat(50))
    const segments = open(options)
    segments.append([line('2026-01-02T12:00:00Z', 'after')])
    segments.close()
    expect(readdirSync(directory)).toEqual(expect.arrayContaining(['00000004.db.damaged', '00000005.db']))

    now = Date.now() + 2 * 86_400_000
    open(options).append([line(new Date(now).toISOString(), 'later')])

    expect(readdirSync(directory)).not.toContain('00000004.db.damaged')
  })

  it('take in what happened long ago without a file for each batch', () => {
    const segments = open({ now: () => Date.parse('2026-03-01T00:00:00Z') })
    for (let i = 0; i < 5; i++) segments.append([line('2026-01-01T00:00:00Z', String(i))])

    expect(segments.files).toBe(1)
  })

  it('are of at most a day', () => {
    let now = Date.parse('2026-01-01T00:00:00Z')
    const segments = open({ now: () => now })
    for (let hour = 0; hour < 72; hour += 6) {
      segments.append([line(new Date(now).toISOString(), String(hour))])
      now += 6 * 3_600_000
    }

    expect(segments.files).toBeGreaterThanOrEqual(3)
    expect(segments.statistics(EVERYTHING).total).toBe(12)
  })

  it('lose nothing but the batch that could not be written', () => {
    const segments = open()
    segments.append([line('2026-01-01T00:00:00Z', 'before')])
    const broken = line('2026-01-01T00:00:01Z', 'x')
    Object.defineProperty(broken, 'log', {
      get: () => {
        throw new Error('no more')
      },
    })
    const other = { ...line('2026-01-01T00:00:02Z', 'of another pod'), kubernetes: { pod_name: 'q' } }

    expect(() => segments.append([other, broken])).toThrow('no more')
    segments.append([other])

    expect(logs(segments)).toEqual(['of another pod', 'before'])
  })

  it('give no answer that would fill the memory, and stream what is large in smaller portions', () => {
    const segments = open()
    const large = 'x'.repeat(5 * 1024 * 1024)
    for (let i = 0; i < 10; i++) segments.append([line(`2026-01-01T00:00:0${i}Z`, large)])

    expect(logs(segments, {}, { limit: 3 })).toHaveLength(3)
    expect(() => logs(segments)).toThrow(/ask for fewer/)
    const first = segments.portion(EVERYTHING, 100, undefined)
    const second = segments.portion(EVERYTHING, 100, first.after)
    expect(first.documents.length + second.documents.length).toBe(10)
    expect(second.after).toBeUndefined()
  })

  it('count by minutes what they count by records', () => {
    const segments = open({ segmentBytes: 200_000 })
    const random = randomFrom(7)
    const start = Date.parse('2026-01-01T00:00:30Z')
    const span = 3 * 3_600_000
    const somewhen = (): number => start + Math.floor(random() * span)
    for (let batch = 0; batch < 20; batch++)
      segments.append(
        Array.from({ length: 100 }, () => ({
          ...line(new Date(somewhen()).toISOString(), 'x'),
          kubernetes: { namespace_name: `n${Math.floor(random() * 30)}`, docker_id: `d${batch % 3}` },
        })),
      )

    for (let i = 0; i < 60; i++) {
      const places = Array.from({ length: 1 + Math.floor(random() * 5) }, () => ({
        field: 'kubernetes.namespace_name',
        is: `n${Math.floor(random() * 30)}`,
        since: random() < 0.3 ? undefined : new Date(somewhen()),
      }))
      const [a, b] = [somewhen(), somewhen()].sort((one, other) => one - other) as [number, number]
      const query: RecordQuery = {
        readable: i % 3 === 0 ? 'everything' : places,
        where: i % 4 === 0 ? [[{ field: 'kubernetes.docker_id', is: 'd1' }]] : [],
        ...(i % 5 > 0 && { from: new Date(a) }),
        ...(i % 5 > 1 && { to: new Date(i % 7 === 0 ? a + 40_000 : b) }),
      }
      // Words are looked for in the records; all of these have this one.
      const bySearching = { ...query, where: [...query.where, [{ field: 'log', prefix: 'x' }]] }

      expect(segments.statistics(query)).toEqual(segments.statistics(bySearching))
      expect(segments.histogram(query, '7m')).toEqual(segments.histogram(bySearching, '7m'))
      const page = (asked: RecordQuery): unknown => segments.page(asked, { ...PAGE, offset: i % 3, limit: 7 })
      expect(page(query)).toEqual(page(bySearching))
    }
  })

  it('give no page beyond the first ten thousand records', () => {
    expect(() => logs(open(), {}, { offset: 10_000 })).toThrow(/from \+ size/)
  })
})

/** The same numbers each time. */
function randomFrom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648
    return state / 2_147_483_648
  }
}

describe('the thread of the embedded store', () => {
  it('is there only while it is needed', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'orrery-records-'))
    const store = new EmbeddedRecords({ directory, retention, idleMs: 1 })
    expect(store.isAwake).toBe(false)

    expect((await store.logs.page(EVERYTHING, PAGE)).total).toBe(0)
    await expect.poll(() => store.isAwake).toBe(false)
    expect((await store.logs.page(EVERYTHING, PAGE)).total).toBe(0)

    await store.close()
    await expect(store.logs.page(EVERYTHING, PAGE)).rejects.toMatchObject({ code: 503 })
    rmSync(directory, { recursive: true })
  })

  it('says which file is gone, and not that it has kept it', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'orrery-records-'))
    const said: unknown[] = []
    const logger = { ...silent, error: (...all: unknown[]) => void said.push(all) }
    const small = { ...FOREVER, maxBytes: 2 ** 20 }
    const store = new EmbeddedRecords({
      directory,
      retention: { logs: small, events: small, audits: small },
      logger,
    })
    const lines = Array.from({ length: 40 }, () => ({ log: 'x'.repeat(4_096), time: '2026-01-01T00:00:00Z' }))
    await store.logs.append(lines)
    await store.logs.append(lines)
    const file = join(directory, 'logs', '00000001.db')
    rmSync(file)

    expect((await store.logs.page(EVERYTHING, PAGE)).total).toBe(40)
    expect(said).toEqual([
      [expect.objectContaining({ file }), 'a file of records is gone, and the other files are served'],
    ])
    await store.close()
    rmSync(directory, { recursive: true })
  })

  it('answers no question whose asker has left, and refuses when too many wait', async () => {
    const store = new EmbeddedRecords({ directory: undefined, retention, limit: 2 })
    const first = store.logs.page(EVERYTHING, PAGE)
    const left = new AbortController()
    const second = store.logs.page(EVERYTHING, PAGE, left.signal)
    const third = expect(store.logs.page(EVERYTHING, PAGE)).rejects.toMatchObject({ code: 429 })
    left.abort(new Error('gone'))

    await expect(second).rejects.toThrow('gone')
    expect((await first).total).toBe(0)
    await third
    await store.close()
  })
})
