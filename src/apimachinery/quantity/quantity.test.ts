import { describe, expect, it } from 'vitest'
import * as fc from '../../../test/fixtures/properties.js'
import { canonicalQuantity, InvalidQuantity, parseQuantity, Quantity } from './index.js'

describe('the canonical form of a quantity', () => {
  it.each([
    ['1000m', '1'],
    ['1024Mi', '1Gi'],
    ['1500m', '1500m'],
    ['0.5', '500m'],
    ['.5', '500m'],
    ['1.', '1'],
    ['1.5Gi', '1536Mi'],
    ['0.5Ki', '512'],
    ['512Ki', '512Ki'],
    ['1023Ki', '1023Ki'],
    ['1025', '1025'],
    ['1000', '1k'],
    ['1000000k', '1G'],
    ['0', '0'],
    ['0Gi', '0'],
    ['-1000m', '-1'],
    ['+5', '5'],
    ['1e3', '1e3'],
    ['12e4', '120e3'],
    ['1E3', '1e3'],
    ['1E', '1E'],
    ['1e-3', '1e-3'],
    ['0.1n', '1n'],
    ['100u', '100u'],
    ['9223372036854775807', '9223372036854775807'],
    ['16Ei', '16Ei'],
  ])('of %s is %s', (text, canonical) => {
    expect(canonicalQuantity(text)).toBe(canonical)
  })

  it.each(['', 'abc', '1 Gi', '1gi', '1KI', '--1', '.', '1e', 'Mi', '1.2.3', '1e99999999'])(
    'of %j there is none',
    (text) => {
      expect(() => parseQuantity(text)).toThrow(InvalidQuantity)
    },
  )
})

describe('reckoning with quantities', () => {
  it('rounds up when asked for whole units', () => {
    expect(parseQuantity('100m').value()).toBe(1n)
    expect(parseQuantity('1.0001').milliValue()).toBe(1001n)
    expect(parseQuantity('2Gi').value()).toBe(2147483648n)
    expect(parseQuantity('-100m').value()).toBe(-1n)
  })

  it('adds across formats and keeps that of the first', () => {
    expect(parseQuantity('1Gi').add(parseQuantity('1024')).toString()).toBe('1048577Ki')
    expect(parseQuantity('0').add(parseQuantity('1Gi')).toString()).toBe('1Gi')
    expect(parseQuantity('1').sub(parseQuantity('100m')).toString()).toBe('900m')
  })
})

const suffix = fc.constantFrom('', 'n', 'u', 'm', 'k', 'M', 'G', 'Ki', 'Mi', 'Gi', 'Ti', 'e3', 'e-3')
const quantity = fc
  .tuple(fc.bigInt({ min: -(10n ** 18n), max: 10n ** 18n }), suffix)
  .map(([number, unit]) => `${number}${unit}`)

describe('any quantity', () => {
  it('equals its canonical form, which is stable', () => {
    fc.assert(
      fc.property(quantity, (text) => {
        const canonical = canonicalQuantity(text)
        expect(canonicalQuantity(canonical)).toBe(canonical)
        expect(parseQuantity(canonical).equals(parseQuantity(text))).toBe(true)
      }),
    )
  })

  it('is added exactly, whatever the order', () => {
    fc.assert(
      fc.property(quantity, quantity, (left, right) => {
        const [a, b] = [parseQuantity(left), parseQuantity(right)]
        expect(a.add(b).equals(b.add(a))).toBe(true)
        expect(a.add(b).sub(b).equals(a)).toBe(true)
        expect(Math.sign(a.compare(b))).toBe(a.sub(b).sign)
      }),
    )
  })

  it('made from a number prints as that number', () => {
    expect(Quantity.of(3).toString()).toBe('3')
    expect(Quantity.of(2 ** 31, 'binary').toString()).toBe('2Gi')
    expect(Quantity.milli(250).toString()).toBe('250m')
  })
})
