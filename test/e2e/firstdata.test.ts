/** The platform in front of a cluster on which nothing of it has ever been; the cluster is the embedded API, by HTTPS. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { platformWebhooks, serveWebhooks } from '../../src/admission/index.js'
import { UserDirectory } from '../../src/authentication/users.js'
import { createInformerSet } from '../../src/client/cache/informerset.js'
import { RestClient } from '../../src/client/rest.js'
import { PLATFORM } from '../../src/client/writer.js'
import { startAllInOne } from '../../src/cmd/up.js'
import { type Kube, startKube } from '../../src/kube/index.js'
import { SILENT } from '../../src/serving/log.js'
import { clientsOf } from '../fixtures/product.js'

let directory: string
let kubeconfig: string
let kube: Kube
const closers: (() => unknown)[] = []

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'orrery-first-'))
  kubeconfig = join(directory, 'kubeconfig')
  kube = await startKube({ kubeconfigPath: kubeconfig, host: '127.0.0.1', port: 0 })
})

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
  await kube.close()
  rmSync(directory, { recursive: true, force: true })
})

describe('a new cluster', () => {
  it('gives its first administrator every right from the first login on', async () => {
    const product = await startAllInOne(
      {
        dataDir: directory,
        memory: true,
        port: 0,
        bindAddress: '127.0.0.1',
        kubePort: 0,
        notificationPort: 0,
        kubeconfig,
        nodes: 0,
        logLevel: 'error',
      },
      SILENT,
    )
    closers.push(() => product.close())
    const { as, withToken } = clientsOf(product.url)
    const nobody = withToken(undefined)

    const admin = await as('admin')

    expect((await admin.get('/kapis/iam.kubesphere.io/v1alpha2/users')).json.items[0].metadata.name).toBe(
      'admin',
    )
    expect((await admin.get('/api/v1/namespaces')).status).toBe(200)
    expect(
      (await admin.get('/kapis/iam.kubesphere.io/v1alpha2/globalroles')).json.totalItems,
    ).toBeGreaterThan(3)
    expect((await nobody.get('/readyz?verbose')).text).toContain('[+]first-data ok')
  }, 40_000)

  it('is served webhooks as soon as the namespace for their certificate is there', async () => {
    const informers = createInformerSet({ transport: kube.transport, user: PLATFORM, logger: SILENT })
    const users = new UserDirectory(informers)
    closers.push(
      () => informers.close(),
      () => users.stop(),
    )
    const client = new RestClient({ transport: kube.transport, user: PLATFORM })
    let listens = false

    const serving = serveWebhooks({
      client,
      webhooks: platformWebhooks({ users, informers, client, checksNamespaceQuotas: false }),
      logger: {
        ...SILENT,
        warn: () => {
          const namespaces = { group: '', version: 'v1', resource: 'namespaces', kind: 'Namespace' }
          expect(listens).toBe(false)
          void client.resource(namespaces).create({ metadata: { name: 'kubesphere-system' } })
        },
      },
      host: '127.0.0.1',
      port: 0,
      namespace: 'kubesphere-system',
      hosts: ['127.0.0.1'],
    })
    void serving.then(() => (listens = true))
    const server = await serving
    closers.push(() => server.close())
    await server.registered

    for (const registration of [
      'validatingwebhookconfigurations/users.iam.kubesphere.io',
      'validatingwebhookconfigurations/rulegroups.alerting.kubesphere.io',
      'mutatingwebhookconfigurations/rulegroups.alerting.kubesphere.io',
    ]) {
      const path = `/apis/admissionregistration.k8s.io/v1/${registration}`
      expect((await client.raw('GET', path)).status, registration).toBe(200)
    }
  }, 40_000)

  it('that does not come up does not hold up who stops waiting for it', async () => {
    const stop = new AbortController()
    const serving = serveWebhooks({
      client: new RestClient({ transport: kube.transport, user: PLATFORM }),
      webhooks: [],
      logger: { ...SILENT, warn: () => stop.abort(new Error('no more')) },
      host: '127.0.0.1',
      port: 0,
      namespace: 'kubesphere-system',
      hosts: ['127.0.0.1'],
      signal: stop.signal,
    })

    await expect(serving).rejects.toThrow('no more')
  })
})
