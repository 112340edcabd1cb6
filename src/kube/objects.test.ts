import { describe, expect, it } from 'vitest'
import { type KubeObject } from '../apimachinery/meta/types.js'
import { Objects } from './objects.js'
import { type Storage } from './storage/interface.js'
import { createMemoryStorage } from './storage/memory/index.js'

describe('objects that are shared', () => {
  const put = (storage: Storage, name: string, value: string): Promise<unknown> => {
    const object: KubeObject = { metadata: { name, namespace: 'blue' }, data: { value } }
    return storage.put(`/registry/core/limitranges/blue/${name}`, () => Buffer.from(JSON.stringify(object)))
  }
  const valueOf = (object: Readonly<KubeObject> | undefined): unknown =>
    (object?.['data'] as { value: string } | undefined)?.value

  it('are parsed once, and anew after each change', async () => {
    const storage = createMemoryStorage()
    const objects = new Objects(storage)
    await put(storage, 'a', '1')
    const first = objects.shared('', 'limitranges', 'blue', 'a')
    expect(objects.shared('', 'limitranges', 'blue', 'a')).toBe(first)

    await put(storage, 'a', '2')

    expect(valueOf(first)).toBe('1')
    expect(valueOf(objects.shared('', 'limitranges', 'blue', 'a'))).toBe('2')
    await storage.delete('/registry/core/limitranges/blue/a', () => Buffer.from('{}'))
    expect(objects.shared('', 'limitranges', 'blue', 'a')).toBeUndefined()
    await storage.close()
  })

  it('are listed as they are now, by namespace', async () => {
    const storage = createMemoryStorage()
    const objects = new Objects(storage)
    const values = (namespace: string): unknown[] =>
      objects.sharedList('', 'limitranges', namespace).map(valueOf)
    expect(values('blue')).toEqual([])

    await put(storage, 'a', '1')
    await put(storage, 'b', '2')

    expect(values('blue')).toEqual(['1', '2'])
    expect(values('red')).toEqual([])
    expect(objects.sharedList('', 'limitranges', 'blue')).toBe(objects.sharedList('', 'limitranges', 'blue'))
    await storage.delete('/registry/core/limitranges/blue/a', () => Buffer.from('{}'))
    expect(values('blue')).toEqual(['2'])
    await storage.close()
  })

  it('are not taken from a state that was replaced', async () => {
    const storage = createMemoryStorage()
    const objects = new Objects(storage)
    expect(objects.sharedList('', 'limitranges', 'blue')).toEqual([])
    const value = Buffer.from(JSON.stringify({ metadata: { name: 'a' }, data: { value: '9' } }))
    const key = '/registry/core/limitranges/blue/a'

    await storage.load([{ key, value, createRevision: 3, modRevision: 3 }], 3)

    expect(objects.sharedList('', 'limitranges', 'blue').map(valueOf)).toEqual(['9'])
    await storage.close()
  })
})
