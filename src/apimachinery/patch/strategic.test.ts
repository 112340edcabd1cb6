import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import * as fc from '../../../test/fixtures/properties.js'
import { type Definition, Definitions } from '../schema/openapi.js'
import { applyStrategicPatch, type PatchField, type PatchSchema } from './index.js'

const GOLDEN = new URL('../../../../shared/golden/kube/', import.meta.url)
const present = existsSync(GOLDEN)

type Json = Record<string, unknown>
interface Entry {
  id: string
  request: { body: Json }
  response: { status: number; json: Json & { message: string } }
}

const schemaOf = (fields: Record<string, PatchField>): PatchSchema => ({ field: (name) => fields[name] })
const item = schemaOf({
  tags: { strategies: ['merge'] },
  env: { mergeKey: 'name', strategies: ['merge'] },
})
const schema = schemaOf({
  items: { mergeKey: 'name', strategies: ['merge'], child: item },
  names: { strategies: ['merge'] },
  plain: { strategies: [] },
  whole: { strategies: ['replace'] },
})

describe('a strategic merge patch', () => {
  it.each<[string, Json, Json, Json]>([
    [
      'puts new items first',
      { items: [{ name: 'a' }] },
      { items: [{ name: 'b' }] },
      { items: [{ name: 'b' }, { name: 'a' }] },
    ],
    [
      'merges items by key',
      { items: [{ name: 'a', x: 1 }] },
      { items: [{ name: 'a', y: 2 }] },
      { items: [{ name: 'a', x: 1, y: 2 }] },
    ],
    [
      'deletes an item',
      { items: [{ name: 'a' }, { name: 'b' }] },
      { items: [{ name: 'a', $patch: 'delete' }] },
      { items: [{ name: 'b' }] },
    ],
    [
      'replaces a list',
      { items: [{ name: 'a' }] },
      { items: [{ $patch: 'replace' }, { name: 'b' }] },
      { items: [{ name: 'b' }] },
    ],
    ['replaces a list without rules', { plain: [1, 2] }, { plain: [3] }, { plain: [3] }],
    ['replaces a map', { m: { a: 1 } }, { m: { $patch: 'replace', b: 2 } }, { m: { b: 2 } }],
    ['empties a map', { m: { a: 1 } }, { m: { $patch: 'delete' } }, { m: {} }],
    ['replaces a map by its strategy', { whole: { a: 1 } }, { whole: { b: 2 } }, { whole: { b: 2 } }],
    ['deletes by null', { m: { a: 1, b: 2 } }, { m: { a: null } }, { m: { b: 2 } }],
    [
      'keeps named keys only',
      { m: { a: 1, b: 2 } },
      { m: { $retainKeys: ['b', 'c'], c: 3 } },
      { m: { b: 2, c: 3 } },
    ],
    ['merges scalars', { names: ['a', 'b'] }, { names: ['c', 'a'] }, { names: ['c', 'a', 'b'] }],
    ['removes scalars', { names: ['a', 'b'] }, { '$deleteFromPrimitiveList/names': ['a'] }, { names: ['b'] }],
    [
      'orders items',
      { items: [{ name: 'a' }, { name: 'b' }, { name: 'c' }] },
      { '$setElementOrder/items': [{ name: 'c' }, { name: 'a' }] },
      { items: [{ name: 'b' }, { name: 'c' }, { name: 'a' }] },
    ],
    [
      'orders scalars',
      { names: ['a', 'b'] },
      { '$setElementOrder/names': ['b', 'a'] },
      { names: ['b', 'a'] },
    ],
    [
      'obeys directives in new values',
      {},
      {
        items: [
          { name: 'a', $patch: 'delete' },
          { name: 'b', x: null },
        ],
      },
      { items: [{ name: 'b' }] },
    ],
    [
      'reaches lists in items',
      { items: [{ name: 'a', tags: ['x'] }] },
      { items: [{ name: 'a', tags: ['y'] }] },
      { items: [{ name: 'a', tags: ['y', 'x'] }] },
    ],
    ['changes the type of a value', { a: [1] }, { a: { b: 1 } }, { a: { b: 1 } }],
  ])('%s', (_, target, patch, expected) => {
    expect(applyStrategicPatch(target, patch, schema)).toEqual(expected)
  })

  it.each<[Json, number, string]>([
    [{ items: [{ image: 'z' }] }, 500, 'map: map[image:z] does not contain declared merge key: name'],
    [
      { items: [{ name: 'a', $patch: 'fly' }] },
      500,
      'unknown patch type: fly in map: map[$patch:fly name:a]',
    ],
    [{ items: ['a'] }, 500, 'list element types are not identical'],
    [{ m: { $retainKeys: ['a'], b: 1 } }, 400, 'invalid patch format of retainKeys'],
    [{ '$deleteFromPrimitiveList/names': 'a' }, 400, 'invalid patch format of primitive list'],
    [
      { '$setElementOrder/items': [{ name: 'b' }, { name: 'a' }], items: [{ name: 'a' }, { name: 'b' }] },
      500,
      "The order in patch list:\n[map[name:a] map[name:b]]\n doesn't match $setElementOrder list:\n[map[name:b] map[name:a]]\n",
    ],
  ])('%j is refused', (patch, code, message) => {
    const target = { items: [{ name: 'x' }], m: {} }
    expect(() => applyStrategicPatch(target, patch, schema)).toThrow(
      expect.objectContaining({ code, message }) as Error,
    )
  })

  it('changes neither its input nor itself, and twice is once', () => {
    const named = fc.uniqueArray(
      fc.record({ name: fc.constantFrom('a', 'b', 'c', 'd'), x: fc.nat(3), tags: fc.constant(['t']) }),
      { selector: (each) => each.name },
    )
    const object = fc.record({
      items: named,
      names: fc.uniqueArray(fc.constantFrom('a', 'b', 'c')),
      m: fc.dictionary(fc.constantFrom('a', 'b'), fc.nat()),
    })
    fc.assert(
      fc.property(object, object, (target, patch) => {
        const before = JSON.stringify([target, patch])
        const once = applyStrategicPatch<Json>(target, patch, schema)
        expect(JSON.stringify([target, patch])).toBe(before)
        expect(applyStrategicPatch(once, patch, schema)).toEqual(once)
        const names = (list: unknown) => (list as Json[]).map((each) => each['name'])
        expect(new Set(names(once['items']))).toEqual(
          new Set([...names(target.items), ...names(patch.items)]),
        )
      }),
    )
  })
})

