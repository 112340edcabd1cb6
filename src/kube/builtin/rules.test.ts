/** What the recorded sequence does not ask: faults and changes, kind by kind. */
import { describe, expect, it } from 'vitest'
import { CONTEXT, createFaults, decoded, definitionOf, updateFaults } from './fixture.js'

const container = { name: 'c', image: 'i' }
const pod = (spec: object) => ({ apiVersion: 'v1', kind: 'Pod', spec: { containers: [container], ...spec } })
const template = (spec: object = {}) => ({
  metadata: { labels: { app: 'x' } },
  spec: { containers: [container], ...spec },
})
const workload = (kind: string, spec: object) => ({
  apiVersion: 'apps/v1',
  kind,
  spec: { selector: { matchLabels: { app: 'x' } }, template: template(), ...spec },
})

describe('pods', () => {
  it('mount only volumes that they have', async () => {
    const mounting = { ...container, volumeMounts: [{ name: 'v', mountPath: '/v' }] }
    expect(await createFaults(pod({ containers: [mounting] }))).toEqual([
      'spec.containers[0].volumeMounts[0].name: Not found: "v"',
    ])
    expect(await createFaults(pod({ containers: [mounting], volumes: [{ name: 'v' }] }))).toEqual([])
  })

  it('get an emptyDir where a volume names no source, and refuse two', async () => {
    expect(decoded(pod({ volumes: [{ name: 'v' }] }))).toHaveProperty('spec.volumes.0.emptyDir', {})
    const two = { name: 'v', emptyDir: {}, hostPath: { path: '/x' } }
    expect(await createFaults(pod({ volumes: [two] }))).toEqual([
      expect.stringContaining('Forbidden: may not specify more than 1 volume type'),
    ])
  })

  it('show the service account under both of its names', () => {
    expect(decoded(pod({ serviceAccount: 'a' })).spec).toMatchObject({
      serviceAccountName: 'a',
      serviceAccount: 'a',
    })
  })

  it.each([
    ['i', 'Always'],
    ['i:latest', 'Always'],
    ['i:1', 'IfNotPresent'],
    ['host:5000/i', 'Always'],
    ['host:5000/i:1', 'IfNotPresent'],
    ['i@sha256:abc', 'IfNotPresent'],
  ])('pull image %s %s', (image, policy) => {
    const object = decoded(pod({ containers: [{ name: 'c', image }] }))
    expect(object).toHaveProperty('spec.containers.0.imagePullPolicy', policy)
  })

  it('find a host port that is taken twice', async () => {
    const ports = [{ containerPort: 1, hostPort: 80 }]
    const containers = ['a', 'b'].map((name) => ({ ...container, name, ports }))
    expect(await createFaults(pod({ containers }))).toEqual([
      'spec.containers[1].ports[0].hostPort: Duplicate value: "TCP//80"',
    ])
  })

  it('may change images and nothing else', async () => {
    const image = await updateFaults(pod({}), (object) => {
      Object.assign(object.spec as object, { containers: [{ ...container, image: 'j', resources: {} }] })
    })
    const node = await updateFaults(pod({}), (object) => {
      Object.assign(object.spec as object, { nodeName: 'n' })
    })
    // Defaults of the replaced container come back, so only the image differs.
    expect(image).toEqual([])
    expect(node).toEqual([expect.stringMatching(/^spec: Forbidden: pod updates may not change fields/)])
  })

  it('leave the spec alone when the status is written', async () => {
    const faults = await updateFaults(
      pod({}),
      (object) => Object.assign(object.status as object, { phase: 'Running' }),
      { subresource: 'status' },
    )
    expect(faults).toEqual([])
  })
})

