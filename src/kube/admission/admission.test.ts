import { afterEach, describe, expect, it } from 'vitest'
import { type KubeObject } from '../../apimachinery/meta/types.js'
import { type Kube, type KubeOptions, startKube } from '../index.js'
import { eventually } from '../server/fixture.js'
import { call, clientRequest } from './fixture.js'

const running: Kube[] = []
async function start(options: KubeOptions = {}): Promise<Kube> {
  const kube = await startKube(options)
  running.push(kube)
  return kube
}
afterEach(async () => {
  await Promise.all(running.splice(0).map((kube) => kube.close()))
})

const PODS = '/api/v1/namespaces/default/pods'
const CLAIMS = '/api/v1/namespaces/default/persistentvolumeclaims'
const STORAGE = '/apis/storage.k8s.io/v1/storageclasses'

const pod = (name: string, spec: object = {}): object => ({
  metadata: { name },
  spec: { containers: [{ name: 'c', image: 'nginx' }], ...spec },
})
const claim = (name: string, more: object = {}): object => ({
  metadata: { name },
  spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } }, ...more },
})
const limitRange = (...limits: object[]): object => ({ metadata: { name: 'limits' }, spec: { limits } })

describe('a pod', () => {
  it('runs as the account default of its new namespace, with the token of that mounted', async () => {
    const kube = await start()

    await call(kube, 'POST', '/api/v1/namespaces', { metadata: { name: 'fresh' } })
    const { status, json } = await call(kube, 'POST', '/api/v1/namespaces/fresh/pods', pod('p'))

    expect(status).toBe(201)
    expect(json.spec.serviceAccountName).toBe('default')
    const [volume] = json.spec.volumes
    expect(volume.secret.secretName).toMatch(/^default-token-/)
    expect(volume.secret.defaultMode).toBe(420)
    expect(json.spec.containers[0].volumeMounts).toEqual([
      {
        name: volume.name,
        readOnly: true,
        mountPath: '/var/run/secrets/kubernetes.io/serviceaccount',
      },
    ])
  })

  it('is refused when its account does not exist', async () => {
    const kube = await start()

    const { status, json } = await call(kube, 'POST', PODS, pod('p', { serviceAccountName: 'nobody' }))

    expect(status).toBe(403)
    expect(json.message).toBe(
      'pods "p" is forbidden: error looking up service account default/nobody: serviceaccount "nobody" not found',
    )
  })

  it('gets no token when it or its account does not want one', async () => {
    const kube = await start()

    const { json } = await call(kube, 'POST', PODS, pod('p', { automountServiceAccountToken: false }))

    expect(json.spec.volumes).toBeUndefined()
  })

  it('takes its priority from its class, and may not state another', async () => {
    const kube = await start({ controllers: false })

    const good = await call(kube, 'POST', PODS, pod('p', { priorityClassName: 'system-node-critical' }))
    const bad = await call(kube, 'POST', PODS, pod('q', { priority: 7 }))
    const unknown = await call(kube, 'POST', PODS, pod('r', { priorityClassName: 'gold' }))

    expect(good.json.spec.priority).toBe(2000001000)
    expect(bad.json.message).toContain('the integer value of priority (7) must not be provided in pod spec')
    expect(unknown.json.message).toBe('pods "r" is forbidden: no PriorityClass with name gold was found')
  })

  it('keeps its own tolerations and gets those it lacks', async () => {
    const kube = await start({ controllers: false })
    const own = { key: 'node.kubernetes.io/not-ready', operator: 'Exists', effect: 'NoExecute' }

    const { json } = await call(kube, 'POST', PODS, pod('p', { tolerations: [own] }))

    expect(json.spec.tolerations).toEqual([
      own,
      { ...own, key: 'node.kubernetes.io/unreachable', tolerationSeconds: 300 },
    ])
  })

  it('takes overhead and scheduling from its runtime class', async () => {
    const kube = await start({ controllers: false })
    await call(kube, 'POST', '/apis/node.k8s.io/v1/runtimeclasses', {
      metadata: { name: 'kata' },
      handler: 'kata',
      overhead: { podFixed: { cpu: '250m' } },
      scheduling: { nodeSelector: { kata: 'yes' } },
    })

    const good = await call(kube, 'POST', PODS, pod('p', { runtimeClassName: 'kata' }))
    const bad = await call(kube, 'POST', PODS, pod('q', { runtimeClassName: 'gone' }))

    expect(good.json.spec.overhead).toEqual({ cpu: '250m' })
    expect(good.json.spec.nodeSelector).toEqual({ kata: 'yes' })
    expect(bad.json.message).toContain('pod rejected: RuntimeClass "gone" not found')
  })
})

