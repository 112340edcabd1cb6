/** Acceptance of writes: checks 14 to 19, 32, 33, 35, 38, 39 and 51. */
import { afterAll, beforeAll, describe, expect } from 'vitest'
import { stringify } from 'yaml'
import { check, type Json, ON_CLUSTER, startSubject, type Subject } from './subject.js'

let kube: Subject
let at: string
let maps: string
const DEPLOYMENTS = '/apis/apps/v1/namespaces/objects/deployments'
beforeAll(async () => {
  kube = await startSubject({ nodes: 0 })
  at = await kube.namespace('objects')
  maps = `${at}/configmaps`
})
afterAll(() => kube.close())

const map = (name: string, more: object = {}): object => ({ metadata: { name }, ...more })

function deployment(name: string, container: object = {}): Json {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name },
    spec: {
      replicas: 1,
      // Nothing of these should move while it is looked at.
      paused: true,
      selector: { matchLabels: { app: name } },
      template: {
        metadata: { labels: { app: name } },
        spec: { containers: [{ name: 'a', image: 'nginx', ...container }] },
      },
    },
  }
}

const made = async (path: string, body: object): Promise<Json> => {
  const { status, json } = await kube.post(path, body)
  expect({ status, json }).toMatchObject({ status: 201 })
  return json
}

