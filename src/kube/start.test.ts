import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CoreV1Api, KubeConfig } from '@kubernetes/client-node'
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

describe('the embedded API on a port', () => {
  it('is reached with the kubeconfig that it writes, and has the same objects after a restart', async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'kube-'))
    const kubeconfigPath = join(dataDir, 'kubeconfig')
    const first = await start({ dataDir, port: 0, kubeconfigPath, controllers: false })

    const config = new KubeConfig()
    config.loadFromFile(kubeconfigPath)
    const core = config.makeApiClient(CoreV1Api)
    await core.createNamespacedConfigMap({
      namespace: 'default',
      body: { metadata: { name: 'kept' }, data: { a: '1' } },
    })
    const before = first.storage.revision
    await first.close()

    const second = await start({ dataDir, port: 0, kubeconfigPath, controllers: false })
    expect(second.storage.revision).toBeGreaterThanOrEqual(before)
    config.loadFromFile(kubeconfigPath)
    const found = await config
      .makeApiClient(CoreV1Api)
      .readNamespacedConfigMap({ namespace: 'default', name: 'kept' })
    expect(found.data).toEqual({ a: '1' })
    expect((await stat(kubeconfigPath)).mode & 0o777).toBe(0o600)
    await second.close()
    await rm(dataDir, { recursive: true })
  })
})

describe('a fresh embedded API', () => {
  it('is ready with its first objects', async () => {
    const kube = await start()

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
