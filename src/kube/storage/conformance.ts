/**
 * What every implementation of `Storage` does, as a suite that each of them runs.
 */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Compacted, type KeyValue, Precondition, type Storage, type StorageEvent } from './interface.js'
import { type StorageOptions } from './mvcc.js'

export function describeStorage(name: string, open: (options: StorageOptions) => Promise<Storage>): void {
  describe(name, () => {
    let storage: Storage
    let nowMs = 1_000_000

    beforeEach(async () => {
      storage = await open({ now: () => nowMs })
    })
    afterEach(() => storage.close())

    const put = (key: string, value = key, expected?: number) =>
      storage.put(key, () => Buffer.from(value), expected === undefined ? {} : { expected })
    const remove = (key: string, expected?: number) =>
      storage.delete(key, () => Buffer.from(`last of ${key}`), expected === undefined ? {} : { expected })
    const keys = (prefix: string, options?: Parameters<Storage['list']>[1]) =>
      storage.list(prefix, options).items.map(({ key }) => key)

    describe('writing', () => {
      it('starts at a revision above 0 and gives each write the next one', async () => {
        const start = storage.revision
        expect(start).toBeGreaterThan(0)

        const first = await put('/a')
        const second = await put('/b')
        const deleted = await remove('/a')

        expect([first, second, deleted].map((entry) => entry.modRevision)).toEqual([
          start + 1,
          start + 2,
          start + 3,
        ])
        expect(storage.revision).toBe(start + 3)
      })

      it('passes the revision to encode before it returns', () => {
        let seen = 0
        void storage.put('/a', (revision) => {
          seen = revision
          return Buffer.from('x')
        })
        expect(seen).toBe(storage.revision + 1)
      })

      it('keeps createRevision over updates and renews it after a delete', async () => {
        const created = await put('/a', '1')
        const updated = await put('/a', '2')
        await remove('/a')
        const again = await put('/a', '3')

        expect(updated.createRevision).toBe(created.modRevision)
        expect(again.createRevision).toBe(again.modRevision)
      })

      it('shows a write to readers only when it has settled, and to head at once', async () => {
        const pending = put('/a', 'new')

        expect(storage.get('/a')).toBeUndefined()
        expect(storage.head('/a')?.value.toString()).toBe('new')

        await pending
        expect(storage.get('/a')?.value.toString()).toBe('new')
        const gone = remove('/a')
        expect(storage.head('/a')).toBeUndefined()
        expect(storage.get('/a')).toBeDefined()
        await gone
      })

      it('refuses a write whose expectation does not hold, and tells what is there', async () => {
        const { modRevision } = await put('/a')
        const before = storage.revision

        await expect(put('/a', 'x', 0)).rejects.toBeInstanceOf(Precondition)
        await expect(put('/a', 'x', modRevision + 7)).rejects.toMatchObject({ current: { modRevision } })
        await expect(put('/absent', 'x', 3)).rejects.toMatchObject({ current: undefined })
        await expect(remove('/a', modRevision + 1)).rejects.toBeInstanceOf(Precondition)
        await expect(remove('/absent')).rejects.toBeInstanceOf(Precondition)

        expect(storage.revision).toBe(before)
        await put('/a', 'y', modRevision)
        await put('/b', 'z', 0)
      })

      it('checks expectations against writes still on their way', async () => {
        const results = await Promise.allSettled([put('/a', '1', 0), put('/a', '2', 0), put('/a', '3', 0)])
        expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected'])
        expect(storage.get('/a')?.value.toString()).toBe('1')
      })

      it('uses no revision when encode throws', async () => {
        const before = storage.revision
        const failing = storage.put('/a', () => {
          throw new Error('cannot encode')
        })
        await expect(failing).rejects.toThrow('cannot encode')
        expect((await put('/b')).modRevision).toBe(before + 1)
      })

      it('reads each value of many that resemble each other as it was written', async () => {
        const text = (i: number): string =>
          JSON.stringify({ name: `n-${i}`, uid: i * 7_919, text: 'always the same, '.repeat(1 + (i % 20)) })
        const writes = Array.from({ length: 2_000 }, (_, i) => i)
        await Promise.all(writes.map((i) => put(`/registry/g/r/ns/${i}`, text(i))))
        const first = storage.revision
        await Promise.all(
          writes.filter((i) => i % 3 === 0).map((i) => put(`/registry/g/r/ns/${i}`, text(i + 1))),
        )
        for (const i of writes) {
          const [key, now] = [`/registry/g/r/ns/${i}`, i % 3 === 0 ? text(i + 1) : text(i)]
          expect(storage.get(key)?.value.toString()).toBe(now)
          expect(storage.getAt(key, first)?.value.toString()).toBe(text(i))
        }
      })
    })

    describe('reading', () => {
      it('lists by prefix in byte order, not in that of UTF-16', async () => {
        for (const key of ['/p/\u{1F600}', '/p/b', '/p/a', '/p/\uFFFD', '/p-other', '/o', '/q', '/p/a/x']) {
          await put(key)
        }
        expect(keys('/p/')).toEqual(['/p/a', '/p/a/x', '/p/b', '/p/\uFFFD', '/p/\u{1F600}'])
        expect(storage.count('/p/')).toBe(5)
        expect(storage.count('/p')).toBe(6)
        expect(storage.count('')).toBe(8)
        expect(storage.count('/none')).toBe(0)
      })

      it('pages with start and limit and counts what remains', async () => {
        for (let i = 0; i < 10; i++) await put(`/p/${i}`)
        await put('/q')

        expect(keys('/p/', { limit: 3 })).toEqual(['/p/0', '/p/1', '/p/2'])
        expect(storage.list('/p/', { limit: 3 }).remaining).toBe(7)
        expect(keys('/p/', { start: '/p/2\0', limit: 3 })).toEqual(['/p/3', '/p/4', '/p/5'])
        expect(storage.list('/p/', { start: '/p/7', limit: 3 })).toMatchObject({ remaining: 0 })
        expect(keys('/p/', { start: '/p/9\0' })).toEqual([])
      })

      it('reads a snapshot while later writes go on', async () => {
        for (let i = 0; i < 10; i++) await put(`/p/${i}`, 'old')
        const { revision } = storage
        await remove('/p/3')
        await put('/p/4', 'new')
        await put('/p/55')

        const past = storage.list('/p/', { revision, limit: 6 })
        expect(past.items.map(({ key }) => key)).toEqual(['/p/0', '/p/1', '/p/2', '/p/3', '/p/4', '/p/5'])
        expect(past).toMatchObject({ revision, remaining: 4 })
        expect(storage.getAt('/p/4', revision)?.value.toString()).toBe('old')
        expect(storage.getAt('/p/3', revision)).toBeDefined()
        expect(storage.get('/p/3')).toBeUndefined()
        expect(storage.count('/p/')).toBe(10)
        expect(() => storage.list('/p/', { revision: storage.revision + 1 })).toThrow(RangeError)
      })

      it('waits for a revision, and says when it did not come', async () => {
        const target = storage.revision + 2
        const reached = storage.waitFor(target, 5_000)
        const tooLate = storage.waitFor(target + 100, 5)
        const controller = new AbortController()
        const aborted = expect(storage.waitFor(target + 100, 5_000, controller.signal)).rejects.toThrow(
          'left',
        )
        await put('/a')
        await put('/b')

        controller.abort(new Error('caller left'))

        expect(await reached).toBe(true)
        expect(await tooLate).toBe(false)
        await aborted
        expect(await storage.waitFor(target, 0)).toBe(true)
      })
    })

    describe('watching', () => {
      it('delivers events of the prefix after the revision, first those of the past', async () => {
        await put('/p/before')
        const from = storage.revision
        await put('/p/a', '1')
        await put('/other')
        await put('/p/a', '2')

        const watch = watched(storage, '/p/', from)
        await remove('/p/a')
        await put('/p/b')

        expect(watch.seen.map(({ type, key, value }) => [type, key, value.toString()])).toEqual([
          ['put', '/p/a', '1'],
          ['put', '/p/a', '2'],
          ['delete', '/p/a', 'last of /p/a'],
          ['put', '/p/b', '/p/b'],
        ])
        expect(watch.seen[0]!.previous).toBeUndefined()
        expect(watch.seen[2]!.previous).toMatchObject({
          value: Buffer.from('2'),
          modRevision: watch.seen[1]!.revision,
        })
        expect(watch.seen.at(-1)!.revision).toBe(storage.revision)
      })

      it('never calls before watch has returned, and shows only what can be read', async () => {
        await put('/a')
        let returned = false
        const early: boolean[] = []
        storage.watch('/', storage.revision - 1, {
          events(events) {
            early.push(!returned || storage.revision < events.at(-1)!.revision)
          },
          ended() {},
        })
        returned = true
        await put('/b')
        expect(early).toEqual([false, false])
      })

      it('hands the writes of one moment over together', async () => {
        const sizes: number[] = []
        storage.watch('/', storage.revision, { events: (events) => sizes.push(events.length), ended() {} })
        await Promise.all([put('/a'), put('/b'), put('/c')])
        expect(sizes).toEqual([3])
      })

      it('is silent for a revision not reached yet', async () => {
        const watch = watched(storage, '/', storage.revision + 2)
        await Promise.all([put('/a'), put('/b'), put('/c')])
        expect(watch.seen.map(({ key }) => key)).toEqual(['/c'])
      })

      it('finds watchers of directories, of single keys and of parts of names', async () => {
        const prefixes = ['', '/', '/r/', '/r/pods/', '/r/pods/ns/', '/r/pods/ns/na', '/r/pods/ns/name', '/r']
        const wrong = ['/r/pods/ns/name2', '/r/pods/other/', '/r/pod/', '/r/pods/ns/name/', 'r/']
        const watches = prefixes.map((prefix) => watched(storage, prefix, storage.revision))
        const misses = wrong.map((prefix) => watched(storage, prefix, storage.revision))

        await put('/r/pods/ns/name')

        expect(watches.map(({ seen }) => seen.length)).toEqual(prefixes.map(() => 1))
        expect(misses.map(({ seen }) => seen.length)).toEqual(wrong.map(() => 0))
      })

      it('tells of an event once, also where another prefix of that length is watched', async () => {
        const one = watched(storage, '/a/b/', storage.revision)
        watched(storage, '/a/xy', storage.revision)

        await put('/a/b/c')

        expect(one.seen).toHaveLength(1)
      })

      it('stops at once when closed, also from within a call', async () => {
        const watch = watched(storage, '/', storage.revision)
        let calls = 0
        const self = storage.watch('/', storage.revision, {
          events() {
            calls++
            self.close()
          },
          ended() {
            calls += 100
          },
        })
        await put('/a')
        watch.close()
        await put('/b')

        expect(calls).toBe(1)
        expect(watch.seen).toHaveLength(1)
        expect(watch.endings).toEqual([])
      })

      it('ends a watcher that throws, and no other', async () => {
        const before = watched(storage, '/', storage.revision)
        const endings: unknown[] = []
        storage.watch('/', storage.revision, {
          events() {
            throw new Error('bad watcher')
          },
          ended: (error) => endings.push(error),
        })
        const after = watched(storage, '/', storage.revision)

        await put('/a')
        await put('/b')

        expect(endings).toMatchObject([{ message: 'bad watcher' }])
        expect(before.seen).toHaveLength(2)
        expect(after.seen).toHaveLength(2)
      })

      it('keeps the order for all when a watcher writes or watches from within a call', async () => {
        let inner: ReturnType<typeof watched> | undefined
        let follow: Promise<KeyValue> | undefined
        storage.watch('/', storage.revision, {
          events() {
            follow ??= put('/follow')
            inner ??= watched(storage, '/', storage.oldestRevision)
          },
          ended() {},
        })
        const other = watched(storage, '/', storage.revision)

        await Promise.all([put('/a'), put('/b')])
        await follow

        expect(other.seen.map(({ key }) => key)).toEqual(['/a', '/b', '/follow'])
        expect(inner!.seen.map(({ key }) => key)).toEqual(['/a', '/b', '/follow'])
      })

      it('ends watches when the store is closed', async () => {
        const watch = watched(storage, '/', storage.revision)
        const last = put('/a')
        await storage.close()
        await last
        expect(watch.seen).toHaveLength(1)
        expect(watch.endings).toEqual([undefined])
      })
    })

    describe('history', () => {
      it('forgets what is older than the limit of age, when new writes come', async () => {
        await put('/a', '1')
        const old = storage.revision
        await put('/a', '2')
        nowMs += 4 * 60_000
        await put('/a', '3')
        expect(storage.getAt('/a', old)?.value.toString()).toBe('1')

        nowMs += 2 * 60_000
        await put('/a', '4')

        expect(storage.oldestRevision).toBe(old + 1)
        expect(() => storage.getAt('/a', old)).toThrow(Compacted)
        expect(() => storage.list('/', { revision: old })).toThrow(Compacted)
        expect(() => storage.watch('/', old, { events() {}, ended() {} })).toThrow(Compacted)
        expect(storage.getAt('/a', old + 1)?.value.toString()).toBe('2')
        const watch = watched(storage, '/', old + 1)
        await Promise.resolve()
        expect(watch.seen.map(({ value }) => value.toString())).toEqual(['3', '4'])
      })

      it('compacts on request, never the present', async () => {
        for (let i = 0; i < 5; i++) await put('/a', String(i))
        storage.compact(storage.revision - 1)
        expect(storage.oldestRevision).toBe(storage.revision - 1)
        storage.compact(storage.revision + 50)
        expect(storage.oldestRevision).toBe(storage.revision)
        expect(storage.list('/', { revision: storage.revision }).items).toHaveLength(1)
        expect(() => watched(storage, '/', storage.revision - 1)).toThrow(Compacted)
      })
    })

    describe('load', () => {
      const entry = (key: string, createRevision: number, modRevision: number): KeyValue => ({
        key,
        value: Buffer.from(key),
        createRevision,
        modRevision,
      })

      it('takes entries with their revisions and goes on after the highest', async () => {
        await storage.load([entry('/b', 7, 90), entry('/a', 3, 40)], 60)

        expect(storage.revision).toBe(90)
        expect(storage.oldestRevision).toBe(90)
        expect(storage.list('/').items.map(plain)).toEqual([entry('/a', 3, 40), entry('/b', 7, 90)])
        expect((await put('/a', 'x', 40)).modRevision).toBe(91)
        expect(storage.get('/a')?.createRevision).toBe(3)
      })

      it('moves the counter forward only, to at least the revision given', async () => {
        await put('/a')
        await remove('/a')
        const before = storage.revision
        await storage.load([entry('/b', 1, 1)], 1)
        expect(storage.revision).toBeGreaterThan(before)
      })

      it('refuses a store that has entries, and keys given twice', async () => {
        await expect(storage.load([entry('/a', 1, 1), entry('/a', 2, 2)], 5)).rejects.toThrow('twice')
        await put('/a')
        await expect(storage.load([entry('/b', 1, 1)], 5)).rejects.toThrow('empty')
      })
    })

    it('refuses use after close', async () => {
      await storage.close()
      await expect(put('/a')).rejects.toThrow('closed')
      expect(() => storage.get('/a')).toThrow('closed')
      expect(() => watched(storage, '/', 1)).toThrow('closed')
    })

    it('stays right and fast with many keys, writes and watchers', async () => {
      const total = 20_000
      for (let i = 0; i < 500; i++) watched(storage, `/pods/ns-${i}/`, storage.revision)
      const all = watched(storage, '/pods/', storage.revision)

      const writes: Promise<unknown>[] = []
      for (let i = 0; i < total; i++) writes.push(put(`/pods/ns-${i % 100}/pod-${(i * 7919) % total}`, 'v'))
      await Promise.all(writes)
      const half = storage.list('/pods/').items.filter((_, i) => i % 2 === 0)
      await Promise.all(half.map(({ key }) => remove(key)))

      expect(storage.count('/pods/')).toBe(total / 2)
      expect(all.seen).toHaveLength(total + total / 2)
      const listed = keys('/pods/')
      expect(listed).toEqual([...listed].sort())
      expect(storage.list('/pods/', { limit: 5, start: listed[5_000]! })).toMatchObject({ remaining: 4_995 })
    })
  })
}

/** An entry as an object to compare, however it is held. */
export function plain({ key, value, createRevision, modRevision }: KeyValue): KeyValue {
  return { key, value, createRevision, modRevision }
}

/** A watch that remembers what it was given. */
export function watched(storage: Storage, prefix: string, fromRevision: number) {
  const seen: StorageEvent[] = []
  const endings: (Error | undefined)[] = []
  const watch = storage.watch(prefix, fromRevision, {
    events: (events) => void seen.push(...events),
    ended: (error) => void endings.push(error),
  })
  return { seen, endings, close: () => watch.close() }
}
