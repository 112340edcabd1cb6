import {
  closeSync,
  mkdtempSync,
  openSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { firing } from '../../../test/fixtures/channeljob.js'
import { type Logger, SILENT } from '../../serving/log.js'
import { openJournal } from './opening.js'

let directory: string
let file: string
let said: string[]
let logger: Logger

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'orrery-journal-'))
  file = join(directory, 'journal.db')
  said = []
  logger = { ...SILENT, error: (_: object, text: string) => void said.push(text) }
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

async function fill(count: number): Promise<void> {
  const journal = openJournal(file, logger)
  await journal.accept(
    Array.from({ length: count }, (_, n) => ({
      share: 'team',
      alert: firing(`A${n}`, { annotations: { message: 'x'.repeat(500) } }),
    })),
  )
  journal.close()
}

describe('a journal', () => {
  it('in order is opened as it is', async () => {
    await fill(3)

    const journal = openJournal(file, logger)

    expect([journal.waiting(), said]).toEqual([3, []])
    journal.close()
  })

  it('with a damaged page is moved aside, and what can be read of it is not lost', async () => {
    await fill(2_000)
    const size = statSync(file).size
    const handle = openSync(file, 'r+')
    writeSync(handle, Buffer.alloc(8 * 4_096, 0xa5), 0, 8 * 4_096, Math.floor(size / 2 / 4_096) * 4_096)
    closeSync(handle)

    const journal = openJournal(file, logger)

    expect(said).toEqual([expect.stringContaining('damaged')])
    expect(journal.waiting()).toBeGreaterThan(1_000)
    expect(journal.waiting()).toBeLessThan(2_000)
    expect(journal.take(10)).toHaveLength(10)
    expect(readdirSync(directory).some((name) => name.startsWith('journal.db.damaged-'))).toBe(true)
    await journal.accept([{ share: 'team', alert: firing('New') }])
    journal.close()
  })

  it('that is no database at all is moved aside, and a new one is begun', async () => {
    writeFileSync(file, 'this was a disk once '.repeat(1_000))

    const journal = openJournal(file, logger)

    expect([journal.waiting(), said.length]).toEqual([0, 1])
    await journal.accept([{ share: 'team', alert: firing('New') }])
    expect(journal.waiting()).toBe(1)
    journal.close()
    expect(openJournal(file, logger).waiting()).toBe(1)
  })
})
