import { describe, expect, it } from 'vitest'
import { RecentlyMade } from './recent.js'

const KIB = 1024
const as = (bytes: Buffer): Buffer => bytes

describe('what was recently made', () => {
  it('is found by what it depends on', () => {
    const recent = new RecentlyMade<Buffer>()
    const kept = recent.keep('1 a', [Buffer.from('[1,'), Buffer.from('2]')], as)

    expect(kept.toString()).toBe('[1,2]')
    expect(recent.get('1 a')).toBe(kept)
    expect(recent.get('1 b')).toBeUndefined()
  })

  it('goes, the oldest first, before all take more than four megabytes', () => {
    const recent = new RecentlyMade<Buffer>()
    for (let i = 0; i < 30; i++) recent.keep(`${i}`, [Buffer.alloc(200 * KIB, i)], as)

    const left = Array.from({ length: 30 }, (_, i) => recent.get(`${i}`))
    expect(left.filter((bytes) => bytes !== undefined)).toHaveLength(20)
    expect(left.findIndex((bytes) => bytes !== undefined)).toBe(10)
    for (const [i, bytes] of left.entries()) expect(bytes?.every((byte) => byte === i) ?? true).toBe(true)
  })

  it('is not kept when one alone is large', () => {
    const recent = new RecentlyMade<Buffer>()
    const made = recent.keep('large', [Buffer.alloc(300 * KIB, 'x')], as)

    expect(made).toHaveLength(300 * KIB)
    expect(recent.get('large')).toBeUndefined()
  })

  it('holds little more than its own bytes, however many other buffers are made between', () => {
    const recent = new RecentlyMade<Buffer>()
    const kept = Array.from({ length: 2_000 }, (_, i) => {
      for (let other = 0; other < 100; other++) Buffer.from('x'.repeat(2 * KIB))
      return recent.keep(`${i}`, [Buffer.from('y'.repeat(2 * KIB))], as)
    })

    const held = new Set(kept.map(({ buffer }) => buffer))
    const bytes = [...held].reduce((sum, { byteLength }) => sum + byteLength, 0)
    expect(bytes).toBeLessThan(6 * KIB * KIB)
  })
})
