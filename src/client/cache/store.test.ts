import { describe, expect, it } from 'vitest'
import * as fc from '../../../test/fixtures/properties.js'
import { type KubeObject } from '../../apimachinery/meta/types.js'
import { type CachedObject, type OrderedView } from './interface.js'
import { IndexedStore } from './store.js'

interface Sample {
  namespace?: string
  name: string
  version?: number
  created?: number
  labels?: Record<string, string>
  node?: string
  uid?: string
}

function object({ namespace, name, version = 1, created = 0, labels, node, uid }: Sample): KubeObject {
  return {
    metadata: {
      name,
      ...(namespace !== undefined && { namespace }),
      uid: uid ?? `uid-${namespace ?? ''}-${name}`,
      resourceVersion: String(version),
      creationTimestamp: new Date(created * 1000).toISOString().replace('.000', ''),
      ...(labels && { labels }),
    },
    ...(node !== undefined && { spec: { nodeName: node } }),
  }
}

function put<Fields>(store: IndexedStore<Fields>, sample: Sample) {
  const value = object(sample)
  return store.upsert(value, Buffer.from(JSON.stringify(value)))
}

const names = (objects: Iterable<CachedObject>): string[] =>
  [...objects].map(({ namespace, name }) => `${namespace}/${name}`)

