import { describe, expect, it } from 'vitest'
import * as fc from '../../../test/fixtures/properties.js'
import { applyMergePatch, createMergePatch } from './index.js'

describe('a merge patch', () => {
  it.each([
    [{ a: 'b' }, { a: 'c' }, { a: 'c' }],
    [{ a: 'b' }, { b: 'c' }, { a: 'b', b: 'c' }],
    [{ a: 'b', b: 'c' }, { a: null }, { b: 'c' }],
    [{ a: ['b'] }, { a: 'c' }, { a: 'c' }],
    [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
    [{ a: [{ b: 'c' }] }, { a: [1] }, { a: [1] }],
    [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
    [{ e: null }, { a: 1 }, { e: null, a: 1 }],
  ])('%j with %j gives %j (RFC 7386, appendix A)', (target, patch, expected) => {
    expect(applyMergePatch(target, patch)).toEqual(expected)
  })

  it('must be an object', () => {
    expect(() => applyMergePatch({}, [])).toThrow(expect.objectContaining({ code: 400 }) as Error)
  })
})

const noNulls: fc.Arbitrary<unknown> = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.integer(),
    fc.string(),
    fc.boolean(),
    fc.array(tie('value'), { maxLength: 3 }),
    tie('object'),
  ),
  object: fc.dictionary(fc.constantFrom('a', 'b', 'c', '__proto__'), tie('value')),
})).object

describe('the merge patch between two objects', () => {
  it('leads from one to the other', () => {
    fc.assert(
      fc.property(noNulls, noNulls, (before, after) => {
        const [from, to] = [plain(before), plain(after)]
        const patch = createMergePatch(from, to)
        const patched = patch === undefined ? from : applyMergePatch(from, patch)
        expect(sorted(patched)).toEqual(sorted(to))
      }),
    )
  })

  it('is none when nothing differs', () => {
    expect(createMergePatch({ a: { b: [1] } }, { a: { b: [1] } })).toBeUndefined()
    expect(createMergePatch({ a: 1 }, { a: 1, b: undefined })).toBeUndefined()
  })

  it('names only what differs', () => {
    const before = { metadata: { name: 'a', labels: { x: '1', y: '2' } }, spec: { n: [1] } }
    const after = { metadata: { name: 'a', labels: { x: '1' } }, spec: { n: [1, 2] } }
    expect(createMergePatch(before, after)).toEqual({
      metadata: { labels: { y: null } },
      spec: { n: [1, 2] },
    })
  })
})

const plain = (value: unknown) => JSON.parse(JSON.stringify(value)) as Record<string, unknown>

/** Text with keys sorted: `__proto__` keys count, which `toEqual` on objects would not see. */
function sorted(value: unknown): string {
  return JSON.stringify(value, (_, each: unknown) =>
    each !== null && typeof each === 'object' && !Array.isArray(each)
      ? Object.entries(each).sort(([a], [b]) => (a < b ? -1 : 1))
      : each,
  )
}
