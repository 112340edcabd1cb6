/** Network isolation from end to end: the whole product, with isolation enabled. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Kubectl, kubectlOn } from '../../../test/fixtures/kubectl.js'
import { type Product, startProduct } from '../../../test/fixtures/product.js'
import { eventually } from '../../client/testing/eventually.js'

const POLICY = '/apis/networking.k8s.io/v1/namespaces/shop/networkpolicies/nsnp-network-isolate'
const TEMPLATE = '/apis/tenant.kubesphere.io/v1alpha2/workspacetemplates/blue'

const directory = mkdtempSync(join(tmpdir(), 'orrery-nsnp-'))
let product: Product
let kubectl: Kubectl

beforeAll(async () => {
  const config = join(directory, 'kubesphere.yaml')
  writeFileSync(config, 'network: { enableNetworkPolicy: true }\n')
  product = await startProduct({ config })
  kubectl = kubectlOn(product.upstream)
  const template = {
    apiVersion: 'tenant.kubesphere.io/v1alpha2',
    kind: 'WorkspaceTemplate',
    metadata: { name: 'blue' },
    spec: { template: { spec: { networkIsolation: true } }, placement: { clusters: [] } },
  }
  const shop = {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: 'shop', labels: { 'kubesphere.io/workspace': 'blue' } },
  }
  expect(
    (await kubectl.post('/apis/tenant.kubesphere.io/v1alpha2/workspacetemplates', template)).status,
  ).toBe(201)
  expect((await kubectl.post('/api/v1/namespaces', shop)).status).toBe(201)
})
afterAll(async () => {
  await product.close()
  rmSync(directory, { recursive: true })
})

const admits = (labels: object) =>
  eventually(async () =>
    expect((await kubectl.get(POLICY)).json).toMatchObject({
      spec: { ingress: [{ from: [{ namespaceSelector: { matchLabels: labels } }] }] },
    }),
  )
const isolate = (how: string | null) =>
  kubectl.patch('/api/v1/namespaces/shop', {
    metadata: { annotations: { 'kubesphere.io/network-isolate': how } },
  })

describe('a project', () => {
  it('is isolated with its workspace, then by itself, then not at all', async () => {
    await admits({ 'kubesphere.io/workspace': 'blue' })

    await isolate('enabled')
    await admits({ 'kubesphere.io/namespace': 'shop' })

    await isolate(null)
    await kubectl.patch(TEMPLATE, { spec: { template: { spec: { networkIsolation: false } } } })
    await eventually(async () => expect((await kubectl.get(POLICY)).status).toBe(404))
  })

  it('turns its own policies into those of Kubernetes, and mends them', async () => {
    await isolate('enabled')
    const own = '/apis/network.kubesphere.io/v1alpha1/namespaces/shop/namespacenetworkpolicies'
    await kubectl.post(own, {
      apiVersion: 'network.kubesphere.io/v1alpha1',
      kind: 'NamespaceNetworkPolicy',
      metadata: { name: 'front' },
      spec: { ingress: [{ from: [{ namespace: { name: 'web' } }] }] },
    })
    const made = POLICY.replace('network-isolate', 'front')
    const spec = {
      ingress: [{ from: [{ namespaceSelector: { matchLabels: { 'kubesphere.io/namespace': 'web' } } }] }],
    }
    const isMade = () =>
      eventually(async () => expect((await kubectl.get(made)).json).toMatchObject({ spec }))
    await isMade()

    await kubectl.patch(made, { spec: { ingress: [{}] } })
    await isMade()

    await kubectl.delete(`${own}/front`)
    await eventually(async () => expect((await kubectl.get(made)).status).toBe(404))
  })
})
