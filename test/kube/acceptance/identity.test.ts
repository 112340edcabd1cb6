/** Acceptance of who may what, custom resources, admission and quotas: checks 41 to 50 and 54. */
import { Agent, request as httpsRequest } from 'node:https'
import { afterAll, beforeAll, describe, expect } from 'vitest'
import {
  clientRequest,
  patching,
  type WebhookServer,
  webhookServer,
} from '../../../src/kube/admission/fixture.js'
import { parseKubeconfig } from '../../../src/client/kubeconfig.js'
import { readFileSync } from 'node:fs'
import { check, type Json, startSubject, type Subject } from './subject.js'

let kube: Subject
let at: string
const hooks: WebhookServer[] = []
const DEFINITIONS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions'
const RBAC = '/apis/rbac.authorization.k8s.io/v1'
beforeAll(async () => {
  kube = await startSubject({ nodes: 0 })
  at = await kube.namespace('who')
})
afterAll(async () => {
  hooks.forEach((hook) => hook.close())
  await kube.close()
})

const made = async (path: string, body: object): Promise<Json> => {
  const { status, json } = await kube.post(path, body)
  expect({ status, json }).toMatchObject({ status: 201 })
  return json
}

function definition(plural: string, schema: object, more: object = {}): object {
  const kind = plural.replace(/^./, (first) => first.toUpperCase()).replace(/s$/, '')
  return {
    metadata: { name: `${plural}.example.com` },
    spec: {
      group: 'example.com',
      scope: 'Namespaced',
      names: { plural, singular: plural.replace(/s$/, ''), kind, listKind: `${kind}List` },
      versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: schema } }],
      ...more,
    },
  }
}

const served = (plural: string): Promise<void> =>
  expect.poll(async () => (await kube.get(`/apis/example.com/v1/namespaces/who/${plural}`)).status).toBe(200)

describe('custom resources', () => {
  check(
    41,
    'are established, discovered and described, and go with their definition',
    async () => {
      await made(
        DEFINITIONS,
        definition('gadgets', { type: 'object', properties: { spec: { type: 'object' } } }),
      )
      await served('gadgets')
      await made('/apis/example.com/v1/namespaces/who/gadgets', {
        apiVersion: 'example.com/v1',
        kind: 'Gadget',
        metadata: { name: 'one' },
      })

      const { json } = await kube.get(`${DEFINITIONS}/gadgets.example.com`)
      const established = json.status.conditions.find(({ type }: Json) => type === 'Established')
      expect(established).toMatchObject({ status: 'True', reason: 'InitialNamesAccepted' })
      const { resources } = (await kube.get('/apis/example.com/v1')).json
      expect(resources.map(({ name }: Json) => name)).toContain('gadgets')
      await expect
        .poll(async () => (await kube.get('/openapi/v2')).text, { timeout: 30_000, interval: 500 })
        .toContain('com.example.v1.Gadget')
      await kube.delete(`${DEFINITIONS}/gadgets.example.com`)
      await expect.poll(async () => (await kube.get(`${DEFINITIONS}/gadgets.example.com`)).status).toBe(404)
      await expect
        .poll(async () => (await kube.get('/apis/example.com/v1/namespaces/who/gadgets')).status)
        .toBe(404)
    },
    { timeoutMs: 90_000 },
  )

  check(42, 'are pruned, filled and validated by their schema', async () => {
    const spec = {
      type: 'object',
      required: ['size'],
      properties: {
        size: { type: 'integer', minimum: 1, maximum: 5 },
        colour: { type: 'string', enum: ['blue', 'red'], default: 'blue' },
        free: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
      },
    }
    await made(DEFINITIONS, definition('shapes', { type: 'object', properties: { spec } }))
    await served('shapes')
    const path = '/apis/example.com/v1/namespaces/who/shapes'
    const shape = (name: string, fields: object): object => ({
      apiVersion: 'example.com/v1',
      kind: 'Shape',
      metadata: { name },
      spec: fields,
    })
    // Definitions may take a moment to be served by every part of a genuine server.
    await expect
      .poll(async () => (await kube.post(`${path}?dryRun=All`, shape('probe', { size: 2 }))).json.spec)
      .toEqual({ size: 2, colour: 'blue' })

    const good = await kube.post(path, shape('good', { size: 2, lost: 1, free: { kept: 1 } }))
    const bad = await kube.post(path, shape('bad', { size: 9, colour: 'green' }))
    const empty = await kube.post(path, shape('empty', {}))
    const wrong = await kube.post(path, shape('wrong', { size: 'x' }))

    expect(good.json.spec).toEqual({ size: 2, colour: 'blue', free: { kept: 1 } })
    expect(bad.status).toBe(422)
    expect(bad.json.message).toContain('spec.size in body should be less than or equal to 5')
    expect(bad.json.message).toContain(
      'spec.colour: Unsupported value: "green": supported values: "blue", "red"',
    )
    expect(empty.json.message).toContain('spec.size: Required value')
    expect(wrong.json.message).toContain('spec.size in body must be of type integer: "string"')
  })
})

