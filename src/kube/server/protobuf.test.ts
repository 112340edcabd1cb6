import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type KubeObject } from '../../apimachinery/meta/types.js'
import { ProtobufReader } from '../../apimachinery/protobuf/index.js'
import { type Headers, send } from '../../client/transport.js'
import { type Kube, startKube } from '../index.js'
import { decodeObject, encodeObject, type Kind, PROTOBUF } from '../protobuf/index.js'

let kube: Kube
beforeEach(async () => {
  kube = await startKube({ controllers: false })
})
afterEach(() => kube.close())

const ANY: Kind = { apiVersion: '', kind: '' }
const MAPS = '/api/v1/namespaces/default/configmaps'

async function call(method: string, path: string, body?: Record<string, unknown> & Kind, accept = PROTOBUF) {
  const headers: Headers = { accept, 'content-type': PROTOBUF }
  const answer = await send(kube.transport, {
    method,
    path,
    user: kube.adminUser,
    headers,
    ...(body && { body: encodeObject(body) }),
  })
  const type = String(answer.headers['content-type'])
  const isBinary = answer.body.subarray(0, 4).equals(Buffer.from('k8s\0'))
  const object = isBinary ? decodeObject(answer.body, ANY) : JSON.parse(answer.body.toString())
  return { status: answer.status, type, isBinary, object: object as KubeObject & { items?: KubeObject[] } }
}

const map = (name: string, data: object = { a: '1' }): Record<string, unknown> & Kind => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name },
  data,
})

describe('a client of protobuf', () => {
  it('creates, reads, updates and deletes built-in kinds', async () => {
    const made = await call('POST', MAPS, map('m'))
    const changed = await call('PUT', `${MAPS}/m`, map('m', { a: '2' }))
    const read = await call('GET', `${MAPS}/m`)
    const gone = await call('DELETE', `${MAPS}/m`, {
      apiVersion: 'v1',
      kind: 'DeleteOptions',
      preconditions: { uid: made.object.metadata.uid },
      dryRun: ['All'],
    })

    expect(made).toMatchObject({ status: 201, type: PROTOBUF, isBinary: true })
    expect(changed.object).toMatchObject({ apiVersion: 'v1', kind: 'ConfigMap', data: { a: '2' } })
    expect(read.object).toEqual(changed.object)
    expect(gone).toMatchObject({ status: 200, isBinary: true, object: { kind: 'Status', status: 'Success' } })
    expect((await call('GET', `${MAPS}/m`)).status).toBe(200)
  })

  it('lists objects, and their metadata alone', async () => {
    await call('POST', MAPS, map('m1'))
    await call('POST', MAPS, map('m2'))
    const asMetadata = `${PROTOBUF};as=PartialObjectMetadataList;g=meta.k8s.io;v=v1`

    const all = await call('GET', MAPS)
    const metadata = await call('GET', MAPS, undefined, asMetadata)

    expect(all).toMatchObject({ isBinary: true, object: { kind: 'ConfigMapList', apiVersion: 'v1' } })
    expect(all.object.items?.map((each) => each.metadata.name)).toEqual(['m1', 'm2'])
    expect(all.object.items?.[0]).toHaveProperty('data', { a: '1' })
    expect(metadata.object).toMatchObject({ kind: 'PartialObjectMetadataList', apiVersion: 'meta.k8s.io/v1' })
    expect(metadata.object.items?.[0]).toMatchObject({ metadata: { name: 'm1' } })
    expect(metadata.object.items?.[0]).not.toHaveProperty('data')
  })

  it('is told of faults in kind', async () => {
    const missing = await call('GET', `${MAPS}/none`)
    const wrong = await call('POST', MAPS, {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 's' },
    })
    const garbage = await send(kube.transport, {
      method: 'POST',
      path: MAPS,
      user: kube.adminUser,
      headers: { 'content-type': PROTOBUF },
      body: Buffer.from('k8s\0\xff\xff'),
    })

    expect(missing).toMatchObject({
      status: 404,
      isBinary: true,
      object: { kind: 'Status', reason: 'NotFound', code: 404 },
    })
    expect(wrong.status).toBe(400)
    expect(garbage.status).toBe(400)
  })

  it('gets JSON of what has no message, if it takes that', async () => {
    const table = `${PROTOBUF};as=Table;g=meta.k8s.io;v=v1,application/json;as=Table;g=meta.k8s.io;v=v1`

    const listed = await call('GET', MAPS, undefined, table)
    const discovered = await call('GET', '/apis', undefined, `${PROTOBUF}, */*`)

    expect(listed).toMatchObject({ isBinary: false, object: { kind: 'Table' } })
    expect(discovered).toMatchObject({ isBinary: true, object: { kind: 'APIGroupList' } })
    expect((await call('GET', MAPS, undefined, `${PROTOBUF};as=Table;g=meta.k8s.io;v=v1`)).status).toBe(406)
  })

  it('watches frames with their lengths', async () => {
    const chunks: Buffer[] = []
    let type = ''
    const watch = kube.transport.dispatch(
      { method: 'GET', path: `${MAPS}?watch=true`, user: kube.adminUser, headers: { accept: PROTOBUF } },
      {
        head: (_status, headers) => (type = String(headers['content-type'])),
        data: (chunk) => chunks.push(Buffer.from(chunk)) > 0,
        end() {},
        fail() {},
      },
    )

    await call('POST', MAPS, map('m'))
    await call('DELETE', `${MAPS}/m`)

    await expect.poll(() => events(Buffer.concat(chunks)).length).toBe(2)
    watch.abort()
    expect(type).toBe(`${PROTOBUF};stream=watch`)
    expect(events(Buffer.concat(chunks))).toMatchObject([
      { type: 'ADDED', object: { kind: 'ConfigMap', metadata: { name: 'm' }, data: { a: '1' } } },
      { type: 'DELETED', object: { kind: 'ConfigMap', metadata: { name: 'm' } } },
    ])
  })
})

function events(bytes: Buffer): { type: string; object: KubeObject }[] {
  const found: { type: string; object: KubeObject }[] = []
  for (let at = 0; at < bytes.length;) {
    const size = bytes.readUInt32BE(at)
    const reader = new ProtobufReader(bytes.subarray(at + 4, at + 4 + size))
    at += 4 + size
    reader.tag()
    const type = reader.text()
    reader.tag()
    const extension = new ProtobufReader(reader.chunk())
    extension.tag()
    found.push({ type, object: decodeObject(extension.chunk(), ANY) })
  }
  return found
}
