/**
 * The platform's own store of log lines, in its thread: how fast it takes lines in, and what the questions of a
 * console cost (a page of the newest and a histogram), with five million lines of 200 pods and one day.
 */
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { EmbeddedRecords } from '../src/integrations/records/embedded/index.js'
import {
  type JsonDocument,
  type Match,
  type ReadablePlace,
  type RecordQuery,
} from '../src/integrations/records/interface.js'
import { type Report, row } from './_report.js'

const DAY_MS = 86_400_000
const FIRST = Date.parse('2026-11-27T00:00:00Z')
const PODS = 200
const NAMESPACES = 20
const BATCH = 1_000
const TIMES = 3
const FOREVER = { maxAgeMs: 1e12, maxBytes: 8 * 2 ** 30 }
const WORDS =
  'GET POST order customer cart checkout payment shipped stock cache miss hit retry timeout user'.split(' ')

export const run = (report: Report): Promise<void> => measure(report, 5_000_000)
export const smoke = (report: Report): Promise<void> => measure(report, 100_000)

async function measure(report: Report, lines: number): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'orrery-bench-'))
  const store = new EmbeddedRecords({
    directory,
    retention: { logs: FOREVER, events: FOREVER, audits: FOREVER },
  })
  const begun = process.cpuUsage()
  const start = performance.now()
  for (let from = 0; from < lines; from += BATCH)
    await store.logs.append(Array.from({ length: BATCH }, (_, i) => line(from + i, lines)))
  const taken = process.cpuUsage(begun)
  const cpuSeconds = (taken.user + taken.system) / 1e6
  const perSecond = lines / cpuSeconds
  report.add({
    id: 'records-ingest',
    name: `lines taken in, of ${lines.toLocaleString('en')}`,
    cells: {
      'lines/CPU s': Math.round(perSecond),
      'lines/s': Math.round(lines / ((performance.now() - start) / 1_000)),
      'bytes/line': Math.round(sizeOf(join(directory, 'logs')) / lines),
    },
    target: '≥ 20,000 lines/CPU s',
    isMet: perSecond >= 20_000,
    isLost: perSecond < 2_000,
  })

  const noon = new Date(FIRST + DAY_MS / 2)
  const places: ReadablePlace[] = [3, 7, 11].map((n) => ({
    field: 'kubernetes.namespace_name',
    is: `project-${n}`,
    since: new Date(FIRST + 3_600_000),
  }))
  const cases: Record<string, [RecordQuery, string]> = {
    'phrase with histogram': [everything({ field: 'log', prefix: 'connection refused by' }), '15m'],
    '… within three projects': [
      { readable: places, where: [[{ field: 'log', prefix: 'connection refused by' }]] },
      '15m',
    ],
    'word with histogram': [everything({ field: 'log', prefix: 'checkout' }), '15m'],
    'prefix of one digit with histogram': [everything({ field: 'log', prefix: '1' }), '15m'],
    'three projects with histogram': [{ readable: places, where: [] }, '15m'],
    'everything with histogram': [everything(), '15m'],
    'half a day with histogram': [{ ...everything(), from: noon }, '30m'],
    'an hour with histogram': [{ ...everything(), from: new Date(FIRST + DAY_MS - 3_600_000) }, '1m'],
  }
  for (const [name, [query, interval]] of Object.entries(cases)) {
    const asked = performance.now()
    let before = process.cpuUsage()
    const cpuMs: number[] = []
    for (let i = 0; i < TIMES; i++) {
      await store.logs.page(query, { offset: 0, limit: 10, order: 'desc' })
      await store.logs.histogram(query, interval)
      const { user, system } = process.cpuUsage(before)
      cpuMs.push((user + system) / 1_000)
      before = process.cpuUsage()
    }
    const wallMs = (performance.now() - asked) / TIMES
    const [best = 0] = cpuMs.sort((a, b) => a - b)
    const id = `records-${name.replaceAll(/\W+/g, '-')}`
    const isBounded = !name.startsWith('prefix') // Half of all words begin so.
    const added = row(id, name, { value: best, unit: 'ms CPU', ...(isBounded && { atMost: 1_000 }) })
    report.add({ ...added, cells: { ...added.cells, 'ms by the clock': Math.round(wallMs) } })
  }
  const rss = process.memoryUsage().rss / 2 ** 20
  report.add(row('records-memory', 'resident, of the whole process', { value: rss, unit: 'MB' }))
  await store.close()
  rmSync(directory, { recursive: true, force: true })
}

function everything(...where: Match[]): RecordQuery {
  return { readable: 'everything', where: where.map((match) => [match]) }
}

/** 90 bytes of plausible text; one in two hundred has the phrase that is looked for. */
function line(i: number, of: number): JsonDocument {
  const pod = (i * 7919) % PODS
  const word = (step: number): string => WORDS[(i * step + ((i / 13) | 0)) % WORDS.length] ?? ''
  const text =
    i % 200 === 17
      ? `ERROR connection refused by upstream 10.0.${pod}.${i % 250} while ${word(3)} ${word(5)} id=${i}\n`
      : `INFO ${word(1)} ${word(3)} ${word(5)} took ${i % 977} ms for id=${i} trace=${(i * 2654435761) % 2 ** 32}\n`
  return {
    log: text,
    time: new Date(FIRST + Math.floor((i / of) * DAY_MS)).toISOString(),
    kubernetes: {
      namespace_name: `project-${pod % NAMESPACES}`,
      pod_name: `web-${pod}-7d9f8c6b5-x2x4z`,
      container_name: 'main',
      docker_id: `id-${pod}`,
    },
  }
}

function sizeOf(directory: string): number {
  return readdirSync(directory).reduce((sum, name) => sum + statSync(join(directory, name)).size, 0)
}