describe('custom resources of two versions', () => {
  check(43, 'are converted by a webhook, and listed together', async () => {
    const server = await webhookServer(kube.pki as never, (request) =>
      converted(request as unknown as Question),
    )
    hooks.push(server)
    const clientConfig = { url: server.url, caBundle: server.caBundle }
    const version = (name: string, spec: object): object => ({
      name,
      served: true,
      storage: name === 'v1',
      schema: {
        openAPIV3Schema: { type: 'object', properties: { spec: { type: 'object', properties: spec } } },
      },
    })
    const text = { type: 'string' }
    const sent = definition(
      'servers',
      {},
      {
        versions: [version('v1', { hostPort: text }), version('v2', { host: text, port: text })],
        conversion: { strategy: 'Webhook', webhook: { clientConfig, conversionReviewVersions: ['v1'] } },
      },
    )
    await made(DEFINITIONS, sent)
    const path = (name: string): string => `/apis/example.com/${name}/namespaces/who/servers`
    const object = (name: string, spec: object): object => ({
      apiVersion: `example.com/${name}`,
      kind: 'Server',
      spec,
    })
    for (const name of ['v1', 'v2'])
      await expect.poll(async () => (await kube.get(path(name))).status).toBe(200)
    const rest = { metadata: { name: 'a', labels: { kept: 'yes' } } }
    await made(path('v1'), { ...object('v1', { hostPort: 'x:1' }), ...rest })
    await made(path('v2'), { ...object('v2', { host: 'y', port: '2' }), metadata: { name: 'b' } })
    // What is stored keeps its version; from now on others are stored in the second.
    const stored = (await kube.get(`${DEFINITIONS}/servers.example.com`)).json
    for (const each of stored.spec.versions) each.storage = each.name === 'v2'
    expect((await kube.put(`${DEFINITIONS}/servers.example.com`, stored)).status).toBe(200)
    await expect
      .poll(async () => (await kube.get(`${DEFINITIONS}/servers.example.com`)).json.status.storedVersions)
      .toEqual(['v1', 'v2'])
    await expect
      .poll(
        async () =>
          (await kube.post(`${path('v2')}?dryRun=All`, probe(object('v2', { host: 'p', port: '0' })))).status,
      )
      .toBe(201)
    await made(path('v1'), { ...object('v1', { hostPort: 'z:3' }), metadata: { name: 'c' } })

    const summaries = async (name: string): Promise<unknown> =>
      (await kube.get(path(name))).json.items.map(({ apiVersion, metadata, spec }: Json) => [
        apiVersion,
        metadata.name,
        spec,
      ])
    expect(await summaries('v1')).toEqual([
      ['example.com/v1', 'a', { hostPort: 'x:1' }],
      ['example.com/v1', 'b', { hostPort: 'y:2' }],
      ['example.com/v1', 'c', { hostPort: 'z:3' }],
    ])
    expect(await summaries('v2')).toEqual([
      ['example.com/v2', 'a', { host: 'x', port: '1' }],
      ['example.com/v2', 'b', { host: 'y', port: '2' }],
      ['example.com/v2', 'c', { host: 'z', port: '3' }],
    ])
    const watched = kube.watch(`${path('v2')}?watch=1`)
    // A watch tells of what is there already in no order.
    await expect
      .poll(() => watched.events.map(({ object: { spec } }) => spec.host as string).sort())
      .toEqual(['x', 'y', 'z'])
    watched.stop()
    expect((await kube.get(`${path('v2')}/a`)).json.metadata.labels).toEqual({ kept: 'yes' })
  })
})

