/**
 * Real parts all the way: a rule of Prometheus fires, Alertmanager tells the notification manager, a process of its own
 * that is killed in the middle, and mails and messages arrive at an SMTP server and at receivers that check signatures.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { createHmac } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { SMTPServer } from 'smtp-server'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Client, type Product, startProduct } from '../fixtures/product.js'
import {
  type Daemon,
  HAVE_ALERTMANAGER,
  HAVE_PROMETHEUS,
  type Rule,
  startAlertmanager,
  startPrometheus,
  WITHOUT_PROMETHEUS,
} from '../fixtures/realprometheus.js'
import { freePort } from '../fixtures/slapd.js'

const PROGRAM = fileURLToPath(new URL('../../bin/orrery.js', import.meta.url))
const V2 = '/kapis/notification.kubesphere.io/v2beta2'
const HAVE_ALL = HAVE_PROMETHEUS && HAVE_ALERTMANAGER
const FIRST = ['First1', 'First2', 'First3']
const SECOND = ['Second1', 'Second2', 'Second3']
const ALL = [...FIRST, ...SECOND]

let product: Product
let admin: Client
let dataDir: string
let port: number
let manager: ChildProcess
let hooks: Server
let smtp: SMTPServer
let alertmanager: Daemon
const prometheus: Daemon[] = []
/** What each receiver was told, once for each message of that key. */
const told: Record<string, Map<string, string[]>> = { webhook: new Map(), held: new Map() }
const bots: Record<string, string[]> = { ding: [], feishu: [] }
const mails = new Map<string, { to: string; text: string }>()
const refused: string[] = []
/** The receiver `held` takes messages, and answers no more. */
let isHolding = true
let holds = 0

beforeAll(async () => {
  if (!HAVE_ALL) return
  hooks = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://x')
    let text = ''
    request.on('data', (chunk: Buffer) => (text += chunk.toString()))
    request.on('end', () => {
      const path = url.pathname.slice(1)
      if (!isSigned(path, url.searchParams, request.headers.authorization, text)) {
        refused.push(path)
        return response.writeHead(401).end('not signed')
      }
      if (path === 'ding' || path === 'feishu') bots[path]?.push(text)
      else {
        const { alerts } = JSON.parse(text) as { alerts: { labels: { alertname: string } }[] }
        const key = String(request.headers['idempotency-key'])
        told[path]?.set(
          key,
          alerts.map(({ labels }) => labels.alertname),
        )
        if (path === 'held' && isHolding) {
          holds++
          return
        }
      }
      response.writeHead(200, { 'content-type': 'application/json' }).end('{"errcode":0,"code":0}')
    })
  })
  await new Promise<void>((resolve) => hooks.listen(0, '127.0.0.1', resolve))
  smtp = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    onAuth: ({ username, password }, _session, done) =>
      username === 'mailer' && password === 'right'
        ? done(null, { user: 'mailer' })
        : done(new Error('bad password')),
    onData(stream, session, done) {
      let text = ''
      stream.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')))
      stream.on('end', () => {
        const id = /^message-id: (\S+)/im.exec(text)?.[1] ?? ''
        mails.set(id, { to: session.envelope.rcptTo[0]?.address ?? '', text })
        done()
      })
    },
  })
  await new Promise<void>((resolve) => smtp.listen(0, '127.0.0.1', resolve))
  dataDir = mkdtempSync(join(tmpdir(), 'orrery-real-alerts-'))
  // Its own manager is not told of anything: only that of its own process is.
  product = await startProduct()
  admin = await product.as('admin')
  await objects()
  port = await freePort()
  manager = await startManager()
  alertmanager = await startAlertmanager({
    route: {
      receiver: 'orrery',
      group_by: ['alertname'],
      group_wait: '100ms',
      group_interval: '1s',
      // Far shorter than anybody wants: what is repeated must not be told again.
      repeat_interval: '2s',
    },
    receivers: [{ name: 'orrery', webhook_configs: [{ url: `http://127.0.0.1:${port}/api/v2/alerts` }] }],
  })
}, 90_000)

afterAll(async () => {
  if (!HAVE_ALL) return
  for (const one of prometheus) await one.close()
  await alertmanager?.close()
  manager?.kill('SIGKILL')
  await product?.close()
  smtp?.close()
  hooks?.closeAllConnections()
  hooks?.close()
  rmSync(dataDir, { recursive: true, force: true, maxRetries: 5 })
})

