/** Alerts in, messages out: the whole product, a real SMTP server, and HTTP receivers that check signatures. */
import { createHmac } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SMTPServer } from 'smtp-server'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createInformerSet } from '../../src/client/cache/informerset.js'
import { startNotifications } from '../../src/cmd/notificationmanager.js'
import { SILENT } from '../../src/serving/log.js'
import { eventually } from '../fixtures/cast.js'
import { type Client, type Product, startProduct } from '../fixtures/product.js'

const V2 = '/kapis/notification.kubesphere.io/v2beta2'

interface Told {
  labels: { alertname: string }
}

interface Call {
  path: string
  query: URLSearchParams
  body: any // eslint-disable-line @typescript-eslint/no-explicit-any -- bodies of any shape, read by tests
}

let product: Product
let admin: Client
let alice: Client
let hooks: Server
let base: string
let smtp: SMTPServer
const calls: Call[] = []
const mails: { to: string[]; text: string }[] = []
/** Paths that fail for now. */
const broken = new Set<string>()

beforeAll(async () => {
  hooks = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://x')
    let text = ''
    request.on('data', (chunk: Buffer) => (text += chunk.toString()))
    request.on('end', () => {
      if (broken.has(url.pathname)) return response.writeHead(503).end('down')
      calls.push({ path: url.pathname, query: url.searchParams, body: JSON.parse(text || '{}') })
      response.writeHead(200, { 'content-type': 'application/json' })
      response.end('{"errcode":0,"code":0,"ok":true,"status":0}')
    })
  })
  await new Promise<void>((resolve) => hooks.listen(0, '127.0.0.1', resolve))
  base = `http://127.0.0.1:${(hooks.address() as AddressInfo).port}`
  smtp = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    onAuth: ({ username, password }, _session, done) =>
      username === 'mailer' && password === 'right'
        ? done(null, { user: 'mailer' })
        : done(new Error('bad password')),
    onData(stream, session, done) {
      let text = ''
      stream.on('data', (chunk: Buffer) => (text += chunk.toString()))
      stream.on('end', () => {
        mails.push({ to: session.envelope.rcptTo.map(({ address }) => address), text })
        done()
      })
    },
  })
  await new Promise<void>((resolve) => smtp.listen(0, '127.0.0.1', resolve))
  product = await startProduct({ allowEgress: ['127.0.0.1/32'] })
  admin = await product.as('admin')
  for (const name of ['alice', 'bob'])
    await admin.post('/kapis/iam.kubesphere.io/v1alpha2/users', {
      metadata: { name },
      spec: { email: `${name}@example.com`, password: 'P@88w0rd' },
    })
  alice = await product.as('alice')
  await admin.post('/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'team' } })
  await admin.post('/apis/rbac.authorization.k8s.io/v1/namespaces/team/roles', {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'Role',
    metadata: { name: 'seer', namespace: 'team' },
    rules: [{ verbs: ['get', 'list'], apiGroups: ['*'], resources: ['*'] }],
  })
  await admin.post('/apis/rbac.authorization.k8s.io/v1/namespaces/team/rolebindings', {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'RoleBinding',
    metadata: { name: 'alice', namespace: 'team' },
    subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'alice' }],
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'seer' },
  })
  await stored('secrets', 'smtp', { stringData: { password: 'right' } })
  await stored('configs', 'mail', {
    spec: {
      email: {
        from: 'orrery@example.com',
        smartHost: { host: '127.0.0.1', port: (smtp.server.address() as AddressInfo).port },
        authUsername: 'mailer',
        authPassword: { valueFrom: { secretKeyRef: { name: 'smtp', key: 'password' } } },
      },
    },
  })
}, 60_000)

afterAll(async () => {
  await product.close()
  await new Promise<void>((resolve) => smtp.close(() => resolve()))
  hooks.close()
})

async function stored(
  resource: string,
  name: string,
  object: object,
  client = admin,
  whose = '',
): Promise<void> {
  const answer = await client.post(`${V2}${whose}/${resource}`, { metadata: { name }, ...object })
  expect([answer.status, answer.text]).toEqual([200, answer.text])
}

