/** Alibaba Cloud: SendSms, signed as its RPC interface has it (HMAC-SHA1 over the sorted fields). */
import { createHmac, randomUUID } from 'node:crypto'
import { jsonOf, text } from '../channel.js'
import { canonicalQuery, FORM, percentEncode, postTo, type SmsJob } from './provider.js'

const URL = 'https://dysmsapi.aliyuncs.com/'
const MOST_NUMBERS = 1_000

export async function sendByAliyun(sms: SmsJob): Promise<void> {
  const { job, provider, numbers, message } = sms
  const [id, secret] = [
    await job.credential(provider['accessKeyId']),
    await job.credential(provider['accessKeySecret']),
  ]
  const fields: Record<string, string> = {
    Action: 'SendSms',
    Version: '2017-05-25',
    RegionId: 'cn-hangzhou',
    Format: 'JSON',
    AccessKeyId: id,
    SignatureMethod: 'HMAC-SHA1',
    SignatureVersion: '1.0',
    SignatureNonce: randomUUID(),
    Timestamp: `${new Date().toISOString().slice(0, 19)}Z`,
    PhoneNumbers: numbers.slice(0, MOST_NUMBERS).join(','),
    SignName: text(provider['signName']),
    TemplateCode: text(provider['templateCode']),
    TemplateParam: JSON.stringify({ code: message }),
  }
  const body = canonicalQuery({ ...fields, Signature: signature('POST', fields, secret) })
  const answer = jsonOf(await postTo(sms, URL, body, { 'content-type': FORM }))
  if (answer['Code'] !== 'OK') throw new Error(`${text(answer['Code'])}, ${text(answer['Message'])}`)
}

export function signature(method: string, fields: Readonly<Record<string, string>>, secret: string): string {
  const signed = `${method}&${percentEncode('/')}&${percentEncode(canonicalQuery(fields))}`
  return createHmac('sha1', `${secret}&`).update(signed).digest('base64')
}
