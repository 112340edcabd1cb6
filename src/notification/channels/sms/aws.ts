/** Amazon SNS: Publish, one number at a time, signed as version 4 of its signatures has it. */
import { createHash, createHmac } from 'node:crypto'
import { each, text } from '../channel.js'
import { canonicalQuery, FORM, postTo, type SmsJob } from './provider.js'

const SERVICE = 'sns'

export async function sendByAws(sms: SmsJob): Promise<void> {
  const { job, provider, numbers, message } = sms
  const region = text(provider['region'])
  if (!/^[a-z0-9-]+$/.test(region)) throw new Error('the region is missing')
  const [id, key] = [
    await job.credential(provider['accessKeyId']),
    await job.credential(provider['secretAccessKey']),
  ]
  const host = `${SERVICE}.${region}.amazonaws.com`
  const send = async (number: string): Promise<void> => {
    const fields = { Action: 'Publish', Version: '2010-03-31', PhoneNumber: number, Message: message }
    const body = canonicalQuery(fields)
    const time = `${new Date().toISOString().replace(/[-:]|\.\d+/g, '')}`
    const answer = await postTo(sms, `https://${host}/`, body, {
      'content-type': FORM,
      'x-amz-date': time,
      authorization: authorization({ host, body, time, region, id, key }),
    })
    if (answer.status !== 200)
      throw new Error(
        `${answer.status}, ${/<Message>([^<]*)/.exec(answer.text)?.[1] ?? answer.text.slice(0, 500)}`,
      )
  }
  await each(job, numbers, (number) => number, send)
}

interface Signed {
  host: string
  body: string
  /** `20261128T080000Z` */
  time: string
  region: string
  id: string
  key: string
}

function authorization({ host, body, time, region, id, key }: Signed): string {
  const names = 'content-type;host;x-amz-date'
  const headers = `content-type:${FORM}\nhost:${host}\nx-amz-date:${time}\n`
  const canonical = `POST\n/\n\n${headers}\n${names}\n${sha256(body)}`
  const date = time.slice(0, 8)
  const scope = `${date}/${region}/${SERVICE}/aws4_request`
  const signed = `AWS4-HMAC-SHA256\n${time}\n${scope}\n${sha256(canonical)}`
  const signature = hmac(signingKey(key, date, region, SERVICE), signed).toString('hex')
  return `AWS4-HMAC-SHA256 Credential=${id}/${scope}, SignedHeaders=${names}, Signature=${signature}`
}

export function signingKey(key: string, date: string, region: string, service: string): Buffer {
  return hmac(hmac(hmac(hmac(`AWS4${key}`, date), region), service), 'aws4_request')
}

const sha256 = (value: string): string => createHash('sha256').update(value).digest('hex')
const hmac = (key: string | Buffer, value: string): Buffer => createHmac('sha256', key).update(value).digest()