async function alert(url: string | undefined, ...alerts: object[]): Promise<number> {
  const answer = await fetch(`${url}/api/v2/alerts`, { method: 'POST', body: JSON.stringify({ alerts }) })
  return answer.status
}

const firing = (alertname: string, namespace: string, more = {}): object => ({
  status: 'firing',
  labels: { alertname, namespace, severity: 'critical', rule_id: 'secret', ...more },
  annotations: { message: `${alertname} <is> burning` },
  startsAt: '2026-11-28T00:00:00Z',
})
const to = (path: string): Call[] => calls.filter((call) => call.path === path)

describe('alerts', () => {
  it('reach receivers of everybody, and those of users who may see the namespace', async () => {
    await stored('receivers', 'all', {
      spec: { webhook: { url: `${base}/all` }, email: { to: ['ops@example.com', 'b@example.com'] } },
    })
    await stored(
      'receivers',
      'alices',
      { spec: { webhook: { url: `${base}/alice` } } },
      alice,
      '/users/alice',
    )
    await stored('receivers', 'picky', {
      spec: { webhook: { url: `${base}/picky`, alertSelector: { matchLabels: { severity: 'info' } } } },
    })

    expect(await alert(product.notificationUrl, firing('Disk', 'team'), firing('Net', 'other'))).toBe(200)

    await eventually(async () => {
      expect(
        to('/all')
          .flatMap(({ body }) => body.alerts.map((one: Told) => one.labels.alertname))
          .sort(),
      ).toEqual(['Disk', 'Net'])
      expect(to('/alice').map(({ body }) => body.groupLabels)).toEqual([
        { alertname: 'Disk', namespace: 'team' },
      ])
      expect(mails).toHaveLength(4)
    })
    expect(to('/picky')).toEqual([])
    const mail = mails.find(({ text }) => text.includes('Disk'))
    expect(mail?.text).toContain('Subject: [FIRING] Disk <is> burning')
    expect(mail?.text).toContain('Disk &lt;is&gt; burning')
    expect(mail?.text).not.toContain('rule_id')
    const history = (await (
      await fetch(`${product.notificationUrl}/api/v2/history?alertname=Disk`)
    ).json()) as { items: { receiver: string; channel: string; outcome: string }[] }
    expect(
      history.items.map(({ receiver, channel, outcome }) => `${receiver} ${channel} ${outcome}`).sort(),
    ).toEqual([
      'alices webhook delivered',
      'all email delivered',
      'all webhook delivered',
      'picky webhook filtered',
    ])
  })

  it('are grouped here, whatever groups the payload has', async () => {
    const groups = {
      groupLabels: { alertname: 'Wrong' },
      commonLabels: { alertname: 'Wrong' },
      groupKey: '{}:{}',
    }
    const alerts = [firing('Fan', 'team'), firing('Heat', 'team')]
    const { status } = await fetch(`${product.notificationUrl}/api/v2/alerts`, {
      method: 'POST',
      body: JSON.stringify({ version: '4', receiver: 'x', status: 'resolved', ...groups, alerts }),
    })

    expect(status).toBe(200)
    await eventually(async () => {
      const told = to('/alice').map(({ body }) => body.groupLabels.alertname as string)
      expect(told.filter((name) => name !== 'Disk').sort()).toEqual(['Fan', 'Heat'])
    })
  })

  it('are told once, however often they are sent', async () => {
    const before = to('/all').length

    await alert(product.notificationUrl, firing('Disk', 'team'))
    await alert(product.notificationUrl, firing('After', 'none'))

    await eventually(async () => expect(to('/all').length).toBe(before + 1))
  })

  it('are signed as each bot wants it', async () => {
    await stored('receivers', 'bots', {
      spec: {
        dingtalk: { chatbot: { webhook: { value: `${base}/ding` }, secret: { value: 'S' } } },
        feishu: { chatbot: { webhook: { value: `${base}/feishu` }, secret: { value: 'S' } } },
      },
    })

    await alert(product.notificationUrl, firing('Bots', 'none'))

    await eventually(async () => {
      const [ding] = to('/ding')
      const [feishu] = to('/feishu')
      const time = ding?.query.get('timestamp') ?? ''
      expect(ding?.query.get('sign')).toBe(createHmac('sha256', 'S').update(`${time}\nS`).digest('base64'))
      expect(ding?.body.text.content).toContain('Bots <is> burning')
      expect(feishu?.body.sign).toBe(
        createHmac('sha256', `${feishu?.body.timestamp}\nS`).update('').digest('base64'),
      )
      expect(feishu?.body.content.post.en_us.content[0][0].text).toBe('Bots <is> burning')
    })
  })

  it('that a silence matches reach nobody, and a rehearsal says who would be told', async () => {
    await stored('silences', 'quiet', { spec: { matcher: { matchLabels: { alertname: 'Noise' } } } })
    const body = JSON.stringify({ alerts: [firing('Noise', 'team'), firing('Real', 'team')] })

    const answer = await fetch(`${product.notificationUrl}/api/v2/alerts?dryRun=All`, {
      method: 'POST',
      body,
    })

    const { alerts } = (await answer.json()) as {
      alerts: { silenced: boolean; receivers: { receiver: string }[] }[]
    }
    expect(alerts.map(({ silenced, receivers }) => [silenced, receivers.length > 0])).toEqual([
      [true, false],
      [false, true],
    ])
  })

  it('are reported to the webhook for the history, with the name of the cluster', async () => {
    await stored('notificationmanagers', 'notification-manager', {
      spec: {
        receivers: {
          tenantKey: 'user',
          globalReceiverSelector: { matchLabels: { type: 'global' } },
          tenantReceiverSelector: { matchLabels: { type: 'tenant' } },
          options: { global: { cluster: 'north' } },
        },
        history: { webhook: { url: `${base}/history` } },
      },
    })

    await expect
      .poll(async () => {
        await alert(product.notificationUrl, firing('Past', 'none', { at: String(Date.now()) }))
        return to('/history').flatMap(({ body }) => body.alerts.map((one: Told) => one.labels))
      })
      .toContainEqual(expect.objectContaining({ alertname: 'Past', cluster: 'north' }))
    expect(to('/history')[0]?.body.alerts[0].receiver).toMatchObject({ all: expect.any(Object) })
    await admin.delete(`${V2}/notificationmanagers/notification-manager`)
  })

  it('have receivers and accounts that operators can list, without what is secret', async () => {
    const list = async (path: string) => (await fetch(`${product.notificationUrl}${path}`)).json()

    expect(await list('/receivers?tenant=alice')).toMatchObject([
      { name: 'alices', channel: 'webhook', tenant: 'alice', spec: { url: `${base}/***` } },
    ])
    expect(await list('/configs?type=email')).toMatchObject([
      { name: 'mail', channel: 'email', tenant: '', spec: { authUsername: 'mailer', authPassword: '***' } },
    ])
    expect(await list('/receiverWithConfig?name=all&type=email')).toMatchObject([
      { name: 'all', config: { authPassword: '***', from: 'orrery@example.com' } },
    ])
  })

  it('that are no webhook of Alertmanager are refused', async () => {
    const answer = await fetch(`${product.notificationUrl}/api/v2/alerts`, { method: 'POST', body: '[]' })

    expect(answer.status).toBe(400)
  })

  it('survive the end of the manager, and do not wait for a receiver that is down', async () => {
    await stored('receivers', 'down', { spec: { webhook: { url: `${base}/down` } } })
    broken.add('/down')
    const dataDir = mkdtempSync(join(tmpdir(), 'orrery-notification-'))
    const start = async () => {
      const informers = createInformerSet({ transport: product.upstream, logger: SILENT })
      const running = await startNotifications({
        upstream: product.upstream,
        informers,
        logger: SILENT,
        dataDir,
        listen: { host: '127.0.0.1', port: 0 },
        allowEgress: ['127.0.0.1/32'],
      })
      return { ...running, close: async () => (await running.close(), informers.close()) }
    }
    const first = await start()
    await alert(first.url, firing('Kill', 'none'))
    await eventually(async () =>
      expect(to('/all').some(({ body }) => body.alerts[0].labels.alertname === 'Kill')).toBe(true),
    )
    await alert(first.url, firing('Kill2', 'none'))
    await first.close()
    broken.delete('/down')

    const second = await start()

    await eventually(async () => {
      expect(
        to('/down')
          .map(({ body }): string => body.alerts[0].labels.alertname)
          .filter((name) => name.startsWith('Kill'))
          .sort(),
      ).toEqual(['Kill', 'Kill2'])
      expect(to('/all').filter(({ body }) => body.alerts[0].labels.alertname === 'Kill2')).toHaveLength(1)
    })
    expect(to('/all').filter(({ body }) => body.alerts[0].labels.alertname === 'Kill')).toHaveLength(1)
    await second.close()
    rmSync(dataDir, { recursive: true, force: true })
  })
})