const probe = (object: object): object => ({ ...object, metadata: { name: 'probe' } })

interface Question {
  desiredAPIVersion: string
  objects: { spec: Record<string, string> }[]
}

/** `v1` holds one text `host:port`, `v2` the two apart. */
function converted({ desiredAPIVersion, objects }: Question): object {
  const convertedObjects = objects.map(({ spec, ...rest }) => {
    const [host, port] = spec['hostPort']?.split(':') ?? [spec['host'], spec['port']]
    const other = desiredAPIVersion.endsWith('v1') ? { hostPort: `${host}:${port}` } : { host, port }
    return { ...rest, apiVersion: desiredAPIVersion, spec: other }
  })
  return { result: { status: 'Success' }, convertedObjects }
}

const CREATED_MAPS = {
  operations: ['CREATE'],
  apiGroups: [''],
  apiVersions: ['v1'],
  resources: ['configmaps'],
}

/** For ConfigMaps of the namespace labelled so. */
async function hook(
  kind: 'mutating' | 'validating',
  name: string,
  answer: Parameters<typeof webhookServer>[1],
  more: object = {},
): Promise<WebhookServer> {
  const server = await webhookServer(kube.pki as never, answer)
  hooks.push(server)
  await made(`/apis/admissionregistration.k8s.io/v1/${kind}webhookconfigurations`, {
    metadata: { name },
    webhooks: [
      {
        name: `${name}.example.com`,
        clientConfig: { url: server.url, caBundle: server.caBundle },
        rules: [CREATED_MAPS],
        objectSelector: { matchLabels: { hooked: name } },
        admissionReviewVersions: ['v1'],
        sideEffects: 'None',
        ...more,
      },
    ],
  })
  return server
}

const hooked = (label: string, name: string): object => ({
  metadata: { name, labels: { hooked: label } },
  data: { z: '0' },
})

