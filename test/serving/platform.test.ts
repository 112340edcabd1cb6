/** The filters together: who gets in, what is told about it, and what the server tells about itself. */
import { Type } from 'typebox'
import { afterEach, describe, expect, it } from 'vitest'
import { type AuditEvent, type AuditLevel } from '../../src/serving/audit.js'
import { type Health } from '../../src/serving/health.js'
import { type Logger } from '../../src/serving/log.js'
import { type ApiGroup, route } from '../../src/serving/route.js'
import { expectRefusals } from './everyroute.js'
import { authorizer, type Harness, start } from './harness.js'

const things: ApiGroup = {
  root: '/kapis/test.kubesphere.io/v1',
  title: 'Things',
  errors: 'text',
  routes: [
    route({
      method: 'GET',
      path: '/workspaces/{workspace}/things/{thing}',
      summary: 'Get a thing.',
      access: 'authorized',
      query: Type.Object({ deep: Type.Optional(Type.Boolean({ description: 'All of it.' })) }),
      handle: ({ params }) => params,
    }),
    route({
      method: 'POST',
      path: '/things',
      summary: 'Make a thing.',
      access: 'authorized',
      body: Type.Object({ metadata: Type.Object({ name: Type.String() }) }),
      handle: ({ body }) => body,
    }),
  ],
}

