import { createServer, type Server } from 'node:https'
import { type IncomingMessage } from 'node:http'
import { type AddressInfo } from 'node:net'
import { type TLSSocket } from 'node:tls'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { servingCertificate } from '../../certificates/index.js'
import { send } from '../../client/transport.js'
import { call, type Called } from '../admission/fixture.js'
import { type Kube, startKube } from '../index.js'
import { validity } from '../pki/index.js'

let kube: Kube
let far: Server
let port: number
let asked: IncomingMessage[]
beforeEach(async () => {
  kube = await startKube({ controllers: false })
  asked = []
  const names = ['fruits.default.svc', '127.0.0.1']
  const pair = servingCertificate(kube.pki.authority, 'fruits', names, validity(Date.now(), 1))
  far = createServer({ ...pair, requestCert: true, ca: kube.pki.authority.cert }, (request, response) => {
    asked.push(request)
    const body = DOCUMENTS[(request.url ?? '').split('?')[0] ?? '']
    response.writeHead(body ? 200 : 404, { 'content-type': 'application/json' })
    response.end(JSON.stringify(body ?? { kind: 'Status', code: 404 }))
  })
  far.on('upgrade', (request, socket) => {
    asked.push(request)
    socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n')
    socket.pipe(socket)
  })
  await new Promise<void>((resolve) => far.listen(0, 'localhost', resolve))
  port = (far.address() as AddressInfo).port
})
afterEach(async () => {
  far.closeAllConnections()
  far.close()
  await kube.close()
})

const PLAIN = '/apis/fruits.example.com/v1'
const DOCUMENTS: Record<string, object> = {
  [PLAIN]: {
    kind: 'APIResourceList',
    apiVersion: 'v1',
    groupVersion: 'fruits.example.com/v1',
    resources: [
      { name: 'apples', singularName: '', namespaced: true, kind: 'Apple', verbs: ['get', 'list'] },
      { name: 'apples/status', singularName: '', namespaced: true, kind: 'Apple', verbs: ['get'] },
    ],
  },
  [`${PLAIN}/apples`]: { kind: 'AppleList', apiVersion: 'fruits.example.com/v1', items: [] },
  '/openapi/v2': {
    swagger: '2.0',
    paths: { [`${PLAIN}/apples`]: { get: {} }, '/api/v1/pods': { get: { stolen: true } } },
    definitions: { 'com.example.fruits.v1.Apple': { type: 'object' } },
  },
  [`/openapi/v3${PLAIN}`]: { openapi: '3.0.0', info: { title: 'fruits' } },
}

async function register(): Promise<void> {
  await call(kube, 'POST', '/api/v1/namespaces/default/services', {
    metadata: { name: 'fruits' },
    spec: { type: 'ExternalName', externalName: 'localhost' },
  })
  const { status, json } = await call(kube, 'POST', '/apis/apiregistration.k8s.io/v1/apiservices', {
    metadata: { name: 'v1.fruits.example.com' },
    spec: {
      group: 'fruits.example.com',
      version: 'v1',
      service: { namespace: 'default', name: 'fruits', port },
      caBundle: Buffer.from(kube.pki.authority.cert).toString('base64'),
      groupPriorityMinimum: 1000,
      versionPriority: 10,
    },
  })
  expect({ status, json }).toMatchObject({ status: 201 })
}

async function available(status: string): Promise<object> {
  const condition = async (): Promise<object | undefined> => {
    const { json } = await call(
      kube,
      'GET',
      '/apis/apiregistration.k8s.io/v1/apiservices/v1.fruits.example.com',
    )
    return (json as { status: { conditions?: object[] } }).status.conditions?.[0]
  }
  await expect.poll(condition).toMatchObject({ type: 'Available', status })
  return (await condition()) ?? {}
}
const get = (path: string): Promise<Called> => call(kube, 'GET', path)

