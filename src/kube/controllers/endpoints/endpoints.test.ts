import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Pod } from '../../builtin/types.js'
import { type EndpointSlice } from '../endpointslice/slices.js'
import { type Cluster, podTemplate, startCluster } from '../fixture.js'
import { type Endpoints } from './endpoints.reconciler.js'

let cluster: Cluster
beforeEach(async () => {
  cluster = await startCluster()
})
afterEach(() => cluster.close())

const endpoints = (name = 'web'): Endpoints | undefined => cluster.get<Endpoints>('endpoints', name)
const slices = (service = 'web'): EndpointSlice[] =>
  cluster
    .list<EndpointSlice>('endpointslices.discovery.k8s.io')
    .filter(({ metadata }) => metadata.labels?.['kubernetes.io/service-name'] === service)
const service = (spec: object = {}): object => ({
  metadata: { name: 'web', labels: { tier: 'front' } },
  spec: { selector: { app: 'web' }, ports: [{ name: 'http', port: 80, targetPort: 'http' }], ...spec },
})

async function pod(name: string, more: object = {}): Promise<void> {
  const ports = [{ name: 'http', containerPort: 8080 }]
  const containers = [{ name: 'main', image: 'nginx', ports }]
  await cluster.create('pods', {
    ...(podTemplate('web', 'nginx', { containers, nodeName: 'n1', ...more }) as {
      metadata: object
      spec: object
    }),
    metadata: { name, labels: { app: 'web' } },
  })
}

describe('the Endpoints of a Service', () => {
  it('hold the pods that are ready, and apart from them those that are not', async () => {
    await pod('a')
    await pod('b')
    await cluster.create('services', service())
    await expect.poll(endpoints).toBeDefined()
    expect(endpoints()?.subsets).toBeUndefined()
    const [first] = cluster.list<Pod>('pods')
    await cluster.run(first && [first])
    await cluster.patch(
      'pods',
      'b',
      { status: { phase: 'Running', podIP: '10.9.9.9', podIPs: [{ ip: '10.9.9.9' }] } },
      'status',
    )

    await expect
      .poll(() => endpoints()?.subsets)
      .toMatchObject([
        {
          addresses: [{ targetRef: { kind: 'Pod', name: 'a' }, nodeName: 'n1' }],
          notReadyAddresses: [{ ip: '10.9.9.9', targetRef: { name: 'b' } }],
          ports: [{ name: 'http', port: 8080, protocol: 'TCP' }],
        },
      ])
    expect(endpoints()?.metadata.labels).toEqual({ tier: 'front' })
  })

  it('lose a pod that is going, and go with the Service', async () => {
    await pod('a')
    await cluster.create('services', service())
    await cluster.run()
    await expect.poll(() => endpoints()?.subsets?.length).toBe(1)

    await cluster.delete('pods', 'a')
    await expect.poll(() => endpoints()?.subsets).toBeUndefined()
    await cluster.delete('services', 'web')

    await expect.poll(endpoints).toBeUndefined()
    await expect.poll(slices).toEqual([])
  })

  it('are not touched where the Service selects nothing, but mirrored into slices', async () => {
    await cluster.create('services', service({ selector: undefined }))
    const subsets = [{ addresses: [{ ip: '10.1.1.1' }], ports: [{ name: 'http', port: 80 }] }]
    await cluster.create('endpoints', { metadata: { name: 'web' }, subsets })

    await expect.poll(slices).toMatchObject([
      {
        addressType: 'IPv4',
        endpoints: [{ addresses: ['10.1.1.1'], conditions: { ready: true } }],
        ports: [{ name: 'http', port: 80 }],
      },
    ])
    expect(endpoints()?.subsets).toMatchObject(subsets)
  })
})

describe('the EndpointSlices of a Service', () => {
  it('hold a hundred endpoints each, and change only where a pod did', async () => {
    await cluster.create('services', service())
    for (let i = 0; i < 103; i++) await pod(`p${i}`, { terminationGracePeriodSeconds: 0 })
    await cluster.run()
    const sizes = (): number[] =>
      slices()
        .map(({ endpoints: all }) => all?.length ?? 0)
        .sort()
    await expect.poll(sizes, { timeout: 10_000 }).toEqual([100, 3].sort())
    const versions = (): Map<string | undefined, string | undefined> =>
      new Map(slices().map(({ metadata }) => [metadata.name, metadata.resourceVersion]))
    const before = versions()
    const small = slices().find(({ endpoints: all }) => all?.length === 3)
    await cluster.delete('pods', small?.endpoints?.[0]?.targetRef?.name ?? '')

    await expect.poll(sizes).toEqual([100, 2].sort())
    const changed = [...versions()].filter(([name, version]) => before.get(name) !== version)
    expect(changed.map(([name]) => name)).toEqual([small?.metadata.name])
  }, 20_000)
})
