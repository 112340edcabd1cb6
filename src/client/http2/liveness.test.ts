import { describe, expect, it } from 'vitest'
import { Type } from './frames.js'
import { Liveness } from './liveness.js'

describe('a connection that is silent', () => {
  it('is asked whether anybody is there, once, and given up when nobody answers', () => {
    const asked: number[] = []
    const liveness = new Liveness({ frame: (type) => asked.push(type) })
    const now = performance.now()

    expect(liveness.check(now + 29_000)).toBe(false)
    expect(asked).toEqual([])
    expect(liveness.check(now + 31_000)).toBe(false)
    expect(liveness.check(now + 40_000)).toBe(false)
    expect(asked).toEqual([Type.ping])
    expect(liveness.check(now + 47_000)).toBe(true)
  })

  it('lives on after any word', () => {
    const liveness = new Liveness({ frame: () => undefined })
    const now = performance.now()
    liveness.check(now + 31_000)
    liveness.heard()
    expect(liveness.check(now + 29_000)).toBe(false)
  })
})
