import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import * as fc from '../../../test/fixtures/properties.js'
import { type StatusError } from '../errors/index.js'
import { type KubeObject, type ManagedFieldsEntry } from '../meta/types.js'
import {
  compileSchema,
  DEDUCED,
  type Definition,
  Definitions,
  listOf,
  mapOf,
  OBJECT_META,
  SCALAR,
  struct,
  type TypeSchema,
} from '../schema/index.js'
import { applyPatch, FieldSet, trackUpdate } from './index.js'

const NOW = '2026-01-01T00:00:00Z'
const LATER = '2026-01-01T00:01:00Z'

const schema: TypeSchema = struct({
  apiVersion: SCALAR,
  kind: SCALAR,
  metadata: OBJECT_META,
  data: mapOf(SCALAR),
  spec: struct({
    replicas: SCALAR,
    names: listOf(SCALAR, 'set'),
    ports: listOf(struct({ port: SCALAR, protocol: SCALAR, name: SCALAR }), 'map', ['port', 'protocol'], {
      protocol: 'TCP',
    }),
    args: listOf(SCALAR),
    free: DEDUCED,
  }),
})

type Content = Partial<Record<'data' | 'spec', Record<string, unknown>>>
const object = (content: Content, metadata: KubeObject['metadata'] = { name: 'a' }): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Thing',
  metadata,
  ...content,
})
const empty = object({}, {})
const common = { schema, empty, apiVersion: 'v1', now: NOW }

/** A server of one object, without defaults. */
class Server {
  live: KubeObject | undefined
  apply(manager: string, content: Content, force = false, now = NOW): boolean {
    const { object: next, changed } = applyPatch({
      ...common,
      now,
      live: this.live,
      applied: object(content),
      manager,
      force,
    })
    this.live = next
    return changed
  }

  update(manager: string, content: Content, now = NOW): void {
    const next = object(content, this.live?.metadata)
    const managedFields = trackUpdate({ ...common, now, live: this.live, next, manager })
    const { managedFields: _, ...metadata } = next.metadata
    this.live = { ...next, metadata: { ...metadata, ...(managedFields.length > 0 && { managedFields }) } }
  }

  get content(): Content {
    const { data, spec } = (this.live ?? {}) as Content
    return { ...(data && { data }), ...(spec && { spec }) }
  }

  owned(manager: string): unknown {
    return this.live?.metadata.managedFields?.find((entry) => entry.manager === manager)?.fieldsV1
  }
}

const refusal = (act: () => unknown): StatusError => {
  try {
    act()
  } catch (error) {
    return error as StatusError
  }
  throw new Error('nothing was refused')
}

