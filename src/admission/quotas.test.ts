/** Quotas of workspaces from end to end: the whole product, and who still gets a place. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Kubectl, kubectlOn } from '../../test/fixtures/kubectl.js'
import { type Answer, type Product, startProduct } from '../../test/fixtures/product.js'
import { eventually } from '../client/testing/eventually.js'

const QUOTAS = '/apis/quota.kubesphere.io/v1alpha2/resourcequotas'

let product: Product
let root: Kubectl

beforeAll(async () => {
  product = await startProduct()
  root = kubectlOn(product.upstream)
})
afterAll(() => product.close())

async function created(path: string, body: unknown): Promise<void> {
  const answer = await root.post(path, body)
  expect(answer.status, answer.text).toBe(201)
}

/** A workspace with projects `<workspace>1` and `<workspace>2` and a quota of its name. */
async function workspace(name: string, hard: Record<string, string>): Promise<void> {
  await created('/apis/tenant.kubesphere.io/v1alpha2/workspacetemplates', {
    apiVersion: 'tenant.kubesphere.io/v1alpha2',
    kind: 'WorkspaceTemplate',
    metadata: { name },
    spec: { template: { spec: { manager: 'admin' } }, placement: { clusters: [] } },
  })
  const labels = { 'kubesphere.io/workspace': name }
  for (const namespace of [`${name}1`, `${name}2`]) {
    await created('/api/v1/namespaces', {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: namespace, labels },
    })
    const account = `/api/v1/namespaces/${namespace}/serviceaccounts/default`
    await eventually(async () => expect((await root.get(account)).status).toBe(200))
  }
  await created(QUOTAS, {
    apiVersion: 'quota.kubesphere.io/v1alpha2',
    kind: 'ResourceQuota',
    metadata: { name, labels },
    spec: { selector: labels, quota: { hard } },
  })
  await eventually(async () => expect((await quota(name)).status?.namespaces).toHaveLength(2))
}

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- an answer, read by tests
const quota = async (name: string): Promise<any> => (await root.get(`${QUOTAS}/${name}`)).json
const used = async (name: string): Promise<unknown> => (await quota(name)).status.total.used

const pod = (namespace: string, name: string, query = '', resources = {}): Promise<Answer> =>
  root.post(`/api/v1/namespaces/${namespace}/pods${query}`, {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name },
    spec: { containers: [{ name: 'c', image: 'nginx', resources }] },
  })
const configMap = (namespace: string, name: string): Promise<Answer> =>
  root.post(`/api/v1/namespaces/${namespace}/configmaps`, {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name },
  })
const service = (namespace: string, name: string): Promise<Answer> =>
  root.post(`/api/v1/namespaces/${namespace}/services`, {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name },
    spec: { ports: [{ port: 80 }] },
  })

