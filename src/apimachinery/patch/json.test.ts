import { describe, expect, it } from 'vitest'
import * as fc from '../../../test/fixtures/properties.js'
import { applyJsonPatch } from './index.js'

const REJECTED = {
  code: 422,
  reason: 'Invalid',
  message: 'the server rejected our request due to an error in our request',
}

describe('a JSON patch', () => {
  it.each([
    [{ a: 1 }, [{ op: 'replace', path: '/a', value: 2 }], { a: 2 }],
    [{ a: [1, 2] }, [{ op: 'add', path: '/a/1', value: 9 }], { a: [1, 9, 2] }],
    [{ a: [1, 2] }, [{ op: 'add', path: '/a/-', value: 9 }], { a: [1, 2, 9] }],
    [{ a: [1, 2] }, [{ op: 'remove', path: '/a/-1' }], { a: [1] }],
    [{ a: { 'b/c~d': 1 } }, [{ op: 'remove', path: '/a/b~1c~0d' }], { a: {} }],
    [{ a: 1 }, [{ op: 'move', from: '/a', path: '/b' }], { b: 1 }],
    [{ a: { x: 1 } }, [{ op: 'copy', from: '/a', path: '/b' }], { a: { x: 1 }, b: { x: 1 } }],
    [{ a: { x: 1 } }, [{ op: 'test', path: '/a', value: { x: 1 } }], { a: { x: 1 } }],
    [{}, [{ op: 'test', path: '/a', value: null }], {}],
    [{ a: 1 }, [{ op: 'replace', path: '', value: { b: 1 } }], { b: 1 }],
  ])('%j with %j gives %j', (target, patch, expected) => {
    expect(applyJsonPatch(target, patch)).toEqual(expected)
  })

  it.each([
    [[{ op: 'test', path: '/a', value: 9 }]],
    [[{ op: 'remove', path: '/nope' }]],
    [[{ op: 'replace', path: '/nope', value: 1 }]],
    [[{ op: 'fly', path: '/x' }]],
    [[{ op: 'add', path: '/nope/x', value: 1 }]],
    [[{ op: 'add', path: '/list/7', value: 1 }]],
    [[{ op: 'add', path: '/list/01', value: 1 }]],
    [[{ op: 'add', path: '/a' }]],
    [[{ op: 'add', path: 'a', value: 1 }]],
    [[{ op: 'move', from: '/a', path: '/a/b' }]],
    [[{ op: 'replace', path: '', value: 7 }]],
    [[{ op: 'remove', path: '/constructor' }]],
  ])('%j cannot be applied', (patch) => {
    expect(() => applyJsonPatch({ a: 1, list: [1] }, patch)).toThrow(
      expect.objectContaining(REJECTED) as Error,
    )
  })

  it('must be a list', () => {
    expect(() => applyJsonPatch({}, { op: 'add' })).toThrow(
      'json: cannot unmarshal object into Go value of type jsonpatch.Patch',
    )
  })

  it('may hold 10,000 operations', () => {
    const operations = Array.from({ length: 10_001 }, () => ({ op: 'add', path: '/a', value: 1 }))
    expect(() => applyJsonPatch({}, operations)).toThrow(expect.objectContaining({ code: 413 }) as Error)
    expect(applyJsonPatch({}, operations.slice(1))).toEqual({ a: 1 })
  })

  it('changes neither its input nor any prototype', () => {
    const target = { a: { b: 1 } }
    const patched = applyJsonPatch(target, [
      { op: 'replace', path: '/a/b', value: 2 },
      { op: 'add', path: '/__proto__', value: { polluted: true } },
    ])
    expect(target).toEqual({ a: { b: 1 } })
    expect(JSON.stringify(patched)).toBe('{"a":{"b":2},"__proto__":{"polluted":true}}')
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
  })

  it('adds what it then finds', () => {
    fc.assert(
      fc.property(fc.string(), fc.jsonValue(), (key, value) => {
        const path = `/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`
        const document = JSON.parse(JSON.stringify(value)) as unknown
        const patch = [
          { op: 'add', path, value: document },
          { op: 'test', path, value: document },
          { op: 'remove', path },
        ]
        expect(applyJsonPatch({}, patch)).toEqual({})
      }),
    )
  })
})

describe('operations that copy', () => {
  it('cannot double an object again and again', () => {
    const doubling = Array.from({ length: 60 }, (_, i) => ({ op: 'copy', from: '/a', path: `/a/${i}` }))

    expect(() => applyJsonPatch({ a: { x: 'x' } }, doubling)).toThrow('exceeding the limit 3145728')
  })

  it('leave two values, not one in two places', () => {
    const patched = applyJsonPatch<object>({ a: { x: 1 } }, [
      { op: 'copy', from: '/a', path: '/b' },
      { op: 'replace', path: '/b/x', value: 2 },
    ])

    expect(patched).toEqual({ a: { x: 1 }, b: { x: 2 } })
  })
})
