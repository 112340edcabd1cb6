import { describe, expect, it } from 'vitest'
import { Reply } from '../serving/route.js'
import { RecentReplies } from './recent.js'

const reply = (): Reply => new Reply(200, {}, '')

describe('recent replies', () => {
  it('are found by what they are made of', () => {
    const recent = new RecentReplies()
    const kept = recent.keep('1 a', reply(), 100)

    expect(recent.get('1 a')).toBe(kept)
    expect(recent.get('1 b')).toBeUndefined()
  })

  it('go, the oldest first, before they take more than four megabytes', () => {
    const recent = new RecentReplies()
    const each = 200 << 10
    for (let i = 0; i < 30; i++) recent.keep(`${i}`, reply(), each)

    const left = Array.from({ length: 30 }, (_, i) => recent.get(`${i}`) !== undefined)
    expect(left.filter(Boolean)).toHaveLength(20)
    expect(left.indexOf(true)).toBe(10)
  })

  it('are not kept when one alone is large', () => {
    const recent = new RecentReplies()
    recent.keep('large', reply(), 300 << 10)

    expect(recent.get('large')).toBeUndefined()
  })
})
