/** Watches: section 7.5 of the contract, streaming lists as Kubernetes 1.27 has them. */
import { describe, expect, it } from 'vitest'
import { type KubeObject } from '../../apimachinery/meta/types.js'
import { createCatalogue } from '../registry/catalogue.js'
import {
  eventually,
  fixture,
  type Fixture,
  gadgets,
  GADGETS,
  widget,
  WIDGETS,
  type WatchProbe,
  widgets,
} from './fixture.js'

const MERGE = { 'content-type': 'application/merge-patch+json' }
const types = ({ events }: WatchProbe): string[] => events.map(({ type }) => type)
const revisionOf = (object: KubeObject | undefined): number => Number(object?.metadata.resourceVersion)

async function create(kube: Fixture, count: number): Promise<void> {
  await Promise.all(Array.from({ length: count }, (_, i) => kube.call('POST', WIDGETS, widget(`w${i}`))))
}

describe('a watch', () => {
  it('from the revision of a list has each later event once, in order', async () => {
    const kube = fixture()
    await create(kube, 10)
    const list = await kube.call('GET', WIDGETS)
    const from = Number(list.json.metadata.resourceVersion)
    const log: string[] = []
    kube.storage.watch('/registry/widgets/', from, {
      events: (events) =>
        events.forEach(({ revision, key }) => log.push(`${revision} ${key.split('/').at(-1)}`)),
      ended: () => {},
    })

    const writes = Array.from({ length: 500 }, (_, i) =>
      kube.call('PATCH', `${WIDGETS}/w${i % 10}`, { data: { [`k${i}`]: 1 } }, MERGE),
    )
    const live = kube.watch(`${WIDGETS}?watch=1&resourceVersion=${from}`)
    await Promise.all(writes)
    const late = kube.watch(`${WIDGETS}?watch=1&resourceVersion=${from}`)

    for (const probe of [live, late]) {
      await eventually(() => expect(probe.events).toHaveLength(500))
      expect(probe.events.map(({ object }) => `${revisionOf(object)} ${object.metadata.name}`)).toEqual(log)
    }
  })

  it('without a revision, or from 0, starts with what is there', async () => {
    const kube = fixture()
    await create(kube, 3)

    for (const query of ['', '&resourceVersion=0', '&resourceVersion=']) {
      const probe = kube.watch(`${WIDGETS}?watch=true${query}`)
      await eventually(() => expect(probe.events).toHaveLength(3))
      expect(types(probe)).toEqual(['ADDED', 'ADDED', 'ADDED'])
      expect(probe.events[0]?.object).toMatchObject({ kind: 'Widget', apiVersion: 'v1' })
      probe.abort()
    }
    expect(kube.server.watches).toBe(0)
  })

  it('below the window is 200, one ERROR with the 410, and the end', async () => {
    const kube = fixture()
    await create(kube, 5)
    kube.storage.compact(kube.storage.revision)

    const probe = kube.watch(`${WIDGETS}?watch=1&resourceVersion=1`)

    await eventually(() => expect(probe.ended).toBe(true))
    expect(probe.status).toBe(200)
    expect(probe.events).toMatchObject([
      { type: 'ERROR', object: { kind: 'Status', reason: 'Expired', code: 410 } },
    ])
    expect(probe.events[0]?.object.message).toMatch(/^too old resource version: 1 \(\d+\)$/)
  })

  it('in the future is open and silent until that revision has passed', async () => {
    const kube = fixture()
    const probe = kube.watch(`${WIDGETS}?watch=1&resourceVersion=${kube.storage.revision + 2}`)
    await eventually(() => expect(probe.status).toBe(200))

    await create(kube, 3)

    await eventually(() => expect(probe.events).toHaveLength(1))
    expect(revisionOf(probe.events[0]?.object)).toBe(kube.storage.revision)
  })

  it('turns what enters and leaves the selection into ADDED and DELETED', async () => {
    const kube = fixture()
    await kube.call('POST', WIDGETS, widget('a', { metadata: { labels: { app: 'x' } }, spec: { size: 1 } }))
    const probe = kube.watch(
      `${WIDGETS}?watch=1&labelSelector=app%3Dx&resourceVersion=${kube.storage.revision}`,
    )
    const label = (app: string, size: number): unknown => ({ metadata: { labels: { app } }, spec: { size } })

    await kube.call('PATCH', `${WIDGETS}/a`, label('x', 2), MERGE)
    const left = await kube.call('PATCH', `${WIDGETS}/a`, label('y', 3), MERGE)
    await kube.call('PATCH', `${WIDGETS}/a`, label('y', 4), MERGE)
    await kube.call('PATCH', `${WIDGETS}/a`, label('x', 5), MERGE)
    await kube.call('DELETE', `${WIDGETS}/a`)

    await eventually(() => expect(types(probe)).toEqual(['MODIFIED', 'DELETED', 'ADDED', 'DELETED']))
    expect(probe.events[1]?.object).toMatchObject({ metadata: { labels: { app: 'x' } }, spec: { size: 2 } })
    expect(revisionOf(probe.events[1]?.object)).toBe(revisionOf(left.json))
    expect(revisionOf(probe.events[3]?.object)).toBe(kube.storage.revision)
  })

  it('by field sees one object, or those whose field fits', async () => {
    const kube = fixture()
    const one = kube.watch(`${WIDGETS}?watch=1&fieldSelector=metadata.name%3Dw1`)
    const legacy = kube.watch('/api/v1/watch/namespaces/default/widgets/w1')
    const red = kube.watch('/api/v1/watch/widgets?fieldSelector=spec.color%3Dred')
    await eventually(() => expect(kube.server.watches).toBe(3))

    await create(kube, 12)
    await kube.call('PATCH', `${WIDGETS}/w2`, { spec: { color: 'red' } }, MERGE)

    await eventually(() => expect(types(red)).toEqual(['ADDED']))
    expect(red.events[0]?.object.metadata.name).toBe('w2')
    for (const probe of [one, legacy]) {
      expect(probe.events.map(({ object }) => object.metadata.name)).toEqual(['w1'])
    }
  })

  it('on the path of one object is a plain get', async () => {
    const kube = fixture()
    await create(kube, 1)

    expect((await kube.call('GET', `${WIDGETS}/w0?watch=1`)).json.kind).toBe('Widget')
  })

  it('of no given length ends after half an hour to an hour of whole seconds: memory grew by each duration', async () => {
    const kube = fixture()
    for (let i = 0; i < 20; i++) {
      const probe = kube.watch(`${WIDGETS}?watch=1`)
      await eventually(() => expect(kube.server.watches).toBe(1))
      const lastsMs = (kube.clock.nextAt ?? NaN) - kube.clock.now()
      expect(lastsMs % 1_000).toBe(0)
      expect(lastsMs).toBeGreaterThanOrEqual(1_800_000)
      expect(lastsMs).toBeLessThan(3_600_000)
      probe.abort()
      await eventually(() => expect(kube.server.watches).toBe(0))
    }
  })

  it('is given a bookmark two seconds before its time, and then ends', async () => {
    const kube = fixture()
    const probe = kube.watch(`${WIDGETS}?watch=1&timeoutSeconds=6&allowWatchBookmarks=true`)
    await eventually(() => expect(kube.server.watches).toBe(1))
    await kube.call('POST', GADGETS, {
      kind: 'Gadget',
      apiVersion: 'ex.io/v1alpha1',
      metadata: { name: 'elsewhere' },
    })

    kube.clock.advance(3999)
    expect(probe.events).toEqual([])
    kube.clock.advance(1)
    expect(probe.events).toEqual([
      {
        type: 'BOOKMARK',
        object: {
          kind: 'Widget',
          apiVersion: 'v1',
          metadata: { resourceVersion: String(kube.storage.revision), creationTimestamp: null },
        },
      },
    ])
    kube.clock.advance(1999)
    expect(probe.ended).toBe(false)
    kube.clock.advance(1)
    expect(probe.ended).toBe(true)
    expect(kube.server.watches).toBe(0)
  })

  it('is given bookmarks each minute only when it asks', async () => {
    const kube = fixture()
    const asking = kube.watch(`${WIDGETS}?watch=1&allowWatchBookmarks=true`)
    const silent = kube.watch(`${WIDGETS}?watch=1`)
    await eventually(() => expect(kube.server.watches).toBe(2))

    kube.clock.advance(180_000)

    expect(types(asking)).toEqual(['BOOKMARK', 'BOOKMARK', 'BOOKMARK'])
    expect(silent.events).toEqual([])
    kube.clock.advance(60 * 60_000)
    expect([asking.ended, silent.ended]).toEqual([true, true])
  })

  it('prints rows, the columns once', async () => {
    const kube = fixture()
    await create(kube, 1)
    const accept = 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json'
    const probe = kube.watch(`${WIDGETS}?watch=1`, { accept })
    await eventually(() => expect(probe.events).toHaveLength(1))

    await kube.call('PATCH', `${WIDGETS}/w0`, { spec: { color: 'red' } }, MERGE)

    await eventually(() => expect(probe.events).toHaveLength(2))
    expect(probe.events).toMatchObject([
      {
        type: 'ADDED',
        object: {
          kind: 'Table',
          columnDefinitions: [{ name: 'Name' }, { name: 'Color' }],
          rows: [{ cells: ['w0', 'grey'] }],
        },
      },
      {
        type: 'MODIFIED',
        object: { kind: 'Table', columnDefinitions: null, rows: [{ cells: ['w0', 'red'] }] },
      },
    ])
  })

  it('shows metadata alone', async () => {
    const kube = fixture()
    await create(kube, 1)
    const accept = 'application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io'

    const probe = kube.watch(`${WIDGETS}?watch=1`, { accept })

    await eventually(() => expect(probe.events).toHaveLength(1))
    expect(probe.events[0]?.object).toMatchObject({ kind: 'PartialObjectMetadata', metadata: { name: 'w0' } })
    expect(probe.events[0]?.object).not.toHaveProperty('spec')
  })

  it('ends when its resource is no longer served', async () => {
    const catalogue = createCatalogue([widgets(), gadgets()])
    const kube = fixture({ catalogue })
    const gone = kube.watch(`${GADGETS}?watch=1`)
    const stays = kube.watch(`${WIDGETS}?watch=1`)
    await eventually(() => expect(kube.server.watches).toBe(2))

    catalogue.remove('ex.io', 'v1alpha1', 'gadgets')

    expect([gone.ended, stays.ended]).toEqual([true, false])
  })
})

