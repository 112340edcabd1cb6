import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { watched } from '../conformance.js'
import { type Storage } from '../interface.js'
import { type StorageLogger } from '../mvcc.js'
import { Corrupted, openFileStorage } from './index.js'

let root: string
let count = 0
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'orrery-recovery-'))
})
afterAll(() => rm(root, { recursive: true, force: true }))

const fresh = () => join(root, String(count++))
const put = (storage: Storage, key: string, value = key) => storage.put(key, () => Buffer.from(value))
const content = (storage: Storage) =>
  storage.list('').items.map(({ key, value }) => `${key}=${value.toString()}`)

describe('opening a store again', () => {
  it('finds entries, revisions and the history of before', async () => {
    const directory = fresh()
    const first = await openFileStorage({ directory })
    await put(first, '/a', '1')
    const { modRevision } = await put(first, '/a', '2')
    await put(first, '/b')
    await first.delete('/b', () => Buffer.from('last'))
    const { revision } = first
    await first.close()

    const second = await openFileStorage({ directory })
    const watch = watched(second, '', modRevision - 1)
    await put(second, '/c')

    expect(second.revision).toBe(revision + 1)
    expect(second.get('/a')).toMatchObject({ createRevision: modRevision - 1, modRevision })
    expect(second.getAt('/a', modRevision - 1)?.value.toString()).toBe('1')
    expect(watch.seen.map(({ type, key, value }) => `${type} ${key} ${value.toString()}`)).toEqual([
      'put /a 2',
      'put /b /b',
      'delete /b last',
      'put /c /c',
    ])
    expect(watch.seen[0]?.previous?.value.toString()).toBe('1')
    await second.close()
  })

  it('goes on at the same revision when nothing but deletions are left', async () => {
    const directory = fresh()
    const first = await openFileStorage({ directory, minLogBytes: 1 })
    for (let i = 0; i < 20; i++) {
      await put(first, '/a')
      await first.delete('/a', () => Buffer.from('x'))
    }
    const { revision } = first
    await first.close()

    const second = await openFileStorage({ directory })
    expect(second.revision).toBe(revision)
    expect(second.count('')).toBe(0)
    await second.close()
  })

  it('replaces a log by a snapshot while writes go on, and removes what is obsolete', async () => {
    const directory = fresh()
    const lines: string[] = []
    const logger: StorageLogger = { ...silent, info: (_, message) => lines.push(message) }
    const first = await openFileStorage({ directory, minLogBytes: 100_000, logger })
    const value = 'x'.repeat(2_000)
    for (let i = 0; i < 60; i++) {
      await Promise.all(Array.from({ length: 10 }, (_, j) => put(first, `/k${j}`, `${i} ${value}`)))
    }
    await first.close()

    expect(lines.filter((line) => line === 'log compacted').length).toBeGreaterThan(2)
    const names = await readdir(directory)
    expect(names.filter((name) => name.startsWith('snapshot'))).toHaveLength(1)
    expect(names.filter((name) => name.startsWith('log')).length).toBeLessThanOrEqual(2)
    const second = await openFileStorage({ directory })
    expect(second.revision).toBe(601)
    expect(content(second)).toEqual(Array.from({ length: 10 }, (_, j) => `/k${j}=59 ${value}`))
    await second.close()
  })

  it('expires watches from before the snapshot it begins with', async () => {
    const directory = fresh()
    const first = await openFileStorage({ directory })
    await first.load([{ key: '/a', value: Buffer.from('a'), createRevision: 4, modRevision: 9 }], 50)
    await first.close()

    const second = await openFileStorage({ directory })
    expect(second.revision).toBe(50)
    expect(second.oldestRevision).toBe(50)
    expect(() => watched(second, '', 49)).toThrow('compacted')
    expect((await put(second, '/b')).modRevision).toBe(51)
    await second.close()
  })

  it('refuses a format version that it does not know', async () => {
    const directory = fresh()
    const storage = await openFileStorage({ directory })
    await put(storage, '/a')
    await storage.close()
    const log = await logOf(directory)
    const bytes = await readFile(log)
    bytes.writeUInt32BE(7, 8)
    bytes.writeUInt32BE(crc32(bytes.subarray(0, 28)), 28)
    await writeFile(log, bytes)

    await expect(openFileStorage({ directory })).rejects.toThrow(/log-0+1: format version 7 is not supported/)
  })

  it('says which revisions are missing when a file was removed', async () => {
    const directory = fresh()
    const storage = await openFileStorage({ directory })
    await storage.load([{ key: '/a', value: Buffer.from('a'), createRevision: 4, modRevision: 9 }], 50)
    await put(storage, '/b')
    await storage.close()
    await rm(
      join(
        directory,
        (await readdir(directory)).find((name) => name.startsWith('snapshot'))!,
      ),
    )

    await expect(openFileStorage({ directory })).rejects.toThrow(/log-0+1 .*: revisions 2 to 50 are missing/)
  })
})