describe('admission', () => {
  check(44, 'asks webhooks that change, then those that refuse', async () => {
    await hook('mutating', 'change', () => patching({ op: 'add', path: '/data/a', value: '1' }))
    await hook(
      'validating',
      'refuse',
      ({ object }) =>
        (object as Json).data?.a === '1'
          ? { allowed: false, status: { code: 418, message: 'no ones' } }
          : { allowed: true },
      { objectSelector: { matchLabels: { hooked: 'change' } } },
    )
    // A genuine server takes a moment to learn of them.
    await expect
      .poll(async () => (await kube.post(`${at}/configmaps?dryRun=All`, hooked('change', 'x'))).json.message)
      .toBe('admission webhook "refuse.example.com" denied the request: no ones')
  })

  check(44, 'fails or goes on when a webhook does not answer in time', async () => {
    const silent = (): undefined => undefined
    await hook('validating', 'strict', silent, { timeoutSeconds: 1, failurePolicy: 'Fail' })
    await hook('validating', 'lax', silent, { timeoutSeconds: 1, failurePolicy: 'Ignore' })

    await expect
      .poll(async () => (await kube.post(`${at}/configmaps?dryRun=All`, hooked('strict', 'x'))).json, {
        timeout: 30_000,
      })
      .toMatchObject({
        code: 500,
        message: expect.stringContaining('failed calling webhook "strict.example.com"') as string,
      })
    expect((await kube.post(`${at}/configmaps`, hooked('lax', 'lax'))).status).toBe(201)
  })

  check(39, 'asks webhooks of what is only tried, unless they would leave traces', async () => {
    const careful = await hook('mutating', 'careful', () =>
      patching({ op: 'add', path: '/data/a', value: '1' }),
    )
    const careless = await webhookServer(kube.pki as never, () => ({ allowed: true }))
    hooks.push(careless)
    // Only the older version lets a webhook say so.
    await made('/apis/admissionregistration.k8s.io/v1beta1/validatingwebhookconfigurations', {
      metadata: { name: 'careless' },
      webhooks: [
        {
          name: 'careless.example.com',
          clientConfig: { url: careless.url, caBundle: careless.caBundle },
          rules: [CREATED_MAPS],
          objectSelector: { matchLabels: { hooked: 'careless' } },
          admissionReviewVersions: ['v1'],
          sideEffects: 'Some',
        },
      ],
    })
    await expect
      .poll(
        async () => (await kube.post(`${at}/configmaps?dryRun=All`, hooked('careful', 'tried'))).json.data,
      )
      .toEqual({ a: '1', z: '0' })
    expect(careful.asked.at(-1)).toMatchObject({ dryRun: true })
    expect((await kube.get(`${at}/configmaps/tried`)).status).toBe(404)

    await expect
      .poll(async () => (await kube.post(`${at}/configmaps?dryRun=All`, hooked('careless', 'tried'))).json)
      .toMatchObject({
        code: 400,
        message: 'admission webhook "careless.example.com" does not support dry run',
      })
    expect(careless.asked).toEqual([])
    expect((await kube.post(`${at}/configmaps`, hooked('careless', 'meant'))).status).toBe(201)
    expect(careless.asked).toMatchObject([{ dryRun: false }])
  })

  check(
    54,
    'counts by quotas and fills in limits',
    async () => {
      const full = await kube.namespace('full')
      await made(`${full}/resourcequotas`, { metadata: { name: 'q' }, spec: { hard: { configmaps: '3' } } })
      // The genuine controller counts nothing until it has forgotten a definition that has just gone, half a minute later.
      await expect
        .poll(async () => (await kube.get(`${full}/resourcequotas/q`)).json.status?.used, { timeout: 90_000 })
        .toEqual({ configmaps: '1' })
      await made(`${full}/configmaps`, { metadata: { name: 'a' } })
      await made(`${full}/configmaps`, { metadata: { name: 'b' } })
      const over = await kube.post(`${full}/configmaps`, { metadata: { name: 'c' } })
      await kube.delete(`${full}/configmaps/a`)
      await made(`${full}/limitranges`, {
        metadata: { name: 'l' },
        spec: { limits: [{ type: 'Container', default: { cpu: '200m' }, defaultRequest: { cpu: '100m' } }] },
      })

      expect(over).toMatchObject({
        status: 403,
        json: {
          message:
            'configmaps "c" is forbidden: exceeded quota: q, requested: configmaps=1, used: configmaps=3, limited: configmaps=3',
        },
      })
      await expect
        .poll(async () => (await kube.get(`${full}/resourcequotas/q`)).json.status.used)
        .toEqual({ configmaps: '2' })
      const pod = { metadata: { name: 'p' }, spec: { containers: [{ name: 'a', image: 'nginx' }] } }
      await expect
        .poll(
          async () => (await kube.post(`${full}/pods?dryRun=All`, pod)).json.spec?.containers[0].resources,
        )
        .toEqual({ limits: { cpu: '200m' }, requests: { cpu: '100m' } })
    },
    { timeoutMs: 120_000 },
  )
})