describe('a streaming list', () => {
  const QUERY = 'watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true'

  it.each([0, 1, 5000])('of %i objects sends them, marks their end, and goes on', async (count) => {
    const kube = fixture()
    await create(kube, count)
    const revision = kube.storage.revision

    const probe = kube.watch(`${WIDGETS}?${QUERY}&resourceVersion=`)
    await eventually(() => expect(probe.events).toHaveLength(count + 1))
    const end = probe.events[count]
    expect(
      types(probe)
        .slice(0, count)
        .every((type) => type === 'ADDED'),
    ).toBe(true)
    expect(end).toMatchObject({
      type: 'BOOKMARK',
      object: { metadata: { annotations: { 'k8s.io/initial-events-end': 'true' } } },
    })
    expect(revisionOf(end?.object)).toBeGreaterThanOrEqual(revision)
    await kube.call('POST', WIDGETS, widget('live'))

    await eventually(() =>
      expect(probe.events.at(-1)).toMatchObject({ type: 'ADDED', object: { metadata: { name: 'live' } } }),
    )
  })

  it('loses nothing that happens while it is being sent', async () => {
    const kube = fixture()
    await create(kube, 20)
    const probe = kube.watch(`${WIDGETS}?${QUERY}`)
    probe.pause()
    await eventually(() => expect(probe.events).toHaveLength(1))

    await kube.call('DELETE', `${WIDGETS}/w0`)
    await kube.call('POST', WIDGETS, widget('during'))
    probe.resume()

    await eventually(() => expect(probe.events).toHaveLength(23))
    expect(types(probe).slice(20)).toEqual(['BOOKMARK', 'DELETED', 'ADDED'])
  })

  it('waits for the revision asked for, or is 504', async () => {
    const kube = fixture()
    const probe = kube.watch(`${WIDGETS}?${QUERY}&resourceVersion=${kube.storage.revision + 1}`)
    await kube.call('POST', WIDGETS, widget('a'))
    await eventually(() => expect(types(probe)).toEqual(['ADDED', 'BOOKMARK']))
  })

  it.each([
    [
      'watch=1&sendInitialEvents=true',
      'resourceVersionMatch: Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan',
    ],
    [
      'watch=1&sendInitialEvents=true&resourceVersionMatch=Exact&resourceVersion=1',
      'resourceVersionMatch: Unsupported value: "Exact": supported values: "NotOlderThan"',
    ],
    [
      'watch=1&resourceVersionMatch=NotOlderThan&resourceVersion=1',
      'resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided',
    ],
    [
      'sendInitialEvents=true&resourceVersionMatch=NotOlderThan&resourceVersion=1',
      'sendInitialEvents: Forbidden: sendInitialEvents is forbidden for list',
    ],
  ])('is 422 as %s', async (query, why) => {
    const { json } = await fixture().call('GET', `${WIDGETS}?${query}`)

    expect(json).toMatchObject({ code: 422, message: `ListOptions.meta.k8s.io "" is invalid: ${why}` })
  })
})

