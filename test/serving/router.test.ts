/** What routes answer before, instead of and after their handlers. */
import { Type } from 'typebox'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { conflict, notFound } from '../../src/apimachinery/errors/index.js'
import { type ApiGroup, type ErrorForm, Reply, route } from '../../src/serving/route.js'
import { type Harness, start } from './harness.js'

const ROOT = '/kapis/test.kubesphere.io/v1'
const Thing = Type.Object({ name: Type.String(), count: Type.Optional(Type.Integer()) })

function failing(form: ErrorForm) {
  return route({
    method: 'GET',
    path: `/fails/${form}/{how}`,
    summary: 'Fail.',
    access: 'authorized',
    errors: form,
    handle({ params }) {
      if (params.how === 'panic') throw new TypeError('secret: /etc/shadow')
      throw notFound({ group: 'test.kubesphere.io', resource: 'things' }, params.how)
    },
  })
}

const groups: ApiGroup[] = [
  {
    root: ROOT,
    title: 'Things',
    errors: 'text',
    routes: [
      route({
        method: 'GET',
        path: '/things',
        summary: 'List things.',
        access: 'authorized',
        query: Type.Object({ limit: Type.Optional(Type.Integer()) }),
        handle: ({ query }) => ({ items: [], query: [...query] }),
      }),
      route({
        method: 'POST',
        path: '/things',
        summary: 'Make a thing.',
        access: 'authorized',
        body: Thing,
        handle: ({ body }) => body,
      }),
      route({
        method: 'GET',
        path: '/things/{thing}',
        summary: 'Get a thing.',
        access: 'authorized',
        handle: ({ params }) => params,
      }),
      route({
        method: 'PUT',
        path: '/things/{thing}',
        summary: 'Change a thing.',
        access: 'authorized',
        handle: () => {
          throw conflict({ group: '', resource: 'things' }, 'a', 'stale')
        },
      }),
      route({
        method: 'DELETE',
        path: '/things/{thing}',
        summary: 'Delete a thing.',
        access: 'authorized',
        handle: () => undefined,
      }),
      route({
        method: 'GET',
        path: '/things/special',
        summary: 'The special one.',
        access: 'authorized',
        handle: () => 'special',
      }),
      route({
        method: 'POST',
        path: '/forms',
        summary: 'Take a form.',
        access: 'authorized',
        consumes: ['application/x-www-form-urlencoded'],
        body: Type.Object({ a: Type.String() }),
        handle: ({ body }) => body,
      }),
      route({
        method: 'PUT',
        path: '/files/{path:*}',
        summary: 'Take anything.',
        access: 'authorized',
        consumes: ['*/*'],
        handle: ({ params, body }) =>
          new Reply(201, { 'Content-Type': 'application/octet-stream' }, [
            Buffer.from(params.path),
            body as Buffer,
          ]),
      }),
      route({
        method: 'GET',
        path: '/namespaces/{namespace}/things',
        summary: 'List the things of a namespace.',
        access: 'authorized',
        handle: ({ params, info }) => [params.namespace, info.namespace],
      }),
      ...(['text', 'message', 'status', 'oauth'] as const).map(failing),
    ],
  },
  {
    root: `${ROOT}/deeper`,
    title: 'Deeper',
    errors: 'text',
    routes: [route({ method: 'GET', path: '/x', summary: 'X.', access: 'authorized', handle: () => 'x' })],
  },
]

