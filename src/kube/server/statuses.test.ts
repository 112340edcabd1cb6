/** Error answers, as section 7.2 of the contract lists them. */
import { describe, expect, it } from 'vitest'
import { ANONYMOUS } from '../../apimachinery/meta/types.js'
import { unauthorized } from '../../apimachinery/errors/index.js'
import { type Answer, fixture, GADGETS, widget, WIDGETS } from './fixture.js'

function failure(answer: Answer): Record<string, unknown> {
  const { kind, apiVersion, metadata, status, ...rest } = answer.json
  expect({ kind, apiVersion, metadata, status }).toEqual({
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
  })
  expect(rest.code).toBe(answer.status)
  return rest
}

describe('a refused request', () => {
  const kube = fixture()
  const post = (body: unknown, headers = {}): Promise<Answer> => kube.call('POST', WIDGETS, body, headers)

  it('names the resource of a missing object, with its group', async () => {
    expect(failure(await kube.call('GET', `${GADGETS}/x`))).toEqual({
      message: 'gadgets.ex.io "x" not found',
      reason: 'NotFound',
      details: { name: 'x', group: 'ex.io', kind: 'gadgets' },
      code: 404,
    })
  })

  it('tells an object that exists', async () => {
    await post(widget('twice'))

    expect(failure(await post(widget('twice')))).toEqual({
      message: 'widgets "twice" already exists',
      reason: 'AlreadyExists',
      details: { name: 'twice', kind: 'widgets' },
      code: 409,
    })
  })

  it('tells a stale resourceVersion', async () => {
    await post(widget('stale'))
    const update = widget('stale', { metadata: { resourceVersion: '1' }, spec: { size: 1 } })

    expect(failure(await kube.call('PUT', `${WIDGETS}/stale`, update))).toEqual({
      message:
        'Operation cannot be fulfilled on widgets "stale": the object has been modified; please apply your changes to the latest version and try again',
      reason: 'Conflict',
      details: { name: 'stale', kind: 'widgets' },
      code: 409,
    })
  })

  it('lists every fault of an object, brackets only around several', async () => {
    const one = failure(await post(widget('x', { spec: { size: -1 } })))
    const two = failure(await post(widget('X', { spec: { size: -1 } })))

    expect(one.message).toBe('Widget "x" is invalid: spec.size: Invalid value: -1: too small')
    expect(one).toMatchObject({
      reason: 'Invalid',
      details: {
        name: 'x',
        kind: 'Widget',
        causes: [
          { reason: 'FieldValueInvalid', message: 'Invalid value: -1: too small', field: 'spec.size' },
        ],
      },
      code: 422,
    })
    expect(two.message).toMatch(
      /^Widget "X" is invalid: \[metadata\.name: Invalid value: "X": .*, spec\.size: Invalid value: -1: too small\]$/,
    )
  })

  it('wants a name', async () => {
    expect(failure(await post({ kind: 'Widget', apiVersion: 'v1', metadata: {} }))).toMatchObject({
      message: 'Widget "" is invalid: metadata.name: Required value: name or generateName is required',
      details: { kind: 'Widget' },
      code: 422,
    })
  })

  it('takes no resourceVersion on create', async () => {
    expect(failure(await post(widget('rv', { metadata: { resourceVersion: '5' } })))).toEqual({
      message: 'resourceVersion should not be set on objects to be created',
      code: 500,
    })
  })

  it.each([
    [
      'truncated JSON',
      '{"a":',
      `couldn't get version/kind; json parse error: unexpected end of JSON input ({"a":)`,
    ],
    ['nothing', '', `couldn't get version/kind; json parse error: unexpected end of JSON input (<empty>)`],
  ])('cannot read %s', async (_what, body, why) => {
    expect(failure(await post(body, { 'content-type': 'application/json' }))).toEqual({
      message: `the object provided is unrecognized (must be of type Widget): ${why}`,
      reason: 'BadRequest',
      code: 400,
    })
  })

  it('cannot handle another kind', async () => {
    const unknown = { ...widget('x'), kind: 'Nothing' }
    const foreign = { ...widget('x'), kind: 'Gadget', apiVersion: 'ex.io/v1alpha1' }

    expect(failure(await post(unknown)).message).toBe(
      'Nothing in version "v1" cannot be handled as a Widget: no kind "Nothing" is registered for version "v1" in scheme "k8s.io/kubernetes/pkg/api/legacyscheme/scheme.go:30"',
    )
    expect(failure(await post(foreign)).message).toBe(
      'Gadget in version "v1alpha1" cannot be handled as a Widget: converting (v1alpha1.Gadget) to (core.Widget): unknown conversion',
    )
  })

  it('compares name and namespace with the path', async () => {
    await post(widget('a'))

    expect(failure(await kube.call('PUT', `${WIDGETS}/a`, widget('zz')))).toEqual({
      message: 'the name of the object (zz) does not match the name on the URL (a)',
      reason: 'BadRequest',
      code: 400,
    })
    expect(failure(await post(widget('b', { metadata: { namespace: 'other' } }))).message).toBe(
      'the namespace of the provided object does not match the namespace sent on the request',
    )
  })

  it('names the body types it takes', async () => {
    expect(failure(await post('x', { 'content-type': 'text/plain' }))).toEqual({
      message:
        'the body of the request was in an unknown format - accepted media types include: application/json, application/yaml, application/vnd.kubernetes.protobuf',
      reason: 'UnsupportedMediaType',
      code: 415,
    })
    const strategic = { 'content-type': 'application/strategic-merge-patch+json' }
    await kube.call('POST', GADGETS, {
      kind: 'Gadget',
      apiVersion: 'ex.io/v1alpha1',
      metadata: { name: 'g' },
    })
    expect(failure(await kube.call('PATCH', `${GADGETS}/g`, {}, strategic))).toMatchObject({ code: 415 })
    const unknown = { 'content-type': 'application/whatever' }
    expect(failure(await kube.call('PATCH', `${WIDGETS}/a`, {}, unknown))).toEqual({
      message: '415: Unsupported Media Type',
      reason: 'UnsupportedMediaType',
      details: {},
      code: 415,
    })
  })

  it('names the answer types it has', async () => {
    expect(failure(await kube.call('GET', GADGETS, undefined, { accept: 'text/html' }))).toEqual({
      message: 'only the following media types are accepted: application/json, application/yaml',
      reason: 'NotAcceptable',
      code: 406,
    })
    const protobuf = 'application/vnd.kubernetes.protobuf'
    expect((await kube.call('GET', WIDGETS, undefined, { accept: protobuf })).status).toBe(406)
    const either = await kube.call('GET', WIDGETS, undefined, { accept: `${protobuf},application/json` })
    expect(either.headers['content-type']).toBe('application/json')
  })

  it.each(['/apis/nope.example.com/v1/x', '/apis/ex.io/v9/gadgets', '/nope', '/apis/nope.example.com'])(
    'is plain text where no group is: %s',
    async (path) => {
      const { status, headers, body } = await kube.call('GET', path)

      expect(status).toBe(404)
      expect(headers['content-type']).toBe('text/plain; charset=utf-8')
      expect(body.toString()).toBe('404 page not found\n')
    },
  )

  it('is a Status where the group is known and the resource is not', async () => {
    expect(failure(await kube.call('GET', '/api/v1/nope'))).toEqual({
      message: 'the server could not find the requested resource',
      reason: 'NotFound',
      details: {},
      code: 404,
    })
  })

  it.each([
    ['PUT', WIDGETS],
    ['POST', `${WIDGETS}/a`],
    ['HEAD', `${WIDGETS}/a`],
    ['HEAD', WIDGETS],
    ['POST', '/api/v1/widgets'],
    ['DELETE', '/api/v1/widgets'],
    ['DELETE', '/version'],
    ['OPTIONS', WIDGETS],
  ])('is 405 for %s %s', async (method, path) => {
    expect(failure(await kube.call(method, path))).toEqual({
      message: 'the server does not allow this method on the requested resource',
      reason: 'MethodNotAllowed',
      details: {},
      code: 405,
    })
  })

  it('holds a body against its limits', async () => {
    const kib = 1024
    const body = Buffer.from(JSON.stringify(widget('big', { data: { a: 'x'.repeat(3 * kib * kib) } })))
    expect(failure(await post(body))).toMatchObject({
      message: 'Request entity too large: limit is 3145728',
      reason: 'RequestEntityTooLarge',
      code: 413,
    })
    expect(failure(await post(widget('big', { data: { a: 'x'.repeat(1600 * kib) } })))).toMatchObject({
      message: 'etcdserver: request is too large',
      code: 413,
    })
    const annotations = { big: 'x'.repeat(300 * kib) }
    expect(failure(await post(widget('big', { metadata: { annotations } })))).toMatchObject({
      message: 'Widget "big" is invalid: metadata.annotations: Too long: must have at most 262144 bytes',
      code: 422,
    })
  })
})