describe('limit ranges', () => {
  it('fill in what containers leave open, and note it', async () => {
    const kube = await start({ controllers: false })
    await call(
      kube,
      'POST',
      '/api/v1/namespaces/default/limitranges',
      limitRange({ type: 'Container', default: { cpu: '1' }, defaultRequest: { cpu: '500m' } }),
    )

    const { json } = await call(kube, 'POST', PODS, pod('p'))

    expect(json.spec.containers[0].resources).toEqual({ limits: { cpu: '1' }, requests: { cpu: '500m' } })
    expect(json.metadata.annotations['kubernetes.io/limit-ranger']).toBe(
      'LimitRanger plugin set: cpu request for container c; cpu limit for container c',
    )
    expect(json.status.qosClass).toBe('Burstable')
  })

  it('refuse containers, pods and claims beyond their bounds, naming every reason', async () => {
    const kube = await start({ controllers: false })
    await call(
      kube,
      'POST',
      '/api/v1/namespaces/default/limitranges',
      limitRange(
        { type: 'Container', min: { memory: '64Mi' }, max: { cpu: '2' }, maxLimitRequestRatio: { cpu: '2' } },
        { type: 'Pod', max: { cpu: '3' } },
        { type: 'PersistentVolumeClaim', max: { storage: '5Gi' } },
      ),
    )
    const container = (name: string, cpu: string, memory: string): object => ({
      name,
      image: 'i',
      resources: { limits: { cpu, memory }, requests: { cpu: '1' } },
    })

    const one = await call(kube, 'POST', PODS, pod('p', { containers: [container('c', '3', '1Mi')] }))
    const two = await call(
      kube,
      'POST',
      PODS,
      pod('p', { containers: [container('c', '2', '64Mi'), container('d', '2', '64Mi')] }),
    )
    const big = await call(kube, 'POST', CLAIMS, claim('p', { resources: { requests: { storage: '6Gi' } } }))

    expect(one.status).toBe(403)
    expect(one.json.message).toBe(
      'pods "p" is forbidden: [minimum memory usage per Container is 64Mi, but request is 1Mi, maximum cpu usage per Container is 2, but limit is 3, cpu max limit to request ratio per Container is 2, but provided ratio is 3.000000]',
    )
    expect(two.json.message).toBe('pods "p" is forbidden: maximum cpu usage per Pod is 3, but limit is 4')
    expect(big.json.message).toContain(
      'maximum storage usage per PersistentVolumeClaim is 5Gi, but request is 6Gi',
    )
  })
})

