import { describe, expect, it } from 'vitest'
import * as fc from '../../../test/fixtures/properties.js'
import { InFlight, type Place } from './index.js'

describe('what is in flight', () => {
  it('is a set in the order of arrival, whatever comes and goes', () => {
    const step = fc.oneof(
      fc.record({ add: fc.nat(99) }),
      fc.record({ remove: fc.nat(99) }),
      fc.record({ removeAgain: fc.nat(99) }),
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const inFlight = new InFlight<object>()
        const model: { place: Place<object>; value: object }[] = []
        const gone: Place<object>[] = []
        for (const each of steps) {
          if ('add' in each) {
            const value = { number: each.add }
            model.push({ place: inFlight.add(value), value })
          } else if ('remove' in each && model.length > 0) {
            for (const { place } of model.splice(each.remove % model.length, 1)) {
              inFlight.delete(place)
              gone.push(place)
            }
          } else if ('removeAgain' in each && gone.length > 0) {
            inFlight.delete(gone[each.removeAgain % gone.length] as Place<object>)
          }
          expect([...inFlight]).toEqual(model.map(({ value }) => value))
          expect(inFlight.size).toBe(model.length)
          expect(inFlight.first).toBe(model[0]?.place)
        }
        expect(gone.every(({ value }) => value === undefined)).toBe(true)
      }),
    )
  })

  it('can be taken out while it is looked through', () => {
    const inFlight = new InFlight<string>()
    const places = ['a', 'b', 'c'].map((value) => inFlight.add(value))
    const seen: string[] = []
    for (const value of inFlight) {
      seen.push(value)
      for (const place of places) inFlight.delete(place)
    }

    expect(seen).toEqual(['a', 'b', 'c'])
    expect(inFlight.size).toBe(0)
  })
})