/** Collects what is logged. */
function recorder() {
  const lines: { level: string; fields: Record<string, unknown>; message: string }[] = []
  const at = (level: string) => (fields: object, message: string) =>
    void lines.push({ level, fields: fields as Record<string, unknown>, message })
  const logger: Logger = { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
  return { lines, logger }
}

describe('the platform', () => {
  let platform: Harness
  afterEach(() => platform.close())

  it('refuses anonymous and powerless callers on every route that is not public', async () => {
    platform = await start({ groups: [things] })
    const { groups } = platform
    const walked = await expectRefusals(platform.port, groups, { Authorization: 'Bearer nobody' })
    expect(walked).toBe(groups.flatMap(({ routes }) => routes).length)
    expect(walked).toBeGreaterThan(8)
  })

  it.each([
    ['/healthz', 200],
    ['/livez', 200],
    ['/readyz', 200],
    ['/metrics', 200],
    ['/kapis/metrics', 200],
    ['/kapis/version', 200],
    ['/apidocs', 200],
    ['/apidocs/openapi.json', 403],
    ['/kapis/version/', 403],
    ['/kapis/clusters/host/version', 403],
    ['/oauth/../api/v1/secrets', 301],
    ['/oauth%2F..%2Fapi/v1/secrets', 301],
    ['/Healthz', 403],
    ['/healthz/x', 403],
    ['/healthz;x', 403],
    ['/version', 403],
  ])('answers anonymous GET %s with %i', async (path, status) => {
    platform = await start()
    expect((await platform.send('GET', path)).status).toBe(status)
  })

  describe('a Status answer', () => {
    const forbidden = async (headers: Record<string, string>, path = '/foo') => {
      platform = await start()
      return platform.send('GET', path, { user: 'bob', headers })
    }

    it('is compact JSON for programs', async () => {
      const answer = await forbidden({ Accept: 'application/json' })
      expect(answer.text).toBe(
        '{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"forbidden: User \\"bob\\" cannot GET path \\"/foo\\"","reason":"Forbidden","details":{},"code":403}\n',
      )
      expect(answer.headers).toMatchObject({
        'content-type': 'application/json',
        'x-content-type-options': 'nosniff',
      })
    })

    it.each([
      ['for curl', { 'User-Agent': 'curl/8.5' }, '/foo', true],
      ['for curl unless it says no', { 'User-Agent': 'curl/8.5' }, '/foo?pretty=false', false],
      ['on request', {}, '/foo?pretty=1', true],
      ['by parameter of Accept', { Accept: 'application/json; pretty=1' }, '/foo', true],
      ['when the type cannot be had', { Accept: 'text/html' }, '/foo', true],
    ])('is indented %s', async (_when, headers, path, pretty) => {
      const answer = await forbidden(headers, path)
      expect(answer.text.includes('\n  "kind": "Status"')).toBe(pretty)
      expect(answer.text.endsWith('}')).toBe(pretty)
    })

    it('is YAML or protobuf on request', async () => {
      const yaml = await forbidden({ Accept: 'application/yaml' })
      expect(yaml.headers['content-type']).toBe('application/yaml')
      expect(yaml.text).toContain('reason: Forbidden\n')
      await platform.close()
      const protobuf = await forbidden({ Accept: 'application/vnd.kubernetes.protobuf' })
      expect(protobuf.headers['content-type']).toBe('application/vnd.kubernetes.protobuf')
      expect(protobuf.text.startsWith('k8s\0')).toBe(true)
      expect(protobuf.text).toContain('Forbidden')
    })

    it('escapes what a browser could take for a page', async () => {
      const answer = await forbidden({}, '/%3Cscript%3E')
      expect(answer.text).not.toMatch(/[<>]/)
      expect(answer.json()).toMatchObject({
        message: 'forbidden: User "bob" cannot GET path "/&lt;script&gt;"',
      })
    })
  })

  it('adds the reason of the authorizer to the message', async () => {
    const reasoned = {
      ...authorizer,
      authorize: () => ({ allowed: false, reason: 'Everything is forbidden.' }),
    }
    platform = await start({ authorizer: reasoned })
    expect((await platform.send('GET', '/api/v1/namespaces/a/pods/p', { user: 'bob' })).json()).toMatchObject(
      {
        message:
          'pods "p" is forbidden: User "bob" cannot get resource "pods" in API group "" in the namespace "a": Everything is forbidden.',
        details: { name: 'p', kind: 'pods' },
      },
    )
  })

  it.each([
    ['nothing', undefined],
    ['a decision that does not say', { reason: '' }],
  ])('lets nobody pass on %s from the authorizer', async (_, decision) => {
    const silent = { ...authorizer, authorize: () => decision as never }
    platform = await start({ authorizer: silent })
    const { status } = await platform.send('GET', '/api/v1/namespaces/a/pods/p', { user: 'admin' })
    expect([403, 500]).toContain(status)
  })

  it('answers a path that ends after watch in the words of the original', async () => {
    platform = await start()
    const answer = await platform.send('GET', '/api/v1/watch', { user: 'admin' })
    expect(answer.status).toBe(500)
    expect(answer.text).toMatch(
      /^Internal Server Error: "\/api\/v1\/watch": failed to crate RequestInfo: .*\n$/,
    )
  })

  it('takes credentials that a host cluster has packed up, unless there are others', async () => {
    platform = await start()
    const status = async (headers: Record<string, string>) =>
      (await platform.send('GET', '/apidocs/openapi.json', { headers })).status
    expect(await status({ 'X-KubeSphere-Authorization': 'Bearer admin' })).toBe(200)
    expect(await status({ 'X-KubeSphere-Authorization': 'Bearer admin', Authorization: 'Bearer bad' })).toBe(
      401,
    )
  })

  it('logs one line per request, without secrets', async () => {
    const { lines, logger } = recorder()
    platform = await start({ logger })
    await platform.send('GET', '/kapis/version?access_token=abc&x=1', {
      headers: { 'X-Client-Ip': '10.0.0.7' },
    })
    await platform.send('GET', '/foo', { user: 'bob' })

    await expect.poll(() => lines.length).toBe(2)
    expect(lines[0]).toMatchObject({
      level: 'debug',
      message: 'request',
      fields: {
        ip: '10.0.0.7',
        method: 'GET',
        path: '/kapis/version',
        query: 'access_token=…&x=1',
        status: 200,
      },
    })
    expect(lines[1]).toMatchObject({ level: 'info', fields: { status: 403, user: 'bob' } })
    expect(lines[1]?.fields['requestId']).toBe(platform.seen[1]?.id)
  })

  it('answers 500 and logs once when a filter breaks', async () => {
    const { lines, logger } = recorder()
    const broken = { ...authorizer, authorize: () => Promise.reject(new Error('index is gone')) }
    platform = await start({ logger, authorizer: broken })
    const answer = await platform.send('GET', '/foo', { user: 'bob' })
    expect(answer).toMatchObject({ status: 500, text: 'Internal server error' })
    expect(lines.filter(({ level }) => level === 'error')).toHaveLength(1)
  })

  it('counts requests, and lets no refused one choose the labels', async () => {
    platform = await start({ groups: [things] })
    await platform.send('GET', '/kapis/test.kubesphere.io/v1/workspaces/w/things/t', { user: 'admin' })
    await platform.send('GET', '/kapis/evil.example/v1/junk', { user: 'bob' })
    const { text } = await platform.send('GET', '/kapis/metrics')
    expect(text).toContain(
      'ks_server_request_total{verb="get",group="test.kubesphere.io",version="v1",resource="things",code="200"} 1',
    )
    expect(text).toContain(
      'ks_server_request_total{verb="list",group="",version="",resource="",code="403"} 1',
    )
    expect(text).toContain('le="0.05",verb="get",group="test.kubesphere.io"')
    expect(text).not.toContain('evil')
  })

  describe('health', () => {
    const health = (fault?: string): Health => ({
      live: [],
      ready: [
        {
          name: 'informers',
          check() {
            if (fault !== undefined) throw new Error(fault)
          },
        },
      ],
      degraded: () => [{ name: 'group monitoring.kubesphere.io', reason: 'CRD "dashboards" is missing' }],
    })

    it('names what is degraded without being unready for it', async () => {
      platform = await start({ health: health() })
      expect(await platform.send('GET', '/readyz')).toMatchObject({ status: 200, text: 'ok' })
      expect((await platform.send('GET', '/readyz?verbose')).text).toBe(
        '[+]ping ok\n[+]informers ok\n[!]group monitoring.kubesphere.io degraded: CRD "dashboards" is missing\nreadyz check passed\n',
      )
    })

    it('is unready but alive when a check fails, and can leave a check out', async () => {
      platform = await start({ health: health('not\nsynced') })
      expect(await platform.send('GET', '/livez')).toMatchObject({ status: 200, text: 'ok' })
      expect(await platform.send('GET', '/healthz')).toMatchObject({
        status: 500,
        text: '[+]ping ok\n[-]informers failed: not synced\nhealthz check failed\n',
      })
      expect((await platform.send('GET', '/healthz?verbose&exclude=informers&exclude=x')).text).toBe(
        '[+]ping ok\n[+]informers excluded: ok\nwarn: some health checks cannot be excluded: no matches for "x"\nhealthz check passed\n',
      )
    })
  })

  it('documents every route', async () => {
    platform = await start({ groups: [things], documentation: { title: 'Orrery', version: '1.0.0' } })
    expect((await platform.send('GET', '/apidocs/openapi.json')).status).toBe(403)
    const answer = await platform.send('GET', '/apidocs/openapi.json', { user: 'bob' })
    const document = answer.json() as { info: object; paths: Record<string, Record<string, unknown>> }
    expect(document.info).toEqual({ title: 'Orrery', version: '1.0.0' })
    const operations = Object.values(document.paths).flatMap((methods) => Object.keys(methods))
    expect(operations).toHaveLength(platform.groups.flatMap(({ routes }) => routes).length)
    expect(
      document.paths['/kapis/test.kubesphere.io/v1/workspaces/{workspace}/things/{thing}']?.['get'],
    ).toMatchObject({
      summary: 'Get a thing.',
      parameters: [
        { name: 'workspace', in: 'path' },
        { name: 'thing', in: 'path' },
        { name: 'deep', in: 'query', required: false, description: 'All of it.' },
      ],
    })
    expect(
      new Set(
        Object.values(document.paths).flatMap((m) =>
          Object.values(m).map((o) => (o as { operationId: string }).operationId),
        ),
      ).size,
    ).toBe(operations.length)
  })

  it('shows a page that loads nothing from elsewhere', async () => {
    platform = await start()
    const page = await platform.send('GET', '/apidocs', { headers: { Accept: 'text/html,*/*;q=0.8' } })
    expect(page.headers['content-type']).toBe('text/html; charset=utf-8')
    expect(page.headers['content-security-policy']).toContain("default-src 'none'")
    expect(page.text).not.toMatch(/https?:\/\/|src=/)
  })

  describe('audit', () => {
    const auditing = async (level: AuditLevel, kubernetesAudited = false) => {
      const events: AuditEvent[] = []
      platform = await start({
        groups: [things],
        audit: [
          {
            sink: { accept: (event) => void events.push(event()) },
            level: () => level,
            kubernetesAudited: () => kubernetesAudited,
          },
        ],
      })
      return events
    }
    const create = (user: string) =>
      platform.send('POST', '/kapis/test.kubesphere.io/v1/things', {
        user,
        body: '{"metadata":{"name":"t1"}}',
        headers: { 'Content-Type': 'application/json' },
      })

    it('keeps both bodies at the highest level', async () => {
      const events = await auditing('RequestResponse')
      await create('admin')
      await expect.poll(() => events.length).toBe(1)
      expect(events[0]).toMatchObject({
        AuditID: platform.seen[0]?.id,
        Verb: 'create',
        ObjectRef: { Resource: 'things', Name: 't1' },
        RequestObject: { metadata: { name: 't1' } },
        ResponseObject: { metadata: { name: 't1' } },
        ResponseStatus: { code: 200 },
        User: { username: 'admin', groups: ['system:authenticated'] },
      })
    })

    it('keeps no body at the lowest, but the name of what was made', async () => {
      const events = await auditing('Metadata')
      await create('admin')
      await expect.poll(() => events.length).toBe(1)
      expect(events[0]).toMatchObject({
        RequestObject: null,
        ResponseObject: null,
        ObjectRef: { Name: 't1' },
      })
    })

    it('leaves out refused requests, dry runs of the Kubernetes API, and all of it when off', async () => {
      const events = await auditing('Metadata')
      await create('bob')
      await platform.send('DELETE', '/api/v1/namespaces/a/pods/b?dryRun=All', { user: 'admin' })
      await platform.send('DELETE', '/api/v1/namespaces/a/pods/b', { user: 'admin' })
      await expect.poll(() => events.length).toBe(1)
      expect(events[0]).toMatchObject({ Verb: 'delete', ResponseStatus: { code: 503 } })
    })

    it('is not escaped by calling a dry run what is none', async () => {
      const events = await auditing('Metadata')
      const pod = '/api/v1/namespaces/a/pods/b'
      const body = '{"kind":"DeleteOptions","apiVersion":"v1"}'
      const headers = { 'Content-Type': 'application/json', 'Content-Length': body.length }
      const options = { user: 'admin', body, headers }
      await platform.send('DELETE', `${pod}?dryRun=All`, options)
      await platform.send('POST', `${pod}/exec?command=id&dryRun=All`, { user: 'admin' })
      await platform.send('GET', `${pod}?dryRun=All`, { user: 'admin' })
      await platform.send('PUT', `${pod}?dryRun=`, { user: 'admin' })
      await platform.send('PUT', `${pod}?dryRun=%41ll`, { user: 'admin' })
      await platform.send('POST', '/api/v1/namespaces/a/pods', { user: 'admin' })

      await expect
        .poll(() => events.map(({ Verb }) => Verb))
        .toEqual(['delete', 'create', 'get', 'update', 'create'])
    })
  })

  describe('explain', () => {
    const ask = (user: string, question: object) =>
      platform.send('POST', '/kapis/explain.orrery.io/v1alpha1/explanations', {
        user,
        body: JSON.stringify(question),
        headers: { 'Content-Type': 'application/json' },
      })
    const outline = (explained: unknown) =>
      (explained as { steps: { filter: string; outcome: string }[] }).steps.map(
        ({ filter, outcome }) => `${filter}: ${outcome}`,
      )

    it('names the route that would serve an allowed caller, and runs nothing', async () => {
      platform = await start({ groups: [things] })
      const explained = await platform.handler.explain({
        method: 'GET',
        path: '/kapis/test.kubesphere.io/v1/workspaces/w/things/t',
        headers: { authorization: 'Bearer admin' },
      })
      expect(outline(explained)).toEqual([
        'request info: continues',
        'authentication: continues',
        'cluster dispatch: continues',
        'authorization: continues',
        'audit: continues',
        'kubernetes guard: continues',
        'kubernetes proxy: continues',
        'api groups: answers',
      ])
      expect(explained.steps[0]).toMatchObject({ detail: { resource: 'things', workspace: 'w' } })
      expect(explained.steps.at(-1)?.summary).toBe(
        'GET /kapis/test.kubesphere.io/v1/workspaces/{workspace}/things/{thing}: Get a thing.',
      )
    })

    it('says where and why a request ends', async () => {
      platform = await start({ groups: [things] })
      const last = async (path: string, authorization: string) => {
        const { steps } = await platform.handler.explain({ method: 'GET', path, headers: { authorization } })
        return steps.at(-1)
      }
      expect(await last('/foo', 'Bearer bob')).toMatchObject({
        filter: 'authorization',
        outcome: 'answers',
        summary: '403: forbidden: User "bob" cannot GET path "/foo" (no binding matches)',
      })
      expect(await last('/foo', 'Bearer bad')).toMatchObject({ filter: 'authentication' })
      expect(await last('//foo', 'Bearer admin')).toMatchObject({
        filter: 'request info',
        summary: '301 to /foo',
      })
      expect(await last('/%zz', 'Bearer admin')).toMatchObject({ filter: 'request info' })
      expect(await last('/api/v1/pods', 'Bearer admin')).toMatchObject({ filter: 'kubernetes proxy' })
      expect(await last('/nope', 'Bearer admin')).toMatchObject({ summary: 'no route: 404 or 405' })
    })

    it('answers administrators over HTTP, about themselves and others', async () => {
      platform = await start({
        groups: [things],
        identify: (name) => (name === 'carol' ? { name, groups: ['system:authenticated'] } : undefined),
      })
      const question = { method: 'GET', path: '/api/v1/pods' }
      expect(outline((await ask('admin', question)).json()).at(-1)).toBe('kubernetes proxy: answers')
      expect(outline((await ask('admin', { ...question, user: 'carol' })).json()).at(-1)).toBe(
        'authorization: answers',
      )
      expect(outline((await ask('admin', { ...question, user: 'system:anonymous' })).json()).at(-1)).toBe(
        'authorization: answers',
      )
      expect((await ask('admin', { ...question, user: 'ghost' })).status).toBe(400)
      expect((await ask('bob', question)).status).toBe(403)
    })
  })
})
