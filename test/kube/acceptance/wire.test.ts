/** Acceptance of paths, media types, Status bodies and who is let in: checks 3, 4, 5, 8 to 11 and 40. */
import { afterAll, beforeAll, describe, expect } from 'vitest'
import { check, type Json, ON_CLUSTER, startSubject, type Subject } from './subject.js'

let kube: Subject
let at: string
beforeAll(async () => {
  kube = await startSubject()
  at = await kube.namespace('wire')
})
afterAll(() => kube.close())

const map = (name: string, more: object = {}): object => ({ metadata: { name }, ...more })

describe('the wire', () => {
  check(3, 'has four namespaces and the Service of the API at the start', async () => {
    const names = (await kube.get('/api/v1/namespaces')).json.items.map((each: Json) => each.metadata.name)

    expect(names).toEqual(
      expect.arrayContaining(['default', 'kube-node-lease', 'kube-public', 'kube-system']),
    )
    expect((await kube.get('/api/v1/namespaces/default/services/kubernetes')).json.spec.clusterIP).toBe(
      '10.96.0.1',
    )
  })

  check(4, 'gives a new namespace an account, its token and the certificate of the authority', async () => {
    const path = await kube.namespace('fresh')
    await expect
      .poll(async () => (await kube.get(`${path}/configmaps/kube-root-ca.crt`)).json.data?.['ca.crt'])
      .toContain('BEGIN CERTIFICATE')

    await expect
      .poll(async () => (await kube.get(`${path}/serviceaccounts/default`)).json.secrets?.[0]?.name)
      .toMatch(/^default-token-[a-z0-9]{5}$/)
  })

  check(5, 'is discovered by kubectl, with every built-in resource', async () => {
    const { out } = await kube.kubectl('api-resources', '--no-headers', '-o', 'name')
    const { out: versions } = await kube.kubectl('api-versions')

    for (const name of BUILT_IN) expect(out.split('\n')).toContain(name)
    for (const version of ['apps/v1', 'batch/v1', 'batch/v1beta1', 'networking.k8s.io/v1', 'v1']) {
      expect(versions.split('\n')).toContain(version)
    }
  })

  check(
    5,
    'is discovered cold with two requests',
    async () => {
      const accept =
        'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json;q=0.9'
      const answers = await Promise.all(['/api', '/apis'].map((path) => kube.get(path, { accept })))

      for (const { headers, json } of answers) {
        expect(headers['content-type']).toBe(
          'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList',
        )
        expect(json.items.length).toBeGreaterThan(0)
      }
    },
    { newer: 'aggregated discovery came with 1.26' },
  )

  check(8, 'answers JSON without parameters in the media type', async () => {
    await kube.post(`${at}/configmaps`, map('typed'))
    for (const path of [
      '/version',
      '/api',
      '/apis',
      '/apis/apps/v1',
      `${at}/configmaps/typed`,
      `${at}/pods`,
    ]) {
      expect((await kube.get(path)).headers['content-type']).toBe('application/json')
    }
    const missing = await kube.get(`${at}/configmaps/missing`)
    expect(missing.headers).toMatchObject({
      'content-type': 'application/json',
      'cache-control': 'no-cache, private',
    })
  })

  check(9, 'says in a Status what is missing, taken, stale, wrong or not allowed', async () => {
    await kube.post(`${at}/configmaps`, map('taken'))
    const maps = `${at}/configmaps`
    const rows: [answer: { status: number; json: Json }, status: number, body: object][] = [
      [
        await kube.get(`${maps}/x`),
        404,
        {
          reason: 'NotFound',
          message: 'configmaps "x" not found',
          details: { name: 'x', kind: 'configmaps' },
        },
      ],
      [
        await kube.get('/apis/apps/v1/namespaces/wire/deployments/x'),
        404,
        {
          message: 'deployments.apps "x" not found',
          details: { name: 'x', group: 'apps', kind: 'deployments' },
        },
      ],
      [
        await kube.post('/api/v1/namespaces/nope/configmaps', map('x')),
        404,
        { message: 'namespaces "nope" not found' },
      ],
      [
        await kube.post(maps, map('taken')),
        409,
        { reason: 'AlreadyExists', message: 'configmaps "taken" already exists' },
      ],
      [
        await kube.put(`${maps}/taken`, map('taken', { metadata: { name: 'taken', resourceVersion: '1' } })),
        409,
        {
          reason: 'Conflict',
          message:
            'Operation cannot be fulfilled on configmaps "taken": the object has been modified; please apply your changes to the latest version and try again',
        },
      ],
      [
        await kube.post(maps, {}),
        422,
        {
          reason: 'Invalid',
          message: 'ConfigMap "" is invalid: metadata.name: Required value: name or generateName is required',
        },
      ],
      [
        await kube.put(`${maps}/taken`, map('other')),
        400,
        {
          reason: 'BadRequest',
          message: 'the name of the object (other) does not match the name on the URL (taken)',
        },
      ],
      [
        await kube.post(maps, map('x', { metadata: { name: 'x', resourceVersion: '5' } })),
        500,
        { message: 'resourceVersion should not be set on objects to be created' },
      ],
      [
        await kube.as('alice').get('/api/v1/namespaces/default/pods/x'),
        403,
        {
          reason: 'Forbidden',
          message:
            'pods "x" is forbidden: User "alice" cannot get resource "pods" in API group "" in the namespace "default"',
        },
      ],
      [
        await kube.as('alice').get('/foo'),
        403,
        { message: 'forbidden: User "alice" cannot get path "/foo"' },
      ],
      [
        await kube.delete('/api/v1/namespaces/default'),
        403,
        { message: 'namespaces "default" is forbidden: this namespace may not be deleted' },
      ],
      [
        await kube.call('POST', maps, 'x', { 'content-type': 'text/plain' }),
        415,
        { reason: 'UnsupportedMediaType' },
      ],
      [
        await kube.get(maps, { accept: 'application/json;as=Bogus;g=meta.k8s.io;v=v1' }),
        406,
        {
          reason: 'NotAcceptable',
          message: expect.stringContaining('only the following media types') as string,
        },
      ],
      [
        await kube.get(`${maps}?resourceVersion=99999999`),
        504,
        {
          reason: 'Timeout',
          message: expect.stringMatching(
            /^Timeout: Too large resource version: 99999999, current: \d+$/,
          ) as string,
        },
      ],
      [
        await kube.delete(`${maps}/taken`, { preconditions: { uid: 'bad' } }),
        409,
        {
          reason: 'Conflict',
          message: expect.stringContaining('ConfigMap "taken": the UID in the precondition (bad)') as string,
        },
      ],
    ]

    for (const [{ status, json }, expected, body] of rows) {
      expect({ status, ...json }).toMatchObject({
        status: json.status,
        kind: 'Status',
        code: expected,
        ...body,
      })
      expect(status).toBe(expected)
    }
    const gone = await kube.delete(`${maps}/taken`)
    expect(gone.json).toMatchObject({ kind: 'Status', status: 'Success', details: { name: 'taken' } })
  })

  check(10, 'tells unknown groups, unknown resources and wrong methods apart', async () => {
    const group = await kube.get('/apis/nothing.example.com/v1')
    const resource = await kube.get('/api/v1/nothings')
    const method = await kube.call('POST', `${at}/configmaps/x`, map('x'))

    expect(group).toMatchObject({ status: 404, text: '404 page not found\n' })
    expect(resource).toMatchObject({
      status: 404,
      json: { message: 'the server could not find the requested resource' },
    })
    expect(method).toMatchObject({ status: 405, json: { reason: 'MethodNotAllowed' } })
    expect((await kube.call('HEAD', `${at}/configmaps`)).status).toBe(405)
  })

  check(11, 'lets anonymous callers read the version only, and refuses unknown tokens', async () => {
    const anonymous = (path: string): ReturnType<Subject['call']> =>
      kube.call('GET', path, undefined, {
        'impersonate-user': 'system:anonymous',
        'impersonate-group': ['system:unauthenticated'],
      })

    expect((await anonymous('/version')).status).toBe(200)
    expect((await anonymous('/healthz')).status).toBe(200)
    expect((await anonymous('/api/v1/namespaces')).status).toBe(403)
    const refused = await kube.kubectl(
      'get',
      'namespaces',
      '--token=wrong',
      '--kubeconfig',
      await withoutCredentials(),
    )
    expect(refused.code).not.toBe(0)
    expect(refused.err).toMatch(/must be logged in|Unauthorized/)
  })

  check(40, 'limits bodies, objects, data and annotations', async () => {
    const text = (bytes: number): string => 'x'.repeat(bytes)
    const body = await kube.post(
      `${at}/configmaps`,
      JSON.stringify(map('big', { data: { a: text(3 * 2 ** 20 + 1) } })),
    )
    const data = await kube.post(`${at}/configmaps`, map('big', { data: { a: text(2 ** 20 + 1) } }))
    const annotations = await kube.post(
      `${at}/configmaps`,
      map('big', { metadata: { name: 'big', annotations: { a: text(300 * 1024) } } }),
    )

    expect(body).toMatchObject({
      status: 413,
      json: {
        reason: 'RequestEntityTooLarge',
        message: expect.stringContaining('limit is 3145728') as string,
      },
    })
    expect(data).toMatchObject({
      status: 422,
      json: { message: expect.stringContaining('Too long: must have at most 1048576 bytes') as string },
    })
    expect(annotations.status).toBe(422)
    const large = await kube.post('/apis/apps/v1/namespaces/wire/controllerrevisions', {
      metadata: { name: 'large' },
      revision: 1,
      data: { text: text(1.6 * 2 ** 20) },
    })
    // Ours says it with the code that fits.
    expect(large.status).toBe(ON_CLUSTER ? 500 : 413)
    expect(large.json.message).toContain('etcdserver: request is too large')
  })
})

