/** What kubectl shows of objects that are refused, in the words of a 1.20 server. */
import { describe, expect, it } from 'vitest'
import { createFaults, updateFaults, type Body } from './fixture.js'

const service = (spec: object, metadata: object = {}): Body => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata,
  spec: { ports: [{ port: 80 }], ...spec },
})

describe('a Service', () => {
  it.each([
    [
      { type: 'LoadBalancer', loadBalancerSourceRanges: [' 10.0.0.0/8 ', 'x'] },
      'spec.LoadBalancerSourceRanges: Invalid value: "[ 10.0.0.0/8  x]": must be a list of IP ranges. For example, 10.240.0.0/24,10.250.0.0/24 ',
    ],
    [
      { externalTrafficPolicy: 'Local' },
      'spec.externalTrafficPolicy: Invalid value: "Local": ExternalTrafficPolicy can only be set on NodePort and LoadBalancer service',
    ],
    [
      { type: 'NodePort', externalTrafficPolicy: 'Local', healthCheckNodePort: 31000 },
      'spec.healthCheckNodePort: Invalid value: 31000: HealthCheckNodePort can only be set on LoadBalancer service with ExternalTrafficPolicy=Local',
    ],
    [
      // What does not go together is told of only where nothing else is wrong.
      { type: 'Foo', externalTrafficPolicy: 'Local' },
      'spec.type: Unsupported value: "Foo": supported values: "ClusterIP", "ExternalName", "LoadBalancer", "NodePort"',
    ],
    [
      { clusterIPs: ['10.96.0.5'] },
      'spec.clusterIPs: Invalid value: []string{"10.96.0.5"}: must be empty when clusterIP is empty',
    ],
    [
      { type: 'ExternalName', externalName: 'a.b', clusterIP: '10.96.0.5' },
      'spec.clusterIPs: Forbidden: may not be set for ExternalName services',
    ],
    [
      { ports: [{ port: 80, targetPort: '10.1' }] },
      'spec.ports[0].targetPort: Invalid value: "10.1": must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)',
    ],
  ])('%j', async (spec, fault) => {
    expect(await createFaults(service(spec))).toContain(fault)
  })

  it('may name the ranges of its load balancer in the old annotation', async () => {
    const key = 'service.beta.kubernetes.io/load-balancer-source-ranges'
    const annotated = (text: string) => service({ type: 'LoadBalancer' }, { annotations: { [key]: text } })

    expect(await createFaults(annotated('10.0.0.0/8, 10.9.0.0/16'))).toEqual([])
    expect(await createFaults(annotated('abc'))).toEqual([
      `metadata.annotations[${key}]: Invalid value: "abc": must be a list of IP ranges. For example, 10.240.0.0/24,10.250.0.0/24 `,
    ])
  })
})

describe('an EndpointSlice', () => {
  it('has topology of labels, ports of DNS names, and hosts of two parts at least', async () => {
    const slice = {
      apiVersion: 'discovery.k8s.io/v1beta1',
      kind: 'EndpointSlice',
      addressType: 'FQDN',
      endpoints: [{ addresses: ['single'], topology: { zone: 'Bad!' } }],
      ports: [{ name: 'a-name-longer-than-fifteen', port: 1, appProtocol: 'a b' }],
    }

    expect(await createFaults(slice)).toEqual([
      'endpoints[0].addresses[0]: Invalid value: "single": should be a domain with at least two segments separated by dots',
      expect.stringMatching(/^endpoints\[0\]\.topology: Invalid value: "Bad!": a valid label must be/),
      expect.stringMatching(/^ports\[0\]\.appProtocol: Invalid value: "a b": name part must consist of/),
    ])
  })
})

