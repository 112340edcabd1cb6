import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type AdmissionReviewRequest } from '../../../apimachinery/admission/index.js'
import { type Kube, startKube } from '../../index.js'
import { call, patching, webhookServer, type WebhookServer } from '../fixture.js'

let kube: Kube
const servers: WebhookServer[] = []
beforeEach(async () => {
  kube = await startKube({ controllers: false })
})
afterEach(async () => {
  servers.splice(0).forEach((server) => server.close())
  await kube.close()
})

async function serve(
  answer: (request: AdmissionReviewRequest) => object | undefined,
): Promise<WebhookServer> {
  const server = await webhookServer(kube.pki, answer)
  servers.push(server)
  return server
}

const CONFIGURATIONS = '/apis/admissionregistration.k8s.io/v1'
const MAPS = '/api/v1/namespaces/default/configmaps'
const CREATED_MAPS = {
  operations: ['CREATE'],
  apiGroups: [''],
  apiVersions: ['v1'],
  resources: ['configmaps'],
}

async function register(
  kind: 'mutating' | 'validating',
  name: string,
  { url, caBundle }: Pick<WebhookServer, 'url' | 'caBundle'>,
  more: object = {},
): Promise<void> {
  const { status, json } = await call(kube, 'POST', `${CONFIGURATIONS}/${kind}webhookconfigurations`, {
    metadata: { name },
    webhooks: [
      {
        name: `${name}.example.com`,
        clientConfig: { url, caBundle },
        rules: [CREATED_MAPS],
        admissionReviewVersions: ['v1', 'v1beta1'],
        sideEffects: 'None',
        ...more,
      },
    ],
  })
  expect({ status, json }).toMatchObject({ status: 201 })
}

const map = (name: string, more: object = {}): object => ({ metadata: { name }, ...more })
const add = (key: string, value: string): object => ({ op: 'add', path: `/data/${key}`, value })

describe('mutating webhooks', () => {
  it('change objects one after the other, by the name of their configuration', async () => {
    const first = await serve(() => patching(add('a', '1')))
    const second = await serve(({ object }) => patching(add('b', JSON.stringify(object?.['data']))))
    await register('mutating', 'b-second', second)
    await register('mutating', 'a-first', first)

    const { status, json } = await call(kube, 'POST', MAPS, map('m', { data: { x: '0' } }))

    expect(status).toBe(201)
    expect(json.data).toEqual({ x: '0', a: '1', b: '{"x":"0","a":"1"}' })
  })

  it('are asked again when they want to know what later ones changed, and only once', async () => {
    const early = await serve(({ object }) =>
      patching(add('n', String(Object.keys(object?.['data'] ?? {}).length))),
    )
    const late = await serve(() => patching(add('z', '1')))
    await register('mutating', 'a', early, { reinvocationPolicy: 'IfNeeded' })
    await register('mutating', 'b', late)

    const { json } = await call(kube, 'POST', MAPS, map('m', { data: { x: '0' } }))

    expect(json.data).toEqual({ x: '0', n: '3', z: '1' })
    expect(early.asked).toHaveLength(2)
    expect(late.asked).toHaveLength(1)
  })

  it('see the object in the version that their rules name', async () => {
    const hook = await serve(() => patching({ op: 'add', path: '/metadata/labels', value: { seen: 'yes' } }))
    await register('mutating', 'a', hook, {
      rules: [{ operations: ['*'], apiGroups: ['batch'], apiVersions: ['v1beta1'], resources: ['cronjobs'] }],
    })
    const template = { spec: { restartPolicy: 'Never', containers: [{ name: 'c', image: 'i' }] } }

    const { status, json } = await call(kube, 'POST', '/apis/batch/v1/namespaces/default/cronjobs', {
      metadata: { name: 'c' },
      spec: { schedule: '* * * * *', jobTemplate: { spec: { template } } },
    })

    expect(status).toBe(201)
    expect(json).toMatchObject({ apiVersion: 'batch/v1', metadata: { labels: { seen: 'yes' } } })
    expect(hook.asked[0]?.object).toMatchObject({ apiVersion: 'batch/v1beta1' })
    expect(hook.asked[0]?.requestKind?.version).toBe('v1')
  })
})

