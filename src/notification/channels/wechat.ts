/** WeChat Work: messages of an application to users, parties and tags; and the bot of a group. */
import {
  type Job,
  demandConfig,
  each,
  once,
  hasCredential,
  isOwnChoice,
  jsonOf,
  object,
  post,
  templateOf,
  text,
  texts,
} from './channel.js'

const API = 'https://qyapi.weixin.qq.com/cgi-bin/'
const TEXT_LIMIT = 2_048
const MARKDOWN_LIMIT = 4_096
const TOKEN_EXPIRED = 42001

export async function sendWeChat(job: Job): Promise<void> {
  const { spec } = job
  const sends: ((job: Job) => Promise<void>)[] = []
  if (hasCredential(object(spec['chatbot'])['webhook'])) sends.push(toChatbot)
  if ([spec['toUser'], spec['toParty'], spec['toTag']].some((list) => texts(list).length > 0))
    sends.push(toPeople)
  await each(
    job,
    sends,
    ({ name }) => name,
    (send) => send(job),
  )
}

async function toPeople(job: Job): Promise<void> {
  const { spec, credential, tokens, http, timeoutMs, signal } = job
  const config = demandConfig(job)
  const isTenant = isOwnChoice(job)
  const api = (text(config['wechatApiUrl']) || API).replace(/\/?$/, '/')
  const corporation = text(config['wechatApiCorpId'])
  const secret = await credential(config['wechatApiSecret'])
  const key = `wechat ${api} ${corporation} | ${secret}`
  const token = (): Promise<string> =>
    tokens.get(key, 7_200_000, async () => {
      const query = new URLSearchParams({ corpid: corporation, corpsecret: secret }).toString()
      const answer = jsonOf(
        await http.send({ url: `${api}gettoken?${query}`, method: 'GET', timeoutMs, isTenant, signal }),
      )
      checked(answer)
      return text(answer['access_token'])
    })
  const batches = batchesOf(texts(spec['toUser']), texts(spec['toParty']), texts(spec['toTag']))
  await inParts(job, 'people', TEXT_LIMIT, (content, part) =>
    each(
      job,
      [...batches.keys()],
      (n) => `${part} batch ${n}`,
      async (n) => {
        const to = batches[n]
        const body = { ...to, agentid: text(config['wechatApiAgentId']), safe: '0', ...payload(job, content) }
        const attempt = async (): Promise<Record<string, unknown>> =>
          jsonOf(
            await http.send({
              url: `${api}message/send?access_token=${encodeURIComponent(await token())}`,
              body,
              timeoutMs,
              isTenant,
              signal,
            }),
          )
        let answer = await attempt()
        if (answer['errcode'] === TOKEN_EXPIRED) {
          tokens.drop(key)
          answer = await attempt()
        }
        checked(answer)
        const unknown = [answer['invaliduser'], answer['invalidparty'], answer['invalidtag']]
          .map(text)
          .filter(Boolean)
        if (unknown.length > 0) throw new Error(`invalid users, parties or tags: ${unknown.join(', ')}`)
      },
    ),
  )
}

async function toChatbot(job: Job): Promise<void> {
  const bot = object(job.spec['chatbot'])
  const webhook = await job.credential(bot['webhook'])
  const users = texts(bot['atUsers'])
  const isMarkdown = typeOf(job) === 'markdown'
  const mentions = isMarkdown && users.length > 0 ? `\n${users.map((user) => `<@${user}>`).join('')}` : ''
  await inParts(job, 'bot', isMarkdown ? MARKDOWN_LIMIT - mentions.length : TEXT_LIMIT, async (content) => {
    const body = isMarkdown
      ? { msgtype: 'markdown', markdown: { content: content + mentions } }
      : {
          msgtype: 'text',
          text: { content, mentioned_list: users, mentioned_mobile_list: texts(bot['atMobiles']) },
        }
    checked(jsonOf(await post(job, webhook, body)))
  })
}

const typeOf = ({ spec, options }: Job): string => spec.tmplType || text(options['tmplType']) || 'text'

function payload(job: Job, content: string): object {
  return typeOf(job) === 'markdown'
    ? { msgtype: 'markdown', markdown: { content } }
    : { msgtype: 'text', text: { content } }
}

async function inParts(
  job: Job,
  target: string,
  limit: number,
  send: (content: string, name: string) => Promise<void>,
): Promise<void> {
  const preset = typeOf(job) === 'markdown' ? 'nm.default.markdown' : 'nm.default.text'
  for (const [n, part] of job.renderer.parts(templateOf(job, preset), job.data, limit).parts.entries())
    await once(job, `${target} ${n}`, () => send(part.text, `${target} ${n}`))
}

/** At most 1000 users, 100 parties and 100 tags at a time. */
export function batchesOf(users: string[], parties: string[], tags: string[]): object[] {
  const count = Math.max(
    Math.ceil(users.length / 1_000),
    Math.ceil(parties.length / 100),
    Math.ceil(tags.length / 100),
  )
  const cut = (list: string[], size: number, at: number): string =>
    list.slice(at * size, (at + 1) * size).join('|')
  return Array.from({ length: count }, (_, at) => ({
    touser: cut(users, 1_000, at),
    toparty: cut(parties, 100, at),
    totag: cut(tags, 100, at),
  }))
}

function checked({ errcode, errmsg }: Record<string, unknown>): void {
  if (typeof errcode === 'number' && errcode !== 0) throw new Error(`${errcode}, ${text(errmsg)}`)
}
