import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { send } from '../../client/transport.js'
import { type Kube, startKube } from '../index.js'

let kube: Kube
beforeEach(async () => {
  kube = await startKube({ controllers: false })
})
afterEach(() => kube.close())

async function call(method: string, path: string, body?: unknown, contentType = 'application/json') {
  const answer = await send(kube.transport, {
    method,
    path,
    user: kube.adminUser,
    headers: { 'content-type': contentType, 'user-agent': 'kubectl/v1.32' },
    ...(body !== undefined && { body: Buffer.from(JSON.stringify(body)) }),
  })
  return { status: answer.status, json: JSON.parse(answer.body.toString()) }
}
const apply = (path: string, manager: string, body: object, more = '') =>
  call('PATCH', `${path}?fieldManager=${manager}${more}`, body, 'application/apply-patch+yaml')
const merge = (path: string, body: object) => call('PATCH', path, body, 'application/merge-patch+json')

const MAP = '/api/v1/namespaces/default/configmaps/m'
const map = (data: object, metadata: object = {}): object => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'm', ...metadata },
  data,
})
const DEPLOYMENT = '/apis/apps/v1/namespaces/default/deployments/d'
const deployment = (spec: object, status?: object): object => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'd' },
  spec,
  ...(status && { status }),
})
const WEB = {
  replicas: 2,
  selector: { matchLabels: { app: 'web' } },
  template: { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'c', image: 'nginx' }] } },
}

/** `manager operation subresource` of each entry. */
function managers({ metadata }: { metadata: { managedFields?: Record<string, unknown>[] } }): string[] {
  return (metadata.managedFields ?? []).map(({ manager, operation, subresource = '' }) =>
    `${String(manager)} ${String(operation)} ${String(subresource)}`.trim(),
  )
}

describe('writes', () => {
  it('record who set what, by the name of the client', async () => {
    const { json } = await call('POST', MAP.slice(0, -2), map({ a: '1' }))

    expect(json.metadata.managedFields).toMatchObject([
      { manager: 'kubectl', operation: 'Update', fieldsV1: { 'f:data': { '.': {}, 'f:a': {} } } },
    ])
  })

  it('that change nothing keep revision and times', async () => {
    const { json } = await call('POST', MAP.slice(0, -2), map({ a: '1' }))
    const again = await call('PUT', MAP, map({ a: '1' }))

    expect(again.json.metadata).toEqual(json.metadata)
  })

  it('keep ownership when a client that knows nothing of it drops the field, and forget it on [{}]', async () => {
    await call('POST', MAP.slice(0, -2), map({ a: '1' }))

    const dropped = await call('PUT', MAP, map({ a: '1', b: '2' }, { managedFields: [] }))
    const reset = await merge(MAP, { metadata: { managedFields: [{}] } })

    expect(managers(dropped.json)).toEqual(['kubectl Update'])
    expect(managers(reset.json)).toEqual([])
  })

  it('through /status are told apart from those of the object', async () => {
    await call('POST', DEPLOYMENT.slice(0, -2), deployment(WEB))

    const { json } = await merge(`${DEPLOYMENT}/status?fieldManager=controller`, { status: { replicas: 1 } })

    expect(managers(json)).toEqual(['controller Update status', 'kubectl Update'])
  })
})

