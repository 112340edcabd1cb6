/** Acceptance of lists and watches: checks 20 to 31. */
import { afterAll, beforeAll, describe, expect } from 'vitest'
import { check, type Json, ON_CLUSTER, startSubject, type Subject, type Watched } from './subject.js'

let kube: Subject
beforeAll(async () => {
  kube = await startSubject({ nodes: 0 })
})
afterAll(() => kube.close())

/** ConfigMaps of a namespace of its own for each check. */
async function mapsIn(name: string): Promise<string> {
  return `${await kube.namespace(name)}/configmaps`
}

async function make(maps: string, name: string, more: object = {}): Promise<Json> {
  const { json } = await kube.post(maps, { metadata: { name, ...more }, data: {} })
  return json
}

const version = (list: Json): string => list.metadata.resourceVersion as string
const named = (list: Json): string[] => list.items.map(({ metadata }: Json) => metadata.name as string)
const own = (events: Watched['events']): string[] =>
  events.map(({ type, object }) => `${type} ${object.metadata.name ?? ''}`)

describe('lists', () => {
  check(20, 'come in pages of one moment, while others write', async () => {
    const maps = await mapsIn('pages')
    await kube.delete(`${maps}/kube-root-ca.crt`)
    const label = 'labelSelector=in%3Dpages'
    for (const name of ['a', 'b', 'c', 'd', 'e', 'f', 'g']) {
      await make(maps, name, { labels: { in: 'pages' } })
    }
    const first = (await kube.get(`${maps}?limit=2&${label}`)).json
    const whole = (await kube.get(`${maps}?limit=2`)).json
    await make(maps, 'bb', { labels: { in: 'pages' } })
    await kube.delete(`${maps}/e`)
    const names = named(first)
    let page = first
    while (page.metadata.continue) {
      page = (await kube.get(`${maps}?limit=2&${label}&continue=${page.metadata.continue as string}`)).json
      expect(version(page)).toBe(version(first))
      names.push(...named(page))
    }

    expect(names).toEqual(['a', 'b', 'c', 'd', 'e', 'f', 'g'])
    expect(first.metadata.remainingItemCount).toBeUndefined()
    expect(whole.metadata.remainingItemCount).toBeGreaterThanOrEqual(5)
  })

  check(22, 'are as new as they are asked to be', async () => {
    const maps = await mapsIn('versions')
    const before = await make(maps, 'first')
    await make(maps, 'second')
    const at = version(before)
    const get = (query: string): ReturnType<Subject['get']> =>
      kube.get(`${maps}?fieldSelector=metadata.name!%3Dkube-root-ca.crt&${query}`)

    expect((await get('resourceVersion=0')).status).toBe(200)
    expect(named((await get(`resourceVersion=${at}`)).json)).toHaveLength(2)
    expect(named((await get(`resourceVersion=${at}&resourceVersionMatch=Exact`)).json)).toEqual(['first'])
    expect(await get('resourceVersion=0&resourceVersionMatch=Exact')).toMatchObject({ status: 422 })
    expect(await get('resourceVersionMatch=Exact')).toMatchObject({ status: 422 })
    expect(await get('resourceVersion=99999999')).toMatchObject({
      status: 504,
      json: { reason: 'Timeout', details: { causes: [{ reason: 'ResourceVersionTooLarge' }] } },
    })
    // Ours calls it what it is.
    expect((await get('resourceVersion=x')).status).toBe(ON_CLUSTER ? 500 : 400)
    expect((await get('continue=garbage')).status).toBe(400)
  })

  check(23, 'select by labels that are there, are not, or differ', async () => {
    const maps = await mapsIn('selected')
    await make(maps, 'one', { labels: { a: '1', in: 'x' } })
    await make(maps, 'two', { labels: { a: '2', in: 'x' } })
    await make(maps, 'none', { labels: { in: 'x' } })
    const select = async (selector: string): Promise<string[]> =>
      named((await kube.get(`${maps}?labelSelector=${encodeURIComponent(`in=x,${selector}`)}`)).json)

    expect(await select('a!=1')).toEqual(['none', 'two'])
    expect(await select('a notin (1,2)')).toEqual(['none'])
    expect(await select('a in (1,2)')).toEqual(['one', 'two'])
    expect(await select('!a')).toEqual(['none'])
    expect(await select('a')).toEqual(['one', 'two'])
    expect(await kube.get(`${maps}?fieldSelector=data.a%3D1`)).toMatchObject({
      status: 400,
      json: {
        message: expect.stringMatching(/field label not supported|not a known field selector/) as string,
      },
    })
  })
})