describe('server-side apply', () => {
  it('creates, and owns what was stated', () => {
    const server = new Server()
    server.apply('m1', { data: { a: '1' } })
    expect(server.content).toEqual({ data: { a: '1' } })
    expect(server.owned('m1')).toEqual({ 'f:data': { 'f:a': {} } })
  })

  it('refuses what another owns with another value, naming every field', () => {
    const server = new Server()
    server.apply('m1', { data: { a: '1', b: '1' } })
    const { code, message, details } = refusal(() => server.apply('m2', { data: { a: '2', b: '2' } }))
    expect(code).toBe(409)
    expect(message).toBe('Apply failed with 2 conflicts: conflicts with "m1":\n- .data.a\n- .data.b')
    expect(details?.causes).toEqual([
      { reason: 'FieldManagerConflict', message: 'conflict with "m1"', field: '.data.a' },
      { reason: 'FieldManagerConflict', message: 'conflict with "m1"', field: '.data.b' },
    ])
  })

  it('shares what is stated with the same value, and removes it with the last owner', () => {
    const server = new Server()
    server.apply('m1', { data: { a: '1' } })
    server.apply('m2', { data: { a: '1' } })
    server.apply('m1', { data: {} })
    expect(server.content).toEqual({ data: { a: '1' } })
    expect(server.owned('m1')).toBeUndefined()
    server.apply('m2', { data: { b: '1' } })
    expect(server.content).toEqual({ data: { b: '1' } })
  })

  it('takes over by force', () => {
    const server = new Server()
    server.apply('m1', { data: { a: '1', b: '1' } })
    server.apply('m2', { data: { a: '2' } }, true)
    expect(server.content).toEqual({ data: { a: '2', b: '1' } })
    expect(server.owned('m1')).toEqual({ 'f:data': { 'f:b': {} } })
  })

  it('tells conflicts with updates apart by version', () => {
    const server = new Server()
    server.apply('m1', { data: { a: '1' } })
    server.update('u1', { data: { a: '2' } })
    expect(refusal(() => server.apply('m1', { data: { a: '1' } })).message).toBe(
      'Apply failed with 1 conflict: conflict with "u1" using v1: .data.a',
    )
  })

  it('merges lists by key, with defaults of keys, and removes dropped items', () => {
    const server = new Server()
    server.apply('m1', { spec: { ports: [{ port: 80, name: 'x' }, { port: 81 }], names: ['a', 'b'] } })
    expect(server.owned('m1')).toEqual({
      'f:spec': {
        'f:names': { 'v:"a"': {}, 'v:"b"': {} },
        'f:ports': {
          'k:{"port":80,"protocol":"TCP"}': { '.': {}, 'f:name': {}, 'f:port': {} },
          'k:{"port":81,"protocol":"TCP"}': { '.': {}, 'f:port': {} },
        },
      },
    })
    server.apply('m2', { spec: { ports: [{ port: 80, protocol: 'UDP' }], names: ['c'] } })
    server.apply('m1', { spec: { ports: [{ port: 81 }], names: ['b'] } })
    expect(server.content).toEqual({
      spec: { ports: [{ port: 81 }, { port: 80, protocol: 'UDP' }], names: ['b', 'c'] },
    })
  })

  it('replaces atomic lists whole', () => {
    const server = new Server()
    server.apply('m1', { spec: { args: ['a', 'b'] } })
    expect(refusal(() => server.apply('m2', { spec: { args: ['c'] } })).code).toBe(409)
    server.apply('m1', { spec: { args: ['c'] } })
    expect(server.content).toEqual({ spec: { args: ['c'] } })
  })

  it('owns maps of unknown shape key by key', () => {
    const server = new Server()
    server.apply('m1', { spec: { free: { a: { b: 1 } } } })
    server.apply('m2', { spec: { free: { a: { c: [1] } } } })
    expect(server.content).toEqual({ spec: { free: { a: { b: 1, c: [1] } } } })
    server.apply('m1', { spec: {} })
    expect(server.content).toEqual({ spec: { free: { a: { c: [1] } } } })
  })

  it('changes nothing, not even the time, when applied again', () => {
    const server = new Server()
    server.apply('m1', { data: { a: '1' } })
    const before = structuredClone(server.live)
    expect(server.apply('m1', { data: { a: '1' } }, false, LATER)).toBe(false)
    expect(server.live).toEqual(before)
  })

  it('gives what was there before to "before-first-apply"', () => {
    const server = new Server()
    server.live = object({ data: { a: '1', b: '1' } })
    const { message } = refusal(() => server.apply('m1', { data: { a: '2' } }))
    expect(message).toBe('Apply failed with 1 conflict: conflict with "before-first-apply" using v1: .data.a')
    server.apply('m1', { data: { a: '2' } }, true)
    expect(server.owned('before-first-apply')).toEqual({ 'f:data': { '.': {}, 'f:b': {} } })
  })

  it('states nothing by null metadata', () => {
    const live = object({ data: { a: '1' } }, { name: 'a', creationTimestamp: NOW })
    const applied = object({ data: { a: '1' } }, { name: 'a', creationTimestamp: null })
    const result = applyPatch({ ...common, live, applied, manager: 'm1', force: false })
    expect(result.changed).toBe(false)
    expect(result.object.metadata.creationTimestamp).toBe(NOW)
  })

  it.each<[Content, string]>([
    [
      { spec: { bogus: 1 } },
      'failed to create typed patch object: .spec.bogus: field not declared in schema',
    ],
    [{ spec: { names: 'a' } }, 'failed to create typed patch object: .spec.names: expected list, got &{a}'],
    [
      { spec: { names: ['a', 'a'] } },
      'failed to create typed patch object: .spec.names: duplicate entries for key [="a"]',
    ],
    [{ spec: { ports: [{ name: 'x' }] } }, 'omits key field "port"'],
  ])('refuses %j', (content, text) => {
    const { code, message } = refusal(() => new Server().apply('m1', content))
    expect(code).toBe(400)
    expect(message).toContain(text)
  })

  it('refuses managedFields in the configuration', () => {
    const applied = object({}, { name: 'a', managedFields: [] })
    const act = () => applyPatch({ ...common, live: undefined, applied, manager: 'm', force: false })
    expect(refusal(act)).toMatchObject({ code: 400, message: 'metadata.managedFields must be nil' })
  })

  it('knows the types of custom resources', () => {
    const { type } = compileSchema({
      type: 'object',
      properties: {
        spec: {
          type: 'object',
          properties: {
            rules: {
              type: 'array',
              'x-kubernetes-list-type': 'map',
              'x-kubernetes-list-map-keys': ['name'],
              items: { type: 'object', properties: { name: { type: 'string' }, n: { type: 'integer' } } },
            },
            whole: {
              type: 'object',
              'x-kubernetes-map-type': 'atomic',
              additionalProperties: { type: 'string' },
            },
          },
        },
      },
    })
    const applied = object({ spec: { rules: [{ name: 'x', n: 1 }], whole: { a: 'b' } } })
    const { object: next } = applyPatch({
      ...common,
      schema: type,
      live: undefined,
      applied,
      manager: 'm',
      force: false,
    })
    expect(next.metadata.managedFields?.[0]?.fieldsV1).toEqual({
      'f:spec': {
        'f:rules': { 'k:{"name":"x"}': { '.': {}, 'f:n': {}, 'f:name': {} } },
        'f:whole': {},
      },
    })
  })
})