describe('workloads', () => {
  it.each(['Deployment', 'ReplicaSet', 'StatefulSet', 'DaemonSet'])(
    '%s refuses an empty selector',
    async (kind) => {
      const faults = await createFaults(workload(kind, { selector: {} }))
      expect(faults).toContainEqual(expect.stringContaining('empty selector is invalid for'))
    },
  )

  it('a Deployment must be able to make progress', async () => {
    const none = { strategy: { rollingUpdate: { maxSurge: 0, maxUnavailable: 0 } } }
    expect(await createFaults(workload('Deployment', none))).toEqual([
      'spec.strategy.rollingUpdate.maxUnavailable: Invalid value: 0: may not be 0 when `maxSurge` is 0',
    ])
    expect(
      await createFaults(workload('Deployment', { minReadySeconds: 9, progressDeadlineSeconds: 9 })),
    ).toEqual(['spec.progressDeadlineSeconds: Invalid value: 9: must be greater than minReadySeconds'])
  })

  it('a StatefulSet changes its replicas, template and strategy only', async () => {
    const before = workload('StatefulSet', { serviceName: 'a' })
    const change = (part: object) =>
      updateFaults(before, (object) => void Object.assign(object.spec as object, part))
    expect(await change({ replicas: 5 })).toEqual([])
    expect(await change({ serviceName: 'b' })).toEqual([
      expect.stringMatching(/^spec: Forbidden: updates to statefulset spec/),
    ])
  })

  it('a DaemonSet counts the changes of its template', async () => {
    const before = decoded(workload('DaemonSet', {}))
    expect(before.metadata.annotations).toBeUndefined()
    expect(await updateFaults(workload('DaemonSet', {}), () => undefined)).toEqual([])
  })

  it('a Job keeps its template, and how often it completes', async () => {
    const job = {
      apiVersion: 'batch/v1',
      kind: 'Job',
      spec: { template: template({ restartPolicy: 'Never' }) },
    }
    const faults = await updateFaults(job, (object) => {
      Object.assign(object.spec as object, { completions: 2, parallelism: 3 })
    })
    expect(faults).toEqual(['spec.completions: Invalid value: 2: field is immutable'])
  })

  it('a CronJob needs a schedule that can be read', async () => {
    const faults = (schedule: string) =>
      createFaults({
        apiVersion: 'batch/v1',
        kind: 'CronJob',
        spec: { schedule, jobTemplate: { spec: { template: template({ restartPolicy: 'Never' }) } } },
      })
    for (const good of [
      '* * * * *',
      '*/5 1-3,7 1 jan-MAR sun',
      '@hourly',
      '@every 1h30m',
      'TZ=UTC 0 0 * * *',
    ]) {
      expect(await faults(good), good).toEqual([])
    }
    for (const bad of ['* * * *', '60 * * * *', '5-1 * * * *', '*/0 * * * *', 'x * * * *', '@often']) {
      expect(await faults(bad), bad).toEqual([expect.stringMatching(/^spec\.schedule: Invalid value/)])
    }
  })
})

