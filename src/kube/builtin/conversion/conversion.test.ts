import { describe, expect, it } from 'vitest'
import { type KubeObject } from '../../../apimachinery/meta/types.js'
import { builtinResources } from '../index.js'

const resources = builtinResources()

async function roundTrip(apiVersion: string, resource: string, object: KubeObject) {
  const definition = resources.find(
    ({ group, version, resource: name }) =>
      name === resource && (group === '' ? version : `${group}/${version}`) === apiVersion,
  )
  if (!definition?.convert) throw new Error(`${apiVersion} ${resource} does not convert`)
  const decoded = definition.strategy.decode({ apiVersion, ...object }, { unknown: [], duplicate: [] })
  definition.strategy.applyDefaults(decoded)
  const stored = await definition.convert.toStorage(structuredClone(decoded))
  const back = await definition.convert.fromStorage(structuredClone(stored))
  return { decoded, stored, back }
}

describe('converting between served and stored versions', () => {
  it('keeps what autoscaling/v1 cannot say in annotations', async () => {
    const metrics = [{ type: 'Pods', pods: { metricName: 'rps', targetAverageValue: '10' } }]
    const { decoded, stored, back } = await roundTrip('autoscaling/v1', 'horizontalpodautoscalers', {
      metadata: {
        name: 'a',
        annotations: { 'autoscaling.alpha.kubernetes.io/metrics': JSON.stringify(metrics), mine: 'x' },
      },
      spec: {
        scaleTargetRef: { kind: 'Deployment', name: 'd' },
        maxReplicas: 3,
        targetCPUUtilizationPercentage: 50,
      },
    })

    expect(stored).toMatchObject({
      apiVersion: 'autoscaling/v2',
      metadata: { annotations: { mine: 'x' } },
      spec: {
        metrics: [
          { type: 'Resource', resource: { name: 'cpu', target: { averageUtilization: 50 } } },
          { type: 'Pods', pods: { metric: { name: 'rps' }, target: { averageValue: '10' } } },
        ],
      },
    })
    expect(back).toEqual(decoded)
  })

  it('gives an autoscaling/v2beta1 metric back as it was', async () => {
    const target = { kind: 'Service', name: 's' }
    const { decoded, back } = await roundTrip('autoscaling/v2beta1', 'horizontalpodautoscalers', {
      metadata: { name: 'a' },
      spec: {
        scaleTargetRef: { kind: 'Deployment', name: 'd' },
        maxReplicas: 3,
        metrics: [
          { type: 'Resource', resource: { name: 'cpu', targetAverageUtilization: 5 } },
          { type: 'Object', object: { target, metricName: 'hits', targetValue: '7' } },
          { type: 'External', external: { metricName: 'queue', targetAverageValue: '3' } },
        ],
      },
    })
    expect(back).toEqual(decoded)
  })

  it.each(['extensions/v1beta1', 'networking.k8s.io/v1beta1'])(
    'renames the backends of %s',
    async (version) => {
      const { decoded, stored, back } = await roundTrip(version, 'ingresses', {
        metadata: { name: 'a' },
        spec: {
          backend: { serviceName: 'last', servicePort: 'http' },
          rules: [
            { host: 'h', http: { paths: [{ path: '/', backend: { serviceName: 's', servicePort: 80 } }] } },
          ],
        },
      })

      expect(stored).toMatchObject({
        apiVersion: 'networking.k8s.io/v1',
        spec: {
          defaultBackend: { service: { name: 'last', port: { name: 'http' } } },
          rules: [{ http: { paths: [{ backend: { service: { name: 's', port: { number: 80 } } } }] } }],
        },
      })
      expect(back).toEqual(decoded)
    },
  )

  it('turns topology into node and zone', async () => {
    const { decoded, stored, back } = await roundTrip('discovery.k8s.io/v1beta1', 'endpointslices', {
      metadata: { name: 'a' },
      addressType: 'IPv4',
      endpoints: [
        {
          addresses: ['10.0.0.1'],
          topology: { 'kubernetes.io/hostname': 'n', 'topology.kubernetes.io/zone': 'z', rack: '7' },
        },
      ],
    })

    expect(stored).toMatchObject({
      endpoints: [{ nodeName: 'n', zone: 'z', deprecatedTopology: { rack: '7' } }],
    })
    expect(back).toEqual(decoded)
  })

  it('shows events of v1 to events.k8s.io', async () => {
    const { decoded, stored, back } = await roundTrip('events.k8s.io/v1', 'events', {
      metadata: { name: 'a', namespace: 'n' },
      regarding: { kind: 'Pod', name: 'p', namespace: 'n' },
      note: 'text',
      eventTime: '2026-01-01T00:00:00.000000Z',
      reportingController: 'c',
    })
    expect(stored).toMatchObject({
      apiVersion: 'v1',
      involvedObject: { name: 'p' },
      message: 'text',
      reportingComponent: 'c',
    })
    expect(back).toEqual(decoded)
  })

  it('spreads what apiextensions/v1beta1 says for all versions', async () => {
    const { decoded, stored, back } = await roundTrip(
      'apiextensions.k8s.io/v1beta1',
      'customresourcedefinitions',
      {
        metadata: { name: 'things.example.com' },
        spec: {
          group: 'example.com',
          names: { plural: 'things', kind: 'Thing' },
          scope: 'Cluster',
          version: 'v1',
          versions: [{ name: 'v1', served: true, storage: true }],
          subresources: { status: {} },
          additionalPrinterColumns: [{ name: 'N', type: 'string', JSONPath: '.spec.n' }],
          preserveUnknownFields: false,
        },
      },
    )
    expect(stored).toHaveProperty('spec.versions', [
      {
        name: 'v1',
        served: true,
        storage: true,
        subresources: { status: {} },
        additionalPrinterColumns: [{ name: 'N', type: 'string', jsonPath: '.spec.n' }],
      },
    ])
    expect(back).toEqual(decoded)
  })
})
