import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { LiteralInformers } from '../../test/fixtures/informers.js'
import { type AuditEvent } from '../serving/audit.js'
import { type RequestInfo } from '../serving/requestinfo.types.js'
import { archived } from './archive.js'
import { devopsLookup } from './devops.js'
import { AuditFile } from './file.js'
import { AuditPolicy } from './policy.js'
import { AuditWebhook } from './webhook.js'

const EVENT = {
  AuditID: 'b0c1',
  Workspace: '',
  User: { username: 'ann', groups: ['ops'] },
  ObjectRef: { Namespace: '', Name: 'x' },
} as unknown as AuditEvent
const NEVER = new AbortController().signal
const request = (verb: string, isResourceRequest = true): RequestInfo =>
  ({ verb, isResourceRequest }) as RequestInfo

describe('what is recorded', () => {
  const WEBHOOKS = { group: 'auditing.kubesphere.io', version: 'v1alpha1', resource: 'webhooks' }
  const policyWith = (spec?: object): AuditPolicy => {
    const informers = new LiteralInformers()
    const policy = new AuditPolicy(informers)
    expect(policy.level()).toBe('None')
    if (spec) {
      const object = { metadata: { name: 'kube-auditing-webhook' }, spec }
      informers.informer(WEBHOOKS).put(object)
    }
    return policy
  }

  it('is what the Webhook object says, as soon as it says so', () => {
    const policy = policyWith({ auditLevel: 'RequestResponse', k8sAuditingEnabled: true })

    expect(policy.level()).toBe('RequestResponse')
    expect(policy.archivedLevel(request('delete'))).toBe('RequestResponse')
    expect(policy.kubernetesAudited).toBe(true)
  })

  it('is nothing at the level None, and at a word that is no level', () => {
    for (const auditLevel of ['None', 'Everything', 5]) {
      expect(policyWith({ auditLevel }).level()).toBe('None')
      expect(policyWith({ auditLevel }).archivedLevel(request('delete'))).toBe('None')
    }
  })

  it('without the object is who wrote what, for the archive alone', () => {
    const policy = policyWith()

    expect(policy.level()).toBe('None')
    expect(policy.archivedLevel(request('create'))).toBe('Metadata')
    expect(policy.archivedLevel(request('post', false))).toBe('None')
  })

  it('leaves what only looks out of the archive', () => {
    const policy = policyWith({ auditLevel: 'Metadata' })

    for (const verb of ['get', 'list', 'watch']) expect(policy.archivedLevel(request(verb))).toBe('None')
    expect(policy.level()).toBe('Metadata')
  })
})

describe('the DevOps project of a request', () => {
  it('is found by its namespace, and by its name', () => {
    const informers = new LiteralInformers()
    const lookup = devopsLookup(informers)
    informers
      .informer({ group: 'devops.kubesphere.io', version: 'v1alpha3', resource: 'devopsprojects' })
      .put({
        metadata: { name: 'ci', labels: { 'kubesphere.io/workspace': 'blue' } },
        status: { adminNamespace: 'ci-x7k' },
      })

    expect(lookup('ci-x7k')).toEqual({ name: 'ci', workspace: 'blue' })
    expect(lookup('ci')).toEqual({ name: 'ci', workspace: 'blue' })
    expect(lookup('other')).toBeUndefined()
  })
})

describe('the receiver of the webhook', () => {
  let server: Server
  let url: string
  let status = 200
  const bodies: string[] = []

  beforeEach(async () => {
    bodies.length = 0
    server = createServer((incoming, response) => {
      let body = ''
      incoming.on('data', (chunk: Buffer) => (body += chunk.toString()))
      incoming.on('end', () => {
        bodies.push(`${incoming.headers['content-type']} ${body}`)
        response.writeHead(status).end()
      })
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/audit/webhook/event`
  })
  afterEach(() => new Promise((resolve) => server.close(resolve)))

  it('is sent the items of a batch, and has taken them when it answers 200', async () => {
    status = 200
    const webhook = new AuditWebhook(url, 1)

    await webhook.deliver([EVENT, EVENT], NEVER)

    expect(bodies).toEqual([`application/json ${JSON.stringify({ Items: [EVENT, EVENT] })}`])
    status = 202
    await expect(webhook.deliver([EVENT], NEVER)).rejects.toThrow('answered 202')
    webhook.close()
  })

  it('that is not there loses the batch', async () => {
    const webhook = new AuditWebhook('http://127.0.0.1:1/', 1)
    await expect(webhook.deliver([EVENT], NEVER)).rejects.toThrow('ECONNREFUSED')
    webhook.close()
  })
})

it('is one JSON text a line in the file, for its owner alone', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'orrery-audit-'))
  const path = join(directory, 'audit.log')
  const file = new AuditFile(path)

  await file.deliver([EVENT])
  await file.deliver([EVENT, EVENT])

  expect(
    readFileSync(path, 'utf8')
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as object),
  ).toEqual([EVENT, EVENT, EVENT])
  expect(statSync(path).mode & 0o777).toBe(0o600)
  rmSync(directory, { recursive: true })
})

it('has keys of the user in the archive that clients search for', () => {
  expect(archived(EVENT)).toMatchObject({
    User: { Username: 'ann', Groups: ['ops'] },
    Workspace: '',
    ObjectRef: { Namespace: '' },
  })
})
