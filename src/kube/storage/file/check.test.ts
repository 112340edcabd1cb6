import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { checkStore } from './check.js'
import { openFileStorage } from './index.js'
import { readStore } from './reading.js'

let directory: string
beforeEach(() => (directory = mkdtempSync(join(tmpdir(), 'orrery-check-'))))
afterEach(() => rmSync(directory, { recursive: true, force: true }))

async function filled(writes: number): Promise<void> {
  const storage = await openFileStorage({ directory, minLogBytes: 20_000 })
  for (let i = 0; i < writes; i++) await storage.put(`/k${i % 50}`, () => Buffer.alloc(700, 1 + (i % 250)))
  await storage.close()
}

const lastLog = (): string =>
  join(
    directory,
    readdirSync(directory)
      .filter((name) => name.startsWith('log-'))
      .sort()
      .at(-1) ?? '',
  )

describe('checking a store', () => {
  it('tells of a sound one, with what a start would find', async () => {
    await filled(120)

    const { files, state, refusal } = await checkStore(directory)

    expect(files.flatMap(({ damage }) => damage)).toEqual([])
    expect(files.map(({ kind }) => kind)).toContain('snapshot')
    expect(refusal).toBeUndefined()
    expect(state).toEqual({ revision: 121, count: 50 })
  })

  it('finds every changed bit, wherever it is, and goes on behind it', async () => {
    await filled(120)
    const seed = Number(process.env.ORRERY_TEST_SEED ?? Date.now() % 1_000_000)
    let state = seed
    const random = (below: number): number => {
      state = (state * 1_103_515_245 + 12_345) % 2_147_483_648
      return Math.floor((state / 2_147_483_648) * below)
    }
    const names = readdirSync(directory).filter((name) => /^(log|snapshot)-/.test(name))
    for (let round = 0; round < 150; round++) {
      const path = join(directory, names[random(names.length)] ?? '')
      const before = readFileSync(path)
      const after = Buffer.from(before)
      const at = random(after.length)
      after.writeUInt8(after.readUInt8(at) ^ (1 << random(8)), at)
      writeFileSync(path, after)

      const { files, state: found, refusal } = await checkStore(directory)
      const about = `seed ${seed}, round ${round}, byte ${at} of ${path}`
      const damaged = files.filter(({ damage }) => damage.length > 0)
      expect(
        damaged.map(({ name }) => join(directory, name)),
        about,
      ).toEqual([path])
      const [damage] = damaged[0]?.damage ?? []
      expect(damage && damage.offset <= at, about).toBe(true)
      if (found) expect(found, about).toEqual({ revision: 121, count: 50 })
      else expect(refusal, about).toContain('is damaged at offset')
      writeFileSync(path, before)
    }
  })

  it('takes a log cut off at any byte for unfinished, and changes nothing', async () => {
    const storage = await openFileStorage({ directory })
    for (let i = 0; i < 6; i++) await storage.put(`/k${i}`, () => Buffer.alloc(40, i))
    await storage.close()
    const path = lastLog()
    const whole = readFileSync(path)

    for (let length = whole.length - 1; length >= 0; length--) {
      truncateSync(path, length)
      const { files, state } = await checkStore(directory)
      expect(files[0]?.damage, `${length} bytes`).toEqual([])
      expect(state?.count, `${length} bytes`).toBe(files[0]?.records)
      expect(statSync(path).size).toBe(length)
    }
  })
})

describe('reading a store that is in use', () => {
  it('finds a whole state at any moment, with all that was acknowledged before', async () => {
    const storage = await openFileStorage({ directory, minLogBytes: 20_000 })
    try {
      let acknowledged = 0
      let isDone = false
      const writing = (async () => {
        for (let i = 0; i < 500; i++) {
          await storage.put(`/k${i % 40}`, () => Buffer.alloc(500, i % 251))
          acknowledged = storage.revision
        }
        isDone = true
      })()
      let reads = 0
      while (!isDone) {
        const least = acknowledged
        const { revision, count, runs } = await readStore(directory)
        expect(revision).toBeGreaterThanOrEqual(least)
        const keys = Array.from(runs).flatMap((run) => run.map(({ key }) => key))
        expect(keys).toHaveLength(count)
        expect(keys).toHaveLength(Math.min(revision - 1, 40))
        reads++
      }
      await writing
      expect(reads).toBeGreaterThan(0)
    } finally {
      await storage.close()
    }
  })
})
