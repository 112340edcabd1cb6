/** Policies for requests that go to the Kubernetes API, on the embedded one. */
import { WebSocket } from 'ws'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { forbidden } from '../../src/apimachinery/errors/index.js'
import { type KubeObject } from '../../src/apimachinery/meta/types.js'
import { send as ask, type Transport, type TransportRequest } from '../../src/client/transport.js'
import { type GuardedWrite, type Policy, PolicyTable } from '../../src/serving/guard/policy.js'
import { type Kubernetes, startKubernetes } from '../fixtures/kubernetes.js'
import { type Harness, start } from './harness.js'

const MAPS = '/api/v1/namespaces/default/configmaps'
const MAP = `${MAPS}/m`
const MERGE = 'application/merge-patch+json'
const JSON_PATCH = 'application/json-patch+json'
const APPLY = 'application/apply-patch+yaml'
const STRATEGIC = 'application/strategic-merge-patch+json'

const data = (object: KubeObject | undefined) => object?.['data'] as Record<string, string> | undefined

const textOf = (body: unknown) => (typeof body === 'string' ? body : JSON.stringify(body))
const lengthOf = (body: unknown) => Buffer.byteLength(textOf(body))

describe('the guard of the Kubernetes API', () => {
  let kubernetes: Kubernetes
  let direct: Transport
  let platform: Harness
  let writes: GuardedWrite[]
  let sent: TransportRequest[]
  let beforeAnswer: (() => Promise<void>) | undefined
  let policy: { -readonly [K in keyof Policy]: Policy[K] }

  beforeAll(async () => {
    kubernetes = await startKubernetes()
    direct = kubernetes.transport
  }, 120_000)
  afterAll(() => kubernetes.close())

  beforeEach(async () => {
    await ask(direct, { method: 'DELETE', path: MAPS, headers: {} })
    writes = []
    sent = []
    beforeAnswer = undefined
    const upstream: Transport = {
      close: () => direct.close(),
      dispatch(request, sink) {
        sent.push(request)
        return direct.dispatch(request, sink)
      },
      upgrade: () => Promise.reject(new Error('not here')),
    }
    policy = {
      group: '',
      resource: 'configmaps',
      // Nobody sets `owner`, and what is `kept` stays.
      async judge(write) {
        writes.push(write)
        await beforeAnswer?.()
        const { before, after, name } = write
        if (
          write.verb === 'delete'
            ? data(before)?.['kept']
            : data(after)?.['owner'] !== data(before)?.['owner']
        )
          throw forbidden({ group: '', resource: 'configmaps' }, name, 'it is not yours')
        return undefined
      },
    }
    platform = await start({ upstream, policies: new PolicyTable([policy]) })
    await store('POST', MAPS, { metadata: { name: 'm' }, data: { a: '1', owner: 'ann-secret' } })
    sent.length = 0
  })
  afterEach(() => platform.close())

  async function store(method: string, path: string, body: object): Promise<KubeObject> {
    const { status, body: answer } = await ask(direct, {
      method,
      path,
      headers: { 'content-type': method === 'PATCH' ? MERGE : 'application/json' },
      body: Buffer.from(JSON.stringify(body)),
    })
    expect(status, answer.toString()).toBeLessThan(300)
    return JSON.parse(answer.toString()) as KubeObject
  }
  const send = (method: string, path: string, body?: unknown, type = 'application/json', headers = {}) =>
    platform.send(method, path, {
      user: 'admin',
      ...(body === undefined
        ? { headers }
        : {
            headers: { 'content-type': type, 'content-length': lengthOf(body), ...headers },
            body: textOf(body),
          }),
    })
  const stored = async () => JSON.parse((await send('GET', MAP)).text) as KubeObject

  it('passes what has no policy without reading it', async () => {
    const answer = await send('POST', '/api/v1/namespaces/default/secrets', {
      metadata: { generateName: 's-' },
    })

    expect(answer.status).toBe(201)
    expect(sent).toHaveLength(1)
    expect(sent[0]?.body).not.toBeInstanceOf(Uint8Array)
    expect(writes).toEqual([])
  })

  it.each(['POST', 'PUT', 'DELETE'])(
    'takes a %s that calls itself a watch for what it is',
    async (method) => {
      const answer = await send(method, '/api/v1/watch/namespaces/default/secrets/s')

      expect(answer.status).toBe(405)
      expect(sent).toEqual([])
    },
  )

  it.each([
    ['a merge patch', 'PATCH', MERGE, { data: { owner: 'bob' } }],
    ['a strategic patch', 'PATCH', STRATEGIC, { data: { owner: 'bob' } }],
    ['a JSON patch', 'PATCH', JSON_PATCH, [{ op: 'replace', path: '/data/owner', value: 'bob' }]],
    [
      'a JSON patch by another name',
      'PATCH',
      JSON_PATCH,
      [{ op: 'move', from: '/data/a', path: '/data/owner' }],
    ],
    [
      'a JSON patch of everything',
      'PATCH',
      JSON_PATCH,
      [{ op: 'replace', path: '/data', value: { owner: 'bob' } }],
    ],
    ['a replacement', 'PUT', 'application/json', { metadata: { name: 'm' }, data: { owner: 'bob' } }],
    ['a replacement in YAML', 'PUT', 'application/yaml', 'metadata: {name: m}\ndata: {owner: bob}\n'],
    [
      'a key that occurs twice',
      'PUT',
      'application/json',
      '{"metadata":{"name":"m"},"data":{"owner":"ann-secret"},"data":{"owner":"bob"}}',
    ],
  ])('sees through %s', async (_, method, type, body) => {
    const answer = await send(method, MAP, body, type)

    expect(answer.status, answer.text).toBe(403)
    expect(answer.json()).toMatchObject({ kind: 'Status', reason: 'Forbidden', details: { name: 'm' } })
    expect(data(await stored())).toEqual({ a: '1', owner: 'ann-secret' })
  })

  it.each([
    ['a merge patch', 'PATCH', MERGE, { data: { a: '2' } }],
    ['a strategic patch', 'PATCH', STRATEGIC, { data: { a: '2' } }],
    ['a JSON patch', 'PATCH', JSON_PATCH, [{ op: 'replace', path: '/data/a', value: '2' }]],
    [
      'a replacement',
      'PUT',
      'application/json',
      { metadata: { name: 'm' }, data: { a: '2', owner: 'ann-secret' } },
    ],
  ])('lets through %s that changes nothing of the kind', async (_, method, type, body) => {
    const answer = await send(method, MAP, body, type)

    expect(answer.status, answer.text).toBe(200)
    expect(answer.json()).toMatchObject({ data: { a: '2', owner: 'ann-secret' } })
    expect(writes).toMatchObject([
      { verb: 'update', name: 'm', namespace: 'default', caller: { name: 'admin' } },
    ])
  })

  it('judges a server-side apply, of an object that is there and of one that is not', async () => {
    const manifest = (name: string, owner: string) => ({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name },
      data: { owner },
    })
    const query = '?fieldManager=t&force=true'

    expect((await send('PATCH', MAP + query, manifest('m', 'bob'), APPLY)).status).toBe(403)
    expect((await send('PATCH', `${MAPS}/new${query}`, manifest('new', 'bob'), APPLY)).status).toBe(403)
    expect((await send('GET', `${MAPS}/new`)).status).toBe(404)

    expect((await send('PATCH', MAP + query, manifest('m', 'ann-secret'), APPLY)).status).toBe(200)
    expect(writes.map(({ verb }) => verb)).toEqual(['update', 'create', 'update'])
  })

  it('starts again when the object changes between the question and the write', async () => {
    let changes = 0
    beforeAnswer = async () => {
      if (changes++ < 2) await store('PATCH', MAP, { data: { other: String(changes) } })
    }

    const answer = await send('PATCH', MAP, { data: { a: '2' } }, MERGE)

    expect(answer.status, answer.text).toBe(200)
    expect(data(await stored())).toEqual({ a: '2', owner: 'ann-secret', other: '2' })
    expect(writes).toHaveLength(3)
  })

  it('refuses a replacement of what has become something else after the question', async () => {
    let changes = 0
    beforeAnswer = async () => {
      if (changes++ === 0) await store('PATCH', MAP, { data: { owner: 'eve' } })
    }

    const answer = await send('PUT', MAP, { metadata: { name: 'm' }, data: { owner: 'ann-secret' } })

    expect(answer.status).toBe(403)
    expect(data(await stored())?.['owner']).toBe('eve')
  })

  it.each([
    ['PUT', 'application/json', { metadata: { name: 'm', resourceVersion: '1' } }],
    ['PATCH', MERGE, { metadata: { resourceVersion: '1' } }],
    ['PATCH', JSON_PATCH, [{ op: 'replace', path: '/metadata/resourceVersion', value: '1' }]],
  ])('answers 409 to a %s of %s that names an old version', async (method, type, body) => {
    const answer = await send(method, MAP, body, type)

    expect(answer.status).toBe(409)
    expect(writes).toEqual([])
  })

  it('judges creates, and what is replaced but not there is not found', async () => {
    expect(
      (await send('POST', MAPS, { metadata: { generateName: 'x-' }, data: { owner: 'bob' } })).status,
    ).toBe(403)
    expect((await send('POST', MAPS, { metadata: { generateName: 'x-' } })).status).toBe(201)
    expect((await send('PUT', `${MAPS}/none`, { metadata: { name: 'none' } })).status).toBe(404)
    expect((await send('POST', MAPS, { metadata: { name: 'm' } })).status).toBe(409)
  })

  it('judges deletes, one by one and of a collection', async () => {
    await store('POST', MAPS, { metadata: { name: 'kept', labels: { l: '1' } }, data: { kept: 'yes' } })

    expect((await send('DELETE', `${MAPS}/kept`)).status).toBe(403)
    expect((await send('DELETE', MAPS)).status).toBe(403)
    expect((await send('DELETE', `${MAPS}?labelSelector=l%3D1`)).status).toBe(403)
    expect((await send('GET', MAP)).status).toBe(200)

    expect((await send('DELETE', `${MAPS}?labelSelector=!l`)).status).toBe(200)
    expect((await send('GET', MAP)).status).toBe(404)
    expect((await send('GET', `${MAPS}/kept`)).status).toBe(200)
  })

  it('does not delete another object of the same name', async () => {
    const wrong = { preconditions: { uid: 'other' } }
    expect((await send('DELETE', MAP, wrong)).status).toBe(409)
    expect((await send('DELETE', MAP, { preconditions: { uid: null } })).status).toBe(200)
    expect(Buffer.from(sent.at(-1)?.body as Uint8Array).toString()).toMatch(/"uid":"[0-9a-f-]{36}"/)
  })

  it('keeps dry runs dry', async () => {
    expect((await send('PATCH', `${MAP}?dryRun=All`, { data: { a: '9' } }, MERGE)).status).toBe(200)
    expect((await send('DELETE', `${MAP}?dryRun=All`)).status).toBe(200)
    expect((await send('POST', `${MAPS}?dryRun=All`, { metadata: { name: 'dry' } })).status).toBe(201)

    expect(data(await stored())?.['a']).toBe('1')
    expect((await send('GET', `${MAPS}/dry`)).status).toBe(404)
    expect(writes.every(({ dryRun }) => dryRun)).toBe(true)
  })

  it('heeds what the query says of a delete, since a body of its own makes the server ignore it', async () => {
    const query = 'propagationPolicy=Orphan&gracePeriodSeconds=5&dryRun=All'
    expect((await send('DELETE', `${MAP}?${query}`)).status).toBe(200)

    const options = JSON.parse(Buffer.from(sent.at(-1)?.body as Uint8Array).toString()) as object
    expect(options).toMatchObject({ propagationPolicy: 'Orphan', gracePeriodSeconds: 5, dryRun: ['All'] })
    expect((await send('GET', MAP)).status).toBe(200)
  })

  it.each([
    ['POST', MAPS, 'application/vnd.kubernetes.protobuf', 'k8s\0', 415],
    ['PUT', MAP, 'text/plain', '{}', 415],
    ['PATCH', MAP, 'application/json', '{}', 415],
    ['PATCH', MAP, JSON_PATCH, '{}', 400],
    ['PATCH', MAP, MERGE, '[]', 400],
    ['PATCH', MAP, MERGE, '{"metadata":7}', 400],
    ['PUT', MAP, 'application/json', '', 400],
    ['PUT', MAP, 'application/json', '[[', 400],
    ['PUT', MAP, 'application/json', `${'{"a":'.repeat(400_000)}1${'}'.repeat(400_000)}`, 400],
    ['PUT', MAP, 'application/yaml', 'a: [', 400],
  ])('refuses %s %s in a form it cannot judge (%s)', async (method, path, type, body, status) => {
    const answer = await send(method, path, body, type)

    expect(answer.status, answer.text.slice(0, 300)).toBe(status)
    expect(answer.json()).toMatchObject({ kind: 'Status', status: 'Failure' })
    expect(writes).toEqual([])
  })

  it('stores what the policy makes of a write', async () => {
    policy.judge = ({ after }) => after && { ...after, data: { ...data(after), stamped: 'yes' } }

    await send('PATCH', MAP, { data: { a: '2' } }, MERGE)
    expect(data(await stored())).toEqual({ a: '2', owner: 'ann-secret', stamped: 'yes' })
    await send('PUT', MAP, { metadata: { name: 'm' }, data: { a: '3' } })
    expect(data(await stored())).toEqual({ a: '3', stamped: 'yes' })
    const created = await send('POST', MAPS, { metadata: { name: 'n' } })
    expect(created.json()).toMatchObject({ data: { stamped: 'yes' } })
    const applied = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'p' }, data: { b: '1' } }
    const answer = await send('PATCH', `${MAPS}/p?fieldManager=t&force=true`, applied, APPLY)
    expect(answer.status, answer.text).toBe(201)
    expect(answer.json()).toMatchObject({ data: { b: '1', stamped: 'yes' } })
  })

  describe('concealing', () => {
    beforeEach(() => {
      policy.conceal = (object) => {
        delete data(object)?.['owner']
      }
    })

    it('takes secrets out of objects, lists, YAML, tables and answers to writes', async () => {
      const table = 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json'
      for (const [method, path, accept, body] of [
        ['GET', MAP, undefined],
        ['GET', MAPS, 'application/json'],
        ['GET', MAPS, 'application/vnd.kubernetes.protobuf,application/json'],
        ['GET', MAPS, '*/*'],
        ['GET', MAPS, 'application/yaml'],
        ['GET', `${MAPS}?includeObject=Object`, table],
        ['PATCH', MAP, 'application/yaml', {}],
        ['PATCH', MAP, undefined, {}],
        ['DELETE', `${MAP}?dryRun=All`, undefined],
      ] as const) {
        const answer = await send(method, path, body, MERGE, accept === undefined ? {} : { accept })
        expect(answer.status, `${method} ${path} ${accept}: ${answer.text}`).toBe(200)
        expect(answer.text).not.toContain('ann-secret')
        expect(answer.text).toContain('m')
        expect(answer.headers['content-type']).toMatch(
          accept?.startsWith('application/yaml') ? /yaml/ : /json/,
        )
      }
    })

    it('takes them out of what kubectl has kept of the object', async () => {
      const applied = JSON.stringify({ data: { owner: 'ann-secret', a: '1' } })
      await store('PATCH', MAP, {
        metadata: { annotations: { 'kubectl.kubernetes.io/last-applied-configuration': applied } },
      })

      const { text } = await send('GET', MAP, undefined, '', {
        accept: 'application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io',
      })

      expect(text).toContain('PartialObjectMetadata')
      expect(text).toContain('last-applied')
      expect(text).not.toContain('ann-secret')
      // That there is such a field, managedFields may tell.
      expect(text).not.toContain('\\"owner\\"')
    })

    it('takes them out of every event of a watch, as it comes', async () => {
      const watching = send('GET', `${MAPS}?watch=true&timeoutSeconds=3&fieldSelector=metadata.name%3Dm`)
      await new Promise<void>((resolve) => setTimeout(resolve, 200))
      await store('PATCH', MAP, { data: { a: '5' } })
      const { text } = await watching

      const events = text
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as { object: KubeObject })
      expect(events.map(({ object }) => data(object))).toEqual([{ a: '1' }, { a: '5' }])
    })

    it('makes the frames of a watch over WebSocket itself, and answers refusals before', async () => {
      const watch = (query: string) =>
        new WebSocket(`ws://127.0.0.1:${platform.port}${MAPS}?watch=true${query}`, {
          headers: { authorization: 'Bearer admin' },
        })
      const socket = watch('')
      const event = await new Promise<string>((resolve, reject) => {
        socket.on('error', reject)
        socket.on('message', (frame: Buffer) => {
          if (frame.includes('"m"')) resolve(frame.toString())
        })
      })
      expect(JSON.parse(event)).toMatchObject({ type: 'ADDED', object: { data: { a: '1' } } })
      expect(event).not.toContain('ann-secret')
      socket.close()

      const refused = await new Promise<number | undefined>((resolve) =>
        watch('&labelSelector=,,')
          .on('error', () => undefined)
          .on('unexpected-response', (_request, { statusCode }) => resolve(statusCode)),
      )
      expect(refused).toBe(400)
    })

    it('answers 406 to clients that read nothing but protobuf, and 400 to other upgrades', async () => {
      const accept = 'application/vnd.kubernetes.protobuf'
      expect((await send('GET', MAPS, undefined, '', { accept })).status).toBe(406)
      const raw = await platform.raw(
        `GET ${MAPS}?watch=true HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer admin\r\nConnection: Upgrade\r\n` +
          'Upgrade: SPDY/3.1\r\n\r\n',
      )
      expect(raw).toMatch(/^HTTP\/1.1 400 /)
    })

    it.each(['copy', 'move'])('does not %s a secret to where it can be read', async (op) => {
      const answer = await send('PATCH', MAP, [{ op, from: '/data/owner', path: '/data/a' }], JSON_PATCH)

      expect(answer.status).toBe(400)
      expect(data(await stored())).toEqual({ a: '1' })
    })

    it('leaves refusals as they are', async () => {
      const { status, text } = await send('GET', `${MAPS}/none`)
      expect(status).toBe(404)
      expect(text).toContain('configmaps \\"none\\" not found')
    })
  })
})
