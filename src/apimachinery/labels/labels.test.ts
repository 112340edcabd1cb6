import { describe, expect, it } from 'vitest'
import * as fc from '../../../test/fixtures/properties.js'
import { formatSelector, parseSelector, selectorFromLabelSelector } from './index.js'

describe('parsing a label selector', () => {
  it.each([
    ['a=1', { a: '1' }, true],
    ['a=1', { a: '2' }, false],
    ['a==1', { a: '1' }, true],
    ['a!=1', {}, true],
    ['a!=1', { a: '1' }, false],
    ['a in (1,3)', { a: '3' }, true],
    ['a in (1,3)', {}, false],
    ['a notin (1, 3)', {}, true],
    ['a notin (1,3)', { a: '1' }, false],
    ['a', { a: '' }, true],
    ['!a', { b: '1' }, true],
    ['! a', { a: '1' }, false],
    ['a=', { a: '' }, true],
    ['a=,b', { a: '', b: 'x' }, true],
    ['a in (,x)', { a: '' }, true],
    ['a in (x,)', { a: '' }, true],
    ['size>3', { size: '10' }, true],
    ['size<3', { size: '10' }, false],
    ['in in (in)', { in: 'in' }, true],
    ['example.com/a=1,b', { 'example.com/a': '1', b: '' }, true],
    ['', {}, true],
    [' ', { a: '1' }, true],
    ['toString', {}, false],
  ] as const)('%j on %j is %s', (text, labels, matched) => {
    expect(parseSelector(text).matches(labels)).toBe(matched)
  })

  it.each([
    ['a===', "unable to parse requirement: found '=', expected: identifier"],
    ['a in', "unable to parse requirement: found '' expected: '('"],
    ['a in (', "unable to parse requirement: found '', expected: ',', ')' or identifier"],
    ['a in ()', "unable to parse requirement: for 'in', 'notin' operators, values set can't be empty"],
    ['a b', "unable to parse requirement: found 'b', expected: '=', '!=', '==', 'in', notin'"],
    ['a,', "found '', expected: identifier after ','"],
    ['=x', "found '=', expected: !, identifier, or 'end of string'"],
    ['a=1 b', "found 'b', expected: ',' or 'end of string'"],
    ['!a=1', "found '=', expected: ',' or 'end of string'"],
    ['size>x', "unable to parse requirement: for 'Gt', 'Lt' operators, the value must be an integer"],
  ])('%j is refused', (text, message) => {
    expect(() => parseSelector(text)).toThrow(expect.objectContaining({ code: 400, message }) as Error)
  })

  it('refuses keys and values that no label can have', () => {
    expect(() => parseSelector(`a=${'x'.repeat(64)}`)).toThrow(/must be no more than 63 characters/)
    expect(() => parseSelector('/a=1')).toThrow(/prefix part must be non-empty/)
  })
})

const key = fc.stringMatching(/^[a-z]([-a-z0-9]{0,5}[a-z0-9])?$/)
const value = fc.stringMatching(/^[a-z0-9]{0,4}$/)
const requirement = fc.oneof(
  fc.record({ key, operator: fc.constantFrom('In', 'NotIn'), values: fc.array(value, { minLength: 1 }) }),
  fc.record({ key, operator: fc.constantFrom('Exists', 'DoesNotExist') }),
)

describe('the object form', () => {
  it('matches nothing when absent, everything when empty', () => {
    expect(selectorFromLabelSelector(undefined).matches({})).toBe(false)
    expect(selectorFromLabelSelector({}).matches({ a: '1' })).toBe(true)
    expect(selectorFromLabelSelector({}).isEmpty).toBe(true)
  })

  it('refuses an unknown operator', () => {
    const matchExpressions = [{ key: 'a', operator: 'Near' }]
    expect(() => selectorFromLabelSelector({ matchExpressions })).toThrow(
      '"Near" is not a valid pod selector operator',
    )
  })

  it('means the same when printed and parsed again', () => {
    fc.assert(
      fc.property(
        fc.record({
          matchLabels: fc.dictionary(key, value),
          matchExpressions: fc.array(requirement, { maxLength: 4 }),
        }),
        fc.dictionary(key, value),
        (selector, labels) => {
          const again = parseSelector(formatSelector(selector))
          expect(again.matches(labels)).toBe(selectorFromLabelSelector(selector).matches(labels))
          expect(again.toString()).toBe(formatSelector(selector))
        },
      ),
    )
  })
})
