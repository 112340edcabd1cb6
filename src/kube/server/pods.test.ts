/** Bindings, evictions and what would need a kubelet, on the built-in kinds. */
import { beforeEach, describe, expect, it } from 'vitest'
import { builtinResources, definitions } from '../builtin/index.js'
import { createCatalogue } from '../registry/catalogue.js'
import { type Answer, type Fixture, fixture } from './fixture.js'

const PODS = '/api/v1/namespaces/default/pods'
const BUDGETS = '/apis/policy/v1beta1/namespaces/default/poddisruptionbudgets'
const MERGE = { 'content-type': 'application/merge-patch+json' }
let kube: Fixture

beforeEach(async () => {
  kube = fixture({ catalogue: createCatalogue(builtinResources()), definitions: definitions() })
  await kube.call('POST', PODS, {
    kind: 'Pod',
    apiVersion: 'v1',
    metadata: { name: 'p', labels: { app: 'x' } },
    spec: { containers: [{ name: 'c', image: 'nginx' }] },
  })
})

function bind(node: string, path = `${PODS}/p/binding`): Promise<Answer> {
  return kube.call('POST', path, {
    kind: 'Binding',
    apiVersion: 'v1',
    metadata: { name: 'p' },
    target: { kind: 'Node', name: node },
  })
}

describe('a binding', () => {
  it.each([`${PODS}/p/binding`, '/api/v1/namespaces/default/bindings'])(
    'by %s puts a pod on a node once',
    async (path) => {
      const bound = await bind('n1', path)
      const again = await bind('n2', path)

      expect(bound.json).toMatchObject({ kind: 'Status', status: 'Success', code: 201 })
      expect(again.json).toMatchObject({
        code: 409,
        message: 'Operation cannot be fulfilled on pods/binding "p": pod p is already assigned to node "n1"',
      })
      expect((await kube.call('GET', `${PODS}/p`)).json).toMatchObject({
        spec: { nodeName: 'n1' },
        status: { conditions: [{ type: 'PodScheduled', status: 'True' }] },
      })
    },
  )

  it('names a node', async () => {
    const { json } = await kube.call('POST', `${PODS}/p/binding`, {
      kind: 'Binding',
      apiVersion: 'v1',
      target: { kind: 'Pod' },
    })

    expect(json).toMatchObject({
      code: 422,
      details: { causes: [{ field: 'target.kind' }, { field: 'target.name' }] },
    })
  })
})

describe('an eviction', () => {
  const evict = (): Promise<Answer> =>
    kube.call('POST', `${PODS}/p/eviction`, {
      kind: 'Eviction',
      apiVersion: 'policy/v1beta1',
      metadata: { name: 'p', namespace: 'default' },
      deleteOptions: { gracePeriodSeconds: 0 },
    })
  const budget = (disruptionsAllowed: number): Promise<Answer> =>
    kube
      .call('POST', BUDGETS, {
        kind: 'PodDisruptionBudget',
        apiVersion: 'policy/v1beta1',
        metadata: { name: 'b' },
        spec: { minAvailable: 1, selector: { matchLabels: { app: 'x' } } },
      })
      .then(() =>
        kube.call(
          'PATCH',
          `${BUDGETS}/b/status`,
          {
            status: {
              observedGeneration: 1,
              disruptionsAllowed,
              desiredHealthy: 1,
              currentHealthy: 1,
              expectedPods: 1,
            },
          },
          MERGE,
        ),
      )
  const run = (): Promise<Answer> =>
    kube.call('PATCH', `${PODS}/p/status`, { status: { phase: 'Running' } }, MERGE)

  it('deletes a pod that no budget guards', async () => {
    expect((await evict()).json).toMatchObject({ kind: 'Status', status: 'Success' })
    expect((await kube.call('GET', `${PODS}/p`)).status).toBe(404)
  })

  it('is 429 when the budget is used up', async () => {
    await run()
    await budget(0)

    expect((await evict()).json).toMatchObject({
      code: 429,
      reason: 'TooManyRequests',
      message: "Cannot evict pod as it would violate the pod's disruption budget.",
      details: {
        causes: [
          {
            reason: 'DisruptionBudget',
            message: 'The disruption budget b needs 1 healthy pods and has 1 currently',
          },
        ],
      },
    })
  })

  it('takes one from the budget', async () => {
    await run()
    await budget(1)

    expect((await evict()).status).toBe(201)
    expect((await kube.call('GET', `${BUDGETS}/b`)).json).toMatchObject({
      status: { disruptionsAllowed: 0, disruptedPods: { p: '2026-01-01T00:00:00Z' } },
    })
  })
})

describe('without a kubelet', () => {
  it('logs and exec are answered at once', async () => {
    expect((await kube.call('GET', `${PODS}/p/log`)).json).toMatchObject({
      code: 400,
      message: 'pod p does not have a host assigned',
    })
    await bind('n1')

    for (const [method, below] of [
      ['GET', 'log'],
      ['GET', 'exec'],
      ['POST', 'attach'],
      ['GET', 'portforward'],
    ]) {
      const { json } = await kube.call(method ?? '', `${PODS}/p/${below}`)
      expect(json).toMatchObject({ kind: 'Status', status: 'Failure', code: 500 })
      expect(json.message).toContain('no kubelet is behind node n1')
    }
    expect((await kube.call('GET', `${PODS}/absent/log`)).status).toBe(404)
    expect((await kube.call('DELETE', `${PODS}/p/log`)).status).toBe(405)
    expect((await kube.call('GET', `${PODS}/p/nonsense`)).status).toBe(404)
  })
})

describe('a strategic merge patch', () => {
  it('merges by the keys of the published schema', async () => {
    const path = '/apis/apps/v1/namespaces/default/deployments'
    await kube.call('POST', path, {
      kind: 'Deployment',
      apiVersion: 'apps/v1',
      metadata: { name: 'd' },
      spec: {
        selector: { matchLabels: { app: 'x' } },
        template: { metadata: { labels: { app: 'x' } }, spec: { containers: [{ name: 'c', image: 'a' }] } },
      },
    })
    const patch = { spec: { template: { spec: { containers: [{ name: 'side', image: 's' }] } } } }

    const { json } = await kube.call('PATCH', `${path}/d`, patch, {
      'content-type': 'application/strategic-merge-patch+json',
    })

    const { containers } = (json.spec as { template: { spec: { containers: { name: string }[] } } }).template
      .spec
    expect(containers.map(({ name }) => name).sort()).toEqual(['c', 'side'])
  })
})

describe('a namespace', () => {
  it('is deleted once its own finalizers are taken away', async () => {
    await kube.call('POST', '/api/v1/namespaces', {
      kind: 'Namespace',
      apiVersion: 'v1',
      metadata: { name: 'n' },
    })

    const deleted = await kube.call('DELETE', '/api/v1/namespaces/n')
    expect(deleted.json).toMatchObject({
      status: { phase: 'Terminating' },
      spec: { finalizers: ['kubernetes'] },
    })
    const finalized = await kube.call('PUT', '/api/v1/namespaces/n/finalize', { ...deleted.json, spec: {} })

    expect(finalized.status).toBe(200)
    expect((await kube.call('GET', '/api/v1/namespaces/n')).status).toBe(404)
  })
})