describe('texts', () => {
  it('are made by templates and in languages that ConfigMaps hold, once the manager’s object names them', async () => {
    const namespace = 'kubesphere-monitoring-federated'
    const line = '{{ range .Alerts }}{{ translate "broken" }}: {{ .Labels.alertname | toUpper }}!{{ end }}'
    await stored('configmaps', 'texts', { data: { any: `{{ define "mine" }}${line}{{ end }}` } })
    const pack =
      '- name: Deutsch\n  dictionary: { broken: kaputt }\n- name: English\n  dictionary: { broken: bust }'
    await stored('configmaps', 'pack', { data: { pack } })
    await stored('receivers', 'translated', {
      spec: {
        email: {
          to: ['translated@example.com'],
          tmplType: 'text',
          template: 'mine',
          tmplText: { name: 'texts', namespace },
          alertSelector: { matchLabels: { texts: 'mine' } },
        },
      },
    })
    const template = { language: 'Deutsch', languagePack: [{ name: 'pack', namespace }], reloadCycle: '1ms' }
    await stored('notificationmanagers', 'notification-manager', {
      spec: {
        receivers: {
          tenantKey: 'user',
          globalReceiverSelector: { matchLabels: { type: 'global' } },
          tenantReceiverSelector: { matchLabels: { type: 'tenant' } },
        },
        template,
      },
    })
    let n = 0
    await eventually(async () => {
      await alert(product.notificationUrl, firing(`Lamp${++n}`, 'other', { texts: 'mine' }))
      const told = mails.filter(({ to }) => to.includes('translated@example.com')).map(({ text }) => text)
      expect(told.some((text) => /kaputt: LAMP\d+!/.test(text))).toBe(true)
    })
  })
})