function isSigned(
  path: string,
  query: URLSearchParams,
  authorization: string | undefined,
  text: string,
): boolean {
  if (path === 'ding') {
    const time = query.get('timestamp') ?? ''
    const sign = createHmac('sha256', 'ding-secret').update(`${time}\nding-secret`).digest('base64')
    return query.get('sign') === sign && Math.abs(Date.now() - Number(time)) < 3_600_000
  }
  if (path === 'feishu') {
    const { timestamp, sign } = JSON.parse(text) as { timestamp: number; sign: string }
    return sign === createHmac('sha256', `${timestamp}\nfeishu-secret`).update('').digest('base64')
  }
  return authorization === 'Bearer hook-token'
}

async function objects(): Promise<void> {
  const base = `http://127.0.0.1:${(hooks.address() as AddressInfo).port}`
  const secret = (key: string): object => ({ valueFrom: { secretKeyRef: { name: 'accounts', key } } })
  const httpConfig = { bearerToken: secret('token') }
  const all: [string, string, object][] = [
    [
      'secrets',
      'accounts',
      {
        stringData: { password: 'right', token: 'hook-token', ding: 'ding-secret', feishu: 'feishu-secret' },
      },
    ],
    [
      'configs',
      'mail',
      {
        spec: {
          email: {
            from: 'orrery@example.com',
            smartHost: { host: '127.0.0.1', port: (smtp.server.address() as AddressInfo).port },
            authUsername: 'mailer',
            authPassword: secret('password'),
          },
        },
      },
    ],
    ['receivers', 'html', { spec: { email: { to: ['html@example.com'] } } }],
    ['receivers', 'text', { spec: { email: { to: ['text@example.com'], tmplType: 'text' } } }],
    ['receivers', 'hook', { spec: { webhook: { url: `${base}/webhook`, httpConfig } } }],
    ['receivers', 'held', { spec: { webhook: { url: `${base}/held`, httpConfig } } }],
    [
      'receivers',
      'bots',
      {
        spec: {
          dingtalk: { chatbot: { webhook: { value: `${base}/ding` }, secret: secret('ding') } },
          feishu: { chatbot: { webhook: { value: `${base}/feishu` }, secret: secret('feishu') } },
        },
      },
    ],
  ]
  for (const [resource, name, object] of all) {
    const answer = await admin.post(`${V2}/${resource}`, { metadata: { name }, ...object })
    expect([answer.status, answer.text]).toEqual([200, answer.text])
  }
}

async function startManager(): Promise<ChildProcess> {
  const kubeconfig = product.summary.kubeconfig ?? ''
  const args = ['--kubeconfig', kubeconfig, '--data-dir', dataDir, '--port', String(port)]
  const child = spawn(
    process.execPath,
    [PROGRAM, 'notification-manager', ...args, '--allow-egress', '127.0.0.1/32', '--log-level', 'error'],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  )
  await new Promise<void>((resolve, reject) => {
    child.stdout.once('data', () => resolve())
    child.once('exit', (code) => reject(new Error(`ended with ${code ?? 'a signal'}`)))
  })
  return child
}

const rule = (alert: string): Rule => ({
  alert,
  expr: 'vector(1)',
  labels: { severity: 'critical', namespace: 'team' },
  annotations: {
    summary: `${alert}: <disk> is "full" & burning`,
    runbook_url: 'https://example.com/runbook',
  },
})

const names = (messages: Iterable<readonly string[]>): string[] => [...messages].flat().sort()
const inBots = (path: string): string[] =>
  (bots[path] ?? []).flatMap((text) => ALL.filter((name) => text.includes(`${name}: `))).sort()
const mailed = (to: string): string[] =>
  [...mails.values()]
    .filter((mail) => mail.to === to)
    .flatMap(({ text }) => ALL.filter((name) => bodyOf(text).includes(`${name}: `)))
    .sort()

/** Of a mail of one part: quoted-printable in UTF-8. */
function bodyOf(mail: string): string {
  const body = mail.slice(mail.indexOf('\r\n\r\n') + 4).replace(/=\r\n/g, '')
  const bytes = /^content-transfer-encoding: quoted-printable/im.test(mail)
    ? body.replace(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)))
    : body
  return `${Buffer.from(bytes, 'latin1').toString('utf8').replace(/\r\n/g, '\n').trimEnd()}\n`
}