describe('a slow reader', () => {
  it('catches up from history, in order, however much it has missed', async () => {
    const kube = fixture()
    await kube.call('POST', WIDGETS, widget('a'))
    const slow = kube.watch(`${WIDGETS}?watch=1&resourceVersion=${kube.storage.revision}`)
    const quick = kube.watch(`${WIDGETS}?watch=1&resourceVersion=${kube.storage.revision}`)
    await eventually(() => expect(kube.server.watches).toBe(2))
    slow.pause()

    // 2,000 events are more than a watch queues.
    for (let i = 0; i < 2000; i++) await kube.call('PUT', `${WIDGETS}/a`, widget('a', { spec: { size: i } }))
    await eventually(() => expect(quick.events).toHaveLength(2000))
    expect(slow.events).toHaveLength(1)
    slow.resume()

    await eventually(() => expect(slow.events).toHaveLength(2000))
    expect(slow.events).toEqual(quick.events)
  })

  it('has in one piece what has come meanwhile', async () => {
    const kube = fixture()
    const slow = kube.watch(`${WIDGETS}?watch=1`)
    await eventually(() => expect(kube.server.watches).toBe(1))
    slow.pause()
    for (let i = 0; i < 6; i++) await kube.call('POST', WIDGETS, widget(`w${i}`))
    expect([slow.pieces, slow.events.length]).toEqual([1, 1])

    slow.resume()

    expect([slow.pieces, slow.events.length]).toEqual([2, 6])
  })

  it('that takes nothing for a minute is dropped, the others not', async () => {
    const kube = fixture()
    const stuck = kube.watch(`${WIDGETS}?watch=1`)
    const good = kube.watch(`${WIDGETS}?watch=1`)
    stuck.pause()
    await create(kube, 3)
    await eventually(() => expect(good.events).toHaveLength(3))

    kube.clock.advance(60_000)

    expect([stuck.ended, good.ended]).toEqual([true, false])
    expect(kube.server.watches).toBe(1)
  })

  it('whose place in history is gone is told 410', async () => {
    const kube = fixture()
    const slow = kube.watch(`${WIDGETS}?watch=1&resourceVersion=${kube.storage.revision}`)
    slow.pause()
    await eventually(() => expect(kube.server.watches).toBe(1))
    await kube.call('POST', WIDGETS, widget('a'))
    for (let i = 0; i < 1500; i++) await kube.call('PUT', `${WIDGETS}/a`, widget('a', { spec: { size: i } }))
    kube.storage.compact(kube.storage.revision)

    slow.resume()

    await eventually(() => expect(slow.ended).toBe(true))
    expect(slow.events.at(-1)).toMatchObject({ type: 'ERROR', object: { code: 410, reason: 'Expired' } })
  })

  it('costs nobody else a serialisation: frames are shared', async () => {
    const kube = fixture()
    const chunks = new Set<Uint8Array>()
    let taken = 0
    let seen = 0
    for (let i = 0; i < 20; i++) {
      kube.server.transport.dispatch(
        { method: 'GET', path: `${WIDGETS}?watch=1`, headers: {} },
        {
          head() {},
          data(chunk) {
            chunks.add(chunk)
            taken++
            seen += Buffer.from(chunk).toString().split('\n').length - 1
            return true
          },
          end() {},
          fail() {},
        },
      )
    }
    await eventually(() => expect(kube.server.watches).toBe(20))

    await create(kube, 10)

    await eventually(() => expect(seen).toBe(200))
    expect(taken).toBe(chunks.size * 20)
    expect(chunks.size).toBeLessThanOrEqual(10)
  })
})

