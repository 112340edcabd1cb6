import { describe, expect, it } from 'vitest'
import { MemoryTokenStore } from './memory-store.js'
import { tokenStoreSuite } from './store.suite.js'

let now = 1_000_000
tokenStoreSuite(
  () => new MemoryTokenStore(() => now),
  (ms) => {
    now += ms
  },
)

describe('the store in memory', () => {
  it('pushes out the oldest session of a user who logs in over and over', () => {
    const store = new MemoryTokenStore()
    for (let i = 0; i <= 1_000; i++) store.put('ann', `t${i}`, 60_000)
    store.put('bob', 't0', 60_000)

    expect(store.has('ann', 't0')).toBe(false)
    expect(store.has('ann', 't1000')).toBe(true)
    expect(store.has('bob', 't0')).toBe(true)
  })
})
