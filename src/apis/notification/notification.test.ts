import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { type Client, type Product, startProduct } from '../../../test/fixtures/product.js'

const V1 = '/kapis/notification.kubesphere.io/v2beta1'
const V2 = '/kapis/notification.kubesphere.io/v2beta2'
const KUBE = '/apis/notification.kubesphere.io/v2beta2'

interface Item {
  metadata: { name: string; labels: Record<string, string> }
  spec: object
}

let product: Product
let admin: Client
let alice: Client
let bob: Client

beforeAll(async () => {
  product = await startProduct()
  admin = await product.as('admin')
  for (const name of ['alice', 'bob']) {
    const user = { metadata: { name }, spec: { email: `${name}@example.com`, password: 'P@88w0rd' } }
    expect((await admin.post('/kapis/iam.kubesphere.io/v1alpha2/users', user)).status).toBe(200)
  }
  alice = await product.as('alice')
  bob = await product.as('bob')
}, 60_000)

afterAll(() => product.close())

const receiver = (name: string, spec: object = { email: { to: ['a@example.com'] } }, labels = {}) => ({
  metadata: { name, labels },
  spec,
})

describe('notification objects', () => {
  it('belong to everybody, or to the user of the path, whatever their labels say', async () => {
    const config = await admin.post(`${V1}/configs`, { metadata: { name: 'c1' }, spec: {} })
    const everybody = await admin.post(
      `${V1}/receivers`,
      receiver('r1', undefined, { type: 'x', user: 'bob' }),
    )
    const own = await alice.post(
      `${V2}/users/alice/receivers`,
      receiver('r2', undefined, { user: 'bob', a: 'b' }),
    )

    expect(config.json.metadata.labels).toEqual({ type: 'default' })
    expect(everybody.json.metadata.labels.type).toBe('global')
    expect(own.json.metadata.labels).toEqual({ type: 'tenant', user: 'alice', a: 'b' })
  })

  it('answer as clients know it when there are none, and when a request cannot be met', async () => {
    const empty = await bob.get(`${V1}/users/bob/configs`)
    const stored = (await admin.post(`${V1}/receivers`, receiver('stale'))).json
    await admin.put(`${V1}/receivers/stale`, { ...stored, spec: { email: { to: ['b@example.com'] } } })
    const stale = await admin.put(`${V1}/receivers/stale`, stored)

    expect([empty.status, empty.json.totalItems]).toEqual([200, 0])
    expect((await admin.get(`${V1}/receivers/nosuch`)).status).toBe(404)
    expect(stale.status).toBe(409)
    const unknown = await admin.get(`${V1}/receivers?type=sms`)
    expect([unknown.status, unknown.text.trim()]).toEqual([400, 'unknown resource type receivers/sms'])
    expect((await admin.delete(`${V1}/receivers/stale`)).json).toEqual({ message: 'success' })
  })

  it('of a user are no one else’s to read, change or delete', async () => {
    await alice.post(`${V2}/users/alice/receivers`, receiver('private'))

    expect((await bob.get(`${V2}/users/alice/receivers`)).status).toBe(403)
    for (const answer of [
      await bob.get(`${V2}/users/bob/receivers/private`),
      await bob.put(`${V2}/users/bob/receivers/private`, receiver('private')),
      await bob.patch(`${V2}/users/bob/receivers/private`, { metadata: { labels: { user: 'bob' } } }),
      await bob.delete(`${V2}/users/bob/receivers/private`),
    ]) {
      expect(answer.status).toBe(400)
      expect(answer.text).toContain("user 'bob' is not the owner of object")
    }
    expect((await bob.get(`${V2}/users/bob/receivers`)).json.items).toEqual([])
    expect((await admin.get(`${V2}/receivers/private`)).text).toContain('object is not a global object')
  })

  it('cannot be made everybody’s by a patch, or by taking the labels away', async () => {
    await alice.post(`${V2}/users/alice/silences`, {
      metadata: { name: 'quiet' },
      spec: { matcher: { matchLabels: { a: 'b' } } },
    })

    for (const labels of [{ type: 'global', user: null }, null]) {
      const { json } = await alice.patch(`${V2}/users/alice/silences/quiet`, { metadata: { labels } })
      expect(json.metadata.labels).toEqual({ type: 'tenant', user: 'alice' })
    }
  })

  it('are not written under another name than that of the path', async () => {
    await admin.post(`${V2}/receivers`, receiver('one'))
    await alice.post(`${V2}/users/alice/receivers`, receiver('two'))

    for (const root of [V1, V2]) {
      const answer = await admin.put(`${root}/receivers/one`, receiver('two'))
      expect([answer.status, answer.text.trim()]).toEqual([
        400,
        'incorrcet parameter, resource name is not equal to the name in body',
      ])
    }
  })

  it('are shown by channel, and counted before they are paged', async () => {
    const both = { email: { to: ['a@example.com'] }, slack: { channels: ['ops'] } }
    for (const name of ['b1', 'b2', 'b3']) await bob.post(`${V2}/users/bob/receivers`, receiver(name, both))
    const path = `${V2}/users/bob/receivers`

    const page = await bob.get(`${path}?type=slack&limit=2&sortBy=name&ascending=true`)

    expect(page.json.totalItems).toBe(3)
    expect(page.json.items.map((item: Item) => [item.metadata.name, item.spec])).toEqual([
      ['b1', { slack: { channels: ['ops'] } }],
      ['b2', { slack: { channels: ['ops'] } }],
    ])
    expect((await bob.get(`${path}/b1?type=wechat`)).status).toBe(404)
    expect((await bob.get(`${path}?type=sms`)).text.trim()).toBe('unknown resource type receivers/sms')
  })

  it('do not leak to a selector that cannot be read', async () => {
    const { json } = await bob.get(`${V2}/users/bob/receivers?labelSelector=${encodeURIComponent('a in (')}`)

    expect(json.items.every((item: Item) => item.metadata.labels.user === 'bob')).toBe(true)
  })

  it('are the same objects in both versions', async () => {
    const ref = { name: 's', key: 'token' }
    await admin.post(`${V1}/configs`, {
      metadata: { name: 'conv' },
      spec: { slack: { slackTokenSecret: ref } },
    })

    const newer = await admin.get(`${V2}/configs/conv`)
    const older = await admin.get(`${V1}/configs/conv`)

    expect(newer.json.spec).toEqual({ slack: { slackTokenSecret: { valueFrom: { secretKeyRef: ref } } } })
    expect(older.json.spec).toEqual({ slack: { slackTokenSecret: ref } })
  })

  it('are refused when no message could be sent with them', async () => {
    const cases: [object, string][] = [
      [{ webhook: { url: 'http://x', service: { name: 'a', namespace: 'b' } } }, 'one of: url or service'],
      [{ wechat: {} }, 'one of: toUser, toParty, toTag or chatbot'],
      [{ email: { to: [] } }, 'spec.email.to'],
      [{ email: { to: ['a@b.c'], tmplType: 'pdf' } }, 'spec.email.tmplType'],
      [{ discord: { webhook: {} } }, 'one of: value or valueFrom'],
    ]
    for (const [spec, fault] of cases) {
      const answer = await admin.post(`${V2}/receivers`, receiver('faulty', spec))
      expect([answer.status, answer.text.includes(fault), answer.text]).toEqual([400, true, answer.text])
    }
    const schedule = { matcher: { matchLabels: { a: 'b' } }, schedule: 'every day' }
    expect((await admin.post(`${V2}/silences`, { metadata: { name: 's' }, spec: schedule })).status).toBe(400)
  })

  it('can be tried without being stored', async () => {
    expect((await admin.post(`${V2}/receivers?dryRun=All`, receiver('trial'))).status).toBe(200)

    expect((await admin.get(`${V2}/receivers/trial`)).status).toBe(404)
    expect((await admin.post(`${V2}/receivers?dryRun=yes`, receiver('trial'))).status).toBe(400)
  })
})

