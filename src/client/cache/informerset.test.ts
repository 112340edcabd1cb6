import { afterEach, describe, expect, it } from 'vitest'
import { silent } from '../log.js'
import { eventually } from '../testing/eventually.js'
import { FakeApi, line } from '../testing/fakeapi.js'
import { HastyClock } from '../testing/fakeclock.js'
import { createInformerSet, type RecheckingInformerSet } from './informerset.js'
import { type Change, type Informer } from './interface.js'

const PODS = { group: '', version: 'v1', resource: 'pods' }

let open: RecheckingInformerSet | undefined

afterEach(async () => {
  await open?.close()
  open = undefined
})

function start(api: FakeApi, clock = new HastyClock()) {
  const set = createInformerSet({ transport: api, logger: silent, clock, random: () => 0.5, pageLimit: 10 })
  open = set
  const informer = set.informer(PODS)
  const changes: string[] = []
  informer.onChange((change) => changes.push(describeChange(change)))
  return { set, informer, changes, clock, state: () => [...set.status()][0] }
}

function describeChange({ type, object }: Change): string {
  return `${type} ${object.name}@${object.resourceVersion}`
}

/** The store holds what the API holds, version by version. */
function expectEqual(informer: Informer, api: FakeApi): void {
  const held = [...informer.store.byName()].map(({ name, resourceVersion }) => `${name}@${resourceVersion}`)
  const served = [...api.objects.values()].map(
    ({ metadata }) => `${metadata.name}@${metadata.resourceVersion}`,
  )
  expect(held.sort()).toEqual(served.sort())
}

function apiWith(count: number): FakeApi {
  const api = new FakeApi()
  for (let i = 0; i < count; i++) api.put(`pod-${i}`)
  return api
}

const lastWatch = (api: FakeApi) => {
  const watch = api.watches.at(-1)
  if (!watch?.open) throw new Error('no watch is open')
  return watch
}