describe('ordinary writes', () => {
  it('own what they set, with the maps they bring into being', () => {
    const server = new Server()
    server.update('u1', { data: { a: '1' } })
    expect(server.owned('u1')).toEqual({ 'f:data': { '.': {}, 'f:a': {} } })
  })

  it('take what they change and free what they remove, silently', () => {
    const server = new Server()
    server.apply('m1', { data: { a: '1', b: '1', c: '1' } })
    server.update('u1', { data: { a: '2', b: '1' } })
    expect(server.owned('m1')).toEqual({ 'f:data': { 'f:b': {} } })
    expect(server.owned('u1')).toEqual({ 'f:data': { 'f:a': {} } })
  })

  it('keep the time of those who took nothing', () => {
    const server = new Server()
    server.update('u1', { data: { a: '1', b: '1' } })
    server.update('u1', { data: { a: '1' } }, LATER)
    expect(server.live?.metadata.managedFields?.[0]?.time).toBe(NOW)
    server.update('u1', { data: { a: '2' } }, LATER)
    expect(server.live?.metadata.managedFields?.[0]?.time).toBe(LATER)
  })

  it('are not tracked on an object that nobody tracks', () => {
    const server = new Server()
    server.live = object({ data: { a: '1' } })
    server.update('u1', { data: { a: '2' } })
    expect(server.live.metadata.managedFields).toBeUndefined()
  })

  it('cannot drop ownership by leaving it out, only by [{}]', () => {
    const live = object({ data: { a: '1' } })
    live.metadata.managedFields = [
      {
        manager: 'm',
        operation: 'Apply',
        apiVersion: 'v1',
        time: NOW,
        fieldsType: 'FieldsV1',
        fieldsV1: { 'f:data': { 'f:a': {} } },
      },
    ]
    const next = object({ data: { a: '1' } })
    expect(trackUpdate({ ...common, live, next, manager: 'u' })).toEqual(live.metadata.managedFields)
    next.metadata = { ...next.metadata, managedFields: [{}] }
    expect(trackUpdate({ ...common, live, next, manager: 'u' })).toEqual([])
  })

  it('are kept apart for ten managers, the oldest put together beyond', () => {
    const server = new Server()
    const data: Record<string, string> = {}
    for (let i = 0; i < 14; i++) {
      data[`k${i}`] = '1'
      server.update(`u${i}`, { data: { ...data } }, `2026-01-01T00:00:${String(i).padStart(2, '0')}Z`)
    }
    const entries = server.live?.metadata.managedFields ?? []
    expect(entries).toHaveLength(10)
    expect(entries[0]?.manager).toBe('ancient-changes')
    expect(Object.keys(entries[0]?.fieldsV1?.['f:data'] as object)).toEqual([
      '.',
      'f:k0',
      'f:k1',
      'f:k2',
      'f:k3',
      'f:k4',
    ])
  })

  it('leave ownership as it is when a list cannot be told apart', () => {
    const server = new Server()
    server.update('u1', { spec: { names: ['a'] } })
    const before = server.live?.metadata.managedFields
    server.update('u2', { spec: { names: ['a', 'b', 'b'] } })
    expect(server.live?.metadata.managedFields).toEqual(before)
  })
})

