/**
 * The durable store: writes per second with real syncs at several numbers of concurrent writers, the time to
 * recover 50,000 entries from logs and from a snapshot, and what they cost in memory.
 */
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { openFileStorage } from '../src/kube/storage/file/index.js'

interface Row {
  what: string
  result: string
  cpu?: string
}

const VALUE_BYTES = 3 * 1024
const ENTRIES = 50_000
const WRITERS = [1, 32, 256]
const MEASURE_MS = 3_000

export async function run(): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'orrery-bench-storage-'))
  const rows: Row[] = []
  try {
    for (const writers of WRITERS) {
      const { perSecond, cpuMicros } = await measurePuts(join(directory, `puts-${writers}`), writers)
      rows.push({
        what: `durable puts of 3 KB, ${writers} at a time`,
        result: `${Math.round(perSecond)} /s`,
        cpu: `${cpuMicros.toFixed(0)} µs each`,
      })
    }
    rows.push(...(await measureRecovery(join(directory, 'recovery'))))
    console.table(rows)
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

async function measurePuts(
  directory: string,
  writers: number,
): Promise<{ perSecond: number; cpuMicros: number }> {
  const storage = await openFileStorage({ directory })
  const value = Buffer.alloc(VALUE_BYTES, 'x')
  const cpu = process.cpuUsage()
  const startedAt = performance.now()
  const until = startedAt + MEASURE_MS
  let writes = 0
  const writer = async (number: number) => {
    for (let i = 0; performance.now() < until; i++, writes++) {
      await storage.put(`/registry/pods/ns-${number}/pod-${i % 200}`, () => Buffer.from(value))
    }
  }
  await Promise.all(Array.from({ length: writers }, (_, number) => writer(number)))
  const seconds = (performance.now() - startedAt) / 1_000
  const { user, system } = process.cpuUsage(cpu)
  await storage.close()
  return { perSecond: writes / seconds, cpuMicros: (user + system) / writes }
}

async function measureRecovery(directory: string): Promise<Row[]> {
  await fillLog(directory)
  const fromLogMs = await compactLog(directory)

  const before = await usedBytes()
  const startedAt = performance.now()
  const storage = await openFileStorage({ directory })
  const fromSnapshotMs = performance.now() - startedAt
  const perEntry = ((await usedBytes()) - before) / ENTRIES

  const getMicros = microsEach(ENTRIES, (i) => storage.get(`/registry/pods/ns-${i % 100}/pod-${i}`))
  const pageMicros = microsEach(ENTRIES, (i) =>
    storage.list('/registry/pods/', { start: `/registry/pods/ns-${i % 100}/`, limit: 10 }),
  )
  await storage.close()
  return [
    { what: `open ${ENTRIES} entries from the log`, result: `${fromLogMs.toFixed(0)} ms` },
    { what: `open ${ENTRIES} entries from a snapshot`, result: `${fromSnapshotMs.toFixed(0)} ms` },
    {
      what: 'memory per entry of 3 KB, besides the value',
      result: `${Math.round(perEntry - VALUE_BYTES)} B`,
    },
    { what: 'get', result: `${getMicros.toFixed(2)} µs` },
    { what: 'page of 10 in the middle', result: `${pageMicros.toFixed(2)} µs` },
  ]
}

async function fillLog(directory: string): Promise<void> {
  const storage = await openFileStorage({ directory, minLogBytes: Infinity })
  for (let start = 0; start < ENTRIES; start += 500) {
    const writes = Array.from({ length: 500 }, (_, i) =>
      storage.put(`/registry/pods/ns-${(start + i) % 100}/pod-${start + i}`, () =>
        Buffer.alloc(VALUE_BYTES, String(i)),
      ),
    )
    await Promise.all(writes)
  }
  await storage.close()
}

/** Opens the log, has it replaced by a snapshot, and returns what opening took. */
async function compactLog(directory: string): Promise<number> {
  const startedAt = performance.now()
  const storage = await openFileStorage({ directory, minLogBytes: 1 })
  const openMs = performance.now() - startedAt
  // The log is larger than asked for, so the next write begins a snapshot.
  await storage.put('/registry/last', () => Buffer.from('x'))
  while (!(await readdir(directory)).some((name) => name.startsWith('snapshot-0'))) await sleep(20)
  await storage.close()
  return openMs
}

function microsEach(times: number, work: (i: number) => unknown): number {
  const startedAt = performance.now()
  for (let i = 0; i < times; i++) work(i)
  return ((performance.now() - startedAt) * 1_000) / times
}

async function usedBytes(): Promise<number> {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  // Buffers are freed behind a collection, not in it.
  for (let i = 0; i < 5; i++) {
    collect()
    await sleep(20)
  }
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}