describe('who may', () => {
  const bob = { name: 'bob', groups: ['system:authenticated'] }

  it('comes before what is there', async () => {
    const kube = fixture({
      authenticate: ({ headers }) => {
        if (headers.authorization === 'Bearer bad') throw unauthorized()
        return headers.authorization === undefined ? ANONYMOUS : bob
      },
      authorize: ({ path }) => ({ allowed: path === '/version', reason: '' }),
    })
    const as = { authorization: 'Bearer bob' }

    expect((await kube.call('GET', '/version')).status).toBe(200)
    expect(failure(await kube.call('GET', `${WIDGETS}/absent`, undefined, as))).toEqual({
      message:
        'widgets "absent" is forbidden: User "bob" cannot get resource "widgets" in API group "" in the namespace "default"',
      reason: 'Forbidden',
      details: { name: 'absent', kind: 'widgets' },
      code: 403,
    })
    expect(failure(await kube.call('GET', GADGETS)).message).toBe(
      'gadgets.ex.io is forbidden: User "system:anonymous" cannot list resource "gadgets" in API group "ex.io" at the cluster scope',
    )
    expect(failure(await kube.call('GET', '/foo', undefined, as)).message).toBe(
      'forbidden: User "bob" cannot get path "/foo"',
    )
    expect(failure(await kube.call('GET', '/version', undefined, { authorization: 'Bearer bad' }))).toEqual({
      message: 'Unauthorized',
      reason: 'Unauthorized',
      code: 401,
    })
  })

  it('may act as another only with verb impersonate', async () => {
    const asked: string[] = []
    const kube = fixture({
      authenticate: () => bob,
      authorize: ({ user, verb, resource, name }) => {
        asked.push(`${user.name} ${verb} ${resource} ${name}`.trim())
        return { allowed: verb !== 'impersonate' || name !== 'root', reason: '' }
      },
    })

    const allowed = await kube.call('GET', WIDGETS, undefined, {
      'impersonate-user': 'ann',
      'impersonate-group': ['devs', 'ops'],
    })
    const refused = await kube.call('GET', WIDGETS, undefined, { 'impersonate-user': 'root' })

    expect(allowed.status).toBe(200)
    expect(asked.slice(0, 4)).toEqual([
      'bob impersonate users ann',
      'bob impersonate groups devs',
      'bob impersonate groups ops',
      'ann list widgets',
    ])
    expect(failure(refused)).toMatchObject({
      code: 403,
      message:
        'users "root" is forbidden: User "bob" cannot impersonate resource "users" in API group "" at the cluster scope',
    })
  })

  it('passes the filters in their order', () => {
    expect(fixture().server.filters).toEqual([
      'panic',
      'request info',
      'timeout',
      'authentication',
      'audit',
      'impersonation',
      'in-flight limit',
      'authorization',
    ])
  })
})