const value = fc.constantFrom('1', '2')
const content: fc.Arbitrary<Content> = fc.record({
  data: fc.dictionary(fc.constantFrom('a', 'b', 'c'), value, { maxKeys: 3 }),
  spec: fc.record(
    {
      names: fc.uniqueArray(fc.constantFrom('x', 'y', 'z')),
      ports: fc.uniqueArray(fc.record({ port: fc.constantFrom(80, 443), name: value }), {
        selector: (port) => port.port,
      }),
    },
    { requiredKeys: [] },
  ),
})
const action = fc.record({ manager: fc.constantFrom('m1', 'm2', 'u1'), content })

describe('whatever managers do', () => {
  it('the creator owns what a comparison with the empty object finds', () => {
    const extra = fc.constantFrom<Content>(
      {},
      { spec: { free: { a: { b: null }, c: [1] }, args: ['x'] } },
      { spec: { ports: null, names: [], free: {}, replicas: 0 } },
      { spec: { names: ['x', 'x'] } },
    )
    const metadata = fc.constantFrom<KubeObject['metadata']>(
      { name: 'a' },
      { name: 'a', labels: { b: '1', a: '2' }, finalizers: ['z', 'y'] },
    )
    const bare = fc.constantFrom(empty, object({ spec: { free: {} } }, { creationTimestamp: null as never }))
    fc.assert(
      fc.property(content, extra, metadata, bare, (made, more, about, nothing) => {
        const next = object({ ...made, spec: { ...made.spec, ...more.spec } }, about)
        const request = { ...common, empty: nothing, live: undefined, manager: 'u1' }
        const told = trackUpdate({ ...request, next })
        // Whoever asks for ownership to be forgotten is compared with the empty object.
        const compared = trackUpdate({
          ...request,
          next: { ...next, metadata: { ...about, managedFields: [{}] } },
        })
        expect(JSON.stringify(told)).toBe(JSON.stringify(compared))
      }),
    )
  })

  it('what is applied by force is there, everything there has an owner, and ownership survives the wire', () => {
    fc.assert(
      fc.property(fc.array(action, { maxLength: 8 }), (actions) => {
        const server = new Server()
        for (const { manager, content: wanted } of actions) {
          if (manager === 'u1') server.update(manager, wanted)
          else {
            server.apply(manager, wanted, true)
            expect(server.apply(manager, wanted, true, LATER)).toBe(false)
            expect(server.content.data ?? {}).toMatchObject(wanted.data ?? {})
          }
          const entries = server.live?.metadata.managedFields ?? []
          const owned = entries.map((entry) => FieldSet.decode(entry.fieldsV1))
          entries.forEach((entry, i) => expect(owned[i]?.encode()).toEqual(entry.fieldsV1))
          for (const key of Object.keys(server.content.data ?? {})) {
            expect(owned.some((set) => set.below('f:data')?.has(`f:${key}`))).toBe(true)
          }
        }
      }),
      { numRuns: 200 },
    )
  })
})

