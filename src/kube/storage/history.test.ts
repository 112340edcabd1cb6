import { describe, expect, it } from 'vitest'
import { type HistoryLimits } from './history.js'
import { createMemoryStorage } from './memory/index.js'

const written = async (limits: Partial<HistoryLimits>, writes: number, bytes: number) => {
  const storage = createMemoryStorage({ history: limits })
  for (let i = 0; i < writes; i++) await storage.put('/a', () => Buffer.alloc(bytes))
  return storage
}

describe('history', () => {
  it('keeps no more events than its limit', async () => {
    const storage = await written({ maxEvents: 10 }, 5_000, 10)
    expect(storage.revision - storage.oldestRevision).toBe(10)
    expect(storage.getAt('/a', storage.oldestRevision)?.modRevision).toBe(storage.oldestRevision)
  })

  it('keeps no more bytes of replaced values than its limit', async () => {
    const storage = await written({ maxBytes: 1_000_000 }, 300, 10_000)
    const kept = storage.revision - storage.oldestRevision
    expect(kept).toBeGreaterThan(80)
    expect(kept).toBeLessThanOrEqual(100)
  })

  it('does not count values that are still current', async () => {
    const storage = createMemoryStorage({ history: { maxBytes: 1_000_000 } })
    for (let i = 0; i < 300; i++) await storage.put(`/${i}`, () => Buffer.alloc(10_000))
    expect(storage.revision - storage.oldestRevision).toBe(300)
  })
})
