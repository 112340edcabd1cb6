import { describe, expect, it } from 'vitest'
import { duplicateKeys } from './duplicates.js'

describe('keys that a JSON text holds twice', () => {
  it('are named by their path', () => {
    expect(duplicateKeys('{"a":1,"b":{"c":[{"d":1},{"d":1,"e":"x","d":2}]},"a":2}')).toEqual([
      'b.c[1].d',
      'a',
    ])
  })

  it('are not seen in strings, in neighbours or where a value looks like a key', () => {
    expect(duplicateKeys('{"a":"{\\"b\\":1,\\"b\\":2}","b":["a","a"],"c":{"a":1},"d":{"a":1}}')).toEqual([])
  })
})
