import { describe, expect, it } from 'vitest'
import { auditEvent, type AuditFacts, auditLevel, type AuditEvent } from './audit.js'
import { AuditQueue } from './auditqueue.js'
import { SILENT } from './log.js'
import { NO_INFO } from './requestinfo.js'

const facts: AuditFacts = {
  id: 'b0c1',
  level: 'RequestResponse',
  info: {
    ...NO_INFO,
    path: '/kapis/tenant.kubesphere.io/v1alpha2/workspaces',
    verb: 'create',
    isResourceRequest: true,
    apiGroup: 'tenant.kubesphere.io',
    apiVersion: 'v1alpha2',
    resource: 'workspaces',
    resourceScope: 'Cluster',
    workspace: 'ws1',
    sourceIP: '10.0.0.7',
    userAgent: 'curl/8',
  },
  user: { name: 'admin', groups: ['system:authenticated'] },
  status: 200,
  receivedAt: new Date('2026-01-02T03:04:05.123Z'),
  completedAt: new Date('2026-01-02T03:04:05.223Z'),
  requestBody: Buffer.from('{"metadata":{"name":"ws9"}}'),
  responseBody: Buffer.from('{"metadata":{"name":"ws9"}}'),
}

describe('an audit event', () => {
  it('has the keys that the backend has always been sent', () => {
    expect(auditEvent(facts)).toEqual({
      Devops: '',
      Workspace: 'ws1',
      Cluster: '',
      Message: '',
      Level: 'RequestResponse',
      AuditID: 'b0c1',
      Stage: 'ResponseComplete',
      RequestURI: '/kapis/tenant.kubesphere.io/v1alpha2/workspaces',
      Verb: 'create',
      User: { username: 'admin', groups: ['system:authenticated'] },
      ImpersonatedUser: null,
      SourceIPs: ['10.0.0.7'],
      UserAgent: 'curl/8',
      ObjectRef: {
        Resource: 'workspaces',
        Namespace: '',
        Name: 'ws9',
        UID: '',
        APIGroup: 'tenant.kubesphere.io',
        APIVersion: 'v1alpha2',
        ResourceVersion: 'Cluster',
        Subresource: '',
      },
      ResponseStatus: { metadata: {}, code: 200 },
      RequestObject: { metadata: { name: 'ws9' } },
      ResponseObject: { metadata: { name: 'ws9' } },
      RequestReceivedTimestamp: '2026-01-02T03:04:05.123000Z',
      StageTimestamp: '2026-01-02T03:04:05.223000Z',
      Annotations: null,
    })
  })

  it('names the client that the first proxy has seen', () => {
    const info = { ...facts.info, sourceIP: '10.0.0.7, 172.16.0.1' }
    expect(auditEvent({ ...facts, info }).SourceIPs).toEqual(['10.0.0.7'])
  })

  it('holds bodies only from the level on that asks for them, and only JSON', () => {
    expect(auditEvent({ ...facts, level: 'Request' })).toMatchObject({
      ResponseObject: null,
      RequestObject: {},
    })
    expect(auditEvent({ ...facts, level: 'Metadata' })).toMatchObject({ RequestObject: null })
    expect(auditEvent({ ...facts, responseBody: Buffer.from('<p>') }).ResponseObject).toBeNull()
  })

  it.each([
    ['users', { spec: { password: 'P@88w0rd', email: 'a@b.c' } }],
    ['users', { password: 'P@88w0rd', currentPassword: 'P@88w0rd' }],
    ['users', [{ op: 'replace', path: '/spec/password', value: 'P@88w0rd' }]],
    ['users', [{ op: 'replace', path: '/spec', value: { password: 'P@88w0rd' } }]],
    ['users', { items: [{ spec: { password: 'P@88w0rd' } }] }],
    ['secrets', { data: { key: 'P@88w0rd' }, stringData: { a: 'P@88w0rd' } }],
    ['secrets', [{ op: 'add', path: '/data/key', value: 'P@88w0rd' }]],
    [
      'registrysecrets',
      { type: 'kubernetes.io/dockerconfigjson', data: { '.dockerconfigjson': 'P@88w0rd' } },
    ],
    ['receivers', { spec: { slack: { slackTokenSecret: { value: 'P@88w0rd' } } } }],
    ['receivers', { spec: { discord: { webhook: { value: 'https://discord.example/P@88w0rd' } } } }],
    ['configs', { spec: { sms: { providers: { aliyun: { accessKeySecret: { value: 'P@88w0rd' } } } } } }],
    ['deployments', { spec: { containers: [{ env: [{ name: 'DB_PASSWORD', value: 'P@88w0rd' }] }] } }],
    ['helmrepos', { spec: { credential: { username: 'u', secretAccessKey: 'P@88w0rd' } } }],
    ['serviceaccounts', { kind: 'TokenRequest', status: { token: 'P@88w0rd' } }],
    ['clusters', { spec: { connection: { kubeconfig: 'P@88w0rd', type: 'direct' } } }],
    [
      'users',
      { metadata: { annotations: { 'kubectl.kubernetes.io/last-applied-configuration': '"P@88w0rd"' } } },
    ],
  ])('of %s holds no secret that is in a body', (resource, body) => {
    const bytes = Buffer.from(JSON.stringify(body))
    const info = { ...facts.info, resource }
    const event = auditEvent({ ...facts, info, requestBody: bytes, responseBody: bytes })

    expect(event.RequestObject).not.toBeNull()
    expect(JSON.stringify(event)).not.toContain('P@88w0rd')
  })

  it('of a body that is nested deeper than any object is made all the same', () => {
    const requestBody = Buffer.from(`{"a":${'['.repeat(100_000)}${']'.repeat(100_000)}}`)

    expect(JSON.stringify(auditEvent({ ...facts, requestBody }).RequestObject)).toContain('(not kept)')
  })

  it('of secrets below a user holds none, even where the body does not say that it is one', () => {
    const info = { ...facts.info, resource: 'users', subresource: 'secrets' }
    const requestBody = Buffer.from(
      JSON.stringify({ data: { password: 'UEA4OHcwcmQ=', other: 'UEA4OHcwcmQ=' } }),
    )

    expect(auditEvent({ ...facts, info, requestBody }).RequestObject).toEqual({
      data: { password: '(not kept)', other: '(not kept)' },
    })
  })

  it('of a body that could not be read does not quote it', () => {
    const message = `Object 'Kind' is missing in '{"spec":{"password":"P@88w0rd"}}'`
    const responseBody = Buffer.from(JSON.stringify({ kind: 'Status', status: 'Failure', message }))

    expect(auditEvent({ ...facts, responseBody }).ResponseObject).toMatchObject({
      message: "Object 'Kind' is missing in '(not kept)'",
    })
  })

  it('keeps names that are no secrets, and settings about them', () => {
    const body = {
      metadata: { name: 'db-password', labels: { token: '' } },
      spec: { automountServiceAccountToken: false, env: [{ name: 'LEVEL', value: 'debug' }] },
    }
    const requestBody = Buffer.from(JSON.stringify(body))
    expect(auditEvent({ ...facts, requestBody }).RequestObject).toEqual(body)
  })

  it('keeps what is no secret, and says that there was one', () => {
    const requestBody = Buffer.from(
      JSON.stringify({ spec: { password: 'x', email: 'a@b.c' }, metadata: { name: 'n' } }),
    )
    expect(auditEvent({ ...facts, requestBody }).RequestObject).toEqual({
      spec: { password: '(not kept)', email: 'a@b.c' },
      metadata: { name: 'n' },
    })
  })

  it.each([
    ['Active', 'enable'],
    ['Disabled', 'disable'],
    ['Other', 'update'],
  ])('calls an update of a user to %s by the name %s', (state, verb) => {
    const info = { ...facts.info, verb: 'update', resource: 'users' }
    const requestBody = Buffer.from(JSON.stringify({ status: { state } }))
    expect(auditEvent({ ...facts, info, requestBody }).Verb).toBe(verb)
  })

  it('takes name and workspace of a DevOps project from the project', () => {
    const info = { ...facts.info, devops: 'p1xyz', workspace: '' }
    const project = { name: 'p1', workspace: 'ws3' }
    expect(auditEvent({ ...facts, info, project })).toMatchObject({ Devops: 'p1', Workspace: 'ws3' })
  })

  it('ranks an unknown level as None', () => {
    expect(auditLevel('Everything')).toBe('None')
    expect(auditLevel(undefined)).toBe('None')
    expect(auditLevel('Request')).toBe('Request')
  })
})