const GOLDEN = new URL('../../../../shared/golden/kube/', import.meta.url)

interface Entry {
  id: string
  request: { path: string; body: KubeObject }
  response: { status: number; json: KubeObject & { message: string; details: unknown } }
}

describe.skipIf(!existsSync(GOLDEN))('applying as recorded (needs ../shared/golden)', () => {
  const read = (file: string) =>
    JSON.parse(readFileSync(new URL(file, GOLDEN), 'utf8')) as Record<string, unknown>
  const entries = existsSync(GOLDEN) ? (read('api-sequence.json')['entries'] as Entry[]) : []
  const definitions = () =>
    new Definitions(read('definitions.json')['definitions'] as Record<string, Definition>)
  const at = (id: number): Entry => {
    const entry = entries.find((each) => each.id === `kube-${id}`)
    if (entry === undefined) throw new Error(`no recording kube-${id}`)
    return entry
  }
  const types: Record<string, string> = {
    ConfigMap: 'io.k8s.api.core.v1.ConfigMap',
    Deployment: 'io.k8s.api.apps.v1.Deployment',
  }

  /** The recorded state before, the recorded request; what comes out is compared with the recorded answer. */
  function replay(id: number, before: number | undefined) {
    const { request, response } = at(id)
    const query = new URL(request.path, 'http://k').searchParams
    const { apiVersion = '', kind = '' } = request.body
    const live = before === undefined ? undefined : at(before).response.json
    const now = response.json.metadata.managedFields?.[0]?.time ?? NOW
    const act = () =>
      applyPatch({
        schema: definitions().typeSchema(types[kind] ?? ''),
        live,
        empty: { apiVersion, kind, metadata: { creationTimestamp: null } },
        applied: request.body,
        manager: query.get('fieldManager') ?? '',
        force: query.get('force') === 'true',
        apiVersion,
        now,
      })
    return { act, response }
  }

  it.each([
    [195, undefined],
    [197, 195],
    [198, 197],
    [199, 198],
    [203, 200],
    [205, undefined],
    [206, 205],
    [207, 206],
    [208, 207],
  ])('kube-%d: ownership', (id, before) => {
    const { act, response } = replay(id, before)
    const { object: next } = act()
    expect(JSON.stringify(next.metadata.managedFields)).toBe(
      JSON.stringify(response.json.metadata.managedFields),
    )
    if (next.kind === 'ConfigMap') expect(next['data']).toEqual(response.json['data'])
  })

  it.each([
    [196, 195],
    [201, 200],
    [202, 200],
    [209, 208],
  ])('kube-%d: refused', (id, before) => {
    const { act, response } = replay(id, before)
    const { message, details } = refusal(act)
    expect(message).toBe(response.json.message)
    expect(details).toEqual(response.json.details)
  })

  it('kube-200: an update takes a field', () => {
    const live = at(199).response.json
    const next = { ...live, data: { a: '2', c: '9' } }
    const expected: ManagedFieldsEntry[] | undefined = at(200).response.json.metadata.managedFields
    const entries = trackUpdate({
      schema: definitions().typeSchema('io.k8s.api.core.v1.ConfigMap'),
      live,
      empty,
      next,
      manager: 'u1',
      apiVersion: 'v1',
      now: expected?.[2]?.time ?? NOW,
    })
    expect(entries).toEqual(expected)
  })
})