describe('validating webhooks', () => {
  it('refuse in their own words, and warn', async () => {
    const hook = await serve(({ name }) =>
      name === 'bad'
        ? { allowed: false, status: { code: 418, message: 'I am a teapot' } }
        : { allowed: true, warnings: ['mind the gap'] },
    )
    await register('validating', 'v', hook)

    const good = await call(kube, 'POST', MAPS, map('good'))
    const bad = await call(kube, 'POST', MAPS, map('bad'))

    expect(good.status).toBe(201)
    expect(String(good.headers['warning'])).toContain('mind the gap')
    expect(bad.status).toBe(418)
    expect(bad.json.message).toBe('admission webhook "v.example.com" denied the request: I am a teapot')
  })

  it('are asked about deletions, and see what is deleted', async () => {
    const hook = await serve(() => ({ allowed: false }))
    await register('validating', 'v', hook, { rules: [{ ...CREATED_MAPS, operations: ['DELETE'] }] })
    await call(kube, 'POST', MAPS, map('m', { data: { a: '1' } }))

    const { status } = await call(kube, 'DELETE', `${MAPS}/m`)

    expect(status).toBe(400)
    expect(hook.asked[0]).toMatchObject({
      operation: 'DELETE',
      oldObject: { data: { a: '1' } },
      object: null,
    })
  })

  it('are asked only for what their selectors pick', async () => {
    const hook = await serve(() => ({ allowed: false }))
    await register('validating', 'v', hook, {
      objectSelector: { matchLabels: { check: 'yes' } },
      namespaceSelector: { matchExpressions: [{ key: 'free', operator: 'DoesNotExist' }] },
    })
    await call(kube, 'POST', '/api/v1/namespaces', { metadata: { name: 'free', labels: { free: '' } } })
    const labelled = { metadata: { name: 'l', labels: { check: 'yes' } } }

    expect((await call(kube, 'POST', MAPS, map('m'))).status).toBe(201)
    expect((await call(kube, 'POST', '/api/v1/namespaces/free/configmaps', labelled)).status).toBe(201)
    expect((await call(kube, 'POST', MAPS, labelled)).status).toBe(400)
  })

  it('that cannot be asked refuse or are passed over, as their policy says', async () => {
    const silent = await serve(() => undefined)
    await register('validating', 'slow', silent, { timeoutSeconds: 1 })

    const failed = await call(kube, 'POST', MAPS, map('m'))
    await call(kube, 'DELETE', `${CONFIGURATIONS}/validatingwebhookconfigurations/slow`)
    await register('validating', 'slow', silent, { timeoutSeconds: 1, failurePolicy: 'Ignore' })
    const passed = await call(kube, 'POST', MAPS, map('m'))

    expect(failed.status).toBe(500)
    expect(failed.json.message).toMatch(
      /^Internal error occurred: failed calling webhook "slow.example.com": Post "https:.*timeout=1s": context deadline exceeded$/,
    )
    expect(passed.status).toBe(201)
  })

  it('with side effects refuse dry runs', async () => {
    const hook = await serve(() => ({ allowed: true }))
    const { url, caBundle } = hook
    await call(kube, 'POST', '/apis/admissionregistration.k8s.io/v1beta1/validatingwebhookconfigurations', {
      metadata: { name: 'v' },
      webhooks: [
        {
          name: 'v.example.com',
          clientConfig: { url, caBundle },
          rules: [CREATED_MAPS],
          failurePolicy: 'Fail',
        },
      ],
    })

    const { status, json } = await call(kube, 'POST', `${MAPS}?dryRun=All`, map('m'))

    expect(status).toBe(400)
    expect(json.message).toBe('admission webhook "v.example.com" does not support dry run')
    expect(hook.asked).toEqual([])
  })

  it('cannot keep anybody from removing them', async () => {
    const hook = await serve(() => ({ allowed: false }))
    const everything = { operations: ['*'], apiGroups: ['*'], apiVersions: ['*'], resources: ['*/*'] }
    await register('validating', 'v', hook, { rules: [everything] })

    expect((await call(kube, 'POST', MAPS, map('m'))).status).toBe(400)
    const path = `${CONFIGURATIONS}/validatingwebhookconfigurations/v`
    expect((await call(kube, 'DELETE', path)).status).toBe(200)
    expect((await call(kube, 'POST', MAPS, map('m'))).status).toBe(201)
  })

  it('behind a service are dialled where it leads, under the name of the service', async () => {
    const hook = await serve(() => ({ allowed: false }))
    const name = 'hook'
    const service = { namespace: 'default', name, path: '/check', port: hook.port }
    await register('validating', 'v', hook, { clientConfig: { service, caBundle: hook.caBundle } })
    const path = '/api/v1/namespaces/default/services'

    const missing = await call(kube, 'POST', MAPS, map('m'))
    await call(kube, 'POST', path, { metadata: { name }, spec: { ports: [{ port: hook.port }] } })
    const empty = await call(kube, 'POST', MAPS, map('m'))
    await call(kube, 'DELETE', `${path}/hook`)
    const external = { type: 'ExternalName', externalName: 'localhost' }
    await call(kube, 'POST', path, { metadata: { name }, spec: external })
    const reached = await call(kube, 'POST', MAPS, map('m'))

    expect(missing.json.message).toContain('service "hook" not found')
    expect(empty.json.message).toContain('no endpoints available for service "hook"')
    expect(reached.json.message).toContain('denied the request')
  })
})

describe('a validating webhook that runs in this process', () => {
  it('is not called where an earlier installation registered it', async () => {
    const nobody = { url: 'https://127.0.0.1:1', caBundle: '' }
    await register('validating', 'moved', nobody)
    expect(await call(kube, 'POST', MAPS, map('refused'))).toMatchObject({ status: 500 })

    kube.webhooks.register({
      name: 'moved.example.com',
      path: '/moved',
      failurePolicy: 'Fail',
      rules: [{ group: '', version: 'v1', resources: ['configmaps'], operations: ['CREATE'] }],
      handle: async () => ({ allowed: true }),
    })

    expect(await call(kube, 'POST', MAPS, map('accepted'))).toMatchObject({ status: 201 })
  })
})
