import { describe, expect, it } from 'vitest'
import * as fc from '../../../test/fixtures/properties.js'
import { type KubeObject } from '../../apimachinery/meta/types.js'
import { type CachedObject } from './interface.js'
import { IndexedStore } from './store.js'

interface Fields {
  phase: string
}

const phaseOf = (object: KubeObject): string => (object['phase'] as string | undefined) ?? ''
const pending = ({ fields }: CachedObject<Fields>): boolean => fields.phase === 'Pending'

function storeOfPods() {
  const store = new IndexedStore<Fields>({ extract: (object) => ({ phase: phaseOf(object) }) })
  let version = 0
  const put = (
    name: string,
    phase: string,
    { namespace = 'a', seconds = 0 }: { namespace?: string; seconds?: number } = {},
  ): void => {
    const object = {
      metadata: {
        name,
        namespace,
        uid: `${namespace}/${name}`,
        resourceVersion: String(++version),
        creationTimestamp: new Date(seconds * 1_000).toISOString(),
      },
      phase,
    }
    store.upsert(object, Buffer.from(JSON.stringify(object)))
  }
  return { store, put }
}

const names = (view: Iterable<{ name: string }> | undefined): string[] | undefined =>
  view && [...view].map(({ name }) => name)

describe('a narrowed order', () => {
  it('is kept from the second time on that it is asked for', () => {
    const { store, put } = storeOfPods()
    put('b', 'Pending')
    put('a', 'Running')
    put('c', 'Pending')

    expect(store.narrowed('pending', pending, 'name')).toBeUndefined()
    expect(names(store.narrowed('pending', pending, 'name'))).toEqual(['b', 'c'])
  })

  it('of one namespace has nothing of another', () => {
    const { store, put } = storeOfPods()
    put('x', 'Pending')
    put('y', 'Pending', { namespace: 'b' })
    store.narrowed('pending', pending, 'name', 'b')

    expect(names(store.narrowed('pending', pending, 'name', 'b'))).toEqual(['y'])
    expect(store.narrowed('pending', pending, 'name')).toBeUndefined()
  })

  it('is dropped when many changes come and nobody asks', () => {
    const { store, put } = storeOfPods()
    for (let i = 0; i < 2; i++) store.narrowed('pending', pending, 'name')

    for (let i = 0; i < 22_000; i++) put('a', i % 2 === 0 ? 'Pending' : 'Running')

    expect(store.narrowed('pending', pending, 'name')).toBeUndefined()
  })

  it('holds what a search of all objects finds, whatever happens', () => {
    const change = fc.record({
      name: fc.constantFrom('a', 'b', 'c', 'd', 'e'),
      namespace: fc.constantFrom('a', 'b'),
      phase: fc.constantFrom('Pending', 'Running'),
      seconds: fc.nat(3),
      isDeletion: fc.boolean(),
    })
    fc.assert(
      fc.property(fc.array(change, { maxLength: 60 }), (changes) => {
        const { store, put } = storeOfPods()
        const ask = (order: 'name' | 'creation', namespace?: string) =>
          store.narrowed('pending', pending, order, namespace)
        const all = [
          ['name', undefined],
          ['creation', undefined],
          ['creation', 'b'],
        ] as const
        for (const [order, namespace] of [...all, ...all]) ask(order, namespace)
        for (const { isDeletion, name, namespace, phase, seconds } of changes) {
          if (isDeletion) store.delete(namespace, name)
          else put(name, phase, { namespace, seconds })
          for (const [order, place] of all) {
            const whole = order === 'name' ? store.byName(place) : store.byCreation(place)
            expect(names(ask(order, place))).toEqual(names([...whole].filter(pending)))
          }
        }
      }),
    )
  })
})