async function withoutCredentials(): Promise<string> {
  const { mkdtempSync, readFileSync, writeFileSync } = await import('node:fs')
  const { parse, stringify } = await import('yaml')
  const config = parse(readFileSync(kube.kubeconfig, 'utf8'))
  config.users[0].user = {}
  const path = `${mkdtempSync('/tmp/orrery-anonymous-')}/kubeconfig`
  writeFileSync(path, stringify(config))
  return path
}

const BUILT_IN = [
  'bindings',
  'componentstatuses',
  'configmaps',
  'endpoints',
  'events',
  'limitranges',
  'namespaces',
  'nodes',
  'persistentvolumeclaims',
  'persistentvolumes',
  'pods',
  'podtemplates',
  'replicationcontrollers',
  'resourcequotas',
  'secrets',
  'serviceaccounts',
  'services',
  'mutatingwebhookconfigurations.admissionregistration.k8s.io',
  'validatingwebhookconfigurations.admissionregistration.k8s.io',
  'customresourcedefinitions.apiextensions.k8s.io',
  'apiservices.apiregistration.k8s.io',
  'controllerrevisions.apps',
  'daemonsets.apps',
  'deployments.apps',
  'replicasets.apps',
  'statefulsets.apps',
  'tokenreviews.authentication.k8s.io',
  'localsubjectaccessreviews.authorization.k8s.io',
  'selfsubjectaccessreviews.authorization.k8s.io',
  'selfsubjectrulesreviews.authorization.k8s.io',
  'subjectaccessreviews.authorization.k8s.io',
  'horizontalpodautoscalers.autoscaling',
  'cronjobs.batch',
  'jobs.batch',
  'certificatesigningrequests.certificates.k8s.io',
  'leases.coordination.k8s.io',
  'events.events.k8s.io',
  'ingressclasses.networking.k8s.io',
  'ingresses.networking.k8s.io',
  'networkpolicies.networking.k8s.io',
  'runtimeclasses.node.k8s.io',
  'poddisruptionbudgets.policy',
  'clusterrolebindings.rbac.authorization.k8s.io',
  'clusterroles.rbac.authorization.k8s.io',
  'rolebindings.rbac.authorization.k8s.io',
  'roles.rbac.authorization.k8s.io',
  'priorityclasses.scheduling.k8s.io',
  'csidrivers.storage.k8s.io',
  'csinodes.storage.k8s.io',
  'storageclasses.storage.k8s.io',
  'volumeattachments.storage.k8s.io',
]
