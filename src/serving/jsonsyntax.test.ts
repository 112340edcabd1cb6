import { describe, expect, it } from 'vitest'
import * as fc from '../../test/fixtures/properties.js'
import { syntaxError } from './jsonsyntax.js'

describe('what is wrong with a JSON text', () => {
  it.each([
    ['', 'EOF'],
    ['  ', 'EOF'],
    ['{', 'unexpected EOF'],
    ['[1,', 'unexpected EOF'],
    ['"a', 'unexpected EOF'],
    ['nope', "invalid character 'o' in literal null (expecting 'u')"],
    ['{bad json', "invalid character 'b' looking for beginning of object key string"],
    ['[{]', "invalid character ']' looking for beginning of object key string"],
    ['x', "invalid character 'x' looking for beginning of value"],
    ['[1,]', "invalid character ']' looking for beginning of value"],
    ['{"a":1,}', "invalid character '}' looking for beginning of object key string"],
    ['{"a" 1}', "invalid character '1' after object key"],
    ['{"a":1 "b"}', `invalid character '"' after object key:value pair`],
    ['[1 2]', "invalid character '2' after array element"],
    ['{}x', "invalid character 'x' after top-level value"],
    ['"\\x"', "invalid character 'x' in string escape code"],
    ['"a\nb"', "invalid character '\\n' in string literal"],
    ['-x', "invalid character 'x' in numeric literal"],
    ["'a'", "invalid character '\\'' looking for beginning of value"],
  ])('says of %j: %s', (text, message) => {
    expect(syntaxError(text)).toBe(message)
  })

  it('ends on any text, and finds nothing to say only where there is nothing wrong', () => {
    const piece = fc.constantFrom(
      '{',
      '}',
      '[',
      ']',
      ',',
      ':',
      '"',
      '\\',
      'a',
      '1',
      '-',
      'true',
      'nul',
      ' ',
      '\u0001',
    )
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 15 }), (pieces) => {
        const text = pieces.join('')
        expect(syntaxError(text)).toMatch(/EOF|invalid character/)
      }),
    )
  })
})