describe('a quota of a workspace', () => {
  it('refuses the pod that is one too many, in whichever of its projects', async () => {
    await workspace('ann', { pods: '2' })
    expect((await pod('ann1', 'a')).status).toBe(201)
    expect((await pod('ann1', 'b')).status).toBe(201)

    const third = await pod('ann2', 'c')

    expect([third.status, third.json.reason, third.json.message]).toEqual([
      403,
      'Forbidden',
      'admission webhook "resourcesquotas.quota.kubesphere.io" denied the request: ' +
        'pods "c" is forbidden: exceeded quota: ann, requested: pods=1, used: pods=2, limited: pods=2',
    ])
    expect((await quota('ann')).status).toEqual({
      total: { hard: { pods: '2' }, used: { pods: '2' } },
      namespaces: [
        { namespace: 'ann1', hard: { pods: '2' }, used: { pods: '2' } },
        { namespace: 'ann2', hard: { pods: '2' }, used: { pods: '0' } },
      ],
    })
    expect((await pod('default', 'of-nobody')).status).toBe(201)
  })

  it('gives the last place to one of many that ask at once', async () => {
    await workspace('bob', { pods: '3' })

    const answers = await Promise.all(Array.from({ length: 8 }, (_, i) => pod(`bob${(i % 2) + 1}`, `p${i}`)))

    expect(answers.map(({ status }) => status).sort()).toEqual([201, 201, 201, 403, 403, 403, 403, 403])
    expect(await used('bob')).toEqual({ pods: '3' })
  })

  it('gives a place back when a pod goes, and when one was never stored', async () => {
    await workspace('cat', { pods: '2' })
    await pod('cat1', 'a')
    expect((await pod('cat1', 'a')).status).toBe(409)
    await eventually(async () => expect(await used('cat')).toEqual({ pods: '1' }))

    await root.delete('/api/v1/namespaces/cat1/pods/a?gracePeriodSeconds=0')

    await eventually(async () => expect(await used('cat')).toEqual({ pods: '0' }))
  })

  it('takes nothing for a trial', async () => {
    await workspace('dan', { pods: '1' })

    expect((await pod('dan1', 'a', '?dryRun=All')).status).toBe(201)

    expect(await used('dan')).toEqual({ pods: '0' })
    expect((await pod('dan1', 'a')).status).toBe(201)
    expect((await pod('dan1', 'b', '?dryRun=All')).status).toBe(403)
  })

  it('holds for services and for whatever it counts', async () => {
    const left = { services: '1', 'count/configmaps': '1' }
    await workspace('eve', left)
    await eventually(async () => expect((await quota('eve')).status).toBeDefined())
    const before = Number(((await used('eve')) as Record<string, string>)['count/configmaps'])
    await root.patch(`${QUOTAS}/eve`, {
      spec: { quota: { hard: { services: '1', 'count/configmaps': String(before + 1) } } },
    })
    await eventually(async () =>
      expect((await quota('eve')).status.total.hard).toMatchObject({
        'count/configmaps': String(before + 1),
      }),
    )

    expect((await service('eve1', 'a')).status).toBe(201)
    expect((await service('eve2', 'b')).status).toBe(403)
    expect((await configMap('eve1', 'a')).status).toBe(201)
    expect((await configMap('eve2', 'b')).status).toBe(403)
  })

  it('asks that containers say what they take of what it limits', async () => {
    await workspace('fay', { 'limits.cpu': '1' })

    expect((await pod('fay1', 'a')).json.message).toContain('failed quota: fay: must specify limits.cpu')
    expect((await pod('fay1', 'b', '', { limits: { cpu: '600m' } })).status).toBe(201)
    expect((await pod('fay1', 'c', '', { limits: { cpu: '600m' } })).status).toBe(403)
  })

  it('goes with its workspace', async () => {
    await workspace('gus', { pods: '1' })
    await eventually(async () =>
      expect((await quota('gus')).metadata.ownerReferences).toMatchObject([
        { kind: 'Workspace', name: 'gus', controller: true },
      ]),
    )

    await root.delete('/apis/tenant.kubesphere.io/v1alpha2/workspacetemplates/gus')

    await eventually(async () => expect((await root.get(`${QUOTAS}/gus`)).status).toBe(404))
  })
})

describe('a quota of a namespace', () => {
  it('holds beside that of the workspace', async () => {
    await workspace('hal', { pods: '10' })
    await created('/api/v1/namespaces/hal2/resourcequotas', {
      apiVersion: 'v1',
      kind: 'ResourceQuota',
      metadata: { name: 'small' },
      spec: { hard: { pods: '1', services: '0' } },
    })
    await eventually(async () => expect((await service('hal2', 'none')).status).toBe(403))

    const answers = await Promise.all(['a', 'b', 'c'].map((name) => pod('hal2', name)))

    expect(answers.map(({ status }) => status).sort()).toEqual([201, 403, 403])
    expect(answers.find(({ status }) => status === 403)?.text).toContain('exceeded quota: small')
    expect((await pod('hal1', 'a')).status).toBe(201)
  })
})
