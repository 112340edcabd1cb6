/** Workspaces where several clusters are managed: what is copied to which of them. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { eventually, good, userObject } from '../fixtures/cast.js'
import { type Client, type Product, startProduct } from '../fixtures/product.js'

const IAM = '/kapis/iam.kubesphere.io/v1alpha2'
const TENANT = '/kapis/tenant.kubesphere.io/v1alpha2'
const TWINS = '/apis/types.kubefed.io/v1beta1/federatedworkspaces'

const DEFINITION = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'federatedworkspaces.types.kubefed.io' },
  spec: {
    group: 'types.kubefed.io',
    scope: 'Cluster',
    names: {
      plural: 'federatedworkspaces',
      singular: 'federatedworkspace',
      kind: 'FederatedWorkspace',
      listKind: 'FederatedWorkspaceList',
    },
    versions: [
      {
        name: 'v1beta1',
        served: true,
        storage: true,
        schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
      },
    ],
  },
}

const directory = mkdtempSync(join(tmpdir(), 'orrery-federation-'))
let product: Product
let root: Client

beforeAll(async () => {
  const config = join(directory, 'kubesphere.yaml')
  writeFileSync(config, 'multicluster: { enable: true }\n')
  product = await startProduct({ config })
  root = await product.as('admin')
  good(await root.post('/apis/apiextensions.k8s.io/v1/customresourcedefinitions', DEFINITION))
  await eventually(async () => expect((await root.get(TWINS)).status).toBe(200))
  good(
    await root.post('/apis/cluster.kubesphere.io/v1alpha1/clusters', {
      apiVersion: 'cluster.kubesphere.io/v1alpha1',
      kind: 'Cluster',
      metadata: { name: 'host', labels: { 'cluster-role.kubesphere.io/host': '' } },
      spec: { connection: { type: 'direct' }, enable: true },
    }),
  )
})

afterAll(async () => {
  await product?.close()
  rmSync(directory, { recursive: true, force: true })
})

describe('a workspace that is placed on one cluster', () => {
  it('is federated there and nowhere else, with what its template says', async () => {
    good(await root.post(`${IAM}/users`, userObject('lin', 'platform-regular')))
    const placement = { clusters: [{ name: 'host' }] }
    good(
      await root.post(`${TENANT}/workspaces`, {
        metadata: { name: 'spread' },
        spec: { template: { spec: { manager: 'lin', networkIsolation: false } }, placement },
      }),
    )

    await eventually(async () => {
      const twin = await root.get(`${TWINS}/spread`)
      expect(twin.json.spec).toMatchObject({
        template: { spec: { manager: 'lin', networkIsolation: false } },
        placement,
      })
      const { labels } = (await root.get('/apis/tenant.kubesphere.io/v1alpha2/workspacetemplates/spread'))
        .json.metadata
      expect(labels).toMatchObject({ 'kubefed.io/managed': 'false' })
      const { json } = await root.get('/apis/iam.kubesphere.io/v1alpha2/workspacerolebindings/spread-admin')
      expect(json.subjects).toMatchObject([{ name: 'lin' }])
    })
    // The cluster gets its workspace from the federation, which is not there to give it.
    expect((await root.get('/apis/tenant.kubesphere.io/v1alpha1/workspaces/spread')).status).toBe(404)
  })

  it('takes changes of its template along, and its twin when it goes', async () => {
    const change = { spec: { template: { spec: { networkIsolation: true } } } }
    good(await root.patch(`${TENANT}/workspaces/spread`, change))
    await eventually(async () =>
      expect((await root.get(`${TWINS}/spread`)).json.spec.template.spec.networkIsolation).toBe(true),
    )

    good(await root.delete(`${TENANT}/workspaces/spread`))

    await eventually(async () => {
      expect((await root.get(`${TWINS}/spread`)).status).toBe(404)
      expect((await root.get(`${TENANT}/workspaces/spread`)).status).toBe(404)
    })
  })
})