describe('a resource quota', () => {
  const quota = (hard: object, more: object = {}): object => ({
    metadata: { name: 'q' },
    spec: { hard, ...more },
  })
  const QUOTAS = '/api/v1/namespaces/default/resourcequotas'
  const MAPS = '/api/v1/namespaces/default/configmaps'

  it('refuses what goes beyond it, and lets it in when there is room again', async () => {
    const kube = await start({ controllers: false })
    await call(kube, 'POST', QUOTAS, quota({ configmaps: '2' }))
    for (const name of ['a', 'b']) await call(kube, 'POST', MAPS, { metadata: { name } })

    const refused = await call(kube, 'POST', MAPS, { metadata: { name: 'c' } })
    await call(kube, 'DELETE', `${MAPS}/a`)
    const admitted = await call(kube, 'POST', MAPS, { metadata: { name: 'c' } })

    expect(refused.status).toBe(403)
    expect(refused.json.message).toBe(
      'configmaps "c" is forbidden: exceeded quota: q, requested: configmaps=1, used: configmaps=2, limited: configmaps=2',
    )
    expect(admitted.status).toBe(201)
  })

  it('holds when many ask for the last places at once', async () => {
    const kube = await start()
    await call(kube, 'POST', QUOTAS, quota({ 'count/secrets': '8', pods: '3' }))
    const names = Array.from({ length: 20 }, (_, i) => `p${i}`)

    const answers = await Promise.all(names.map((name) => call(kube, 'POST', PODS, pod(name))))

    expect(answers.filter(({ status }) => status === 201)).toHaveLength(3)
    expect(answers.filter(({ status }) => status === 403)).toHaveLength(17)
  })

  it('of compute resources wants every container to say what it takes', async () => {
    const kube = await start({ controllers: false })
    await call(kube, 'POST', QUOTAS, quota({ 'requests.cpu': '1' }))
    const sized = (cpu: string): object => ({
      containers: [{ name: 'c', image: 'i', resources: { requests: { cpu } } }],
    })

    const silent = await call(kube, 'POST', PODS, pod('a'))
    const first = await call(kube, 'POST', PODS, pod('b', sized('700m')))
    const second = await call(kube, 'POST', PODS, pod('c', sized('400m')))

    expect(silent.json.message).toBe('pods "a" is forbidden: failed quota: q: must specify requests.cpu')
    expect(first.status).toBe(201)
    expect(second.json.message).toContain('requested: requests.cpu=400m, used: requests.cpu=700m')
  })

  it('with a scope counts only what is in it, and a dry run takes nothing', async () => {
    const kube = await start({ controllers: false })
    await call(kube, 'POST', QUOTAS, quota({ pods: '1' }, { scopes: ['NotBestEffort'] }))

    expect((await call(kube, 'POST', PODS, pod('a'))).status).toBe(201)
    const sized = { containers: [{ name: 'c', image: 'i', resources: { limits: { cpu: '1' } } }] }
    expect((await call(kube, 'POST', `${PODS}?dryRun=All`, pod('b', sized))).status).toBe(201)
    expect((await call(kube, 'POST', PODS, pod('c', sized))).status).toBe(201)
    expect((await call(kube, 'POST', PODS, pod('d', sized))).status).toBe(403)
  })
})

describe('a claim', () => {
  it('gets the default class, and may grow only when it is bound to a class that can', async () => {
    const kube = await start({ controllers: false })
    const annotations = { 'storageclass.kubernetes.io/is-default-class': 'true' }
    await call(kube, 'POST', STORAGE, { metadata: { name: 'std', annotations }, provisioner: 'x' })
    const grow = { spec: { resources: { requests: { storage: '2Gi' } } } }

    const made = await call(kube, 'POST', CLAIMS, claim('a'))
    const none = await call(kube, 'POST', CLAIMS, claim('b', { storageClassName: '' }))
    const grown = await call(kube, 'PATCH', `${CLAIMS}/a`, grow)

    expect(made.json.spec.storageClassName).toBe('std')
    expect(none.json.spec.storageClassName).toBe('')
    expect([403, 422]).toContain(grown.status)
  })

  it('outlives its deletion while a pod uses it', async () => {
    const kube = await start()
    await call(kube, 'POST', CLAIMS, claim('a'))
    const volumes = [{ name: 'v', persistentVolumeClaim: { claimName: 'a' } }]
    await call(kube, 'POST', PODS, pod('p', { volumes, nodeName: 'n', terminationGracePeriodSeconds: 0 }))

    const deleted = await call(kube, 'DELETE', `${CLAIMS}/a`)
    expect(deleted.json.metadata.finalizers).toEqual(['kubernetes.io/pvc-protection'])
    await call(kube, 'DELETE', `${PODS}/p?gracePeriodSeconds=0`)

    await eventually(async () => expect((await call(kube, 'GET', `${CLAIMS}/a`)).status).toBe(404))
  })
})

