/**
 * The embedded store as it ships: compiled, with a thread of its own. The thread may be killed and the disk may be full;
 * what was stored stays readable, and what is lost is told.
 */
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { silent } from '../../src/client/log.js'
import { describeRecordStores } from '../../src/integrations/records/conformance.js'
import type * as Embedded from '../../src/integrations/records/embedded/index.js'

const COMPILED = new URL('../../dist/integrations/records/embedded/index.js', import.meta.url).href
const { EmbeddedRecords } = (await import(COMPILED)) as typeof Embedded

const FOREVER = { maxAgeMs: 1e12, maxBytes: 1e9 }
const retention = { logs: FOREVER, events: FOREVER, audits: FOREVER }
const EVERYTHING = { readable: 'everything', where: [] } as const
const PAGE = { offset: 0, limit: 10, order: 'desc' } as const
const line = (log: string): Record<string, unknown> => ({
  log,
  time: '2026-01-01T00:00:00Z',
  kubernetes: { namespace_name: 'n', pod_name: 'p', container_name: 'c', docker_id: 'd' },
})

let directory: string

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'orrery-thread-'))
})
afterEach(() => rmSync(directory, { recursive: true }))

describeRecordStores(
  'the embedded store in its thread',
  async () => new EmbeddedRecords({ directory: mkdtempSync(join(directory, 'store-')), retention }),
)

describe('a thread that dies', () => {
  /** Ends the thread that is asked next, before it can answer. */
  const kill = (): void => {
    vi.spyOn(Worker.prototype, 'postMessage').mockImplementationOnce(function (this: Worker) {
      void this.terminate()
    })
  }
  afterEach(() => void vi.restoreAllMocks())

  it('is started again, and those that ask meanwhile are told that the store is not available', async () => {
    const told: string[] = []
    let now = 0
    const logger = { ...silent, error: (_: object, message: string) => void told.push(message) }
    const store = new EmbeddedRecords({ directory, retention, logger, now: () => now })
    await store.logs.append([line('before')])

    for (let i = 0; i < 2; i++) {
      kill()
      await expect(store.logs.append([line('lost')])).rejects.toMatchObject({ code: 503 })
    }

    // It has died twice in a row, and rests.
    await expect(store.logs.page(EVERYTHING, PAGE)).rejects.toMatchObject({ code: 503 })
    expect(store.failures).toBe(2)
    expect(told).toContain('the record store has failed')
    now += 60_000
    await store.logs.append([line('after')])
    const { documents } = await store.logs.page(EVERYTHING, PAGE)
    expect(documents.map(({ log }) => log)).toEqual(['after', 'before'])
    await store.close()
  })

  it('while nobody asks is started again by the next question', async () => {
    const store = new EmbeddedRecords({ directory, retention })
    await store.logs.append([line('before')])
    const post = vi.spyOn(Worker.prototype, 'postMessage')
    expect((await store.logs.page(EVERYTHING, PAGE)).total).toBe(1)
    await (post.mock.contexts[0] as Worker).terminate()

    await expect.poll(() => store.failures).toBe(1)
    expect((await store.logs.page(EVERYTHING, PAGE)).total).toBe(1)
    await store.close()
  })
})

/** What the process below says, line by line. */
async function told(limitBlocks: number, script: string): Promise<string[]> {
  const file = join(directory, 'writer.mjs')
  writeFileSync(file, script)
  const child = spawn(
    'sh',
    ['-c', `trap '' XFSZ; ulimit -f ${limitBlocks}; exec "$0" "$1"`, process.execPath, file],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  )
  let out = ''
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()))
  await new Promise((resolve) => child.once('close', resolve))
  return out.trim().split('\n')
}

describe.skipIf(process.platform === 'win32')('a disk that takes no more', () => {
  it('keeps nobody from reading, and those that write are told what was lost', async () => {
    const script = `
      const { EmbeddedRecords } = await import(${JSON.stringify(COMPILED)})
      const keep = { maxAgeMs: 1e12, maxBytes: 1e9 }
      const store = new EmbeddedRecords({ directory: ${JSON.stringify(directory)}, retention: { logs: keep, events: keep, audits: keep } })
      const line = (log) => ({ log, time: '2026-01-01T00:00:00Z', kubernetes: { pod_name: 'p' } })
      let stored = 0, lost = 0
      for (let i = 0; i < 150; i++)
        await store.logs.append(Array.from({ length: 100 }, (_, k) => line('line ' + i + ' ' + k + ' ' + 'x'.repeat(100))))
          .then(() => stored += 100, () => lost += 100)
      const everything = { readable: 'everything', where: [] }
      const { total, documents } = await store.logs.page(everything, { offset: 0, limit: 1, order: 'desc' })
      console.log(JSON.stringify({ stored, lost, total, newest: documents.length, failures: store.failures }))
      await store.close()`

    const [answer = ''] = await told(2_000, script)

    const { stored, lost, total, newest, failures } = JSON.parse(answer) as Record<string, number>
    expect(lost).toBeGreaterThan(0)
    expect(stored).toBeGreaterThan(0)
    expect({ total, newest, failures }).toEqual({ total: stored, newest: 1, failures: 0 })
    // With room again, all of it is there.
    const store = new EmbeddedRecords({ directory, retention })
    await store.logs.append([line('later')])
    expect((await store.logs.page(EVERYTHING, PAGE)).total).toBe((stored ?? 0) + 1)
    await store.close()
  })
})