describe('an informer', () => {
  it('lists in pages, then follows the watch from the list', async () => {
    const api = apiWith(25)
    // Written between the pages: not in the list's snapshot, so the watch must bring it.
    api.betweenPages = () => {
      api.betweenPages = undefined
      api.put('pod-3')
      api.delete('pod-4')
      api.put('between')
    }
    const { informer, changes, state } = start(api)

    await informer.whenSynced()
    expect(informer.store.size).toBe(25)
    await eventually(() => expectEqual(informer, api))
    api.put('late')
    api.delete('late')

    await eventually(() =>
      expect(changes.slice(-2).map((text) => text.split('@')[0])).toEqual(['added late', 'deleted late']),
    )
    expect(api.count('list')).toBe(3)
    expect(api.count('watch')).toBe(1)
    expect(state()).toEqual({ resource: 'pods', state: 'synced', objects: 25 })
    expect(api.watches[0]?.query.get('allowWatchBookmarks')).toBe('true')
  })

  it('resumes without a new list after a clean end and after a break in the middle of a line', async () => {
    const api = apiWith(3)
    const { informer, changes } = start(api)
    await eventually(() => lastWatch(api))
    changes.length = 0

    api.put('one')
    await eventually(() => expect(changes).toHaveLength(1))
    lastWatch(api).end()
    api.put('two')
    await eventually(() => expectEqual(informer, api))
    await lastWatch(api).write('{"type":"ADDED","object":{"metadata":{"name":"torn","resourceVersion":"9')
    lastWatch(api).break()
    api.put('three')
    await eventually(() => expectEqual(informer, api))

    expect(changes.map((text) => text.split('@')[0])).toEqual(['added one', 'added two', 'added three'])
    expect(api.count('list')).toBe(1)
  })

  it('resumes from a bookmark, and is not set back by late or repeated ones', async () => {
    const api = apiWith(1)
    start(api)
    await eventually(() => lastWatch(api))
    const bookmark = (version: number) =>
      line('BOOKMARK', { kind: 'Pod', metadata: { resourceVersion: String(version) } })

    api.revision = 500
    await lastWatch(api).write(bookmark(500) + bookmark(500) + bookmark(90))
    const watch = lastWatch(api)
    watch.end()

    await eventually(() => expect(lastWatch(api)).not.toBe(watch))
    expect(lastWatch(api).query.get('resourceVersion')).toBe('500')
  })

  it.each(['event', 'status'])('lists again after 410 as an %s, with deletions made up for', async (form) => {
    const api = apiWith(5)
    const { informer, changes } = start(api)
    await eventually(() => lastWatch(api))
    changes.length = 0

    lastWatch(api).end()
    api.delete('pod-1')
    api.put('pod-2')
    api.put('new')
    api.oldest = api.revision
    if (form === 'status') {
      api.failNext('watch', {
        status: 410,
        body: '{"kind":"Status","status":"Failure","reason":"Gone","code":410}',
      })
    }

    await eventually(() => expectEqual(informer, api))
    expect(changes.map((text) => text.split('@')[0]).sort()).toEqual([
      'added new',
      'deleted pod-1',
      'modified pod-2',
    ])
    expect(api.count('list')).toBe(2)
    expect(informer.synced).toBe(true)
  })

  it('waits ever longer when every watch is answered 410', async () => {
    const api = apiWith(1)
    const expired = line('ERROR', { kind: 'Status', status: 'Failure', reason: 'Expired', code: 410 })
    api.failNext('watch', { status: 200, body: expired }, 6)
    const { informer, clock } = start(api)

    await eventually(() => lastWatch(api))
    expectEqual(informer, api)
    const pauses = clock.waits.filter((ms) => ms < 100_000)
    expect(pauses).toEqual([300, 600, 1200, 2400, 4800])
  })

  it.each([
    ['500', { status: 500, body: '{"kind":"Status","message":"boom","code":500}' }],
    ['403', { status: 403, body: '{"kind":"Status","reason":"Forbidden","message":"no","code":403}' }],
    ['garbage', { status: 200, body: '<html>hello</html>' }],
    ['a list cut short', { status: 200, body: '{"metadata":{},"items":[{"metadata":{"name":"a"}},{"meta' }],
    ['items that are no objects', { status: 200, body: '{"metadata":{},"items":[[1],{"a":2}]}' }],
    ['an empty answer', { status: 200, body: '' }],
    ['a lost connection', { broken: true }],
  ])('gets over %s in answer to its lists', async (_, fault) => {
    const api = apiWith(12)
    api.failNext('list', fault, 3)
    const { informer, clock } = start(api)

    await informer.whenSynced()
    await eventually(() => expectEqual(informer, api))
    expect(clock.waits.slice(0, 3)).toEqual([150, 300, 600])
  })

  it.each([
    ['500', { status: 500 }],
    ['403', { status: 403, body: '{"kind":"Status","reason":"Forbidden","message":"no","code":403}' }],
    ['garbage', { status: 200, body: 'not json\n' }],
    ['an unknown event', { status: 200, body: '{"type":"SURPRISE","object":{"metadata":{"name":"x"}}}\n' }],
    ['an error event', { status: 200, body: line('ERROR', { kind: 'Status', message: 'etcd', code: 500 }) }],
    ['an end at once', { status: 200, body: '' }],
    ['a lost connection', { broken: true }],
  ])('gets over %s in answer to its watches, without a new list', async (_, fault) => {
    const api = apiWith(2)
    api.failNext('watch', fault, 3)
    const { informer, changes } = start(api)

    await eventually(() => lastWatch(api))
    api.put('after')
    await eventually(() => expectEqual(informer, api))
    expect(changes).toHaveLength(3)
    expect(api.count('list')).toBe(1)
  })

  it('starts over when a continue token expires, and finally asks for all in one piece', async () => {
    const api = apiWith(30)
    const expired = { status: 410, body: '{"kind":"Status","reason":"Expired","message":"old","code":410}' }
    for (let i = 0; i < 2; i++) {
      api.faults.push({ matches: ({ path }) => path.includes('continue='), fault: expired })
    }
    const { informer } = start(api)

    await informer.whenSynced()
    expectEqual(informer, api)
    expect(api.requests.filter((path) => path === '/api/v1/pods')).toHaveLength(1)
  })

  it('names the failure in its status, keeps what it holds, and reports recovery', async () => {
    const api = apiWith(2)
    const clock = new HastyClock(0)
    const { informer, set, state } = start(api, clock)
    await eventually(() => lastWatch(api))

    api.failNext('watch', { status: 500, body: '{"kind":"Status","message":"boom","code":500}' })
    lastWatch(api).break()
    await eventually(() => expect(state()?.state).toBe('failing'))
    set.recheck()
    await eventually(() => expect(state()).toMatchObject({ state: 'failing', error: 'boom', objects: 2 }))
    expect(informer.synced).toBe(true)
    set.recheck('pods')

    await eventually(() => expect(state()).toEqual({ resource: 'pods', state: 'synced', objects: 2 }))
  })

  it('counts as synced while the resource is absent, and fills once it is served', async () => {
    const api = new FakeApi('/apis/elsewhere/v1/things')
    const { informer, set, state } = start(api, new HastyClock(0))

    await informer.whenSynced()
    expect(state()).toEqual({ resource: 'pods', state: 'absent', objects: 0 })
    Object.assign(api, { path: '/api/v1/pods' })
    api.put('here')
    set.recheck()

    await eventually(() => expect(state()).toEqual({ resource: 'pods', state: 'synced', objects: 1 }))
  })

  it('empties when the resource goes for good, not at the first 404', async () => {
    const api = apiWith(2)
    const { changes, state } = start(api)
    await eventually(() => lastWatch(api))
    changes.length = 0

    api.failNext('watch', { status: 404 })
    lastWatch(api).break()
    await eventually(() => lastWatch(api))
    expect(changes).toEqual([])

    Object.assign(api, { path: '/gone' })
    lastWatch(api).break()
    await eventually(() => expect(state()?.state).toBe('absent'))
    expect(changes.map((text) => text.split('@')[0])).toEqual(['deleted pod-0', 'deleted pod-1'])
  })

  it('looks again at once when the definition of its resource appears', async () => {
    const definitions = new FakeApi('/apis/apiextensions.k8s.io/v1/customresourcedefinitions')
    const things = new FakeApi('/nothing')
    const set = createInformerSet({
      transport: {
        dispatch: (request, sink) =>
          (request.path.includes('customresourcedefinitions') ? definitions : things).dispatch(request, sink),
        upgrade: () => Promise.reject(new Error('not served here')),
        close: () => Promise.resolve(),
      },
      logger: silent,
      clock: new HastyClock(0),
    })
    open = set
    set.informer({ group: 'apiextensions.k8s.io', version: 'v1', resource: 'customresourcedefinitions' })
    const informer = set.informer({ group: 'ex.io', version: 'v1', resource: 'things' })
    await eventually(() => expect([...set.status()].map(({ state }) => state)).toEqual(['synced', 'absent']))

    Object.assign(things, { path: '/apis/ex.io/v1/things' })
    things.put('thing')
    definitions.put('things.ex.io')

    await eventually(() => expect(informer.store.size).toBe(1))
  })

  it('asks again soon when the resource of a new definition is not served yet', async () => {
    const api = new FakeApi('/apis/elsewhere/v1/things')
    const clock = new HastyClock(10_000)
    const { informer, set, state } = start(api, clock)
    await eventually(() => expect(state()?.state).toBe('absent'))

    set.recheck()
    await eventually(() => expect(clock.waits).toEqual([15_000, 50, 100, 200, 400, 800, 1600, 3200, 15_000]))
    Object.assign(api, { path: '/api/v1/pods' })
    api.put('here')
    set.recheck()

    await eventually(() => expect(informer.store.size).toBe(1))
  })

  it('neither loses nor doubles an event while everything goes wrong', async () => {
    const api = apiWith(40)
    const seed = mulberry(7)
    const { informer, changes } = start(api)
    await informer.whenSynced()
    const seen: string[] = []
    informer.onChange((change) => seen.push(describeChange(change)))

    for (let round = 0; round < 300; round++) {
      const name = `pod-${Math.floor(seed() * 60)}`
      if (api.objects.has(`default/${name}`) && seed() < 0.3) api.delete(name)
      else api.put(name, { filler: 'x'.repeat(Math.floor(seed() * 3000)) })
      const dice = seed()
      const watch = api.watches.at(-1)
      if (dice < 0.05) watch?.break()
      else if (dice < 0.1) watch?.end()
      else if (dice < 0.13) api.failNext('watch', { status: 503 })
      else if (dice < 0.15) api.oldest = api.revision - 5
      api.chunkBytes = 1 + Math.floor(seed() * 4000)
      if (seed() < 0.2) await new Promise((resolve) => setImmediate(resolve))
    }

    await eventually(() => expectEqual(informer, api))
    expect(new Set(seen.filter((text) => !text.startsWith('deleted'))).size).toBe(
      seen.filter((text) => !text.startsWith('deleted')).length,
    )
    expect(replay(changes)).toEqual(new Set([...informer.store.byName()].map(({ name }) => name)))
  })

  it('goes on when a listener throws, and stops calling one that has left', async () => {
    const api = apiWith(0)
    const { informer, changes } = start(api)
    await eventually(() => lastWatch(api))
    const leave = informer.onChange(() => {
      throw new Error('a broken listener')
    })

    api.put('one')
    await eventually(() => expect(changes).toHaveLength(1))
    leave()
    api.put('two')

    await eventually(() => expect(changes).toHaveLength(2))
  })

  it('keeps an object whose fields have an unexpected form', async () => {
    const api = new FakeApi()
    api.put('odd', { spec: 'not an object' })
    api.put('even', { spec: { nodeName: 'n1' } })
    const set = createInformerSet({ transport: api, logger: silent })
    open = set
    const informer = set.informer(PODS, {
      extract: ({ spec }) => ({
        node: spec === undefined ? '' : (spec as { nodeName: string }).nodeName.trim(),
      }),
    })

    await informer.whenSynced()
    expect([...informer.store.byName()].map(({ name, fields }) => [name, fields.node])).toEqual([
      ['even', 'n1'],
      ['odd', ''],
    ])
  })

  it('takes the first options given, although somebody asked without any before', async () => {
    const api = new FakeApi()
    api.put('one', { spec: { nodeName: 'n1' } })
    const { set, informer } = start(api)
    await informer.whenSynced()

    const same = set.informer(PODS, {
      extract: ({ spec }) => ({ node: (spec as { nodeName: string }).nodeName }),
      indexes: { node: (_, { node }) => [node] },
    })
    set.informer(PODS, { extract: () => ({ node: 'from elsewhere' }) })

    expect(same).toBe(informer)
    expect([...same.store.index('node', 'n1')].map(({ fields }) => fields.node)).toEqual(['n1'])
    api.put('one', { spec: { nodeName: 'n2' } })
    await eventually(() => expect([...same.store.index('node', 'n2')]).toHaveLength(1))
    expect([...same.store.index('node', 'n1')]).toEqual([])
  })

  it('yields to other work while it takes in a large list that arrives in one piece', async () => {
    const api = apiWith(0)
    for (let i = 0; i < 3000; i++) api.put(`pod-${i}`, { filler: 'x'.repeat(2000) })
    api.chunkBytes = Number.MAX_SAFE_INTEGER
    const set = createInformerSet({ transport: api, logger: silent, pageLimit: 0 })
    open = set
    let turns = 0
    const timer = setInterval(() => turns++, 1)

    await set.informer(PODS).whenSynced()
    clearInterval(timer)
    expect(turns).toBeGreaterThan(2)
  })

  it('gives the same informer to all, and rejects waiting on abort', async () => {
    const api = new FakeApi()
    api.failNext('list', { status: 500 }, 100)
    const { set, informer } = start(api, new HastyClock(0))

    expect(set.informer(PODS)).toBe(informer)
    await expect(informer.whenSynced(AbortSignal.timeout(20))).rejects.toThrow(/timeout/i)
  })
})

/** The names left after replaying a record of changes. @throws when a change does not follow from those before */
function replay(changes: readonly string[]): Set<string> {
  const names = new Set<string>()
  for (const change of changes) {
    const [type, name = ''] = (change.split('@')[0] ?? '').split(' ')
    if ((type === 'added') === names.has(name)) throw new Error(`out of turn: ${change}`)
    if (type === 'deleted') names.delete(name)
    else names.add(name)
  }
  return names
}

function mulberry(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}