describe('verification', () => {
  const verify = (client: Client, user: string, spec: object) =>
    client.post(`${V2}/users/${user}/verification`, {
      receiver: { kind: 'Receiver', metadata: { labels: { type: 'tenant', user } }, spec },
    })

  it('sends a test message, and says what went wrong', async () => {
    const good = await verify(alice, 'alice', { webhook: { url: `${base}/verify` } })
    const bad = await verify(alice, 'alice', { slack: { channels: ['x'] } })

    expect(good.json).toEqual({ Status: 200, Message: 'Verify successfully' })
    expect(to('/verify')[0]?.body.alerts[0].labels.alertname).toBe('verify')
    expect(bad.json).toEqual({ Status: 400, Message: 'ignore receiver because of empty config' })
  })

  it('reaches no address inside, and sends no secret of others', async () => {
    for (const url of [
      'http://10.0.0.1/',
      'http://169.254.169.254/latest',
      'http://[::1]/',
      'http://[::ffff:10.0.0.1]/',
    ]) {
      const { json } = await verify(alice, 'alice', { webhook: { url } })
      expect([json.Status, json.Message]).toEqual([400, expect.stringContaining('not allowed')])
    }
    const bearerToken = { valueFrom: { secretKeyRef: { name: 'smtp', key: 'password' } } }
    const theft = await verify(alice, 'alice', {
      webhook: { url: `${base}/theft`, httpConfig: { bearerToken } },
    })
    expect(theft.json.Message).toBe('the secret smtp is not one of alice')
    expect(to('/theft')).toEqual([])
  })
})