describe('secrets of notifications', () => {
  it('are kept in one namespace, each with its owner', async () => {
    const secret = { metadata: { name: 'smtp', namespace: 'kube-system' }, stringData: { password: 'x' } }

    const { status, json } = await alice.post(`${V2}/users/alice/secrets`, secret)

    expect(status).toBe(200)
    expect(json.metadata.namespace).toBe('kubesphere-monitoring-federated')
    expect(json.metadata.labels).toEqual({
      type: 'tenant',
      user: 'alice',
      'notification.kubesphere.io/managed': 'true',
    })
    expect((await bob.get(`${V2}/users/bob/secrets/smtp`)).status).toBe(400)
    expect((await bob.get(`${V2}/users/bob/secrets`)).json.totalItems).toBe(0)
  })

  it('do not bring anybody the token of a service account', async () => {
    const answer = await alice.post(`${V2}/users/alice/secrets`, {
      metadata: { name: 'token', annotations: { 'kubernetes.io/service-account.name': 'default' } },
      type: 'kubernetes.io/service-account-token',
    })

    expect(answer.status).toBe(400)
  })
})

describe('routers and managers', () => {
  it('are not for tenants', async () => {
    for (const resource of ['routers', 'notificationmanagers']) {
      const answer = await alice.get(`${V2}/users/alice/${resource}`)
      expect([answer.status, answer.text]).toEqual([
        400,
        expect.stringContaining(`tenant can not list ${resource}`),
      ])
    }
    expect((await alice.get(`${V2}/routers`)).status).toBe(403)
  })
})