describe('a crowd of watchers', () => {
  const CROWD = 250

  it('has every event once and in order', async () => {
    const kube = fixture()
    const crowd = Array.from({ length: CROWD }, () => kube.watch(`${WIDGETS}?watch=1`))
    await eventually(() => expect(kube.server.watches).toBe(CROWD))

    for (let i = 0; i < 20; i++) await kube.call('POST', WIDGETS, widget(`w${i}`))

    const names = Array.from({ length: 20 }, (_, i) => `w${i}`)
    await eventually(() => {
      for (const { events } of crowd) expect(events.map(({ object }) => object.metadata.name)).toEqual(names)
    })
  })

  it('does not hold up who watches another resource', async () => {
    const kube = fixture()
    const other = kube.watch(`${GADGETS}?watch=1`)
    const crowd = Array.from({ length: CROWD }, () => kube.watch(`${WIDGETS}?watch=1`))
    await eventually(() => expect(kube.server.watches).toBe(CROWD + 1))

    await kube.call('POST', WIDGETS, widget('a'))
    await kube.call('POST', GADGETS, {
      apiVersion: 'ex.io/v1alpha1',
      kind: 'Gadget',
      metadata: { name: 'b' },
    })

    expect(other.events).toHaveLength(1)
    await eventually(() => expect(crowd.every(({ events }) => events.length === 1)).toBe(true))
  })

  it('is sent what it still waits for when a watch ends', async () => {
    const kube = fixture()
    const crowd = Array.from({ length: CROWD }, () => kube.watch(`${WIDGETS}?watch=1&timeoutSeconds=60`))
    await eventually(() => expect(kube.server.watches).toBe(CROWD))

    await kube.call('POST', WIDGETS, widget('a'))
    kube.clock.advance(60_000)

    expect(crowd.map(({ events, ended }) => [events.length, ended])).toEqual(crowd.map(() => [1, true]))
  })
})
