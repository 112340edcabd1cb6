import { describe, expect, it } from 'vitest'
import { type StoredGroup } from '../types.js'
import { packed } from './packed.js'

const group = (name: string, size = 1_000): StoredGroup => ({
  name,
  rules: [{ alert: 'A', expr: 'x'.repeat(size) }],
})
const names = (objects: ReadonlyMap<number, StoredGroup[]>): Record<string, string[]> =>
  Object.fromEntries([...objects].map(([number, groups]) => [number, groups.map(({ name }) => name)]))

describe('groups packed into objects', () => {
  it('fill one object after the other', () => {
    const objects = packed([group('c'), group('a'), group('b')], new Map(), 2_500)

    expect(names(objects)).toEqual({ 0: ['a', 'b'], 1: ['c'] })
  })

  it('stay where they are while there is room, and let others in beside them', () => {
    const placed = new Map([
      ['b', 1],
      ['c', 1],
    ])

    expect(names(packed([group('a'), group('b'), group('c')], placed, 2_500))).toEqual({
      0: ['a'],
      1: ['b', 'c'],
    })
  })

  it('leave an object that they have outgrown', () => {
    const placed = new Map([
      ['a', 0],
      ['b', 0],
    ])

    expect(names(packed([group('a', 2_000), group('b')], placed, 2_500))).toEqual({ 0: ['a'], 1: ['b'] })
  })

  it('that are too large for any object have one to themselves', () => {
    const objects = packed([group('a', 5_000), group('b'), group('c', 5_000)], new Map(), 2_500)

    expect(names(objects)).toEqual({ 0: ['a'], 1: ['b'], 2: ['c'] })
  })

  it('leave nothing behind when there are none', () => {
    expect(packed([], new Map([['a', 3]])).size).toBe(0)
  })
})
