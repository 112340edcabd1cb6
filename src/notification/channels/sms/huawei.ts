/** Huawei Cloud: batchSendSms, with a digest of the secret in a WSSE header. The text goes in pieces of 20 characters. */
import { createHash, randomBytes } from 'node:crypto'
import { jsonOf, text } from '../channel.js'
import { FORM, postTo, type SmsJob } from './provider.js'

const URL = 'https://rtcsms.cn-north-1.myhuaweicloud.com:10743/sms/batchSendSms/v1'
const LONGEST = 20
/** What a template of the provider has places for, in this order. */
const KEYS = [
  'alertname',
  'severity',
  'message',
  'summary',
  'alerttype',
  'cluster',
  'node',
  'namespace',
  'workload',
  'pod',
]

export async function sendByHuawei(sms: SmsJob): Promise<void> {
  const { job, provider, numbers, message } = sms
  const [key, secret] = [
    (await job.credential(provider['appKey'])).replace(/[\r\n]+/g, ''),
    (await job.credential(provider['appSecret'])).replace(/[\r\n]+/g, ''),
  ]
  const body = new URLSearchParams({
    from: text(provider['sender']),
    to: numbers.join(','),
    templateId: text(provider['templateId']),
    templateParas: JSON.stringify(parameters(message)),
    signature: text(provider['signature']),
    statusCallback: '',
  })
  const answer = jsonOf(
    await postTo(sms, text(provider['url']) || URL, body.toString(), {
      'content-type': FORM,
      authorization: 'WSSE realm="SDP",profile="UsernameToken",type="Appkey"',
      'x-wsse': wsse(key, secret),
    }),
  )
  if (answer['code'] !== '000000') throw new Error(`${text(answer['code'])}, ${text(answer['description'])}`)
}

function wsse(key: string, secret: string): string {
  const created = `${new Date().toISOString().slice(0, 19)}Z`
  const nonce = randomBytes(16).toString('hex')
  // Of the hexadecimal text of the digest, not of its bytes.
  const digest = createHash('sha256').update(`${nonce}${created}${secret}`).digest('hex')
  const password = Buffer.from(digest).toString('base64')
  return `UsernameToken Username="${key}",PasswordDigest="${password}",Nonce="${nonce}",Created="${created}"`
}

/** Of lines such as `alertname = Disk`; of a text without any, its beginning. */
export function parameters(message: string): string[] {
  const found = new Map<string, string>()
  for (const [, key = '', value = ''] of message.matchAll(/^\s*(\w+)\s*=\s*(.*?)\s*$/gm))
    if (KEYS.includes(key) && !found.has(key)) found.set(key, value)
  if (found.size === 0) return [cut(message)]
  return KEYS.map((key) => cut(found.get(key) ?? ''))
}

const cut = (value: string): string => [...value].slice(0, LONGEST).join('')
