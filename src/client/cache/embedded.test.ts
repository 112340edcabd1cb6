/** Informers against the embedded API, in process and over TLS. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { startKube, type Kube } from '../../kube/index.js'
import { createTransport } from '../http.js'
import { loadKubeconfig } from '../kubeconfig.js'
import { silent } from '../log.js'
import { eventually } from '../testing/eventually.js'
import { send, type Transport } from '../transport.js'
import { createInformerSet } from './informerset.js'

const CONFIG_MAPS = { group: '', version: 'v1', resource: 'configmaps' }

const cleanups: (() => unknown)[] = []

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

async function start(): Promise<{ kube: Kube; remote: Transport }> {
  const folder = mkdtempSync(join(tmpdir(), 'orrery-informer-'))
  cleanups.push(() => rmSync(folder, { recursive: true, force: true }))
  const kubeconfigPath = join(folder, 'kubeconfig')
  const kube = await startKube({ memory: true, port: 0, kubeconfigPath })
  cleanups.push(() => kube.close())
  const remote = createTransport(loadKubeconfig({ paths: [kubeconfigPath] }))
  cleanups.push(() => remote.close())
  return { kube, remote }
}

async function call(transport: Transport, method: string, path: string, body?: object) {
  const headers = { 'content-type': method === 'PATCH' ? 'application/merge-patch+json' : 'application/json' }
  const answer = await send(transport, {
    method,
    path,
    headers,
    ...(body && { body: Buffer.from(JSON.stringify(body)) }),
  })
  if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${answer.body.toString()}`)
}

describe('informers of the embedded API', () => {
  it('see the same in process and over TLS, through writes of all kinds', async () => {
    const { kube, remote } = await start()
    const path = '/api/v1/namespaces/default/configmaps'
    for (let i = 0; i < 12; i++) await call(remote, 'POST', path, { metadata: { name: `early-${i}` } })
    const sets = [
      createInformerSet({ transport: kube.transport, user: kube.adminUser, logger: silent, pageLimit: 5 }),
      createInformerSet({ transport: remote, logger: silent, pageLimit: 5 }),
    ]
    for (const set of sets) cleanups.push(() => set.close())
    const informers = sets.map((set) => set.informer(CONFIG_MAPS))
    await Promise.all(informers.map((informer) => informer.whenSynced()))

    for (let i = 0; i < 12; i++) await call(remote, 'PATCH', `${path}/early-${i}`, { data: { i: String(i) } })
    await call(remote, 'DELETE', `${path}/early-3`)
    await call(remote, 'POST', path, { metadata: { name: 'late', labels: { a: 'b' } } })

    for (const { store } of informers) {
      await eventually(() => expect(store.get('default', 'late')).toBeDefined())
      const names = [...store.byName('default')]
        .map(({ name }) => name)
        .filter((name) => name.startsWith('early'))
      expect(names).toHaveLength(11)
      const cached = store.get('default', 'early-7')
      expect(cached && store.object(cached)).toMatchObject({ data: { i: '7' } })
      expect(cached?.bytes.toString()).toMatch(/^\{"metadata":\{"name":"early-7"/)
      expect([...store.byLabel('a', 'b')]).toHaveLength(1)
    }
    const [inProcess, overTls] = informers.map(({ store }) => store.get('default', 'late')?.bytes.toString())
    expect(inProcess).toBe(overTls)
  })

  it('follow a definition that appears after them', async () => {
    const { kube, remote } = await start()
    const set = createInformerSet({ transport: kube.transport, user: kube.adminUser, logger: silent })
    cleanups.push(() => set.close())
    set.informer({ group: 'apiextensions.k8s.io', version: 'v1', resource: 'customresourcedefinitions' })
    const informer = set.informer({ group: 'ex.io', version: 'v1', resource: 'things' })
    await informer.whenSynced()

    await call(remote, 'POST', '/apis/apiextensions.k8s.io/v1/customresourcedefinitions', {
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      metadata: { name: 'things.ex.io' },
      spec: {
        group: 'ex.io',
        scope: 'Cluster',
        names: { plural: 'things', kind: 'Thing' },
        versions: [
          { name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object' } } },
        ],
      },
    })
    await eventually(async () =>
      call(remote, 'POST', '/apis/ex.io/v1/things', {
        apiVersion: 'ex.io/v1',
        kind: 'Thing',
        metadata: { name: 'one' },
      }),
    )

    await eventually(() => expect(informer.store.get('', 'one')?.bytes.toString()).toMatch(/^\{"metadata"/))
  })

  it('wait for an API that is not there yet, and survive its restart', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'orrery-informer-'))
    cleanups.push(() => rmSync(folder, { recursive: true, force: true }))
    const kubeconfigPath = join(folder, 'kubeconfig')
    const options = { dataDir: folder, kubeconfigPath, controllers: false }
    const first = await startKube({ ...options, port: 0 })
    const port = first.port ?? 0
    await first.close()
    const remote = createTransport(loadKubeconfig({ paths: [kubeconfigPath] }))
    cleanups.push(() => remote.close())
    const set = createInformerSet({ transport: remote, logger: silent })
    cleanups.push(() => set.close())
    const informer = set.informer(CONFIG_MAPS)
    const { store } = informer
    await eventually(() => expect([...set.status()][0]?.state).toBe('failing'))
    expect(informer.synced).toBe(false)

    const second = await startKube({ ...options, port })
    await informer.whenSynced()
    const path = '/api/v1/namespaces/default/configmaps'
    await call(remote, 'POST', path, { metadata: { name: 'before' } })
    await eventually(() => expect(store.get('default', 'before')).toBeDefined())
    await second.close()
    await eventually(() => expect([...set.status()][0]?.state).toBe('failing'))

    const third = await startKube({ ...options, port })
    cleanups.push(() => third.close())
    await call(remote, 'POST', path, { metadata: { name: 'after' } })
    await call(remote, 'DELETE', `${path}/before`)
    await eventually(() => expect(store.get('default', 'after')).toBeDefined())
    await eventually(() => expect(store.get('default', 'before')).toBeUndefined())
  })
})
