import { createHmac } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { firing, sent } from '../../../test/fixtures/channeljob.js'
import { RetryableError } from '../http.js'
import { escapeJson } from '../template/index.js'
import { Windows } from '../tokens.js'

const value = (text: string) => ({ value: text })
const many = (count: number, size: number) =>
  Array.from({ length: count }, (_, n) =>
    firing(`Alert${String(n).padStart(2, '0')}`, {
      annotations: { message: `${n} ${'"x"\n'.repeat(size / 4)}` },
    }),
  )
const wechat = { wechatApiCorpId: 'c', wechatApiAgentId: 'a', wechatApiSecret: value('s') }

describe('messages', () => {
  it('name a template plainly or by an action, with the same result', async () => {
    const bot = { webhook: value('https://ding/robot') }
    const plain = await sent('dingtalk', { chatbot: bot, template: 'nm.default.text' })
    const action = await sent('dingtalk', { chatbot: bot, template: '{{ template "nm.default.text" . }}' })

    expect(plain.calls[0]?.body).toEqual(action.calls[0]?.body)
  })

  it('put the name of the alert first, and never show its rule', async () => {
    const alerts = [firing('Disk', { labels: { a: '1', rule_id: 'secret' } })]
    const { calls } = await sent(
      'dingtalk',
      { chatbot: { webhook: value('https://ding/robot') } },
      { alerts },
    )

    const { content } = (calls[0]?.body as { text: { content: string } }).text
    expect(content.split('\n')[1]).toBe('  alertname: Disk')
    expect(content).not.toContain('rule_id')
  })

  it('too long for WeChat become several in order, each below the limit as it is escaped', async () => {
    const alerts = many(30, 200)
    const { calls, error } = await sent('wechat', { toUser: ['u'] }, { config: wechat, alerts })

    const contents = calls.slice(1).map(({ body }) => (body as { text: { content: string } }).text.content)
    expect(error).toBeUndefined()
    expect(contents.length).toBeGreaterThan(3)
    for (const content of contents) expect(Buffer.byteLength(escapeJson(content))).toBeLessThan(2_048)
    expect(contents.join('').match(/alertname: Alert\d\d/g)).toEqual(
      alerts.map(({ labels }) => `alertname: ${labels['alertname']}`),
    )
  })

  it('leave out an alert that is too long by itself, and send the rest', async () => {
    const alerts = [firing('First'), ...many(1, 8_000), firing('Last')]
    const { calls } = await sent('wechat', { toUser: ['u'] }, { config: wechat, alerts })

    const contents = calls
      .slice(1)
      .map(({ body }) => (body as { text: { content: string } }).text.content)
      .join('')
    expect(contents.match(/alertname: \w+/g)).toEqual(['alertname: First', 'alertname: Last'])
  })

  it('are signed in the two ways of DingTalk and Feishu', async () => {
    const ding = await sent('dingtalk', {
      chatbot: { webhook: value('https://ding/robot?a=b'), secret: value('S') },
    })
    const feishu = await sent('feishu', {
      chatbot: { webhook: value('https://feishu/hook'), secret: value('S') },
    })

    const query = new URL(ding.calls[0]?.url ?? '').searchParams
    const time = query.get('timestamp') ?? ''
    expect([query.get('a'), query.get('sign')]).toEqual([
      'b',
      createHmac('sha256', 'S').update(`${time}\nS`).digest('base64'),
    ])
    const { timestamp, sign } = feishu.calls[0]?.body as { timestamp: number; sign: string }
    expect(sign).toBe(createHmac('sha256', `${timestamp}\nS`).update('').digest('base64'))
  })

  it('to one bot of DingTalk are at most twenty in any minute', async () => {
    let now = 0
    const limits = new Windows(() => now)
    const spec = { chatbot: { webhook: value('https://ding/robot') } }
    const outcomes: (Error | undefined)[] = []
    for (let n = 0; n < 25; n++) outcomes.push((await sent('dingtalk', spec, { limits })).error)

    expect(outcomes.filter((error) => error === undefined)).toHaveLength(20)
    expect(outcomes[20]).toBeInstanceOf(RetryableError)
    now = 60_001
    expect((await sent('dingtalk', spec, { limits })).error).toBeUndefined()
  })

  it('in Chinese use the Chinese summary', async () => {
    const alerts = [firing('Disk', { annotations: { summaryCn: '磁盘已满' } })]
    const language = { name: 'zh-cn', dictionary: { alertname: '告警名称' } }
    const { calls } = await sent(
      'dingtalk',
      { chatbot: { webhook: value('https://d/r') } },
      { alerts, language },
    )

    const { content } = (calls[0]?.body as { text: { content: string } }).text
    expect(content).toContain('磁盘已满')
    expect(content).toContain('告警名称: Disk')
  })

  it('that Slack does not take are an error in its words', async () => {
    const { error } = await sent(
      'slack',
      { channels: ['#ops'] },
      { config: { slackTokenSecret: value('t') }, answer: () => ({ ok: false, error: 'channel_not_found' }) },
    )

    expect(error?.message).toBe('channel_not_found')
  })

  it('without an account fail for the channels that need one, and only for those', async () => {
    expect((await sent('slack', { channels: ['#ops'] })).error?.message).toBe(
      'ignore receiver because of empty config',
    )
    expect((await sent('webhook', { url: 'http://hook' })).error).toBeUndefined()
  })

  it('that a webhook answers with an error carry its status and its words', async () => {
    const { error } = await sent(
      'webhook',
      { url: 'http://hook' },
      { answer: () => ({ status: 400, text: 'no' }) },
    )

    expect(error?.message).toBe('400, no')
  })

  it('to webhooks have the keys of both releases', async () => {
    const { calls } = await sent('webhook', { url: 'http://hook' })

    expect(calls[0]?.body).toMatchObject({
      status: 'firing',
      externalURL: '',
      groupLabels: { alertname: 'Disk' },
      alerts: [
        { id: expect.any(String) as string, fingerprint: expect.any(String) as string, status: 'firing' },
      ],
    })
  })

  it('with an old token of WeChat are sent again with a new one', async () => {
    let tokens = 0
    const { calls, error } = await sent(
      'wechat',
      { toUser: ['u'] },
      {
        config: wechat,
        answer: ({ url }) => {
          if (url.includes('gettoken')) return { errcode: 0, access_token: `t${++tokens}` }
          return url.endsWith('t1') ? { errcode: 42001, errmsg: 'expired' } : { errcode: 0 }
        },
      },
    )

    expect([error, calls.at(-1)?.url.endsWith('access_token=t2')]).toEqual([undefined, true])
  })

  it('that reached some of several go only to the others when they are tried again', async () => {
    const spec = { channels: ['#a', '#b', '#c'] }
    const config = { slackTokenSecret: value('t') }
    const first = await sent('slack', spec, {
      config,
      answer: ({ body }) => {
        const { channel } = body as { channel: string }
        if (channel === '#b') throw new RetryableError('down')
        return channel === '#c' ? { ok: false, error: 'channel_not_found' } : { ok: true }
      },
    })
    const second = await sent('slack', spec, { config, done: first.done })

    expect(first.error).toBeInstanceOf(RetryableError)
    expect(second.calls.map(({ body }) => (body as { channel: string }).channel)).toEqual(['#b'])
    expect(second.error?.message).toBe('channel_not_found')
  })
})
