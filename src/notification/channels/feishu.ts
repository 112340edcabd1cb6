/** Feishu: the bot of a group, by its webhook; and messages to users and departments, with the token of an app. */
import { createHmac } from 'node:crypto'
import { isObject } from '../../apimachinery/json/index.js'
import { RetryableError } from '../http.js'
import { type Job, each, hasCredential, jsonOf, object, post, templateOf, text, texts } from './channel.js'

const API = 'https://open.feishu.cn/open-apis'

export async function sendFeishu(job: Job): Promise<void> {
  const { spec } = job
  const sends: ((job: Job) => Promise<void>)[] = []
  if (hasCredential(object(spec['chatbot'])['webhook'])) sends.push(toChatbot)
  if (texts(spec['user']).length + texts(spec['department']).length > 0) sends.push(toPeople)
  await each(
    job,
    sends,
    ({ name }) => name,
    (send) => send(job),
  )
}

async function toChatbot(job: Job): Promise<void> {
  const bot = object(job.spec['chatbot'])
  const webhook = await job.credential(bot['webhook'])
  const secret = hasCredential(bot['secret']) ? await job.credential(bot['secret']) : ''
  const seconds = Math.floor(Date.now() / 1_000)
  const body = {
    ...messageOf(job, texts(bot['keywords'])),
    ...(secret !== '' && { timestamp: seconds, sign: signature(secret, seconds) }),
  }
  checked(jsonOf(await post(job, webhook, body)))
}

/** The key is time and secret, and the message is empty. */
export function signature(secret: string, seconds: number): string {
  return createHmac('sha256', `${seconds}\n${secret}`).update('').digest('base64')
}

async function toPeople(job: Job): Promise<void> {
  const { config, spec, credential, tokens } = job
  if (!config) throw new Error('config is nil')
  const [id, secret] = [await credential(config['appID']), await credential(config['appSecret'])]
  const token = await tokens.get(`feishu ${id} | ${secret}`, 3_600_000, async () => {
    const url = `${API}/auth/v3/tenant_access_token/internal`
    const answer = jsonOf(await post(job, url, { app_id: id, app_secret: secret }))
    checked(answer)
    return text(answer['tenant_access_token'])
  })
  const body = {
    ...messageOf(job, []),
    user_ids: texts(spec['user']),
    department_ids: texts(spec['department']),
  }
  const answer = jsonOf(
    await post(job, `${API}/message/v4/batch_send/`, body, { authorization: `Bearer ${token}` }),
  )
  checked(answer)
  const data = object(answer['data'])
  const unknown = [...texts(data['invalid_user_ids']), ...texts(data['invalid_department_ids'])]
  if (unknown.length > 0) throw new Error(`invalid users or departments: ${unknown.join(', ')}`)
}

function messageOf(job: Job, keywords: readonly string[]): object {
  const { spec, options, renderer, data } = job
  const isPost = (spec.tmplType || text(options['tmplType']) || 'post') === 'post'
  const message = renderer.render(templateOf(job, isPost ? 'nm.feishu.post' : 'nm.feishu.text'), data)
  const line = `[Keywords] ${keywords.join(',')}`
  if (!isPost)
    return { msg_type: 'text', content: { text: keywords.length > 0 ? `${message}\n\n${line}` : message } }
  let content: unknown
  try {
    content = JSON.parse(message)
  } catch (error) {
    throw new Error('the template of a post must render to JSON', { cause: error })
  }
  if (keywords.length > 0 && isObject(content))
    for (const language of Object.values(content))
      if (isObject(language) && Array.isArray(language['content']))
        language['content'].push([{ tag: 'text', text: line }])
  return { msg_type: 'post', content: { post: content } }
}

function checked({ code, msg }: Record<string, unknown>): void {
  if (code === 9499) throw new RetryableError(`${code}, ${text(msg)}`, 1_000)
  if (typeof code === 'number' && code !== 0) throw new Error(`${code}, ${text(msg)}`)
}