describe('an API server registered by an APIService', () => {
  it('is available, and answers for its group on behalf of the caller', async () => {
    await register()
    expect(await available('True')).toMatchObject({ reason: 'Passed' })
    const user = { name: 'dora', groups: ['system:masters'], extra: { 'example.com/scopes': ['a', 'b'] } }
    const answer = await call(kube, 'GET', `${PLAIN}/apples?limit=5`, undefined, user)

    expect(answer).toMatchObject({ status: 200, json: { kind: 'AppleList' } })
    const request = asked.at(-1)
    expect(request?.url).toBe(`${PLAIN}/apples?limit=5`)
    expect(request?.headers).toMatchObject({
      'x-remote-user': 'dora',
      'x-remote-group': 'system:masters',
      'x-remote-extra-example.com%2fscopes': 'a, b',
    })
    expect((request?.socket as TLSSocket).getPeerCertificate().subject.CN).toBe('front-proxy-client')
  })

  it('cannot be told by a caller who they are', async () => {
    await register()
    await send(kube.transport, {
      method: 'GET',
      path: `${PLAIN}/apples`,
      user: { name: 'eve', groups: ['system:masters'] },
      headers: {
        'x-remote-user': 'root',
        'x-remote-group': 'gods',
        authorization: 'Bearer x',
        'x-remote-extra-a': 'b',
      },
    })

    expect(asked.at(-1)?.headers).toMatchObject({
      'x-remote-user': 'eve',
      'x-remote-group': 'system:masters',
    })
    expect(asked.at(-1)?.headers['authorization']).toBeUndefined()
    expect(asked.at(-1)?.headers['x-remote-extra-a']).toBeUndefined()
  })

  it('is asked only for those who may', async () => {
    await register()
    await available('True')
    const before = asked.length
    const answer = await call(kube, 'GET', `${PLAIN}/apples`, undefined, { name: 'eve', groups: [] })

    expect(answer.status).toBe(403)
    expect(asked.length).toBe(before)
  })

  it('is part of discovery and of the published schema, for its own group only', async () => {
    await register()
    await available('True')
    const groups = (await get('/apis')).json.groups as { name: string }[]
    const aggregated = await send(kube.transport, {
      method: 'GET',
      path: '/apis',
      user: kube.adminUser,
      headers: { accept: 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList' },
    })
    const { items } = JSON.parse(aggregated.body.toString()) as { items: { metadata: { name: string } }[] }

    expect(groups.map(({ name }) => name)).toContain('fruits.example.com')
    expect((await get('/apis/fruits.example.com')).json).toMatchObject({ kind: 'APIGroup' })
    expect((await get(PLAIN)).json).toMatchObject({ kind: 'APIResourceList' })
    expect(items.find(({ metadata }) => metadata.name === 'fruits.example.com')).toMatchObject({
      versions: [
        {
          version: 'v1',
          freshness: 'Current',
          resources: [{ resource: 'apples', scope: 'Namespaced', subresources: [{ subresource: 'status' }] }],
        },
      ],
    })
    const schema = (await get('/openapi/v2')).json
    expect(schema.paths[`${PLAIN}/apples`]).toBeDefined()
    expect(schema.definitions['com.example.fruits.v1.Apple']).toBeDefined()
    expect(schema.paths['/api/v1/pods']?.get?.stolen).toBeUndefined()
    expect((await get('/openapi/v3')).json.paths['apis/fruits.example.com/v1']).toBeDefined()
    expect((await get(`/openapi/v3${PLAIN}`)).json.info.title).toBe('fruits')
  })

  it('streams both ways after an upgrade', async () => {
    await register()
    const { status, socket } = await kube.transport.upgrade({
      method: 'GET',
      path: `${PLAIN}/namespaces/default/apples/one/eat`,
      user: kube.adminUser,
      headers: { upgrade: 'echo', connection: 'Upgrade' },
    })
    expect(status).toBe(101)

    const heard = new Promise<string>((resolve) =>
      socket?.once('data', (data: Buffer) => resolve(String(data))),
    )
    socket?.write('hello')
    expect(await heard).toBe('hello')
    socket?.destroy()
  })

  it('is said to be unavailable when nothing answers, and its group answers 503', async () => {
    far.close()
    await register()

    expect(await available('False')).toMatchObject({ reason: 'FailedDiscoveryCheck' })
    expect(await get(`${PLAIN}/apples`)).toMatchObject({
      status: 503,
      json: { reason: 'ServiceUnavailable' },
    })
    expect((await get('/apis/apps/v1')).status).toBe(200)
  })

  it('is reached by a URL where there is no service', async () => {
    await call(kube, 'POST', '/apis/apiregistration.k8s.io/v1/apiservices', {
      metadata: {
        name: 'v1.fruits.example.com',
        annotations: { 'orrery.dev/url': `https://localhost:${port}` },
      },
      spec: {
        group: 'fruits.example.com',
        version: 'v1',
        service: { namespace: 'default', name: 'absent' },
        insecureSkipTLSVerify: true,
        groupPriorityMinimum: 1000,
        versionPriority: 10,
      },
    })

    await available('True')
    expect((await get(`${PLAIN}/apples`)).json).toMatchObject({ kind: 'AppleList' })
  })

  it('takes its group along when it is deleted', async () => {
    await register()
    await available('True')
    await call(kube, 'DELETE', '/apis/apiregistration.k8s.io/v1/apiservices/v1.fruits.example.com')

    const groups = (await get('/apis')).json.groups as { name: string }[]
    expect(groups.map(({ name }) => name)).not.toContain('fruits.example.com')
  })
})
