import { describe, expect, it } from 'vitest'
import * as fc from '../../../test/fixtures/properties.js'
import { plain } from './conformance.js'
import { type KeyValue, type Storage } from './interface.js'
import { createMemoryStorage } from './memory/index.js'
import { build, insert, leaves, lookup, rankBehind, rankOf, remove, slice, Tree } from './tree.js'

const byBytes = (a: string, b: string) => Buffer.compare(Buffer.from(a), Buffer.from(b))
const entry = (key: string, modRevision = 1): KeyValue => ({
  key,
  value: Buffer.alloc(0),
  createRevision: 1,
  modRevision,
})

/** Few distinct characters, so that keys meet and share prefixes; some beyond the basic plane. */
const key = fc
  .array(fc.constantFrom('/', 'a', 'b', '-', '\uE000', '\uFFFD', '\u{1F600}'), { maxLength: 5 })
  .map((parts) => `/${parts.join('')}`)

describe('the tree', () => {
  it('answers as a sorted array does, and never changes an old root', () => {
    const step = fc.record({
      key: fc.oneof(
        key,
        fc.nat(2_000).map((i) => `/n/${i}`),
      ),
      add: fc.boolean(),
    })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 400 }), fc.array(key, { maxLength: 5 }), (steps, prefixes) => {
        let tree = Tree.empty
        const model = new Map<string, KeyValue>()
        const past: { tree: Tree; keys: string[] }[] = []
        for (const [i, { key, add }] of steps.entries()) {
          if (add) {
            const added = entry(key, i)
            tree = insert(tree, added)
            model.set(key, added)
          } else {
            tree = remove(tree, key)
            model.delete(key)
          }
          expect(lookup(tree, key)).toBe(model.get(key))
          if (i % 50 === 0) past.push({ tree, keys: [...model.keys()].sort(byBytes) })
        }
        past.push({ tree, keys: [...model.keys()].sort(byBytes) })

        for (const { tree, keys } of past) {
          expect(tree.size).toBe(keys.length)
          expect([...leaves(tree)].flat().map(({ key }) => key)).toEqual(keys)
          for (const prefix of ['', ...prefixes]) {
            const from = rankOf(tree, prefix)
            const matching = keys.filter((key) => key.startsWith(prefix))
            expect(from).toBe(keys.filter((key) => byBytes(key, prefix) < 0).length)
            expect(slice(tree, from, rankBehind(tree, prefix)).map(({ key }) => key)).toEqual(matching)
          }
        }
      }),
      { numRuns: 60 },
    )
  })

  it('stays shallow and right while 200,000 keys come and go', () => {
    const total = 200_000
    const name = (i: number) => `/registry/pods/ns-${i % 50}/pod-${(i * 7919) % total}`
    let tree = Tree.empty
    for (let i = 0; i < total; i++) tree = insert(tree, entry(name(i)))
    expect(tree.size).toBe(total)
    expect(depth(tree)).toBeLessThanOrEqual(5)
    for (let i = 0; i < total; i++) if (i % 10 !== 3) tree = remove(tree, name(i))

    expect(tree.size).toBe(total / 10)
    expect(depth(tree)).toBeLessThanOrEqual(4)
    const left = Array.from({ length: total / 10 }, (_, i) => name(i * 10 + 3)).sort()
    expect([...leaves(tree)].flat().map(({ key }) => key)).toEqual(left)
    expect([...leaves(build(left.map((key) => entry(key))))].flat().map(({ key }) => key)).toEqual(left)
    expect(rankBehind(tree, '/registry/pods/ns-3/') - rankOf(tree, '/registry/pods/ns-3/')).toBe(
      left.filter((key) => key.startsWith('/registry/pods/ns-3/')).length,
    )
  })
})