describe('too much at once', () => {
  it('is 429 with Retry-After, for reads and writes apart', async () => {
    let release = (): void => {}
    const held = new Promise<void>((resolve) => (release = resolve))
    const kube = fixture({
      authenticate: () => ({ name: 'bob', groups: [] }),
      limits: { reads: 5, writes: 1 },
      admission: [{ name: 'slow', admit: () => held }],
    })
    const first = kube.call('POST', WIDGETS, widget('a'))
    await new Promise((resolve) => setImmediate(resolve))

    const second = await kube.call('POST', WIDGETS, widget('b'))
    const read = await kube.call('GET', WIDGETS)
    release()

    expect(second.status).toBe(429)
    expect(second.headers['retry-after']).toBe('1')
    expect(read.status).toBe(200)
    expect((await first).status).toBe(201)
    expect((await kube.call('POST', WIDGETS, widget('c'))).status).toBe(201)
  })
})

describe('a request that takes too long', () => {
  it('is 504 after a minute, and its work is told to stop', async () => {
    let signal: AbortSignal | undefined
    const kube = fixture({
      admission: [
        {
          name: 'stuck',
          admit({ context }) {
            signal = context.caller?.signal
            return new Promise(() => {})
          },
        },
      ],
    })
    const stuck = kube.call('POST', WIDGETS, widget('a'))
    await new Promise((resolve) => setImmediate(resolve))

    kube.clock.advance(60_000)

    expect(failure(await stuck)).toMatchObject({ reason: 'Timeout', code: 504 })
    expect(signal?.aborted).toBe(true)
  })
})