describe('notification objects through the Kubernetes API', () => {
  it('are moved to another owner by administrators alone', async () => {
    const role = {
      apiVersion: 'iam.kubesphere.io/v1alpha2',
      kind: 'GlobalRole',
      metadata: { name: 'notifier' },
      rules: [{ verbs: ['*'], apiGroups: ['notification.kubesphere.io'], resources: ['*'] }],
    }
    expect((await admin.post('/apis/iam.kubesphere.io/v1alpha2/globalroles', role)).status).toBe(201)
    const user = {
      metadata: { name: 'nora', annotations: { 'iam.kubesphere.io/globalrole': 'notifier' } },
      spec: { email: 'nora@example.com', password: 'P@88w0rd' },
    }
    expect((await admin.post('/kapis/iam.kubesphere.io/v1alpha2/users', user)).status).toBe(200)
    const nora = await product.as('nora')
    const inline = { slack: { slackTokenSecret: { value: 'xoxb-secret' } } }
    await alice.post(`${V2}/users/alice/configs`, { metadata: { name: 'alices' }, spec: inline })
    const typed = { apiVersion: 'notification.kubesphere.io/v2beta2', kind: 'Receiver' }

    await vi.waitFor(async () => {
      expect((await nora.get(`${KUBE}/receivers`)).status).toBe(200)
    }, 10_000)
    const moved = await nora.patch(`${KUBE}/configs/alices`, {
      metadata: { labels: { type: 'default', user: null } },
    })
    const forged = await nora.post(`${KUBE}/receivers`, {
      ...typed,
      ...receiver('forged', undefined, { type: 'tenant', user: 'alice' }),
    })
    const global = await nora.post(`${KUBE}/receivers`, {
      ...typed,
      ...receiver('ours', undefined, { type: 'global' }),
    })

    expect([moved.status, forged.status, global.status]).toEqual([403, 403, 201])
    expect((await nora.get(`${KUBE}/configs/alices`)).text).not.toContain('xoxb-secret')
    expect((await admin.get(`${KUBE}/configs/alices`)).text).toContain('xoxb-secret')
  })
})

describe('verification', () => {
  it('is refused for receivers of others, in the words of each version', async () => {
    const body = { receiver: { kind: 'Receiver', ...receiver('x', undefined, { type: 'global' }) } }

    const newer = await alice.post(`${V2}/users/alice/verification`, body)
    const older = await admin.post(`${V2}/configs/notification/users/alice/verification`, body)

    expect([newer.status, newer.json.ErrStatus.reason]).toEqual([400, 'Forbidden'])
    expect([older.status, older.json]).toEqual([200, { Status: 403, Message: 'Permission denied' }])
    expect((await alice.post(`${V2}/verification`, body)).status).toBe(403)
  })
})