describe('who may what', () => {
  check(
    45,
    'is told by kubectl auth can-i',
    async () => {
      await made(`${RBAC}/namespaces/who/rolebindings`, {
        metadata: { name: 'alice-views' },
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'view' },
        subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'alice' }],
      })
      const can = async (...args: string[]): Promise<string> =>
        (await kube.kubectl('auth', 'can-i', ...args, '--as=alice')).out.trim()

      await expect.poll(() => can('list', 'pods', '-n', 'who'), { timeout: 30_000 }).toBe('yes')
      expect(await can('list', 'secrets', '-n', 'who')).toBe('no')
      expect(await can('list', 'pods', '-n', 'default')).toBe('no')
      const list = await kube.kubectl('auth', 'can-i', '--list', '-n', 'who', '--as=alice')
      expect(list.out).toMatch(/^deployments\.apps +\[\] +\[\] +\[get list watch\]$/m)
      expect(list.out).toMatch(/^selfsubjectaccessreviews\.authorization\.k8s\.io +\[\] +\[\] +\[create\]$/m)
      expect(list.out).toMatch(/^ +\[\/healthz\] +\[\] +\[get\]$/m)
    },
    { timeoutMs: 90_000 },
  )

  check(46, 'cannot be widened by those who have less', async () => {
    await made(`${RBAC}/namespaces/who/roles`, {
      metadata: { name: 'roles' },
      rules: [
        { apiGroups: ['rbac.authorization.k8s.io'], resources: ['roles', 'rolebindings'], verbs: ['create'] },
      ],
    })
    await made(`${RBAC}/namespaces/who/roles`, {
      metadata: { name: 'all-roles' },
      rules: [
        { apiGroups: ['rbac.authorization.k8s.io'], resources: ['roles', 'rolebindings'], verbs: ['*'] },
      ],
    })
    for (const [user, name] of [
      ['bob', 'roles'],
      ['carol', 'all-roles'],
    ]) {
      await made(`${RBAC}/namespaces/who/rolebindings`, {
        metadata: { name: user },
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name },
        subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: user }],
      })
    }
    const secrets = (name: string): object => ({
      metadata: { name },
      rules: [{ apiGroups: [''], resources: ['secrets'], verbs: ['get'] }],
    })
    const bindAdmin = {
      metadata: { name: 'up' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' },
      subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'carol' }],
    }
    const roles = `${RBAC}/namespaces/who/roles`

    await expect.poll(async () => (await kube.as('carol').post(roles, secrets('by-carol'))).status).toBe(201)
    const refused = await kube.as('bob').post(roles, secrets('by-bob'))
    const bound = await kube.as('carol').post(`${RBAC}/namespaces/who/rolebindings`, bindAdmin)

    expect(refused).toMatchObject({
      status: 403,
      json: {
        message: expect.stringContaining('attempting to grant RBAC permissions not currently held') as string,
      },
    })
    expect(bound.status).toBe(403)
  })

  check(47, 'follows aggregated roles as labels come and go', async () => {
    await made(`${RBAC}/clusterroles`, {
      metadata: { name: 'sum' },
      aggregationRule: { clusterRoleSelectors: [{ matchLabels: { part: 'of-sum' } }] },
      rules: [],
    })
    const rule = { apiGroups: ['example.com'], resources: ['things'], verbs: ['get'] }
    await made(`${RBAC}/clusterroles`, {
      metadata: { name: 'part', labels: { part: 'of-sum' } },
      rules: [rule],
    })
    const rules = async (): Promise<Json> => (await kube.get(`${RBAC}/clusterroles/sum`)).json.rules

    await expect.poll(rules).toEqual([rule])
    await kube.patch(`${RBAC}/clusterroles/part`, { metadata: { labels: { part: null } } })
    await expect.poll(async () => (await rules()) ?? []).toEqual([])
  })

  check(48, 'lets only those impersonate who may', async () => {
    expect((await kube.as('alice').get('/version')).status).toBe(200)
    // As alice: what she may not, kubectl passes on.
    const { code, err } = await kube.kubectl('get', 'pods', '--as=alice', '-n', 'default')
    expect(code).not.toBe(0)
    expect(err).toContain('User "alice" cannot list resource "pods"')
    const { token } = (await accountToken('impersonator')) as { token: string }
    const answer = await withToken(token, '/version', { 'impersonate-user': 'bob' })
    expect(answer.status).toBe(403)
    expect(answer.text).toContain('cannot impersonate resource \\"users\\"')
  })

  check(49, 'holds for tokens of accounts until these are gone', async () => {
    const { token, status } = (await accountToken('robot')) as { token: string; status: number }
    const review = (): Promise<Json> =>
      kube
        .post('/apis/authentication.k8s.io/v1/tokenreviews', { spec: { token } })
        .then(({ json }) => json.status)
    const short = await kube.post(`${at}/serviceaccounts/robot/token`, { spec: { expirationSeconds: 60 } })

    expect(status).toBe(201)
    expect(short.status).toBe(422)
    expect(await review()).toMatchObject({
      authenticated: true,
      user: { username: 'system:serviceaccount:who:robot' },
    })
    expect((await withToken(token, '/api/v1/namespaces')).status).toBe(403)
    await kube.delete(`${at}/serviceaccounts/robot`)
    // A genuine server remembers a good token for ten seconds.
    await expect
      .poll(async () => (await withToken(token, '/api/v1/namespaces')).status, { timeout: 30_000 })
      .toBe(401)
  })

  check(49, 'is given to a Secret that asks for it', async () => {
    await made(`${at}/serviceaccounts`, { metadata: { name: 'keeper' } })
    await made(`${at}/secrets`, {
      metadata: { name: 'kept', annotations: { 'kubernetes.io/service-account.name': 'keeper' } },
      type: 'kubernetes.io/service-account-token',
    })

    await expect
      .poll(async () => Object.keys((await kube.get(`${at}/secrets/kept`)).json.data ?? {}).sort(), {
        timeout: 30_000,
      })
      .toEqual(['ca.crt', 'namespace', 'token'])
    const { token } = (await kube.get(`${at}/secrets/kept`)).json.data
    const { json } = await kube.post('/apis/authentication.k8s.io/v1/tokenreviews', {
      spec: { token: Buffer.from(String(token), 'base64').toString() },
    })
    expect(json.status.user.username).toBe('system:serviceaccount:who:keeper')
  })

  check(50, 'is decided by the name on a certificate that was approved', async () => {
    const requests = '/apis/certificates.k8s.io/v1/certificatesigningrequests'
    const made50 = await made(requests, clientRequest('dora', 'dora', ['developers']))
    const approved = await kube.call('PUT', `${requests}/dora/approval`, {
      ...made50,
      kind: 'CertificateSigningRequest',
      apiVersion: 'certificates.k8s.io/v1',
      status: { conditions: [{ type: 'Approved', status: 'True', reason: 'Test', message: 'for the test' }] },
    })
    expect(approved.status).toBe(200)

    await expect
      .poll(async () => (await kube.get(`${requests}/dora`)).json.status.certificate, { timeout: 30_000 })
      .toEqual(expect.any(String))
  })
})

async function accountToken(name: string): Promise<{ status: number; token: unknown }> {
  await kube.post(`${at}/serviceaccounts`, { metadata: { name } })
  const { status, json } = await kube.post(`${at}/serviceaccounts/${name}/token`, { spec: {} })
  return { status, token: json.status.token }
}

function withToken(
  token: string,
  path: string,
  headers: Record<string, string> = {},
): Promise<{ status: number; text: string }> {
  const { server } = parseKubeconfig(readFileSync(kube.kubeconfig, 'utf8'))
  return new Promise((resolve, reject) => {
    const agent = new Agent({ rejectUnauthorized: false })
    httpsRequest(
      `${server}${path}`,
      { agent, headers: { authorization: `Bearer ${token}`, ...headers } },
      (response) => {
        let text = ''
        response.on('data', (chunk: Buffer) => (text += chunk.toString()))
        response.on('end', () => resolve({ status: response.statusCode ?? 0, text }))
      },
    )
      .on('error', reject)
      .end()
  })
}
