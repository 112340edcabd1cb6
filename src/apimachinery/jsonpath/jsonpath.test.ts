import { describe, expect, it } from 'vitest'
import { compileJsonPath, fieldsOfPath, JsonPathSyntax } from './index.js'

const object = {
  metadata: { name: 'a', annotations: { 'example.com/x.y': '1' } },
  spec: { replicas: 3, items: [{ n: 1 }, { n: 2 }, { n: 3 }] },
  status: {
    conditions: [
      { type: 'Ready', status: 'True' },
      { type: 'Synced', status: 'False' },
    ],
  },
}

describe('a JSONPath', () => {
  it.each([
    ['.spec.replicas', [3]],
    ['{.spec.replicas}', [3]],
    ['$.spec.replicas', [3]],
    ['spec.replicas', [3]],
    ['.spec.nope.deeper', []],
    ['.status.conditions[?(@.type=="Ready")].status', ['True']],
    [".status.conditions[?(@.type == 'Synced')].status", ['False']],
    ['.status.conditions[?(@.type!="Ready")].type', ['Synced']],
    ['.spec.items[?(@.n>=2)].n', [2, 3]],
    ['.spec.items[?(@.m)].n', []],
    ['.spec.items[*].n', [1, 2, 3]],
    ['.spec.items[0].n', [1]],
    ['.spec.items[-1].n', [3]],
    ['.spec.items[-2].n', [2]],
    ['.spec.items[7].n', []],
    ['.spec.items[0:2].n', [1, 2]],
    ['.spec.items[1:].n', [2, 3]],
    ['.spec.items[::2].n', [1, 3]],
    [".metadata.annotations['example.com/x.y']", ['1']],
    ['.metadata.annotations.example\\.com/x\\.y', ['1']],
    ['..n', [1, 2, 3]],
    ['.constructor', []],
    ['.metadata[*]', ['a', { 'example.com/x.y': '1' }]],
  ])('%s finds %j', (text, found) => {
    const path = compileJsonPath(text)
    expect(path.all(object)).toEqual(found)
    expect(path.first(object)).toEqual(found[0])
  })

  it.each(['.spec[', '.a[?(@.b==)]', '.a[?(@.b=="x"]', '.a[x]', ".a['b", '.a[1:2:0]'])(
    '%s is no path',
    (text) => {
      expect(() => compileJsonPath(text)).toThrow(JsonPathSyntax)
    },
  )

  it('of fields only tells them', () => {
    expect(fieldsOfPath('.spec.replicas')).toEqual(['spec', 'replicas'])
    expect(fieldsOfPath('.spec.items[0]')).toBeUndefined()
  })
})
