import { describe, expect, it } from 'vitest'
import { eachOf, type Few, sizeOfFew, withOne, withoutOne } from './index.js'

describe('a set of few', () => {
  it('says what a set says, of any size', () => {
    const set = new Set<string>()
    let few: Few<string> | undefined
    let seed = 7
    for (let step = 0; step < 5_000; step++) {
      seed = (seed * 48_271) % 2_147_483_647
      const item = `item-${seed % 60}`
      // Grows to all of them, then shrinks to none.
      if (seed % 100 < (step < 2_500 ? 70 : 20)) {
        set.add(item)
        few = withOne(few, item)
      } else {
        set.delete(item)
        few = withoutOne(few, item)
      }

      expect(sizeOfFew(few)).toBe(set.size)
      expect([...eachOf(few)].sort()).toEqual([...set].sort())
    }
  })

  it('shows the moment in which a walk began', () => {
    let few: Few<string> | undefined = withOne(withOne(withOne(undefined, 'a'), 'b'), 'c')
    const seen = []
    for (const item of eachOf(few)) {
      few = withoutOne(few, item)
      seen.push(item)
    }

    expect(seen).toEqual(['a', 'b', 'c'])
    expect(few).toBeUndefined()
  })
})
