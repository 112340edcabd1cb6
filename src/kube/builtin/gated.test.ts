/** Fields that 1.20 keeps behind gates, which are closed there: accepted, and dropped. */
import { describe, expect, it } from 'vitest'
import { CONTEXT, decoded, definitionOf, type Body } from './fixture.js'

async function stored(body: Body): Promise<Record<string, unknown>> {
  const { strategy } = definitionOf(body.apiVersion, body.kind)
  const object = decoded(body)
  await strategy.prepareForCreate?.(object, CONTEXT)
  expect(strategy.validate(object, CONTEXT)).toEqual([])
  return object
}

describe('a field behind a closed gate', () => {
  it('is dropped from a Service: address families, topology keys, ports of load balancers', async () => {
    const { spec } = await stored({
      apiVersion: 'v1',
      kind: 'Service',
      spec: {
        type: 'LoadBalancer',
        clusterIP: '10.96.0.5',
        clusterIPs: ['10.96.0.5', 'fd00::5'],
        ipFamilies: ['IPv4'],
        ipFamilyPolicy: 'SingleStack',
        topologyKeys: ['*'],
        allocateLoadBalancerNodePorts: false,
        ports: [{ port: 80 }],
      },
    })

    expect(spec).toMatchObject({ clusterIPs: ['10.96.0.5'] })
    const gated = ['ipFamilies', 'ipFamilyPolicy', 'topologyKeys', 'allocateLoadBalancerNodePorts']
    for (const field of gated) expect(spec).not.toHaveProperty(field)
  })

  it('is dropped from a CSIDriver', async () => {
    const { spec } = await stored({
      apiVersion: 'storage.k8s.io/v1',
      kind: 'CSIDriver',
      spec: { storageCapacity: true, requiresRepublish: true, tokenRequests: [{ audience: 'a' }] },
    })

    expect(Object.keys(spec as object)).not.toEqual(
      expect.arrayContaining([expect.stringMatching(/storageCapacity|requiresRepublish|tokenRequests/)]),
    )
  })

  it('is dropped from templates of pods, and how /proc is mounted is as always', async () => {
    const { spec } = await stored({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      spec: {
        selector: { matchLabels: { a: 'b' } },
        template: {
          metadata: { labels: { a: 'b' } },
          spec: {
            containers: [{ name: 'c', image: 'i', securityContext: { procMount: 'Unmasked' } }],
            ephemeralContainers: [{ name: 'e', image: 'i' }],
          },
        },
      },
    })

    const { template } = spec as { template: { spec: { containers: unknown[] } } }
    expect(template.spec).not.toHaveProperty('ephemeralContainers')
    expect(template.spec.containers).toMatchObject([{ securityContext: { procMount: 'Default' } }])
  })

  it('is dropped from an EndpointSlice of the beta, not from one of v1', async () => {
    const slice = (apiVersion: string): Body => ({
      apiVersion,
      kind: 'EndpointSlice',
      addressType: 'IPv4',
      endpoints: [
        {
          addresses: ['10.0.0.1'],
          nodeName: 'n',
          conditions: { ready: true, serving: true, terminating: false },
        },
      ],
    })

    const beta = await stored(slice('discovery.k8s.io/v1beta1'))
    const v1 = await stored(slice('discovery.k8s.io/v1'))

    expect(beta['endpoints']).toEqual([{ addresses: ['10.0.0.1'], conditions: { ready: true } }])
    expect(v1['endpoints']).toMatchObject([{ nodeName: 'n', conditions: { serving: true } }])
  })

  it('holds only one range of addresses for a Node', async () => {
    const { spec } = await stored({
      apiVersion: 'v1',
      kind: 'Node',
      spec: { podCIDR: '10.2.0.0/24', podCIDRs: ['10.9.0.0/24', 'fd00::/64'] },
    })

    expect(spec).toMatchObject({ podCIDR: '10.2.0.0/24', podCIDRs: ['10.2.0.0/24'] })
  })
})

describe('what is empty', () => {
  it('reads as null in a list that is always written, as the storage of the original makes of it', () => {
    const role = decoded({ apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'Role', rules: [] })
    expect(role['rules']).toBeNull()
  })

  it('stays as it was written in a definition of custom resources, which is stored as JSON', () => {
    const { spec } = decoded({
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      spec: { versions: [] },
    }) as unknown as { spec: { versions: unknown } }
    expect(spec.versions).toEqual([])
  })
})
