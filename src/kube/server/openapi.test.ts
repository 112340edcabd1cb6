/** Published schemas and health, on the built-in kinds and one custom one. */
import { ProtobufReader } from '../../apimachinery/protobuf/index.js'
import { describe, expect, it } from 'vitest'
import { builtinResources, definitions } from '../builtin/index.js'
import { createCatalogue } from '../registry/catalogue.js'
import { fixture, gadgets, widgetStrategy } from './fixture.js'

const custom = {
  ...gadgets(),
  strategy: widgetStrategy({
    schema: {
      preserveUnknownFields: false,
      structural: {
        type: 'object',
        properties: { spec: { type: 'object', nullable: true, properties: { size: { type: 'integer' } } } },
      },
    },
  }),
}
const catalogue = createCatalogue([...builtinResources(), custom])
const kube = fixture({ catalogue, definitions: definitions() })

type Schemas = Record<string, { properties?: Record<string, unknown>; [key: string]: unknown }>

/** Names that are referred to and not there. */
function dangling(document: object, prefix: string, schemas: Schemas): string[] {
  const names = JSON.stringify(document).match(/"\$ref":"[^"]+"/g) ?? []
  return [...new Set(names.map((text) => text.slice('"$ref":"'.length + prefix.length, -1)))].filter(
    (name) => !(name in schemas),
  )
}

describe('OpenAPI v3', () => {
  it('has an index of documents, each complete in itself', async () => {
    const { json } = await kube.call('GET', '/openapi/v3')
    const paths = json.paths as Record<string, { serverRelativeURL: string }>

    expect(Object.keys(paths)).toContain('api/v1')
    expect(paths['apis/apps/v1']?.serverRelativeURL).toMatch(
      /^\/openapi\/v3\/apis\/apps\/v1\?hash=[0-9A-F]+$/,
    )
    for (const { serverRelativeURL } of Object.values(paths)) {
      const { json: document, status, headers } = await kube.call('GET', serverRelativeURL)
      expect(status).toBe(200)
      expect(headers['content-type']).toBe('application/json')
      const { schemas } = document.components as { schemas: Schemas }
      expect(dangling(document, '#/components/schemas/', schemas)).toEqual([])
    }
  })

  it('keeps what clients look for: kinds, actions, parameters, patch types', async () => {
    const { json } = await kube.call('GET', '/openapi/v3/apis/apps/v1')

    const path = (json.paths as Record<string, Record<string, Record<string, unknown>>>)[
      '/apis/apps/v1/namespaces/{namespace}/deployments/{name}'
    ]
    const patch = path?.patch as { parameters: { name: string }[]; requestBody: { content: object } }
    expect(patch).toMatchObject({
      'x-kubernetes-action': 'patch',
      'x-kubernetes-group-version-kind': { group: 'apps', version: 'v1', kind: 'Deployment' },
    })
    expect(patch.parameters.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['dryRun', 'fieldValidation', 'force']),
    )
    expect(Object.keys(patch.requestBody.content)).toContain('application/strategic-merge-patch+json')
    const { schemas } = json.components as { schemas: Schemas }
    expect(schemas['io.k8s.api.apps.v1.Deployment']?.['x-kubernetes-group-version-kind']).toEqual([
      { group: 'apps', version: 'v1', kind: 'Deployment' },
    ])
    expect(schemas['io.k8s.api.core.v1.PodSpec']?.properties?.containers).toMatchObject({
      'x-kubernetes-patch-merge-key': 'name',
    })
  })

  it('publishes custom resources as soon as they are served, and hashes what changed', async () => {
    const index = async (): Promise<Record<string, { serverRelativeURL: string }>> =>
      (await kube.call('GET', '/openapi/v3')).json.paths as never
    const before = await index()
    const { json } = await kube.call('GET', '/openapi/v3/apis/ex.io/v1alpha1')
    expect((json.components as { schemas: Schemas }).schemas['io.ex.v1alpha1.Gadget']).toMatchObject({
      properties: { spec: { nullable: true, properties: { size: { type: 'integer' } } } },
      'x-kubernetes-group-version-kind': [{ group: 'ex.io', version: 'v1alpha1', kind: 'Gadget' }],
    })

    catalogue.set({ ...custom, version: 'v1' })
    const after = await index()

    expect(after['apis/ex.io/v1']).toBeDefined()
    expect(after['apis/apps/v1']).toEqual(before['apis/apps/v1'])
    catalogue.remove('ex.io', 'v1', 'gadgets')
    expect(await index()).toEqual(before)
    expect((await kube.call('GET', '/openapi/v3/apis/ex.io/v1')).status).toBe(404)
  })
})

describe('OpenAPI v2', () => {
  it('is one document with all definitions, without what v2 cannot say', async () => {
    const { json, headers } = await kube.call('GET', '/openapi/v2')

    expect(json).toMatchObject({ swagger: '2.0', info: { title: 'Kubernetes', version: 'v1.20.2' } })
    const schemas = json.definitions as Schemas
    expect(dangling(json, '#/definitions/', schemas)).toEqual([])
    expect(schemas['io.ex.v1alpha1.Gadget']?.properties?.spec).toEqual({
      type: 'object',
      properties: { size: { type: 'integer' } },
    })
    const again = await kube.call('GET', '/openapi/v2', undefined, { 'if-none-match': String(headers.etag) })
    expect(again.status).toBe(304)
  })

  it('is there in protobuf for version 2, and only for that', async () => {
    const accept = 'application/com.github.proto-openapi.spec.v2@v1.0+protobuf'

    const { status, headers, body } = await kube.call('GET', '/openapi/v2', undefined, { accept })
    const reader = new ProtobufReader(body)
    const fields = new Map<number, Uint8Array>()
    while (!reader.done) fields.set(reader.tag().field, reader.chunk())

    expect({ status, type: headers['content-type'] }).toEqual({ status: 200, type: accept.replace('@', '.') })
    expect([...fields.keys()]).toEqual([1, 2, 8, 9])
    expect(Buffer.from(fields.get(1) ?? []).toString()).toBe('2.0')
    expect(Buffer.from(fields.get(9) ?? []).includes('io.ex.v1alpha1.Gadget')).toBe(true)
    expect((await kube.call('GET', '/openapi/v3', undefined, { accept })).status).toBe(406)
  })
})

describe('health', () => {
  let fault: string | undefined
  const sick = fixture({
    health: [
      { name: 'storage', check: () => fault, live: true },
      { name: 'bootstrap', check: () => 'still at it' },
    ],
  })
  const text = async (path: string): Promise<[number, string]> => {
    const { status, body } = await sick.call('GET', path)
    return [status, body.toString()]
  }

  it('is ok, or says which check failed', async () => {
    expect(await text('/livez')).toEqual([200, 'ok'])
    expect(await text('/readyz')).toEqual([
      500,
      '[+]ping ok\n[+]storage ok\n[-]bootstrap failed: reason withheld\nreadyz check failed\n',
    ])
    expect(await text('/readyz?exclude=bootstrap&verbose')).toEqual([
      200,
      '[+]ping ok\n[+]storage ok\nreadyz check passed\n',
    ])
    expect(await text('/readyz/storage')).toEqual([200, 'ok'])
    expect((await text('/readyz/nothing'))[0]).toBe(404)
    fault = 'disk full'
    expect((await text('/healthz'))[0]).toBe(500)
  })

  it('tells the version', async () => {
    expect((await sick.call('GET', '/version')).json).toMatchObject({
      major: '1',
      minor: '20',
      gitVersion: 'v1.20.2',
    })
  })
})