describe('an Ingress', () => {
  const backend = (defaultBackend: object): Body => ({
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    spec: { defaultBackend },
  })

  it.each([
    [{}, 'spec.defaultBackend: Invalid value: "": resource or service backend is required'],
    [
      { service: { name: 's', port: { name: 'p', number: 1 } } },
      'spec.defaultBackend: Invalid value: "": cannot set both port name & port number',
    ],
    [
      { service: { name: 's', port: {} } },
      'spec.defaultBackend: Required value: port name or number is required',
    ],
    [
      { resource: { kind: 'a/b', name: 'x' } },
      `spec.defaultBackend.resource.kind: Invalid value: "a/b": may not contain '/'`,
    ],
  ])('with the backend %j', async (given, fault) => {
    expect(await createFaults(backend(given))).toEqual([fault])
  })
})

describe('a node', () => {
  it('changes its taints, and nothing that says what it is', async () => {
    const node = { apiVersion: 'v1', kind: 'Node', spec: { providerID: 'a' } }
    const change = (spec: object) =>
      updateFaults(node, (object) => Object.assign(object['spec'] as object, spec))

    expect(await change({ unschedulable: true, taints: [{ key: 'k', effect: 'NoSchedule' }] })).toEqual([])
    expect(await change({ providerID: 'b' })).toEqual([
      'spec.providerID: Forbidden: node updates may not change providerID except from "" to valid',
      '[]: Forbidden: node updates may only change labels, taints, or capacity (or configSource, if the DynamicKubeletConfig feature gate is enabled)',
    ])
  })
})

describe('a claim', () => {
  it('shrinks never, bound or not, and names what it is filled from', async () => {
    const claim = {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '2Gi' } } },
    }
    const smaller = (object: object) => {
      ;(object as { spec: { resources: object } }).spec.resources = { requests: { storage: '1Gi' } }
    }

    expect(await updateFaults(claim, smaller)).toContain(
      'spec.resources.requests.storage: Forbidden: field can not be less than previous value',
    )
    const filled = {
      ...claim,
      spec: { ...claim.spec, dataSource: { kind: 'PersistentVolumeClaim', name: '' } },
    }
    expect(await createFaults(filled)).toEqual(['spec.dataSource.name: Required value'])
  })
})

describe('webhooks', () => {
  it('are called at an https URL with a host', async () => {
    const webhook = {
      name: 'a.example.com',
      sideEffects: 'None',
      admissionReviewVersions: ['v1'],
      clientConfig: { url: 'x' },
    }
    const faults = await createFaults({
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'ValidatingWebhookConfiguration',
      webhooks: [webhook],
    })

    expect(faults).toEqual([
      `webhooks[0].clientConfig.url: Invalid value: "": 'https' is the only allowed URL scheme; desired format: https://host[/path]`,
      'webhooks[0].clientConfig.url: Invalid value: "": host must be provided; desired format: https://host[/path]',
    ])
  })
})

describe('what can hardly change', () => {
  it('is told so, and nothing more', async () => {
    const driver = { apiVersion: 'storage.k8s.io/v1', kind: 'CSIDriver', spec: {} }
    const faults = await updateFaults(driver, (object) => {
      ;(object['spec'] as { fsGroupPolicy: string }).fsGroupPolicy = 'Bad'
    })

    expect(faults).toHaveLength(1)
    expect(faults[0]).toMatch(/^spec: .*: field is immutable$/)
  })
})

describe('a Job', () => {
  it('that chooses its pods by itself says so', async () => {
    const job = (spec: object): Body => ({
      apiVersion: 'batch/v1',
      kind: 'Job',
      spec: {
        selector: { matchLabels: { a: 'b' } },
        template: {
          metadata: { labels: { a: 'b' } },
          spec: { restartPolicy: 'Never', containers: [{ name: 'c', image: 'i' }] },
        },
        ...spec,
      },
    })

    expect(await createFaults(job({ manualSelector: true }))).toEqual([])
    expect(await createFaults(job({}))).toEqual([
      expect.stringMatching(/^spec\.selector: Invalid value: .*: `selector` not auto-generated$/),
    ])
  })
})
