import { describe, expect, it } from 'vitest'
import * as fc from '../../../test/fixtures/properties.js'
import { FieldSelector, parseFieldSelector } from './index.js'

const object: Record<string, string> = { 'metadata.name': 'a', 'status.phase': 'Running' }
const valueOf = (field: string) => object[field] ?? ''

describe('a field selector', () => {
  it.each([
    ['metadata.name=a', true],
    ['metadata.name==a', true],
    ['metadata.name!=a', false],
    ['metadata.name=a,status.phase!=Pending', true],
    ['metadata.name=a,status.phase=Pending', false],
    ['spec.nodeName=', true],
    ['', true],
    [',', true],
  ])('%j', (text, matched) => {
    expect(parseFieldSelector(text).matches(valueOf)).toBe(matched)
  })

  it('knows the value a field must have', () => {
    const selector = parseFieldSelector('metadata.name=a,status.phase!=b')
    expect(selector.exact('metadata.name')).toBe('a')
    expect(selector.exact('status.phase')).toBeUndefined()
  })

  it.each([
    ['metadata.name', "invalid selector: 'metadata.name'; can't understand 'metadata.name'"],
    ['a=b=c', 'invalid field selector: unescaped character in value: ='],
    ['a=\\x', 'invalid field selector: invalid escape sequence in value: \\x'],
  ])('%j is refused', (text, message) => {
    expect(() => parseFieldSelector(text)).toThrow(expect.objectContaining({ code: 400, message }) as Error)
  })

  it('keeps any value through printing and parsing', () => {
    fc.assert(
      fc.property(fc.string(), fc.constantFrom('=' as const, '!=' as const), (value, operator) => {
        const selector = new FieldSelector([{ field: 'a.b', operator, value }])
        expect(parseFieldSelector(selector.toString()).requirements).toEqual(selector.requirements)
      }),
    )
  })
})