describe('an ingress', () => {
  it('gets the default class unless it names one', async () => {
    const kube = await start({ controllers: false })
    await call(kube, 'POST', '/apis/networking.k8s.io/v1/ingressclasses', {
      metadata: { name: 'nginx', annotations: { 'ingressclass.kubernetes.io/is-default-class': 'true' } },
      spec: { controller: 'k8s.io/ingress-nginx' },
    })
    const ingress = (name: string, spec: object): object => ({
      metadata: { name },
      spec: { defaultBackend: { service: { name: 's', port: { number: 80 } } }, ...spec },
    })
    const path = '/apis/networking.k8s.io/v1/namespaces/default/ingresses'

    const plain = await call(kube, 'POST', path, ingress('a', {}))
    const named = await call(kube, 'POST', path, ingress('b', { ingressClassName: 'own' }))

    expect(plain.json.spec.ingressClassName).toBe('nginx')
    expect(named.json.spec.ingressClassName).toBe('own')
  })
})

describe('plugins', () => {
  it('can be left out by name, and only by a name there is', async () => {
    const kube = await start({ controllers: false, admission: { disabled: ['DefaultTolerationSeconds'] } })

    const { json } = await call(kube, 'POST', PODS, pod('p'))

    expect((json as KubeObject & { spec: object }).spec).not.toHaveProperty('tolerations')
    await expect(startKube({ admission: { disabled: ['Nothing'] } })).rejects.toThrow(
      'there is no plugin Nothing',
    )
  })

  it('let nobody approve a signing request without permission for its signer', async () => {
    const kube = await start({ controllers: false })
    const path = '/apis/certificates.k8s.io/v1/certificatesigningrequests'
    await call(kube, 'POST', path, clientRequest('r', 'alice', []))
    const alice = { name: 'alice', groups: ['system:authenticated'] }
    for (const [kind, body] of [
      [
        'clusterroles',
        {
          metadata: { name: 'approver' },
          rules: [
            {
              apiGroups: ['certificates.k8s.io'],
              resources: ['certificatesigningrequests', 'certificatesigningrequests/approval'],
              verbs: ['get', 'update'],
            },
          ],
        },
      ],
      [
        'clusterrolebindings',
        {
          metadata: { name: 'approver' },
          roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'approver' },
          subjects: [{ kind: 'User', name: 'alice', apiGroup: 'rbac.authorization.k8s.io' }],
        },
      ],
    ] as const) {
      await call(kube, 'POST', `/apis/rbac.authorization.k8s.io/v1/${kind}`, body)
    }
    const { json: request } = await call(kube, 'GET', `${path}/r`)
    request.status.conditions = [{ type: 'Approved', status: 'True' }]

    const refused = await call(kube, 'PUT', `${path}/r/approval`, request, alice)

    expect(refused.status).toBe(403)
    expect(refused.json.message).toContain(
      'user not permitted to approve requests with signerName "kubernetes.io/kube-apiserver-client"',
    )
  })

  it('refuse a signing request for the group of masters', async () => {
    const kube = await start({ controllers: false })

    const { status, json } = await call(
      kube,
      'POST',
      '/apis/certificates.k8s.io/v1/certificatesigningrequests',
      clientRequest('r', 'mallory', ['system:masters']),
    )

    expect(status).toBe(403)
    expect(json.message).toContain('signer with system:masters group is not allowed')
  })
})