/** Encoded words and folds undone. */
function subjectOf(mail: string): string {
  const folded = /^subject: (.*(?:\r\n[ \t].*)*)/im.exec(mail)?.[1] ?? ''
  return folded
    .replace(/\?=\r\n =\?UTF-8\?Q\?/gi, '')
    .replace(/\r\n[ \t]/g, ' ')
    .replace(/=\?UTF-8\?Q\?(.*)\?=/i, (_, word: string) =>
      word
        .replaceAll('_', ' ')
        .replace(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(parseInt(hex, 16))),
    )
}

async function notified(): Promise<number> {
  const text = await (await fetch(`${alertmanager.url}/metrics`)).text()
  return Number(/^alertmanager_notifications_total\{integration="webhook"\} (\d+)/m.exec(text)?.[1])
}

describe.skipIf(!HAVE_ALL)(HAVE_ALL ? 'alerts of Prometheus' : WITHOUT_PROMETHEUS, () => {
  it(
    'all arrive, and none twice, though the manager is killed while it sends',
    { timeout: 120_000 },
    async () => {
      prometheus.push(await startPrometheus(FIRST.map(rule), alertmanager.url))
      await expect
        .poll(() => [holds > 0, inBots('ding'), inBots('feishu'), mailed('html@example.com')], {
          timeout: 60_000,
        })
        .toEqual([true, FIRST, FIRST, FIRST])
      // It has taken note of those that were answered when it says so.
      await expect
        .poll(async () => {
          const answer = await fetch(`http://127.0.0.1:${port}/api/v2/history?outcome=delivered&limit=1000`)
          const { items } = (await answer.json()) as { items: { receiver: string }[] }
          return items.filter(({ receiver }) => receiver !== 'held').length
        })
        .toBe(FIRST.length * 5)

      const gone = new Promise((resolve) => manager.once('exit', resolve))
      manager.kill('SIGKILL')
      await gone
      isHolding = false
      // These fire while nobody listens.
      prometheus.push(await startPrometheus(SECOND.map(rule), alertmanager.url))
      await expect
        .poll(
          async () => {
            const alerts = (await (await fetch(`${alertmanager.url}/api/v2/alerts`)).json()) as unknown[]
            return alerts.length
          },
          { timeout: 60_000 },
        )
        .toBe(ALL.length)
      manager = await startManager()

      await expect
        .poll(
          () => [
            names(told['webhook']?.values() ?? []),
            names(told['held']?.values() ?? []),
            inBots('ding'),
            inBots('feishu'),
            mailed('html@example.com'),
            mailed('text@example.com'),
          ],
          { timeout: 60_000 },
        )
        .toEqual([ALL, ALL, ALL, ALL, ALL, ALL])

      // Alertmanager repeats all of them, and nobody is told of that.
      const before = await notified()
      await expect.poll(notified, { timeout: 60_000 }).toBeGreaterThan(before + ALL.length)
      await expect
        .poll(async () =>
          (await (await fetch(`http://127.0.0.1:${port}/metrics`)).text()).includes('waiting 0'),
        )
        .toBe(true)
      expect([
        names(told['webhook']?.values() ?? []),
        names(told['held']?.values() ?? []),
        inBots('ding'),
        inBots('feishu'),
        mailed('html@example.com'),
        mailed('text@example.com'),
      ]).toEqual([ALL, ALL, ALL, ALL, ALL, ALL])
      expect(refused).toEqual([])
    },
  )

  it('look in mails as somebody has read and approved', async () => {
    const mailOf = (to: string): string =>
      [...mails.values()].find((mail) => mail.to === to && bodyOf(mail.text).includes('First1: '))?.text ?? ''

    await expect(bodyOf(mailOf('html@example.com'))).toMatchFileSnapshot('mails/alert-html.txt')
    await expect(bodyOf(mailOf('text@example.com'))).toMatchFileSnapshot('mails/alert-text.txt')
    expect(mailOf('html@example.com')).toMatch(/^content-type: text\/html; charset=utf-8/im)
    expect(mailOf('text@example.com')).toMatch(/^content-type: text\/plain; charset=utf-8/im)
    expect(subjectOf(mailOf('html@example.com'))).toBe('[FIRING] First1: <disk> is "full" & burning')
  })
})