describe('a log that a crash left unfinished', () => {
  it('is cut off at the last whole batch, whatever the length, with a line in the log', async () => {
    const directory = fresh()
    const storage = await openFileStorage({ directory })
    await put(storage, '/a')
    await put(storage, '/b')
    const log = await logOf(directory)
    const whole = (await stat(log)).size
    await put(storage, '/c', 'c'.repeat(50))
    await storage.close()
    const bytes = await readFile(log)

    for (let length = whole + 1; length < bytes.length; length++) {
      const copy = await directoryWith(log, bytes.subarray(0, length))
      const warnings: object[] = []
      const opened = await openFileStorage({
        directory: copy,
        logger: { ...silent, warn: (fields) => warnings.push(fields) },
      })
      expect(content(opened)).toEqual(['/a=/a', '/b=/b'])
      expect((await put(opened, '/d')).modRevision).toBe(4)
      await opened.close()
      expect(warnings).toMatchObject([{ offset: whole, bytes: length - whole }])
      const again = await openFileStorage({ directory: copy })
      expect(content(again)).toEqual(['/a=/a', '/b=/b', '/d=/d'])
      await again.close()
    }
  })

  it('is cut off where a power failure left sectors unwritten', async () => {
    const directory = fresh()
    const storage = await openFileStorage({ directory })
    await put(storage, '/a')
    const log = await logOf(directory)
    const whole = (await stat(log)).size
    await put(storage, '/b', 'b'.repeat(5_000))
    await storage.close()
    const bytes = await readFile(log)

    for (const sector of [0, 1, 3, Math.floor(bytes.length / 512)]) {
      const torn = Buffer.from(bytes)
      torn.fill(0, Math.max(sector * 512, whole), Math.min((sector + 1) * 512, bytes.length))
      const opened = await openFileStorage({ directory: await directoryWith(log, torn) })
      expect(content(opened)).toEqual(['/a=/a'])
      await opened.close()
    }
  })

  it('is cut off where only the few bytes in its last sector were not written', async () => {
    for (const left of [1, 7, 31]) {
      const directory = fresh()
      const storage = await openFileStorage({ directory })
      await put(storage, '/a')
      const log = await logOf(directory)
      // As long as it takes to end that many bytes into a sector.
      const before = (await stat(log)).size
      await put(storage, '/b', '')
      const empty = (await stat(log)).size - before
      const length = 512 + ((left - (before + empty + empty)) % 512) + 512
      await put(storage, '/c', 'c'.repeat(length))
      await storage.close()
      const bytes = await readFile(log)
      expect(bytes.length % 512).toBe(left)
      const torn = Buffer.from(bytes)
      torn.fill(0, Math.floor((bytes.length - 1) / 512) * 512)

      const opened = await openFileStorage({ directory: await directoryWith(log, torn) })
      expect(content(opened)).toEqual(['/a=/a', '/b='])
      await opened.close()
    }
  })

  it('is begun anew when not even its header was written', async () => {
    const directory = fresh()
    const storage = await openFileStorage({ directory })
    await put(storage, '/a')
    await storage.close()
    for (const header of [Buffer.alloc(0), Buffer.alloc(20, 1), Buffer.alloc(32)]) {
      await writeFile(join(directory, 'log-0000000000000002'), header)
      const opened = await openFileStorage({ directory })
      expect(content(opened)).toEqual(['/a=/a'])
      await opened.close()
    }
    await writeFile(join(directory, 'snapshot.tmp'), 'half a snapshot')
    await (await openFileStorage({ directory })).close()
    expect(await readdir(directory)).not.toContain('snapshot.tmp')
  })
})

describe('a changed bit', () => {
  it('anywhere in a log is an error that names file and offset, and loses nothing', async () => {
    const directory = fresh()
    const storage = await openFileStorage({ directory })
    for (const key of ['/a', '/b', '/c']) await put(storage, key, `value of ${key}`)
    await storage.close()
    const log = await logOf(directory)
    const bytes = await readFile(log)

    for (let at = 0; at < bytes.length; at++) {
      const flipped = Buffer.from(bytes)
      flipped[at]! ^= 1 << (at % 8)
      const copy = await directoryWith(log, flipped)
      const error = await openFileStorage({ directory: copy }).then(
        () => undefined,
        (reason: unknown) => reason,
      )
      expect(error, `byte ${at}`).toBeInstanceOf(Corrupted)
      const { file, offset } = error as Corrupted
      expect(file).toBe(join(copy, 'log-0000000000000001'))
      expect(offset).toBeLessThanOrEqual(at)
      expect((error as Error).message).toContain(`${file} is damaged at offset ${offset}`)
      expect((await readFile(file)).equals(flipped)).toBe(true)
    }
  })

  it('anywhere in a snapshot is one too, and a shortened snapshot', async () => {
    const directory = fresh()
    const storage = await openFileStorage({ directory })
    await storage.load(
      ['/a', '/b', '/c'].map((key, i) => ({
        key,
        value: Buffer.from(key),
        createRevision: 1,
        modRevision: i + 1,
      })),
      3,
    )
    await storage.close()
    const snapshot = join(
      directory,
      (await readdir(directory)).find((name) => name.startsWith('snapshot'))!,
    )
    const bytes = await readFile(snapshot)

    for (let at = 0; at < bytes.length; at++) {
      const flipped = Buffer.from(bytes)
      flipped[at]! ^= 1 << (at % 8)
      await writeFile(snapshot, flipped)
      await expect(openFileStorage({ directory }), `byte ${at}`).rejects.toBeInstanceOf(Corrupted)
      await writeFile(snapshot, bytes.subarray(0, at))
      await expect(openFileStorage({ directory }), `length ${at}`).rejects.toBeInstanceOf(Corrupted)
    }
    await writeFile(snapshot, bytes)
    await (await openFileStorage({ directory })).close()
  })
})

const silent: StorageLogger = { info() {}, warn() {}, error() {} }

async function logOf(directory: string): Promise<string> {
  return join(
    directory,
    (await readdir(directory))
      .filter((name) => name.startsWith('log-'))
      .sort()
      .at(-1)!,
  )
}

async function directoryWith(log: string, bytes: Buffer): Promise<string> {
  const directory = fresh()
  await mkdir(directory)
  await writeFile(join(directory, log.slice(log.lastIndexOf('/') + 1)), bytes)
  return directory
}
