/** The controllers of tenancy and the quota webhook on a genuine API server, which has none of our own behaviour. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { platformWebhooks, serveWebhooks } from '../../src/admission/index.js'
import { UserDirectory } from '../../src/authentication/users.js'
import { bootstrapPlatform } from '../../src/bootstrap/index.js'
import { createInformerSet } from '../../src/client/cache/informerset.js'
import { createTransport } from '../../src/client/http.js'
import { loadKubeconfig } from '../../src/client/kubeconfig.js'
import { RestClient } from '../../src/client/rest.js'
import { eventually } from '../../src/client/testing/eventually.js'
import { startControllers } from '../../src/cmd/controllers.js'
import { loadConfiguration } from '../../src/configuration/load.js'
import { SILENT } from '../../src/serving/log.js'
import { type Kubectl, kubectlOn } from '../fixtures/kubectl.js'
import { type RealCluster, realClusterAvailable, startRealCluster } from './realcluster.js'

const QUOTA = '/apis/quota.kubesphere.io/v1alpha2/resourcequotas'

const suite = describe.skipIf(!realClusterAvailable)

suite(
  `tenancy on a real cluster${realClusterAvailable ? '' : ' SKIPPED: run scripts/build-kubernetes.sh first'}`,
  () => {
    const closers: (() => unknown)[] = []
    let cluster: RealCluster | undefined
    let kubectl: Kubectl

    beforeAll(async () => {
      cluster = await startRealCluster({})
      const transport = createTransport(loadKubeconfig({ paths: [cluster.kubeconfig] }))
      const informers = createInformerSet({ transport, logger: SILENT, recheckMs: 200 })
      const client = new RestClient({ transport })
      const users = new UserDirectory(informers)
      closers.push(
        () => transport.close(),
        () => informers.close(),
        () => users.stop(),
      )
      await bootstrapPlatform({
        client: transport,
        adminPassword: 'P@88w0rd',
        logger: SILENT,
        signal: AbortSignal.timeout(60_000),
      })
      const { options } = loadConfiguration({ directories: [], environment: {} })
      const controllers = startControllers({ options, upstream: transport, informers, logger: SILENT })
      closers.push(() => controllers.close())
      const webhooks = await serveWebhooks({
        client,
        webhooks: platformWebhooks({ users, informers, client, checksNamespaceQuotas: false }),
        logger: SILENT,
        host: '127.0.0.1',
        port: 0,
        namespace: 'kubesphere-system',
        hosts: ['127.0.0.1'],
      })
      closers.push(() => webhooks.close())
      await webhooks.registered
      kubectl = kubectlOn(transport)
    }, 180_000)

    afterAll(async () => {
      for (const close of closers.reverse()) await close()
      await cluster?.stop()
    })

    async function created(path: string, body: unknown): Promise<void> {
      const answer = await kubectl.post(path, body)
      expect(answer.status, answer.text).toBe(201)
    }
    const has = (path: string, what: object) =>
      eventually(async () => expect((await kubectl.get(path)).json).toMatchObject(what), 10_000)

    it('makes a workspace of a template, and a project of a namespace', async () => {
      await created('/apis/tenant.kubesphere.io/v1alpha2/workspacetemplates', {
        apiVersion: 'tenant.kubesphere.io/v1alpha2',
        kind: 'WorkspaceTemplate',
        metadata: { name: 'blue' },
        spec: { template: { spec: { manager: 'admin' } }, placement: { clusters: [] } },
      })
      await has('/apis/tenant.kubesphere.io/v1alpha1/workspaces/blue', { spec: { manager: 'admin' } })
      await has('/apis/iam.kubesphere.io/v1alpha2/workspacerolebindings/blue-admin', {
        subjects: [{ name: 'admin' }],
      })

      await created('/api/v1/namespaces', {
        apiVersion: 'v1',
        kind: 'Namespace',
        metadata: {
          name: 'shop',
          labels: { 'kubesphere.io/workspace': 'blue' },
          annotations: { 'kubesphere.io/creator': 'admin' },
        },
      })

      await has('/api/v1/namespaces/shop', {
        metadata: {
          finalizers: ['finalizers.kubesphere.io/namespaces'],
          ownerReferences: [{ kind: 'Workspace', name: 'blue', controller: true }],
        },
      })
      await has('/apis/rbac.authorization.k8s.io/v1/namespaces/shop/rolebindings/admin-admin', {
        roleRef: { name: 'admin' },
      })
      await has('/apis/rbac.authorization.k8s.io/v1/namespaces/shop/roles/viewer', {})
    }, 60_000)

    it('enforces the quota of a workspace, and says what is used', async () => {
      const labels = { 'kubesphere.io/workspace': 'blue' }
      await created(QUOTA, {
        apiVersion: 'quota.kubesphere.io/v1alpha2',
        kind: 'ResourceQuota',
        metadata: { name: 'blue', labels },
        spec: { selector: labels, quota: { hard: { services: '2' } } },
      })
      await has(`${QUOTA}/blue`, { status: { total: { used: { services: '0' } } } })

      const answers = await Promise.all(
        ['a', 'b', 'c', 'd'].map((name) =>
          kubectl.post('/api/v1/namespaces/shop/services', {
            apiVersion: 'v1',
            kind: 'Service',
            metadata: { name },
            spec: { ports: [{ port: 80 }] },
          }),
        ),
      )

      expect(answers.map(({ status }) => status).sort()).toEqual([201, 201, 403, 403])
      await has(`${QUOTA}/blue`, { status: { total: { used: { services: '2' } } } })
    }, 60_000)
  },
)
