/** DingTalk: the bot of a group, by its signed webhook; and conversations, with the token of an app. */
import { createHmac } from 'node:crypto'
import {
  type Job,
  each,
  once,
  hasCredential,
  jsonOf,
  object,
  post,
  templateOf,
  text,
  texts,
} from './channel.js'

const CHATBOT_LIMIT = 19_960
const CONVERSATION_LIMIT = 5_000
const API = 'https://oapi.dingtalk.com'

export async function sendDingTalk(job: Job): Promise<void> {
  const { spec } = job
  const sends: ((job: Job) => Promise<void>)[] = []
  if (hasCredential(object(spec['chatbot'])['webhook'])) sends.push(toChatbot)
  if (texts(object(spec['conversation'])['chatids']).length > 0) sends.push(toConversations)
  await each(
    job,
    sends,
    ({ name }) => name,
    (send) => send(job),
  )
}

async function toChatbot(job: Job): Promise<void> {
  const { spec, credential, limits } = job
  const bot = object(spec['chatbot'])
  const webhook = await credential(bot['webhook'])
  const secret = hasCredential(bot['secret']) ? await credential(bot['secret']) : ''
  const [keywords, mobiles] = [texts(bot['keywords']), texts(bot['atMobiles'])]
  const isMarkdown = typeOf(job) === 'markdown'
  const end =
    (keywords.length > 0 ? `\n\n[Keywords] ${keywords.join(', ')}` : '') +
    (isMarkdown && mobiles.length > 0 ? ` ${mobiles.map((mobile) => `@${mobile}`).join(', ')}` : '')
  await inParts(
    job,
    'bot',
    CHATBOT_LIMIT - Buffer.byteLength(JSON.stringify(end)),
    async (message, title) => {
      await limits.take(`dingtalk ${webhook}`, 20, 60_000, 10_000)
      checked(
        jsonOf(
          await post(job, signed(webhook, secret, Date.now()), {
            ...payload(isMarkdown, title, message + end),
            at: { atMobiles: mobiles, atUserIds: texts(bot['atUsers']), isAtAll: bot['atAll'] === true },
          }),
        ),
      )
    },
  )
}

/** The key is the secret, and the message time and secret. */
export function signed(webhook: string, secret: string, nowMs: number): string {
  if (secret === '') return webhook
  const url = new URL(webhook)
  url.searchParams.set('timestamp', String(nowMs))
  url.searchParams.set('sign', createHmac('sha256', secret).update(`${nowMs}\n${secret}`).digest('base64'))
  return url.href
}

async function toConversations(job: Job): Promise<void> {
  const { spec, config, credential, tokens, limits, http, timeoutMs, isTenant, signal } = job
  if (!config) throw new Error('config is nil')
  const app = object(config['conversation'])
  const [key, secret] = [await credential(app['appkey']), await credential(app['appsecret'])]
  const token = await tokens.get(`dingtalk ${key} | ${secret}`, 7_200_000, async () => {
    const url = `${API}/gettoken?${new URLSearchParams({ appkey: key, appsecret: secret }).toString()}`
    const answer = jsonOf(await http.send({ url, method: 'GET', timeoutMs, isTenant, signal }))
    checked(answer)
    return text(answer['access_token'])
  })
  const sendTo = (chatid: string): Promise<void> =>
    inParts(job, chatid, CONVERSATION_LIMIT, async (message, title) => {
      await limits.take(`dingtalk ${key}`, 25, 1_000, 1_000)
      const url = `${API}/chat/send?access_token=${encodeURIComponent(token)}`
      checked(
        jsonOf(await post(job, url, { chatid, msg: payload(typeOf(job) === 'markdown', title, message) })),
      )
    })
  await each(
    job,
    texts(object(spec['conversation'])['chatids']),
    (chatid) => `conversation ${chatid}`,
    sendTo,
  )
}

const typeOf = ({ spec, options }: Job): string => spec.tmplType || text(options['tmplType']) || 'text'

async function inParts(
  job: Job,
  target: string,
  limit: number,
  send: (message: string, title: string) => Promise<void>,
): Promise<void> {
  const { spec, options, renderer, data } = job
  const preset = typeOf(job) === 'markdown' ? 'nm.default.markdown' : 'nm.default.text'
  const titleTemplate = spec.titleTemplate || text(options['titleTemplate']) || 'nm.default.subject'
  for (const [n, part] of renderer.parts(templateOf(job, preset), data, limit).parts.entries())
    await once(job, `${target} ${n}`, () => send(part.text, renderer.render(titleTemplate, part.data)))
}

function payload(isMarkdown: boolean, title: string, message: string): object {
  return isMarkdown
    ? { msgtype: 'markdown', markdown: { title, text: message } }
    : { msgtype: 'text', text: { content: message } }
}

function checked(answer: Record<string, unknown>): void {
  const { errcode, errmsg, status, punish } = answer
  if (typeof errcode === 'number' && errcode !== 0) throw new Error(`${errcode}, ${text(errmsg)}`)
  if (typeof status === 'number' && status !== 0) throw new Error(`${status}, ${text(punish)}`)
}
