import { describe, expect, it } from 'vitest'
import { Reply } from '../serving/route.js'
import { RecentlyMade } from './recent.js'

const reply = (): Reply => new Reply(200, {}, '')

describe('what was recently made', () => {
  it('is found by what it depends on', () => {
    const recent = new RecentlyMade<Reply>()
    const kept = recent.keep('1 a', reply(), 100)

    expect(recent.get('1 a')).toBe(kept)
    expect(recent.get('1 b')).toBeUndefined()
  })

  it('goes, the oldest first, before all take more than four megabytes', () => {
    const recent = new RecentlyMade<Reply>()
    const each = 200 << 10
    for (let i = 0; i < 30; i++) recent.keep(`${i}`, reply(), each)

    const left = Array.from({ length: 30 }, (_, i) => recent.get(`${i}`) !== undefined)
    expect(left.filter(Boolean)).toHaveLength(20)
    expect(left.indexOf(true)).toBe(10)
  })

  it('is not kept when one alone is large', () => {
    const recent = new RecentlyMade<Reply>()
    recent.keep('large', reply(), 300 << 10)

    expect(recent.get('large')).toBeUndefined()
  })
})
