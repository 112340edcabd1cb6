import { describe, expect, it } from 'vitest'
import { type Storage, Unwritable } from '../interface.js'
import { openUnlocked } from './index.js'
import { SimulatedDisk } from './simulateddisk.js'

const open = (disk: SimulatedDisk, minLogBytes = Infinity) =>
  openUnlocked({ directory: '/disk', fileSystem: disk, minLogBytes })
const put = (storage: Storage, key: string, value = key) => storage.put(key, () => Buffer.from(value))

describe('a store whose disk fails', () => {
  it('rejects what is on its way, goes on reading, and writes again when there is space', async () => {
    const disk = new SimulatedDisk()
    const storage = await open(disk)
    await put(storage, '/a', 'before')
    const { revision } = storage

    disk.freeBytes = 100
    const refused = await Promise.allSettled([put(storage, '/a', 'x'.repeat(500)), put(storage, '/b')])
    const still = await Promise.allSettled([put(storage, '/c', 'y'.repeat(500))])

    for (const result of [...refused, ...still]) {
      expect(result).toMatchObject({ status: 'rejected', reason: expect.any(Unwritable) as unknown })
    }
    expect(storage.revision).toBe(revision)
    expect(storage.get('/a')?.value.toString()).toBe('before')
    expect(storage.head('/a')?.value.toString()).toBe('before')
    expect(storage.head('/b')).toBeUndefined()

    disk.freeBytes = Infinity
    expect((await put(storage, '/a', 'after')).modRevision).toBe(revision + 1)
    await storage.close()
    const again = await open(disk)
    expect(again.list('').items.map(({ key, value }) => `${key}=${value.toString()}`)).toEqual(['/a=after'])
    await again.close()
  })

  it('does not bring a rejected write back whose sync failed after it was written', async () => {
    const disk = new SimulatedDisk()
    const storage = await open(disk)
    await put(storage, '/a', 'kept')
    disk.goodSyncs = 0
    await expect(put(storage, '/a', 'rejected')).rejects.toBeInstanceOf(Unwritable)
    disk.goodSyncs = Infinity
    const { modRevision } = await put(storage, '/b', 'accepted under the same revision')

    // The failed batch is in the old log completely; its truncation did not reach the disk.
    const after = disk.crash(() => 0.999999)
    const again = await open(after)

    expect(again.revision).toBe(modRevision)
    expect(again.get('/a')?.value.toString()).toBe('kept')
    expect(again.get('/b')?.modRevision).toBe(modRevision)
    await again.close()
  })
})
