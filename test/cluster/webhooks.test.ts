/** The platform's webhooks, called by a real Kubernetes 1.20 API server over HTTPS. */
import { X509Certificate } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, it, describe } from 'vitest'
import { platformWebhooks, serveWebhooks } from '../../src/admission/index.js'
import { UserDirectory } from '../../src/authentication/users.js'
import { createInformerSet } from '../../src/client/cache/informerset.js'
import { createTransport } from '../../src/client/http.js'
import { loadKubeconfig } from '../../src/client/kubeconfig.js'
import { RestClient } from '../../src/client/rest.js'
import { SILENT } from '../../src/serving/log.js'
import { realClusterAvailable, startRealCluster, type RealCluster } from './realcluster.js'

const suite = describe.skipIf(!realClusterAvailable)

suite(
  `webhooks of a real cluster${realClusterAvailable ? '' : ' SKIPPED: run scripts/build-kubernetes.sh first'}`,
  () => {
    let cluster: RealCluster
    const closers: (() => Promise<unknown> | void)[] = []

    beforeAll(async () => {
      cluster = await startRealCluster({ crds: fileURLToPath(new URL('../../config/crds', import.meta.url)) })
      const transport = createTransport(loadKubeconfig({ paths: [cluster.kubeconfig] }))
      const informers = createInformerSet({ transport, logger: SILENT })
      const users = new UserDirectory(informers)
      closers.push(
        () => transport.close(),
        () => informers.close(),
        () => users.stop(),
      )
      const client = new RestClient({ transport })
      await client
        .resource({ group: '', version: 'v1', resource: 'namespaces', kind: 'Namespace' })
        .create({ metadata: { name: 'kubesphere-system' } })
      const server = await serveWebhooks({
        client,
        webhooks: platformWebhooks({ users, informers, client, checksNamespaceQuotas: false }),
        logger: SILENT,
        host: '127.0.0.1',
        port: 0,
        namespace: 'kubesphere-system',
        hosts: ['127.0.0.1'],
      })
      closers.push(() => server.close())
      await server.registered
    }, 120_000)

    afterAll(async () => {
      for (const close of closers.reverse()) await close()
      await cluster?.stop()
    })

    const user = (name: string, email: string): object => ({
      apiVersion: 'iam.kubesphere.io/v1alpha2',
      kind: 'User',
      metadata: { name },
      spec: { email },
    })
    const USERS = '/apis/iam.kubesphere.io/v1alpha2/users'

    it('refuse a bad address and one that is taken, in the words of the genuine server', async () => {
      // The API server looks at registrations once a second.
      await expect
        .poll(async () => (await cluster.request('POST', USERS, user('bad', 'notanemail'))).text, {
          timeout: 20_000,
          interval: 500,
        })
        .toContain(
          'admission webhook \\"users.iam.kubesphere.io\\" denied the request: invalid email address:notanemail',
        )
      await cluster.request('DELETE', `${USERS}/bad`)

      expect((await cluster.request('POST', USERS, user('ann', 'ann@example.com'))).status).toBe(201)
      await expect
        .poll(async () => (await cluster.request('POST', USERS, user('bob', 'ANN@example.com'))).status, {
          timeout: 5_000,
        })
        .toBe(409)
    }, 60_000)

    it('share one certificate between replicas, through the Secret', async () => {
      const { text } = await cluster.request(
        'GET',
        '/api/v1/namespaces/kubesphere-system/secrets/ks-controller-manager-webhook-cert',
      )
      const { data } = JSON.parse(text) as { data: Record<string, string> }
      const certificate = new X509Certificate(Buffer.from(data['tls.crt'] ?? '', 'base64'))
      const { text: registered } = await cluster.request(
        'GET',
        '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/users.iam.kubesphere.io',
      )

      expect(certificate.checkIP('127.0.0.1')).toBe('127.0.0.1')
      expect(registered).toContain(data['ca.crt'])
    })
  },
)
