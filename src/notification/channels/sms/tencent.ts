/** Tencent Cloud: SendSms, signed as its API 3.0 has it (TC3-HMAC-SHA256). */
import { createHash, createHmac } from 'node:crypto'
import { jsonOf, object, text } from '../channel.js'
import { postTo, type SmsJob } from './provider.js'

const HOST = 'sms.tencentcloudapi.com'
const SERVICE = 'sms'
const TYPE = 'application/json; charset=utf-8'
const MOST_NUMBERS = 200

export async function sendByTencent(sms: SmsJob): Promise<void> {
  const { job, provider, numbers, message } = sms
  const [id, key] = [await job.credential(provider['secretId']), await job.credential(provider['secretKey'])]
  const body = JSON.stringify({
    PhoneNumberSet: numbers
      .slice(0, MOST_NUMBERS)
      .map((number) => (number.startsWith('+') ? number : `+86${number}`)),
    SmsSdkAppId: text(provider['smsSdkAppid']),
    SignName: text(provider['sign']),
    TemplateId: text(provider['templateID']),
    TemplateParamSet: [message],
  })
  const seconds = Math.floor(Date.now() / 1_000)
  const answer = object(
    jsonOf(
      await postTo(sms, `https://${HOST}/`, body, {
        'content-type': TYPE,
        authorization: authorization(body, seconds, id, key),
        'x-tc-action': 'SendSms',
        'x-tc-version': '2021-01-11',
        'x-tc-region': 'ap-guangzhou',
        'x-tc-timestamp': String(seconds),
      }),
    )['Response'],
  )
  const error = object(answer['Error'])
  if (error['Code'] !== undefined) throw new Error(`${text(error['Code'])}, ${text(error['Message'])}`)
  const states = Array.isArray(answer['SendStatusSet']) ? answer['SendStatusSet'].map(object) : []
  const refused = states.filter(({ Code }) => text(Code).toLowerCase() !== 'ok')
  if (refused.length > 0)
    throw new Error(
      refused
        .map((one) => `${text(one['PhoneNumber'])}: ${text(one['Code'])}, ${text(one['Message'])}`)
        .join('; '),
    )
}

function authorization(body: string, seconds: number, id: string, key: string): string {
  const date = new Date(seconds * 1_000).toISOString().slice(0, 10)
  const canonical = `POST\n/\n\ncontent-type:${TYPE}\nhost:${HOST}\n\ncontent-type;host\n${sha256(body)}`
  const scope = `${date}/${SERVICE}/tc3_request`
  const signed = `TC3-HMAC-SHA256\n${seconds}\n${scope}\n${sha256(canonical)}`
  const signingKey = [date, SERVICE, 'tc3_request'].reduce<string | Buffer>(hmac, `TC3${key}`)
  const signature = hmac(signingKey, signed).toString('hex')
  return `TC3-HMAC-SHA256 Credential=${id}/${scope}, SignedHeaders=content-type;host, Signature=${signature}`
}

const sha256 = (value: string): string => createHash('sha256').update(value).digest('hex')
const hmac = (key: string | Buffer, value: string): Buffer => createHmac('sha256', key).update(value).digest()