describe('the indexed store', () => {
  it('answers by name, by creation and by position, per namespace and in all', () => {
    const store = new IndexedStore()
    put(store, { namespace: 'b', name: 'one', created: 30 })
    put(store, { namespace: 'a', name: 'two', created: 10 })
    put(store, { namespace: 'a', name: 'one', created: 20 })

    expect(names(store.byName())).toEqual(['a/one', 'b/one', 'a/two'])
    expect(names(store.byCreation())).toEqual(['a/two', 'a/one', 'b/one'])
    expect(names(store.byCreation('a').reversed())).toEqual(['a/one', 'a/two'])
    expect(names(store.byName('a').slice(1, 5))).toEqual(['a/two'])
    expect(store.byName('nowhere').length).toBe(0)
    expect([...store.namespaces()].sort()).toEqual(['a', 'b'])
    expect([store.sizeOf('a'), store.sizeOf('nosuch')]).toEqual([store.byName('a').length, 0])
    expect(store.byUid('uid-a-two')?.name).toBe('two')
  })

  it('takes options later when it was made without, and keeps the first it gets', () => {
    const node = ({ spec }: KubeObject): string => (spec as { nodeName: string } | undefined)?.nodeName ?? ''
    const store = new IndexedStore<string>()
    put(store, { name: 'early', node: 'n1' })

    store.adopt({ extract: node, indexes: { node: (_, fields) => [fields] } })
    store.adopt({ extract: () => 'ignored' })
    put(store, { name: 'late', node: 'n1' })
    put(store, { name: 'other', node: 'n2' })

    expect([...store.byName()].map(({ fields }) => fields)).toEqual(['n1', 'n1', 'n2'])
    expect(names(store.index('node', 'n1')).sort()).toEqual(['/early', '/late'])
    store.delete('', 'early')
    expect(names(store.index('node', 'n1'))).toEqual(['/late'])
  })

  it('reports what changed, and nothing for a version it already holds', () => {
    const store = new IndexedStore()

    expect(put(store, { name: 'x', version: 1 })?.type).toBe('added')
    expect(put(store, { name: 'x', version: 1 })).toBeUndefined()
    const modified = put(store, { name: 'x', version: 2 })
    expect(modified).toMatchObject({ type: 'modified', previous: { resourceVersion: '1' } })
    expect(store.delete('', 'x')).toMatchObject({ type: 'deleted', object: { resourceVersion: '2' } })
    expect(store.delete('', 'x')).toBeUndefined()
    expect(store.revision).toBe(3)
    expect(store.size).toBe(0)
    expect([...store.namespaces()]).toEqual([])
  })

  it('keeps bytes without kind and apiVersion, wherever they stood', () => {
    const store = new IndexedStore()
    const rest = '"metadata":{"name":"x","resourceVersion":"%"},"spec":{"kind":"K","apiVersion":"v9"}'
    const forms = [
      `{"kind":"Pod","apiVersion":"v1",${rest}}`,
      `{"apiVersion":"ex.io/v1","kind":"Thing",${rest}}`,
      `{${rest},"kind":"Thing","apiVersion":"ex.io/v1"}`,
      `{ "apiVersion" : "ex.io/v1",\n ${rest} , "kind":"Thing" }`,
      `{"k\\u0069nd":"Escaped","apiVersion":"v1",${rest}}`,
      `{${rest}}`,
    ]

    forms.forEach((form, index) => {
      const raw = Buffer.from(form.replace('%', String(index)))
      store.upsert(JSON.parse(raw.toString()) as KubeObject, raw)
      const bytes = store.get('', 'x')?.bytes.toString() ?? ''
      expect(bytes).toBe(`{${rest.replace('%', String(index))}}`)
    })
  })

  it('finds by label key, by label value and through declared indexes, following changes', () => {
    const store = new IndexedStore({
      extract: (value) => ({ node: (value.spec as { nodeName?: string } | undefined)?.nodeName ?? '' }),
      indexes: { node: (_, { node }) => [node] },
    })
    put(store, { name: 'x', labels: { app: 'web', tier: 'front' }, node: 'n1' })
    put(store, { name: 'y', labels: { app: 'web' }, node: 'n1' })
    put(store, { name: 'z', labels: { app: 'db' }, node: 'n2' })

    expect(names(store.byLabel('app')).sort()).toEqual(['/x', '/y', '/z'])
    expect(names(store.byLabel('app', 'web')).sort()).toEqual(['/x', '/y'])
    expect(names(store.index('node', 'n1')).sort()).toEqual(['/x', '/y'])

    put(store, { name: 'x', version: 2, labels: { app: 'db' }, node: 'n2' })
    store.delete('', 'y')

    expect(names(store.byLabel('app', 'web'))).toEqual([])
    expect(names(store.byLabel('tier'))).toEqual([])
    expect(names(store.index('node', 'n1'))).toEqual([])
    expect(names(store.index('node', 'n2')).sort()).toEqual(['/x', '/z'])
    expect(() => store.index('zone', 'a')).toThrow(/no index "zone"/)
  })

  it('moves a recreated object in the creation order', () => {
    const store = new IndexedStore()
    put(store, { name: 'old', created: 1 })
    put(store, { name: 'mid', created: 5 })
    put(store, { name: 'old', created: 9, version: 7, uid: 'another' })

    expect(names(store.byCreation())).toEqual(['/mid', '/old'])
    expect(store.byUid('uid--old')).toBeUndefined()
    expect(store.byUid('another')?.name).toBe('old')
  })

  it('deletes in a sweep what a complete list did not name', () => {
    const store = new IndexedStore()
    for (const name of ['a', 'b', 'c']) put(store, { name })

    store.beginPass()
    put(store, { name: 'b' })
    put(store, { name: 'c', version: 2 })

    expect([...store.sweep()].map(({ type, object: { name } }) => `${type} ${name}`)).toEqual(['deleted a'])
    expect(names(store.byName())).toEqual(['/b', '/c'])
  })

  it('holds the bytes of old versions that someone still looks at, and gives up the memory of the rest', () => {
    const store = new IndexedStore()
    const filler = 'x'.repeat(2000)
    const write = (name: string, version: number): void => {
      const value = { ...object({ name, version }), data: filler }
      store.upsert(value, Buffer.from(JSON.stringify(value)))
    }
    for (let i = 0; i < 200; i++) write(`object-${i}`, 1)
    const kept = store.get('', 'object-7') as CachedObject
    const before = kept.bytes.toString()

    for (let version = 2; version < 40; version++) for (let i = 0; i < 200; i++) write(`object-${i}`, version)

    expect(kept.bytes.toString()).toBe(before)
    expect(store.heldBytes).toBeLessThan(200 * 2200 * 3 + 2 * 1024 * 1024)
    for (const cached of store.byName()) {
      expect((store.object(cached) as KubeObject).metadata.name).toBe(cached.name)
    }
  })

  it('equals a plain sorted array under any sequence of changes', () => {
    const name = fc.integer({ min: 0, max: 60 }).map((n) => `pod-${n.toString(3)}`)
    const step = fc.record({
      remove: fc.boolean(),
      namespace: fc.constantFrom('a', 'b', 'c'),
      name,
      created: fc.integer({ min: 0, max: 20 }),
    })
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 400 }),
        fc.constantFrom('1', '-2', 'pod', '01'),
        (steps, part) => {
          const store = new IndexedStore()
          const model = new Map<string, Sample & { created: number }>()
          let version = 0
          for (const { remove, namespace, name, created } of steps) {
            version++
            if (remove) {
              store.delete(namespace, name)
              model.delete(`${namespace}/${name}`)
            } else {
              put(store, { namespace, name, created, version })
              model.set(`${namespace}/${name}`, { namespace, name, created })
            }
            if (version % 50 === 0) store.withNameContaining(part)
          }
          const byName = (l: Sample, r: Sample): number =>
            compare(l.name, r.name) || compare(l.namespace ?? '', r.namespace ?? '')
          for (const namespace of [undefined, 'a', 'b']) {
            const expected = [...model.values()]
              .filter((s) => !namespace || s.namespace === namespace)
              .sort(byName)
            same(store.byName(namespace), expected)
            same(
              store.withNameContaining(part, namespace),
              expected.filter((s) => s.name.includes(part)),
            )
            expected.sort((l, r) => l.created - r.created || byName(l, r))
            same(store.byCreation(namespace), expected)
            same(
              store.byCreation(namespace).containing(part),
              expected.filter((s) => s.name.includes(part)),
            )
          }
        },
      ),
      { numRuns: 60 },
    )
  })

  it('keeps order and positions over many chunks, whatever the order of arrival', () => {
    const store = new IndexedStore()
    const count = 5000
    for (let i = 0; i < count; i++) {
      const shuffled = (i * 2741) % count
      put(store, {
        namespace: `ns-${shuffled % 7}`,
        name: `p-${String(shuffled).padStart(5, '0')}`,
        created: shuffled,
      })
    }
    for (let i = 0; i < count; i += 3) store.delete(`ns-${i % 7}`, `p-${String(i).padStart(5, '0')}`)
    const left = Array.from({ length: count }, (_, i) => i).filter((i) => i % 3 !== 0)

    const view = store.byCreation()
    expect(view.length).toBe(left.length)
    left.forEach((created, position) => expect(view.at(position)?.creationTimestamp).toBe(created * 1000))
    expect(view.at(left.length)).toBeUndefined()
    expect(view.at(-1)).toBeUndefined()
    const tail = [...view.containing('77')].map((cached) => cached.name)
    expect(tail).toEqual(left.map((i) => `p-${String(i).padStart(5, '0')}`).filter((n) => n.includes('77')))
    expect([...view.containing('77').containing('7')].length).toBe(tail.length)
    expect(names(view.containing('77').reversed())).toEqual(names(view.containing('77')).reverse())
  })
})

function compare(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0
}

function same(view: OrderedView, expected: readonly Sample[]): void {
  const wanted = expected.map(({ namespace, name }) => `${namespace ?? ''}/${name}`)
  expect(view.length).toBe(wanted.length)
  expect(names(view)).toEqual(wanted)
  expect(names(view.reversed())).toEqual([...wanted].reverse())
  expect(names(view.slice(3, 9))).toEqual(wanted.slice(3, 9))
  const middle = wanted.length >> 1
  expect(names([view.at(middle)].flatMap((cached) => cached ?? []))).toEqual(wanted.slice(middle, middle + 1))
}
