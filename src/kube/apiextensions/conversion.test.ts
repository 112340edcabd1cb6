import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type KubeObject } from '../../apimachinery/meta/types.js'
import { call, type Json, webhookServer, type WebhookServer } from '../admission/fixture.js'
import { type Kube, startKube } from '../index.js'

let kube: Kube
let hook: WebhookServer
/** What the webhook answers instead of converting. */
let instead: object | undefined

beforeEach(async () => {
  instead = undefined
  kube = await startKube({ controllers: false })
  hook = await webhookServer(kube.pki, (request) => instead ?? converted(request as never))
})
afterEach(async () => {
  hook.close()
  await kube.close()
})

interface Question {
  desiredAPIVersion: string
  objects: (KubeObject & { spec: Record<string, unknown> })[]
}

/** `v1` holds one text `host:port`, `v2` the two apart. */
function converted({ desiredAPIVersion, objects }: Question): object {
  const convertedObjects = objects.map((object) => {
    const { hostPort, host, port } = object.spec as { hostPort?: string; host?: string; port?: string }
    const [left, right] = (hostPort ?? '').split(':')
    const spec = desiredAPIVersion.endsWith('v1')
      ? { hostPort: `${host}:${port}` }
      : { host: left, port: right }
    return { ...object, apiVersion: desiredAPIVersion, spec }
  })
  return { result: { status: 'Success' }, convertedObjects }
}

const DEFINITIONS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions'
const definition = (storage: 'v1' | 'v2'): Json => ({
  metadata: { name: 'servers.ex.io' },
  spec: {
    group: 'ex.io',
    scope: 'Namespaced',
    names: { plural: 'servers', kind: 'Server' },
    versions: ['v1', 'v2'].map((name) => ({
      name,
      served: true,
      storage: name === storage,
      schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
    })),
    conversion: {
      strategy: 'Webhook',
      webhook: {
        clientConfig: { url: hook.url, caBundle: hook.caBundle },
        conversionReviewVersions: ['v1'],
      },
    },
  },
})
const path = (version: string, name = ''): string =>
  `/apis/ex.io/${version}/namespaces/default/servers${name}`
const server = (version: string, name: string, spec: object): object => ({
  apiVersion: `ex.io/${version}`,
  kind: 'Server',
  metadata: { name },
  spec,
})

async function define(): Promise<void> {
  expect((await call(kube, 'POST', DEFINITIONS, definition('v1'))).status).toBe(201)
  const ready = async () => (await call(kube, 'GET', '/apis/ex.io')).status
  await expect.poll(ready).toBe(200)
}

describe('custom resources with a conversion webhook', () => {
  it('are read and written in every version, a list with one call', async () => {
    await define()
    await call(kube, 'POST', path('v1'), server('v1', 'a', { hostPort: 'x:1' }))
    await call(kube, 'POST', path('v2'), server('v2', 'b', { host: 'y', port: '2' }))
    hook.asked.length = 0

    const listed = await call(kube, 'GET', path('v2'))
    const stored = await call(kube, 'GET', path('v1', '/b'))

    expect(listed.json.items.map((each: Json) => [each.apiVersion, each.spec])).toEqual([
      ['ex.io/v2', { host: 'x', port: '1' }],
      ['ex.io/v2', { host: 'y', port: '2' }],
    ])
    expect(stored.json.spec).toEqual({ hostPort: 'y:2' })
    expect(hook.asked).toHaveLength(1)
  })

  it('stored before the storage version changed are converted too', async () => {
    await define()
    await call(kube, 'POST', path('v1'), server('v1', 'a', { hostPort: 'x:1' }))
    const { json } = await call(kube, 'GET', `${DEFINITIONS}/servers.ex.io`)

    await call(kube, 'PUT', `${DEFINITIONS}/servers.ex.io`, { ...json, spec: definition('v2').spec })

    await expect
      .poll(async () => (await call(kube, 'GET', path('v2', '/a'))).json.spec)
      .toEqual({ host: 'x', port: '1' })
  })

  it('keep their identity, whatever the webhook makes of it', async () => {
    await define()
    const { json } = await call(kube, 'POST', path('v1'), server('v1', 'a', { hostPort: 'x:1' }))
    const metadata = { name: 'a', uid: 'stolen', labels: { by: 'hook' }, finalizers: ['ex.io/held'] }
    const object = { apiVersion: 'ex.io/v2', kind: 'Server', metadata, spec: {} }
    instead = { result: { status: 'Success' }, convertedObjects: [object] }

    const read = await call(kube, 'GET', path('v2', '/a'))

    expect(read.json.metadata.uid).toBe(json.metadata.uid)
    expect(read.json.metadata.labels).toEqual({ by: 'hook' })
    expect(read.json.metadata.finalizers).toBeUndefined()
  })

  it.each([
    [{ result: { status: 'Failed', message: 'I will not' } }, 'I will not'],
    [{ result: { status: 'Success' }, convertedObjects: [] }, 'returned 0 objects, expected 1'],
    [
      { result: { status: 'Success' }, convertedObjects: [{ kind: 'Server' }] },
      'object at index 0 is not of ex.io/v2',
    ],
    [{ result: { status: 'Success' }, convertedObjects: [null] }, 'object at index 0 is not of ex.io/v2'],
  ])('that it does not convert are an error that says why', async (answer, why) => {
    await define()
    await call(kube, 'POST', path('v1'), server('v1', 'a', { hostPort: 'x:1' }))
    instead = answer

    const { status, json } = await call(kube, 'GET', path('v2', '/a'))

    expect(status).toBe(500)
    expect(json.message).toContain('conversion webhook for ex.io/v2, Kind=Server failed: ')
    expect(json.message).toContain(why)
  })

  it('need a webhook to be named', async () => {
    const bad = definition('v1')
    bad.spec.conversion = { strategy: 'Webhook' }

    const { status, json } = await call(kube, 'POST', DEFINITIONS, bad)

    expect(status).toBe(422)
    expect(json.details.causes.map((each: Json) => each.field)).toEqual([
      'spec.conversion.webhook.clientConfig',
      'spec.conversion.webhook.conversionReviewVersions',
    ])
  })
})
