import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough, Readable, Writable } from 'node:stream'
import { gunzipSync, gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { exportStorage, importStorage, InvalidArchive } from './archive.js'
import { plain } from './conformance.js'
import { openFileStorage } from './file/index.js'
import { type Storage } from './interface.js'
import { createMemoryStorage } from './memory/index.js'

const put = (storage: Storage, key: string, value: string) => storage.put(key, () => Buffer.from(value))

const contents = (storage: Storage) =>
  storage.list('').items.map((entry) => ({ ...plain(entry), value: entry.value.toString() }))

describe('an archive', () => {
  it('carries every entry with its revisions to another kind of store', async () => {
    const source = createMemoryStorage()
    for (let i = 0; i < 3_000; i++) await put(source, `/registry/pods/${i}`, `${i} `.repeat(100))
    await put(source, '/registry/pods/7', 'changed')
    await source.delete('/registry/pods/8', () => Buffer.from(''))
    const directory = await mkdtemp(join(tmpdir(), 'orrery-archive-'))
    const target = await openFileStorage({ directory })

    const pipe = new PassThrough()
    const [exported, imported] = await Promise.all([exportStorage(source, pipe), importStorage(pipe, target)])
    expect([exported, imported]).toEqual([2_999, 2_999])
    await target.close()

    const reopened = await openFileStorage({ directory })
    expect(contents(reopened)).toEqual(contents(source))
    expect((await put(reopened, '/a', 'x')).modRevision).toBe(source.revision + 1)
    await reopened.close()
    await rm(directory, { recursive: true })
  })

  it('shows the moment it was begun, though writes go on', async () => {
    const source = createMemoryStorage({ history: { maxEvents: 1 } })
    for (let i = 0; i < 2_000; i++) await put(source, `/k/${i}`, 'x'.repeat(1_000))
    const { revision } = source
    const slow = new PassThrough({ highWaterMark: 1_000 })
    const exporting = exportStorage(source, slow)
    for (let i = 0; i < 2_000; i++) await put(source, `/k/${i}`, 'new')

    const target = createMemoryStorage()
    await Promise.all([exporting, importStorage(slow, target)])
    expect(target.revision).toBe(revision)
    expect(target.get('/k/1999')?.value.length).toBe(1_000)
  })

  it('is refused whole when it is cut short, changed, or something else', async () => {
    const source = createMemoryStorage()
    for (const key of ['/a', '/b', '/c']) await put(source, key, `value of ${key}`)
    const archive = await bytesOf(source)
    const plain = gunzipSync(archive)
    const wrong: Buffer[] = [Buffer.from('no archive'), Buffer.alloc(0), gzipSync('{}')]
    for (let length = 0; length < archive.length; length++) wrong.push(archive.subarray(0, length))
    for (let length = 0; length < plain.length; length++) wrong.push(gzipSync(plain.subarray(0, length)))
    for (let at = 0; at < plain.length; at++) {
      const flipped = Buffer.from(plain)
      flipped[at]! ^= 1 << (at % 8)
      wrong.push(gzipSync(flipped))
    }

    const target = createMemoryStorage()
    for (const bytes of wrong) {
      await expect(importStorage(Readable.from([bytes]), target)).rejects.toBeInstanceOf(InvalidArchive)
    }
    expect(target.count('')).toBe(0)
    expect(target.revision).toBe(1)
    await importStorage(Readable.from([archive]), target)
    expect(target.count('')).toBe(3)
  })

  it('fails with the error of its stream, and stops when told to', async () => {
    const source = createMemoryStorage()
    await put(source, '/a', 'x')
    const full = new Writable({ write: (_chunk, _encoding, done) => done(new Error('no space')) })
    await expect(exportStorage(source, full)).rejects.toThrow('no space')
    const silent = new PassThrough()
    const importing = importStorage(silent, createMemoryStorage(), AbortSignal.timeout(5))
    await expect(importing).rejects.toMatchObject({ name: 'TimeoutError' })
  })
})

async function bytesOf(storage: Storage): Promise<Buffer> {
  const chunks: Buffer[] = []
  const sink = new Writable({
    write(chunk: Buffer, _encoding, done) {
      chunks.push(chunk)
      done()
    },
  })
  await exportStorage(storage, sink)
  return Buffer.concat(chunks)
}