describe('writes', () => {
  check(14, 'take and give YAML', async () => {
    const yaml = { 'content-type': 'application/yaml', accept: 'application/yaml' }
    const body = stringify({ apiVersion: 'v1', kind: 'ConfigMap', ...map('yaml', { data: { a: 'b' } }) })
    const created = await kube.call('POST', maps, body, yaml)
    const read = await kube.get(`${maps}/yaml`, { accept: 'application/yaml' })
    const replaced = await kube.call('PUT', `${maps}/yaml`, read.text, yaml)

    expect(created).toMatchObject({ status: 201 })
    expect(created.headers['content-type']).toBe('application/yaml')
    expect(replaced.text).toBe(read.text)
    expect((await kube.get(`${maps}/yaml`)).json.data).toEqual({ a: 'b' })
  })

  check(15, 'that change nothing leave the version, the owners and the watchers alone', async () => {
    const created = await made(maps, map('same', { data: { a: '1' } }))
    const watched = kube.watch(`${maps}?watch=1&resourceVersion=${created.metadata.resourceVersion}`)
    const { json } = await kube.put(`${maps}/same`, created)
    await kube.patch(`${maps}/same`, { data: { a: '1' } })
    await made(maps, map('next'))

    expect(json.metadata).toEqual(created.metadata)
    await expect.poll(() => watched.events.length).toBeGreaterThan(0)
    watched.stop()
    expect(watched.events[0]?.object.metadata.name).toBe('next')
  })

  check(16, 'replace without a version where the kind allows it', async () => {
    await made(maps, map('free'))
    await made(`${at}/services`, map('bound', { spec: { ports: [{ port: 80 }] } }))
    const service = (await kube.get(`${at}/services/bound`)).json

    const unconditional = await kube.put(`${maps}/free`, map('free', { data: { a: '1' } }))
    const refused = await kube.put(`${at}/services/bound`, {
      ...service,
      metadata: { name: 'bound', labels: { a: 'b' } },
    })

    expect(unconditional).toMatchObject({ status: 200, json: { data: { a: '1' } } })
    expect(refused).toMatchObject({
      status: 422,
      json: { message: expect.stringContaining('must be specified for an update') as string },
    })
  })

  check(17, 'generate names from the alphabet, none twice', async () => {
    const names = new Set<string>()
    for (let round = 0; round < 10; round++) {
      const answers = await Promise.all(
        Array.from({ length: 100 }, () => kube.post(maps, { metadata: { generateName: 'many-' } })),
      )
      for (const { status, json } of answers) {
        expect(status).toBe(201)
        names.add(json.metadata.name as string)
      }
    }

    expect(names.size).toBe(1000)
    for (const name of names) expect(name).toMatch(/^many-[bcdfghjklmnpqrstvwxz2456789]{5}$/)
  })

  check(18, 'ignore what only the server may say', async () => {
    const sent = deployment('claims')
    sent.metadata = {
      ...sent.metadata,
      uid: 'mine',
      creationTimestamp: '2001-01-01T00:00:00Z',
      generation: 7,
    }
    sent.status = { replicas: 9, readyReplicas: 9 }
    const { metadata, status } = await made(DEPLOYMENTS, sent)

    expect(metadata.uid).not.toBe('mine')
    expect(metadata.creationTimestamp).not.toMatch(/^2001/)
    expect(metadata.generation).toBe(1)
    expect(status.replicas).toBeUndefined()
  })

  check(19, 'count generations by changes of the spec alone', async () => {
    await made(DEPLOYMENTS, deployment('counted'))
    const labelled = await kube.patch(`${DEPLOYMENTS}/counted`, { metadata: { labels: { a: 'b' } } })
    const status = await kube.patch(`${DEPLOYMENTS}/counted/status`, { status: { observedGeneration: 1 } })
    const changed = await kube.patch(`${DEPLOYMENTS}/counted`, { spec: { minReadySeconds: 3 } })

    expect(labelled.json.metadata.generation).toBe(1)
    expect(status.json.metadata.generation).toBe(1)
    expect(changed.json.metadata.generation).toBe(2)
  })

  check(32, 'patch as JSON patch and merge patch say', async () => {
    const { metadata } = await made(maps, map('patched', { data: { a: '1', b: '2' } }))
    const tested = await kube.patch(
      `${maps}/patched`,
      [{ op: 'test', path: '/data/a', value: 'x' }],
      'json-patch+json',
    )
    const merged = await kube.patch(`${maps}/patched`, { data: { a: null } })
    const stale = await kube.patch(`${maps}/patched`, {
      metadata: { resourceVersion: metadata.resourceVersion },
      data: { c: '3' },
    })

    expect(tested.status).toBe(422)
    expect(merged.json.data).toEqual({ b: '2' })
    expect(stale).toMatchObject({ status: 409, json: { reason: 'Conflict' } })
  })

  check(33, 'merge strategically: by key, with directives, orders and lists of values', async () => {
    await made(DEPLOYMENTS, {
      ...deployment('strategic', {
        args: ['x'],
        env: [
          { name: 'A', value: '1' },
          { name: 'B', value: '2' },
        ],
      }),
      metadata: { name: 'strategic', finalizers: ['example.com/a', 'example.com/b'] },
    })
    const path = `${DEPLOYMENTS}/strategic`
    const strategic = (body: object): ReturnType<Subject['patch']> =>
      kube.patch(path, body, 'strategic-merge-patch+json')
    const container = (more: object): object => ({
      spec: { template: { spec: { containers: [{ name: 'a', ...more }] } } },
    })
    const read = ({ json }: { json: Json }): Json => json.spec.template.spec.containers[0]

    const merged = read(await strategic(container({ args: ['y'], env: [{ name: 'C', value: '3' }] })))
    expect(merged.args).toEqual(['y'])
    expect(merged.env.map(({ name }: Json) => name)).toEqual(['C', 'A', 'B'])
    const ordered = await strategic(
      container({
        '$setElementOrder/env': [{ name: 'A' }, { name: 'D' }, { name: 'C' }, { name: 'B' }],
        env: [{ name: 'D', value: '4' }],
      }),
    )
    expect(read(ordered).env.map(({ name }: Json) => name)).toEqual(['A', 'D', 'C', 'B'])
    const removed = await strategic(container({ env: [{ $patch: 'delete', name: 'A' }] }))
    expect(read(removed).env.map(({ name }: Json) => name)).toEqual(['D', 'C', 'B'])
    const replaced = await strategic(container({ env: [{ $patch: 'replace' }, { name: 'Z', value: '9' }] }))
    expect(read(replaced).env).toEqual([{ name: 'Z', value: '9' }])
    const values = await strategic({ metadata: { '$deleteFromPrimitiveList/finalizers': ['example.com/a'] } })
    expect(values.json.metadata.finalizers).toEqual(['example.com/b'])
    const kept = await strategic({ spec: { strategy: { $retainKeys: ['type'], type: 'Recreate' } } })
    expect(kept.json.spec.strategy).toEqual({ type: 'Recreate' })
    const keyless = await strategic(container({ env: [{ value: 'x' }] }))
    expect(keyless.status).toBe(500)
    expect(keyless.json.message).toContain('does not contain declared merge key: name')
    await strategic({ metadata: { finalizers: null } })
  })

  check(35, 'apply on the server: own, share, conflict, take over, drop', async () => {
    const apply = (manager: string, spec: object, more = ''): ReturnType<Subject['call']> =>
      kube.call(
        'PATCH',
        `${DEPLOYMENTS}/applied?fieldManager=${manager}${more}`,
        { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'applied' }, ...spec },
        { 'content-type': 'application/apply-patch+yaml' },
      )
    const whole = (replicas: number | undefined, minReadySeconds?: number): object => {
      const { spec } = deployment('applied')
      const { replicas: _one, ...rest } = spec
      return {
        spec: {
          ...rest,
          ...(replicas !== undefined && { replicas }),
          ...(minReadySeconds !== undefined && { minReadySeconds }),
        },
      }
    }
    const created = await apply('m1', whole(3, 5))
    const shared = await apply('m2', { spec: { replicas: 3 } })
    const conflict = await apply('m2', { spec: { replicas: 4 } })
    const forced = await apply('m2', { spec: { replicas: 4 } }, '&force=true')
    const dropped = await apply('m1', whole(undefined))
    const toDefault = await apply('m2', {})

    expect(created.status).toBe(201)
    expect(shared.status).toBe(200)
    expect(conflict).toMatchObject({
      status: 409,
      json: {
        reason: 'Conflict',
        message: 'Apply failed with 1 conflict: conflict with "m1": .spec.replicas',
        details: { causes: [{ reason: 'FieldManagerConflict', field: '.spec.replicas' }] },
      },
    })
    expect(forced.json.spec.replicas).toBe(4)
    expect(dropped.json.spec).toMatchObject({ replicas: 4 })
    expect(dropped.json.spec.minReadySeconds).toBeUndefined()
    expect(toDefault.json.spec.replicas).toBe(1)
  })

  check(35, 'apply over what nobody applied before', async () => {
    const bare = { apiVersion: 'v1', kind: 'ConfigMap' }
    await made(maps, map('unmanaged', { data: { a: '1' } }))
    await kube.patch(`${maps}/unmanaged`, { metadata: { managedFields: [{}] } })
    const { json } = await kube.call(
      'PATCH',
      `${maps}/unmanaged?fieldManager=m1&force=true`,
      { ...bare, ...map('unmanaged', { data: { b: '2' } }) },
      { 'content-type': 'application/apply-patch+yaml' },
    )
    const without = await kube.call(
      'PATCH',
      `${maps}/unmanaged`,
      { ...bare, ...map('unmanaged') },
      { 'content-type': 'application/apply-patch+yaml' },
    )

    expect(json.data).toEqual({ a: '1', b: '2' })
    const managers = json.metadata.managedFields.map(({ manager }: Json) => manager as string)
    expect(managers).toEqual(['m1', 'before-first-apply'])
    expect(without).toMatchObject({
      status: 422,
      json: { message: expect.stringContaining('fieldManager: Required value') as string },
    })
  })

  check(
    38,
    'validate fields strictly, with warnings, or not at all',
    async () => {
      const sent = { ...deployment('strict'), spic: 1 }
      const post = (mode: string): ReturnType<Subject['post']> =>
        kube.post(`${DEPLOYMENTS}?dryRun=All&fieldValidation=${mode}`, sent)
      const [strict, warn, ignore] = [await post('Strict'), await post('Warn'), await post('Ignore')]
      const twice = await kube.post(
        `${maps}?fieldValidation=Strict&dryRun=All`,
        '{"metadata":{"name":"d","name":"d"}}',
      )

      expect(strict).toMatchObject({
        status: 400,
        json: { message: expect.stringContaining('unknown field "spic"') as string },
      })
      expect(String(warn.headers['warning'])).toContain('unknown field \\"spic\\"')
      expect(ignore.status).toBe(201)
      expect(ignore.headers['warning']).toBeUndefined()
      expect(twice).toMatchObject({
        status: 400,
        json: { message: expect.stringContaining('duplicate field') as string },
      })
    },
    { newer: 'field validation came with 1.25' },
  )

  check(39, 'leave no trace when they are only tried', async () => {
    await made(maps, map('tried', { data: { a: '1' } }))
    const before = (await kube.get(maps)).json
    const created = await kube.post(`${maps}?dryRun=All`, map('absent'))
    const updated = await kube.put(`${maps}/tried?dryRun=All`, map('tried', { data: { a: '2' } }))
    const patched = await kube.patch(`${maps}/tried?dryRun=All`, { data: { a: '3' } })
    const deleted = await kube.delete(`${maps}/tried?dryRun=All`)
    const wrong = await kube.post(`${maps}?dryRun=Some`, map('absent'))

    expect(created).toMatchObject({ status: 201, json: { metadata: { uid: expect.any(String) as string } } })
    expect(created.json.metadata.resourceVersion).toBeUndefined()
    expect([updated.json.data.a, patched.json.data.a, deleted.status]).toEqual(['2', '3', 200])
    expect(wrong.status).toBe(422)
    expect((await kube.get(maps)).json.items).toEqual(before.items)
  })

  check(51, 'of deleted objects wait for finalizers, and take no new ones', async () => {
    await made(maps, map('held', { metadata: { name: 'held', finalizers: ['example.com/hold'] } }))
    const deleted = await kube.delete(`${maps}/held`)
    const more = await kube.patch(`${maps}/held`, {
      metadata: { finalizers: ['example.com/hold', 'example.com/more'] },
    })
    const released = await kube.patch(`${maps}/held`, { metadata: { finalizers: null } })

    expect(deleted.json.metadata).toMatchObject({
      deletionTimestamp: expect.any(String) as string,
      deletionGracePeriodSeconds: 0,
    })
    expect(more.status).toBe(422)
    expect(released.status).toBe(200)
    expect((await kube.get(`${maps}/held`)).status).toBe(404)
  })

  check(36, 'apply custom resources by the type of their lists', async () => {
    await kube.post('/apis/apiextensions.k8s.io/v1/customresourcedefinitions', LISTS)
    const path = '/apis/example.com/v1/namespaces/objects/listings/one'
    const apply = (manager: string, spec: object): ReturnType<Subject['call']> =>
      kube.call(
        'PATCH',
        `${path}?fieldManager=${manager}`,
        { apiVersion: 'example.com/v1', kind: 'Listing', metadata: { name: 'one' }, spec },
        { 'content-type': 'application/apply-patch+yaml' },
      )
    await expect.poll(async () => (await kube.get(path.replace('/one', ''))).status).toBe(200)
    const [a, b] = [
      { name: 'a', size: 1 },
      { name: 'b', size: 2 },
    ]
    expect((await apply('m1', { parts: [a], tags: ['x'], whole: [1] })).status).toBe(201)
    const joined = await apply('m2', { parts: [b], tags: ['y'] })
    const conflict = await apply('m2', { parts: [b], tags: ['y'], whole: [2] })
    const left = await apply('m1', { tags: ['x'], whole: [1] })

    expect(joined.json.spec).toEqual({ parts: [a, b], tags: ['x', 'y'], whole: [1] })
    expect(conflict).toMatchObject({
      status: 409,
      json: { message: 'Apply failed with 1 conflict: conflict with "m1": .spec.whole' },
    })
    expect(left.json.spec).toEqual({ parts: [b], tags: ['x', 'y'], whole: [1] })
    expect(ON_CLUSTER || left.json.metadata.managedFields.length).toBeTruthy()

    // Who reports owns the status alone, and the other's spec is not its own to change by that door.
    const status = await kube.call(
      'PATCH',
      `${path}/status?fieldManager=m3`,
      {
        apiVersion: 'example.com/v1',
        kind: 'Listing',
        metadata: { name: 'one' },
        spec: { tags: ['lost'] },
        status: { seen: 2 },
      },
      { 'content-type': 'application/apply-patch+yaml' },
    )
    expect(status).toMatchObject({ status: 200, json: { status: { seen: 2 } } })
    expect(status.json.spec).toEqual({ parts: [b], tags: ['x', 'y'], whole: [1] })
    const owned = status.json.metadata.managedFields.find(({ manager }: Json) => manager === 'm3')
    expect(owned.fieldsV1).toMatchObject({ 'f:status': { 'f:seen': {} } })
    // A genuine 1.20 lets it own what it could not set.
    expect('f:spec' in owned.fieldsV1).toBe(ON_CLUSTER)

    const { spec } = (await kube.get(path)).json
    const unconditional = { apiVersion: 'example.com/v1', kind: 'Listing', metadata: { name: 'one' }, spec }
    expect(await kube.put(path, unconditional)).toMatchObject({
      status: 422,
      json: { message: expect.stringContaining('must be specified for an update') as string },
    })
  })

  check(
    36,
    'apply against who scaled',
    async () => {
      const path = `${DEPLOYMENTS}/scaled`
      const apply = (replicas: number): ReturnType<Subject['call']> => {
        const sent = deployment('scaled')
        sent.spec.replicas = replicas
        return kube.call('PATCH', `${path}?fieldManager=m1`, sent, {
          'content-type': 'application/apply-patch+yaml',
        })
      }
      expect((await apply(1)).status).toBe(201)
      const { json } = await kube.get(`${path}/scale`)
      json.spec.replicas = 3
      expect((await kube.call('PUT', `${path}/scale?fieldManager=scaler`, json)).status).toBe(200)

      expect(await apply(2)).toMatchObject({
        status: 409,
        json: {
          message: expect.stringMatching(
            /^Apply failed with 1 conflict: conflict with "scaler".*: \.spec\.replicas$/s,
          ) as string,
        },
      })
    },
    { newer: 'who scales owns the replicas since 1.22' },
  )
})

const LISTS = {
  metadata: { name: 'listings.example.com' },
  spec: {
    group: 'example.com',
    scope: 'Namespaced',
    names: { plural: 'listings', singular: 'listing', kind: 'Listing', listKind: 'ListingList' },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        subresources: { status: {} },
        schema: {
          openAPIV3Schema: {
            type: 'object',
            properties: {
              status: { type: 'object', properties: { seen: { type: 'integer' } } },
              spec: {
                type: 'object',
                properties: {
                  parts: {
                    type: 'array',
                    'x-kubernetes-list-type': 'map',
                    'x-kubernetes-list-map-keys': ['name'],
                    items: {
                      type: 'object',
                      required: ['name'],
                      properties: { name: { type: 'string' }, size: { type: 'integer' } },
                    },
                  },
                  tags: { type: 'array', 'x-kubernetes-list-type': 'set', items: { type: 'string' } },
                  whole: { type: 'array', 'x-kubernetes-list-type': 'atomic', items: { type: 'integer' } },
                },
              },
            },
          },
        },
      },
    ],
  },
}