describe('configuration', () => {
  const configMap = (more: object) => ({ apiVersion: 'v1', kind: 'ConfigMap', ...more })
  const secret = (more: object) => ({ apiVersion: 'v1', kind: 'Secret', ...more })

  it('holds one mebibyte and not a byte more', async () => {
    const limit = 1024 * 1024
    expect(await createFaults(configMap({ data: { a: 'x'.repeat(limit) } }))).toEqual([])
    expect(await createFaults(configMap({ data: { a: 'x'.repeat(limit + 1) } }))).toEqual([
      ': Too long: must have at most 1048576 bytes',
    ])
    const bytes = (count: number) => Buffer.alloc(count).toString('base64')
    expect(await createFaults(secret({ data: { a: bytes(limit) } }))).toEqual([])
    expect(await createFaults(secret({ data: { a: bytes(limit + 1) } }))).toEqual([
      'data: Too long: must have at most 1048576 bytes',
    ])
  })

  it('has keys that can be file names', async () => {
    expect(await createFaults(configMap({ data: { 'a.b-c_D': '' } }))).toEqual([])
    expect(await createFaults(secret({ data: { '': 'YQ==' } }))).toEqual([
      expect.stringMatching(/^data\[\]: Invalid value: "": a valid config key/),
    ])
    expect(await createFaults(configMap({ data: { '../x': '' } }))).toHaveLength(2)
  })

  it('stays as it is once it is immutable', async () => {
    const before = configMap({ data: { a: '1' }, immutable: true })
    expect(await updateFaults(before, (object) => void (object['data'] = { a: '2' }))).toEqual([
      'data: Forbidden: field is immutable when `immutable` is set',
    ])
    expect(await updateFaults(before, (object) => void (object['immutable'] = false))).toEqual([
      'immutable: Forbidden: field is immutable when `immutable` is set',
    ])
  })

  it.each([
    ['kubernetes.io/tls', ['data[tls.crt]: Required value', 'data[tls.key]: Required value']],
    ['kubernetes.io/ssh-auth', ['data[%s][ssh-privatekey]: Required value']],
    ['kubernetes.io/dockerconfigjson', ['data[.dockerconfigjson]: Required value']],
    [
      'kubernetes.io/service-account-token',
      ['metadata.annotations[kubernetes.io/service-account.name]: Required value'],
    ],
    ['example.com/own', []],
  ])('of type %s must have what belongs to it', async (type, faults) => {
    expect(await createFaults(secret({ type }))).toEqual(faults)
  })

  it('of a secret may not become another type', async () => {
    expect(await updateFaults(secret({}), (object) => void (object['type'] = 'other'))).toEqual([
      'type: Invalid value: "other": field is immutable',
    ])
  })
})

describe('roles and bindings', () => {
  const role = (kind: string, rule: object) => ({
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind,
    rules: [rule],
  })

  it('need verbs, groups and resources', async () => {
    expect(await createFaults(role('Role', {}))).toEqual([
      'rules[0].verbs: Required value: verbs must contain at least one value',
      'rules[0].apiGroups: Required value: resource rules must supply at least one api group',
      'rules[0].resources: Required value: resource rules must supply at least one resource',
    ])
  })

  it('speak of paths only for the whole cluster', async () => {
    const rule = { verbs: ['get'], nonResourceURLs: ['/x'] }
    expect(await createFaults(role('ClusterRole', rule))).toEqual([])
    expect(await createFaults(role('Role', rule))).toEqual([
      'rules[0].nonResourceURLs: Invalid value: []string{"/x"}: namespaced rules cannot apply to non-resource URLs',
    ])
  })

  it('keep the role that they bind', async () => {
    const binding = {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'RoleBinding',
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'a' },
    }
    const faults = await updateFaults(binding, (object) => {
      Object.assign(object['roleRef'] as object, { name: 'b' })
    })
    expect(faults).toEqual([
      'roleRef: Invalid value: rbac.RoleRef{APIGroup:"rbac.authorization.k8s.io", Kind:"Role", Name:"b"}: cannot change roleRef',
    ])
  })
})

describe('storage', () => {
  const claim = {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '2Gi' } } },
  }

  it('a bound claim grows and never shrinks', async () => {
    const resize = (storage: string) =>
      updateFaults(claim, (object) => {
        Object.assign((object.spec as { resources: object }).resources, { requests: { storage } })
      })
    expect(await resize('3Gi')).toEqual([
      expect.stringMatching(/^spec: Forbidden: spec is immutable after creation/),
    ])
  })

  it('a claim takes the volume it is bound to', async () => {
    expect(
      await updateFaults(claim, (object) => void Object.assign(object.spec as object, { volumeName: 'pv' })),
    ).toEqual([])
  })

  it('a class keeps what volumes were made by', async () => {
    const before = { apiVersion: 'storage.k8s.io/v1', kind: 'StorageClass', provisioner: 'p' }
    expect(await updateFaults(before, (object) => void (object['provisioner'] = 'q'))).toEqual([
      'provisioner: Forbidden: updates to provisioner are forbidden.',
    ])
  })

  it('a volume has one source', async () => {
    const spec = { capacity: { storage: '1Gi' }, accessModes: ['ReadWriteOnce'] }
    const volume = (sources: object) =>
      createFaults({ apiVersion: 'v1', kind: 'PersistentVolume', spec: { ...spec, ...sources } })
    expect(await volume({ hostPath: { path: '/x' } })).toEqual([])
    expect(await volume({ hostPath: { path: '/x' }, nfs: { server: 's', path: '/p' } })).toEqual([
      expect.stringContaining('Forbidden: may not specify more than 1 volume type'),
    ])
  })
})