describe.skipIf(!present)('strategic patches as recorded (needs ../shared/golden)', () => {
  const read = (file: string) => JSON.parse(readFileSync(new URL(file, GOLDEN), 'utf8')) as Json
  const entries = present ? (read('api-sequence.json')['entries'] as Entry[]) : []
  const deployment = () =>
    new Definitions(read('definitions.json')['definitions'] as Record<string, Definition>).patchSchema(
      'io.k8s.api.apps.v1.Deployment',
    )
  const at = (id: number): Entry => {
    const entry = entries.find((each) => each.id === `kube-${id}`)
    if (entry === undefined) throw new Error(`no recording kube-${id}`)
    return entry
  }

  it.each([164, 165, 166, 167, 168, 169, 170, 171, 172, 173, 174, 175])('kube-%d', (id) => {
    const before = at(id - 1).response.json
    const { request, response } = at(id)

    const patched = applyStrategicPatch(before, request.body, deployment())

    expect(comparable(patched)).toEqual(comparable(response.json))
  })

  it('kube-176: a container without its name', () => {
    const { request, response } = at(176)
    expect(() => applyStrategicPatch(at(175).response.json, request.body, deployment())).toThrow(
      response.json.message,
    )
  })

  /** Without what the server adds afterwards: versions, and defaults of containers and strategy. */
  function comparable(object: Json): unknown {
    const { metadata, spec } = structuredClone(object) as { metadata: Json; spec: Json }
    const pod = ((spec['template'] as Json)['spec'] ?? {}) as Json
    const containers = (pod['containers'] as Json[]).map(({ name, image, env }) => ({ name, image, env }))
    const strategy = spec['strategy'] as Json | undefined
    const finalizers = (metadata['finalizers'] ?? []) as unknown[]
    return {
      finalizers,
      containers,
      tolerations: pod['tolerations'],
      strategy: strategy ?? {
        type: 'RollingUpdate',
        rollingUpdate: { maxUnavailable: '25%', maxSurge: '25%' },
      },
    }
  }
})