describe('routes', () => {
  let platform: Harness
  beforeAll(async () => {
    platform = await start({ groups, bodyLimits: { limitBytes: 64 * 1024, timeoutMs: 200 } })
  })
  afterAll(() => platform.close())

  const send = (method: string, path: string, body?: string | Buffer, headers = {}) =>
    platform.send(method, path.startsWith('/') ? path : `${ROOT}/${path}`, {
      user: 'admin',
      headers: { ...(body !== undefined && { 'Content-Type': 'application/json' }), ...headers },
      ...(body !== undefined && { body }),
    })

  it.each([
    ['/nope', '404 page not found\n'],
    ['/', '404 page not found\n'],
    ['/version', '404 page not found\n'],
    ['/KAPIS/version', '404 page not found\n'],
    ['/kapis/', '404: Page Not Found'],
    ['/oauth/nope', '404: Page Not Found'],
    [`${ROOT}/nope`, '404: Page Not Found'],
    [`${ROOT}/deeper/things`, '404: Page Not Found'],
    [`${ROOT}/files/`, '404: Page Not Found'],
    ['/kapis/clusters/host/version', '404: Page Not Found'],
    ['/clusters/host/kapis/version', '404 page not found\n'],
    ['/kapis/Version', '404: Page Not Found'],
    ['/kapis/version;x', '404: Page Not Found'],
  ])('answers 404 for %s', async (path, text) => {
    const answer = await send('GET', path)
    expect(answer).toMatchObject({ status: 404, text })
    expect(answer.headers['content-type']).toBe('text/plain; charset=utf-8')
  })

  it.each(['HEAD', 'OPTIONS', 'TRACE', 'PATCH'])('answers 405 with Allow to %s', async (method) => {
    const answer = await send(method, 'things')
    expect(answer.status).toBe(405)
    expect(answer.headers.allow).toBe('POST, GET')
    expect(answer.text).toBe(method === 'HEAD' ? '' : '405: Method Not Allowed')
    expect((await send(method, 'things/a')).headers.allow).toBe('DELETE, PUT, GET')
  })

  it('sends a client with an unclean path to the clean one', async () => {
    const answer = await send('GET', '//kapis/version')
    expect(answer).toMatchObject({ status: 301, text: '<a href="/kapis/version">Moved Permanently</a>.\n\n' })
    expect(answer.headers).toMatchObject({
      location: '/kapis/version',
      'content-type': 'text/html; charset=utf-8',
    })
  })

  it('ignores a slash at the end, also an escaped one', async () => {
    expect((await send('GET', '/kapis/version/')).status).toBe(200)
    expect((await send('GET', '/kapis/version%2F')).status).toBe(200)
  })

  it('prefers literal segments and decodes parameters once', async () => {
    expect((await send('GET', 'things/special')).json()).toBe('special')
    expect((await send('GET', 'things/a%20b%2541')).json()).toEqual({ thing: 'a b%41' })
    expect((await send('GET', `things/${'x'.repeat(253)}`)).status).toBe(200)
  })

  it.each([
    ['application/xml', 406],
    ['text/html', 406],
    ['application/yaml', 406],
    ['*/*', 200],
    ['application/*', 200],
    ['text/html, application/json;q=0.5', 200],
  ])('answers Accept: %s with %i', async (accept, status) => {
    const answer = await send('GET', 'things', undefined, { Accept: accept })
    expect(answer.status).toBe(status)
    if (status === 406) {
      expect(answer.text).toBe('406: Not Acceptable\n\nAvailable representations: application/json')
    }
  })

  it('checks query parameters that have a type', async () => {
    expect((await send('GET', 'things?limit=10&other=1')).json()).toMatchObject({
      query: [
        ['limit', '10'],
        ['other', '1'],
      ],
    })
    const answer = await send('GET', 'things?limit=ten')
    expect(answer).toMatchObject({ status: 400, text: 'query.limit must be integer\n' })
  })

  it('reads JSON whatever its parameters, and answers compact JSON', async () => {
    const answer = await send('POST', 'things', '{"name": "a"}', {
      'Content-Type': 'application/json; charset=utf-8',
    })
    expect(answer).toMatchObject({ status: 200, text: '{"name":"a"}' })
    expect(answer.headers['content-type']).toBe('application/json')
  })

  it.each<[string, string | Buffer, object, number, string]>([
    ['truncated JSON', '{"name":', {}, 400, 'unexpected EOF\n'],
    ['no body', '', {}, 400, 'EOF\n'],
    ['wrong JSON', 'nope', {}, 400, "invalid character 'o' in literal null (expecting 'u')\n"],
    [
      'invalid UTF-8',
      Buffer.from('7b226e616d65223a22ff227d', 'hex'),
      {},
      400,
      'the body is not valid UTF-8\n',
    ],
    ['a wrong type', '{"name":1}', {}, 400, 'body.name must be string\n'],
    [
      'another content type',
      'a=b',
      { 'Content-Type': 'application/x-www-form-urlencoded' },
      400,
      '[ServiceError:400] Unable to unmarshal content of type:application/x-www-form-urlencoded\n',
    ],
    [
      'a compressed body',
      'x',
      { 'Content-Encoding': 'gzip' },
      415,
      'Content-Encoding gzip is not supported\n',
    ],
    ['4 MiB', Buffer.alloc(4 * 1024 * 1024, 0x20), {}, 413, 'Request entity too large: limit is 65536\n'],
    [
      '4 MiB in chunks',
      Buffer.alloc(4 * 1024 * 1024, 0x20),
      { 'Transfer-Encoding': 'chunked' },
      413,
      'Request entity too large: limit is 65536\n',
    ],
  ])('refuses %s', async (_what, body, headers, status, text) => {
    const answer = await send('POST', 'things', body, headers).catch((error: unknown) => error)
    // A client that is still sending may see the connection break instead of the answer.
    if (answer instanceof Error && status === 413) return
    expect(answer).toMatchObject({ status, text })
  })

  it('keeps __proto__ in a body from meaning anything', async () => {
    await send('POST', 'things', '{"name":"a","__proto__":{"polluted":1}}')
    expect(({} as { polluted?: number }).polluted).toBeUndefined()
  })

  it('answers 408 when the body does not come', async () => {
    const text = await platform.raw(
      `POST ${ROOT}/things HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer admin\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"na`,
    )
    expect(text).toMatch(/^HTTP\/1\.1 408 /)
    expect(text).toContain('did not arrive within 0.2 s')
  })

  it('reads a form where the route takes one, and nothing else there', async () => {
    const form = { 'Content-Type': 'application/x-www-form-urlencoded' }
    expect((await send('POST', 'forms', 'a=b%26', form)).json()).toEqual({ a: 'b&' })
    expect(await send('POST', 'forms', '{}')).toMatchObject({
      status: 415,
      text: '415: Unsupported Media Type',
    })
    expect(await send('POST', 'forms')).toMatchObject({
      status: 406,
      text: '406: Not Acceptable\n\nAvailable representations: ',
    })
  })

  it('hands over raw bytes and the rest of a path', async () => {
    const answer = await send('PUT', 'files/a/b', Buffer.from([0, 255]), { 'Content-Type': 'image/png' })
    expect(answer.status).toBe(201)
    expect(answer.text.startsWith('a/b\0')).toBe(true)
    expect(answer.headers['content-length']).toBe('5')
  })

  it('answers nothing with an empty 200', async () => {
    expect(await send('DELETE', 'things/a')).toMatchObject({ status: 200, text: '' })
  })

  it('escapes a message for browsers in its text form', async () => {
    const answer = await send('GET', 'fails/text/%3Cscript%3E%26')
    expect(answer.text).toBe('things.test.kubesphere.io "&lt;script&gt;&amp;" not found\n')
    expect(answer.headers).toMatchObject({
      'content-type': 'text/plain; charset=utf-8',
      'x-content-type-options': 'nosniff',
    })
  })

  it('answers errors in the form of the route', async () => {
    const message = 'things.test.kubesphere.io "x" not found'
    expect((await send('GET', 'fails/message/x')).json()).toEqual({ message })
    expect((await send('GET', 'fails/oauth/x')).json()).toEqual({
      error: 'invalid_request',
      error_description: message,
    })
    expect((await send('GET', 'fails/status/x')).json()).toMatchObject({
      kind: 'Status',
      reason: 'NotFound',
      code: 404,
    })
  })

  it.each(['text', 'message', 'status', 'oauth'])(
    'tells nothing of an unexpected error as %s',
    async (form) => {
      const answer = await send('GET', `fails/${form}/panic`)
      expect(answer.status).toBe(500)
      expect(answer.text).toContain('Internal server error')
      expect(answer.text).not.toContain('shadow')
    },
  )

  it('refuses an upgrade of a route that knows none', async () => {
    const text = await platform.raw(
      `GET ${ROOT}/things HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer admin\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`,
    )
    expect(text).toMatch(/^HTTP\/1\.1 400 /)
  })

  it('passes over an offer of HTTP/2', async () => {
    const text = await platform.raw(
      `GET ${ROOT}/things HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer admin\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n\r\n`,
    )
    expect(text).toMatch(/^HTTP\/1\.1 200 /)
  })

  it('gives every answer the id of its request', async () => {
    const answer = await send('GET', 'things')
    expect(answer.headers['audit-id']).toBe(platform.seen.at(-1)?.id)
  })
})

describe('declaring routes', () => {
  const one = (path: string, access: 'authorized' | 'public' = 'authorized') =>
    route({ method: 'GET', path, summary: 'X.', access, handle: () => undefined })
  const serve = (root: string, ...routes: ReturnType<typeof one>[]) =>
    start({ groups: [{ root, title: 'X', errors: 'text', routes }] })

  it('refuses two of the same', async () => {
    await expect(serve(ROOT, one('/a/{b}'), one('/a/{c}'))).rejects.toThrow()
  })

  it('refuses a path it cannot read', async () => {
    await expect(serve(ROOT, one('/a/b{c}'))).rejects.toThrow('a parameter must be a whole segment')
    await expect(serve(ROOT, one('/{a:*}/b'))).rejects.toThrow('must come last')
  })

  it('refuses an access that the path rules do not give', async () => {
    await expect(serve(ROOT, one('/a', 'public'))).rejects.toThrow(
      'declares access public, but is authorized',
    )
    await expect(serve('/oauth', one('/a'))).rejects.toThrow('declares access authorized, but is public')
  })
})