describe('server-side apply', () => {
  it('names everybody who owns what it would change, and takes it by force', async () => {
    await apply(MAP, 'one', map({ a: '1', b: '1' }))
    await merge(`${MAP}?fieldManager=two`, { data: { b: '2' } })

    const refused = await apply(MAP, 'three', map({ a: '3', b: '3' }))
    const forced = await apply(MAP, 'three', map({ a: '3', b: '3' }), '&force=true')

    expect(refused.status).toBe(409)
    expect(refused.json.details.causes).toEqual([
      { reason: 'FieldManagerConflict', message: 'conflict with "one"', field: '.data.a' },
      { reason: 'FieldManagerConflict', message: 'conflict with "two" using v1', field: '.data.b' },
    ])
    expect(forced.json.data).toEqual({ a: '3', b: '3' })
    expect(managers(forced.json)).toEqual(['three Apply'])
  })

  it('in a dry run answers what would be and leaves no trace', async () => {
    const dry = await apply(MAP, 'one', map({ a: '1' }), '&dryRun=All')

    expect(dry.status).toBe(201)
    expect(managers(dry.json)).toEqual(['one Apply'])
    expect((await call('GET', MAP)).status).toBe(404)
  })

  it('needs a manager, and an object without managedFields', async () => {
    expect((await call('PATCH', MAP, map({}), 'application/apply-patch+yaml')).status).toBe(422)
    expect((await apply(MAP, 'one', map({}, { managedFields: [] }))).status).toBe(400)
  })

  it('of a status changes the status alone, on the object all but that', async () => {
    await apply(DEPLOYMENT, 'one', deployment(WEB, { replicas: 7 }))
    const { replicas, ...rest } = WEB

    const written = await apply(`${DEPLOYMENT}/status`, 'one', deployment({ replicas: 9 }, { replicas: 1 }))
    const without = await apply(DEPLOYMENT, 'one', deployment(rest))

    expect(written.json.spec.replicas).toBe(replicas)
    expect(written.json.status.replicas).toBe(1)
    expect(managers(written.json)).toEqual(['one Apply', 'one Apply status'])
    expect(without.json.spec.replicas).toBe(1) // Back to the default.
    expect(without.json.status.replicas).toBe(1)
  })

  it('of a scale is stopped by whoever owns the replicas', async () => {
    await apply(DEPLOYMENT, 'one', deployment(WEB))
    const scale = {
      apiVersion: 'autoscaling/v1',
      kind: 'Scale',
      metadata: { name: 'd' },
      spec: { replicas: 5 },
    }

    const refused = await apply(`${DEPLOYMENT}/scale`, 'hpa', scale)
    const forced = await apply(`${DEPLOYMENT}/scale`, 'hpa', scale, '&force=true')

    expect(refused.json.message).toBe('Apply failed with 1 conflict: conflict with "one": .spec.replicas')
    expect(forced.json).toMatchObject({ kind: 'Scale', spec: { replicas: 5 } })
    expect(managers((await call('GET', DEPLOYMENT)).json)).toEqual(['hpa Apply scale', 'one Apply'])
  })

  it('merges custom resources as their schema says', async () => {
    const item = { type: 'object', properties: { name: { type: 'string' }, value: { type: 'string' } } }
    const schema = {
      type: 'object',
      properties: {
        spec: {
          type: 'object',
          properties: {
            parts: {
              type: 'array',
              'x-kubernetes-list-type': 'map',
              'x-kubernetes-list-map-keys': ['name'],
              items: { ...item, required: ['name'] },
            },
            whole: { type: 'array', 'x-kubernetes-list-type': 'atomic', items: { type: 'string' } },
          },
        },
      },
    }
    await call('POST', '/apis/apiextensions.k8s.io/v1/customresourcedefinitions', {
      metadata: { name: 'things.ex.io' },
      spec: {
        group: 'ex.io',
        scope: 'Namespaced',
        names: { plural: 'things', kind: 'Thing' },
        versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: schema } }],
      },
    })
    const path = '/apis/ex.io/v1/namespaces/default/things/t'
    const thing = (spec: object): object => ({
      apiVersion: 'ex.io/v1',
      kind: 'Thing',
      metadata: { name: 't' },
      spec,
    })
    await expect
      .poll(
        async () =>
          (await apply(path, 'one', thing({ parts: [{ name: 'a', value: '1' }], whole: ['x'] }))).status,
      )
      .toBe(201)

    const second = await apply(path, 'two', thing({ parts: [{ name: 'b', value: '2' }] }))
    const whole = await apply(path, 'two', thing({ whole: ['y'] }))
    const unknown = await apply(path, 'two', thing({ nothing: 1 }))

    expect(second.json.spec.parts).toEqual([
      { name: 'a', value: '1' },
      { name: 'b', value: '2' },
    ])
    expect(whole.json.message).toContain('conflict with "one": .spec.whole')
    expect(unknown.status).toBe(400)
  })
})