describe('the store', () => {
  it('answers as a list of all writes does, at every revision kept', async () => {
    const step = fc.record({
      key,
      do: fc.constantFrom('put', 'put', 'put', 'delete', 'putIfAbsent', 'putIfSame', 'settle', 'compact'),
    })
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { maxLength: 60 }),
        fc.array(key, { maxLength: 3 }),
        async (steps, prefixes) => {
          const storage = createMemoryStorage({ history: { maxEvents: 25 } })
          const model = new Model()
          const watches = ['', ...prefixes].map((prefix) => collect(storage, prefix))
          const writes: Promise<unknown>[] = []
          for (const { key, do: action } of steps) {
            if (action === 'settle') await Promise.allSettled(writes)
            else if (action === 'compact') storage.compact(storage.revision - 5)
            else {
              const head = model.head(key)
              const options =
                action === 'putIfAbsent'
                  ? { expected: 0 }
                  : action === 'putIfSame'
                    ? { expected: head?.modRevision ?? 12_345 }
                    : {}
              const { expected } = options
              const allowed = expected === undefined || expected === (head?.modRevision ?? 0)
              const type = action === 'delete' ? 'delete' : 'put'
              const write = storage[type](key, (revision) => Buffer.from(`${revision}`), options)
              if (allowed && (type === 'put' || head)) model.write(type, key)
              else await expect(write).rejects.toMatchObject({ name: 'Precondition' })
              writes.push(write)
              const now = storage.head(key)
              expect(now && plain(now)).toEqual(model.head(key))
            }
          }
          await Promise.allSettled(writes)

          expect(storage.revision).toBe(model.revision)
          for (let revision = storage.oldestRevision; revision <= storage.revision; revision++) {
            const state = model.at(revision)
            for (const prefix of ['', ...prefixes]) {
              const keys = state.filter(({ key }) => key.startsWith(prefix))
              expect(storage.list(prefix, { revision }).items.map(plain)).toEqual(keys)
              const page = storage.list(prefix, { revision, limit: 2 })
              expect(page.items.map(plain)).toEqual(keys.slice(0, 2))
              expect(page.remaining).toBe(Math.max(0, keys.length - 2))
            }
          }
          for (const { prefix, seen } of watches) {
            const expected = model.log.filter(({ key }) => key.startsWith(prefix))
            expect(seen).toEqual(expected.map(({ type, key, revision }) => `${revision} ${type} ${key}`))
            const replayed = collect(storage, prefix, storage.oldestRevision)
            await Promise.resolve()
            expect(replayed.seen).toEqual(
              seen.filter((line) => Number.parseInt(line) > storage.oldestRevision),
            )
          }
        },
      ),
      { numRuns: 150 },
    )
  })
})

/** All writes, and answers found by reading them from the start. */
class Model {
  revision = 1
  readonly log: { type: 'put' | 'delete'; key: string; revision: number }[] = []

  write(type: 'put' | 'delete', key: string): void {
    this.log.push({ type, key, revision: ++this.revision })
  }

  head(key: string): KeyValue | undefined {
    return this.at(this.revision).find((entry) => entry.key === key)
  }

  at(revision: number): KeyValue[] {
    const state = new Map<string, KeyValue>()
    for (const write of this.log.filter((write) => write.revision <= revision)) {
      if (write.type === 'delete') state.delete(write.key)
      else {
        state.set(write.key, {
          key: write.key,
          value: Buffer.from(`${write.revision}`),
          createRevision: state.get(write.key)?.createRevision ?? write.revision,
          modRevision: write.revision,
        })
      }
    }
    return [...state.values()].sort((a, b) => byBytes(a.key, b.key))
  }
}

function collect(storage: Storage, prefix: string, from = storage.revision) {
  const seen: string[] = []
  storage.watch(prefix, from, {
    events: (events) => seen.push(...events.map(({ type, key, revision }) => `${revision} ${type} ${key}`)),
    ended() {},
  })
  return { prefix, seen }
}

function depth(tree: Tree): number {
  return tree.children.length === 0 ? 1 : 1 + depth(tree.children[0]!)
}