describe('watches', () => {
  check(24, 'tell each of many concurrent writes once, in order', async () => {
    const maps = await mapsIn('many')
    const list = (await kube.get(maps)).json
    const watched = kube.watch(`${maps}?watch=1&resourceVersion=${version(list)}`)
    await expect.poll(() => watched.status).toBe(200)
    const write = async (writer: number): Promise<void> => {
      for (let i = 0; i < 25; i++) {
        await make(maps, `w${writer}-${i}`)
        await kube.patch(`${maps}/w${writer}-${i}`, { data: { a: String(i) } })
      }
    }
    await Promise.all(Array.from({ length: 10 }, (_none, writer) => write(writer)))

    await expect.poll(() => watched.events.length).toBe(500)
    watched.stop()
    const versions = watched.events.map(({ object }) => Number(version(object)))
    expect(versions).toEqual([...new Set(versions)].sort((a, b) => a - b))
    const types = new Map<string, string[]>()
    for (const { type, object } of watched.events) {
      const name = object.metadata.name as string
      types.set(name, [...(types.get(name) ?? []), type])
    }
    for (const each of types.values()) expect(each).toEqual(['ADDED', 'MODIFIED'])
  })

  check(26, 'turn what selectors see into additions and deletions', async () => {
    const maps = await mapsIn('leaving')
    const created = await make(maps, 'x', { labels: { in: 'yes' } })
    const watched = kube.watch(`${maps}?watch=1&labelSelector=in%3Dyes&resourceVersion=${version(created)}`)
    const left = (await kube.patch(`${maps}/x`, { metadata: { labels: { in: 'no' } } })).json
    await kube.patch(`${maps}/x`, { metadata: { labels: { in: 'yes' } } })

    await expect.poll(() => own(watched.events)).toEqual(['DELETED x', 'ADDED x'])
    watched.stop()
    expect(watched.events[0]?.object.metadata).toMatchObject({
      labels: { in: 'yes' },
      resourceVersion: version(left),
    })
  })

  check(27, 'end when asked to, after a bookmark', async () => {
    const maps = await mapsIn('bookmarks')
    const list = (await kube.get(maps)).json
    const watched = kube.watch(
      `${maps}?watch=1&allowWatchBookmarks=true&timeoutSeconds=6&resourceVersion=${version(list)}`,
    )

    await expect.poll(() => watched.ended, { timeout: 30_000 }).toBe(true)
    // A genuine 1.20 misses the moment now and then; a busy server sends one more.
    if (!ON_CLUSTER) expect(watched.events.length).toBeGreaterThan(0)
    for (const { type, object } of watched.events) {
      expect(type).toBe('BOOKMARK')
      expect(object).toEqual({
        kind: 'ConfigMap',
        apiVersion: 'v1',
        metadata: { resourceVersion: expect.any(String) as string, creationTimestamp: null },
      })
    }
  })

  check(
    28,
    'list first, when asked to, and say when they have',
    async () => {
      for (const count of [0, 1, 1500]) {
        const maps = await mapsIn(`streamed-${count}`)
        const batches = Math.ceil(count / 50)
        for (let batch = 0; batch < batches; batch++) {
          const size = Math.min(50, count - batch * 50)
          const makeOne = (_none: unknown, i: number): Promise<Json> =>
            make(maps, `c${batch}-${i}`, { labels: { in: 'list' } })
          await Promise.all(Array.from({ length: size }, makeOne))
        }
        const watched = kube.watch(
          `${maps}?watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true&labelSelector=in%3Dlist`,
        )
        await expect.poll(() => watched.events.length).toBe(count + 1)
        await make(maps, 'later', { labels: { in: 'list' } })
        await expect.poll(() => watched.events.length).toBe(count + 2)
        watched.stop()

        const [bookmark, live] = watched.events.slice(-2)
        expect(watched.events.slice(0, -2).every(({ type }) => type === 'ADDED')).toBe(true)
        expect(bookmark).toMatchObject({
          type: 'BOOKMARK',
          object: { metadata: { annotations: { 'k8s.io/initial-events-end': 'true' } } },
        })
        expect(live).toMatchObject({ type: 'ADDED', object: { metadata: { name: 'later' } } })
      }
    },
    { newer: 'streaming lists came with 1.27', timeoutMs: 120_000 },
  )

  check(30, 'of sixty clients all see every write', async () => {
    const maps = await mapsIn('crowd')
    const { json } = await kube.get(maps)
    const crowd = Array.from({ length: 60 }, () =>
      kube.watch(`${maps}?watch=1&resourceVersion=${version(json)}`),
    )
    await expect.poll(() => crowd.every(({ status }) => status === 200)).toBe(true)
    for (let i = 0; i < 20; i++) await make(maps, `m${i}`)

    const expected = Array.from({ length: 20 }, (_none, i) => `ADDED m${i}`)
    for (const watched of crowd) {
      await expect.poll(() => own(watched.events)).toEqual(expected)
      watched.stop()
    }
  })

  check(31, 'are resumed by kubectl get --watch, as rows of a table', async () => {
    const maps = await mapsIn('rows')
    await make(maps, 'first')
    const following = kube.kubectl('get', 'configmaps', '-n', 'rows', '--watch', '--request-timeout=4s')
    await expect.poll(async () => (await kube.get(`${maps}/first`)).status, { interval: 300 }).toBe(200)
    const { out } = await following

    expect(out).toMatch(/^NAME +DATA +AGE\n/)
    expect(out).toMatch(/^first +0 +\d+s$/m)
  })
})