describe('the audit queue', () => {
  const event = (): AuditEvent => auditEvent(facts)

  it('sends in batches, and drops what is beyond its capacity at once', async () => {
    const batches: number[] = []
    let release = (): void => undefined
    const queue = new AuditQueue({
      deliver(batch: readonly AuditEvent[]) {
        batches.push(batch.length)
        return new Promise((resolve) => (release = resolve))
      },
      logger: SILENT,
      capacity: 5,
      batchSize: 2,
    })

    for (let i = 0; i < 10; i++) queue.accept(event)
    expect(batches).toEqual([2])
    expect(queue.counts.dropped).toBe(3)

    const closed = queue.close()
    for (let i = 0; i < 100; i++) {
      release()
      await Promise.resolve()
    }
    await closed
    expect(batches).toEqual([2, 2, 2, 1])
  })

  it('loses a batch that cannot be sent, says so, and goes on', async () => {
    const lost: object[] = []
    let calls = 0
    const queue = new AuditQueue({
      deliver: () => (++calls === 1 ? Promise.reject(new Error('down')) : Promise.resolve()),
      logger: { ...SILENT, warn: (fields) => void lost.push(fields) },
      batchSize: 1,
    })
    queue.accept(event)
    queue.accept(event)
    await queue.close()
    expect(calls).toBe(2)
    expect(lost).toMatchObject([{ events: 1 }])
    queue.accept(event)
    expect(queue.counts).toEqual({ delivered: 1, dropped: 1, failed: 1 })
  })
  it('holds no more bodies than its bound, and has room again when they are sent', async () => {
    let release = (): void => undefined
    const queue = new AuditQueue({
      deliver: () => new Promise((resolve) => (release = resolve)),
      logger: SILENT,
      capacityBytes: 1_000,
      batchSize: 1,
    })

    queue.accept(event, 600)
    queue.accept(event, 600)
    expect(queue.counts.dropped).toBe(1)

    release()
    await expect.poll(() => queue.counts.delivered).toBe(1)
    queue.accept(event, 600)
    expect(queue.counts.dropped).toBe(1)
    release()
    await queue.close()
  })

  it('sends several batches at once where it may, and waits for a dead backend no longer than it must', async () => {
    let under = 0
    const queue = new AuditQueue({
      deliver: (_, signal) => {
        under++
        return new Promise((_resolve, reject) =>
          signal.addEventListener('abort', () => reject(signal.reason as Error)),
        )
      },
      logger: SILENT,
      batchSize: 1,
      senders: 3,
      closingMs: 10,
    })
    for (let i = 0; i < 5; i++) queue.accept(event)
    expect(under).toBe(3)

    await queue.close()

    expect(queue.counts).toEqual({ delivered: 0, dropped: 2, failed: 3 })
  })
})