describe('the rest', () => {
  it('an Ingress has absolute paths and hosts that are names', async () => {
    const paths = [{ path: 'x', pathType: 'Prefix', backend: { service: { name: 's', port: {} } } }]
    const faults = await createFaults({
      apiVersion: 'networking.k8s.io/v1',
      kind: 'Ingress',
      spec: { rules: [{ host: '1.2.3.4', http: { paths } }] },
    })
    expect(faults).toEqual([
      'spec.rules[0].host: Invalid value: "1.2.3.4": must be a DNS name, not an IP address',
      'spec.rules[0].http.paths[0].path: Invalid value: "x": must be an absolute path',
      'spec.rules[0].http.paths[0].backend: Required value: port name or number is required',
    ])
  })

  it('a NetworkPolicy that names egress rules is about both ways', () => {
    const policy = (spec: object) =>
      decoded({ apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', spec })
    expect(policy({ egress: [{}] })).toHaveProperty('spec.policyTypes', ['Ingress', 'Egress'])
    expect(policy({})).toHaveProperty('spec.policyTypes', ['Ingress'])
  })

  it('webhooks say what they do beside answering, in v1', async () => {
    const webhook = {
      name: 'a.example.com',
      clientConfig: { url: 'http://a.example.com/?x=1' },
      admissionReviewVersions: ['v1'],
    }
    const faults = (version: string) =>
      createFaults({
        apiVersion: `admissionregistration.k8s.io/${version}`,
        kind: 'MutatingWebhookConfiguration',
        webhooks: [webhook],
      })
    const url = [/'https' is the only allowed URL scheme/, /query parameters are not permitted in the URL/]
    const matching = (patterns: RegExp[]): unknown =>
      patterns.map((pattern): unknown => expect.stringMatching(pattern))
    expect(await faults('v1')).toEqual(matching([/sideEffects: Required value/, ...url]))
    expect(await faults('v1beta1')).toEqual(matching(url))
  })

  it('who asks for a certificate is what the server knows', async () => {
    const request = {
      apiVersion: 'certificates.k8s.io/v1',
      kind: 'CertificateSigningRequest',
      spec: { username: 'root', groups: ['system:masters'] },
    }
    const object = decoded(request)
    await definitionOf('certificates.k8s.io/v1', object.kind ?? '').strategy.prepareForCreate?.(
      object,
      CONTEXT,
    )
    expect(object.spec).toMatchObject({ username: 'admin', groups: ['system:authenticated'] })
  })

  it('a priority above all users is for the system', async () => {
    const priority = { apiVersion: 'scheduling.k8s.io/v1', kind: 'PriorityClass', value: 1_000_000_001 }
    expect(await createFaults(priority)).toEqual([
      'value: Forbidden: maximum allowed value of a user defined priority is 1000000000',
    ])
    expect(
      await createFaults({ ...priority, metadata: { name: 'system-node-critical' }, value: 2_000_001_000 }),
    ).toEqual([])
  })

  it('a Namespace cannot lose its finalizer by an update', async () => {
    const { strategy } = definitionOf('v1', 'Namespace')
    const previous = decoded({ apiVersion: 'v1', kind: 'Namespace' })
    await strategy.prepareForCreate?.(previous, CONTEXT)
    const next = structuredClone(previous)
    next.spec = {}
    await strategy.prepareForUpdate?.(next, previous, CONTEXT)
    expect(next.spec).toEqual({ finalizers: ['kubernetes'] })
  })
})
