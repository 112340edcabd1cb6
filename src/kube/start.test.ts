import { afterEach, describe, expect, it } from 'vitest'
import { type KubeObject } from '../apimachinery/meta/types.js'
import { type Headers, send } from '../client/transport.js'
import { type Kube, type KubeOptions, startKube } from './index.js'

const running: Kube[] = []
async function start(options: KubeOptions = {}): Promise<Kube> {
  const kube = await startKube(options)
  running.push(kube)
  return kube
}
afterEach(async () => {
  await Promise.all(running.splice(0).map((kube) => kube.close()))
})

async function call(kube: Kube, method: string, path: string, body?: unknown, headers: Headers = {}) {
  const { status, body: bytes } = await send(kube.transport, {
    method,
    path,
    headers: { 'content-type': 'application/json', ...headers },
    ...(body !== undefined && { body: Buffer.from(JSON.stringify(body)) }),
    ...(headers.authorization === undefined && headers.anonymous === undefined && { user: kube.adminUser }),
  })
  const text = bytes.toString()
  return {
    status,
    json: (text.startsWith('{') ? JSON.parse(text) : { text }) as KubeObject & { items: KubeObject[] },
  }
}

describe('a fresh embedded API', () => {
  it('is ready within a second, with its first objects', async () => {
    const before = performance.now()
    const kube = await start()
    expect(performance.now() - before).toBeLessThan(1000)

    const { json } = await call(kube, 'GET', '/api/v1/namespaces')
    expect(json.items.map(({ metadata }) => metadata.name)).toEqual([
      'default',
      'kube-node-lease',
      'kube-public',
      'kube-system',
    ])
    const service = await call(kube, 'GET', '/api/v1/namespaces/default/services/kubernetes')
    expect(service.json.spec).toMatchObject({ clusterIP: '10.96.0.1' })
    expect((await call(kube, 'GET', '/api/v1/namespaces/default/endpoints/kubernetes')).status).toBe(200)
    const roles = await call(kube, 'GET', '/apis/rbac.authorization.k8s.io/v1/clusterroles')
    expect(roles.json.items.length).toBe(60)
  })

  it('lets nobody read more than what is public', async () => {
    const kube = await start()
    const anonymous = { anonymous: 'true' }

    expect((await call(kube, 'GET', '/api/v1/namespaces', undefined, anonymous)).json.message).toBe(
      'namespaces is forbidden: User "system:anonymous" cannot list resource "namespaces" in API group "" at the cluster scope',
    )
    const bad = await call(kube, 'GET', '/version', undefined, { authorization: 'Bearer nonsense' })
    expect(bad.status).toBe(401)
  })
})
