/** SMS: one message to all numbers, through one of four providers. */
import { type Job, type Send, demandConfig, object, templateOf, text, texts } from './channel.js'
import { sendByAliyun } from './sms/aliyun.js'
import { sendByAws } from './sms/aws.js'
import { sendByHuawei } from './sms/huawei.js'
import { type SmsJob } from './sms/provider.js'
import { sendByTencent } from './sms/tencent.js'

type Provider = (job: SmsJob) => Promise<void>

/** In the order in which they are preferred when the config names none. */
const PROVIDERS: Readonly<Record<string, Provider>> = {
  aliyun: sendByAliyun,
  tencent: sendByTencent,
  huawei: sendByHuawei,
  aws: sendByAws,
}

export const sendSms: Send = async (job: Job) => {
  const config = demandConfig(job)
  const providers = object(config['providers'])
  const name =
    text(config['defaultProvider']) ||
    Object.keys(PROVIDERS).find((one) => providers[one] !== undefined) ||
    ''
  const send = PROVIDERS[name]
  if (!send || providers[name] === undefined) throw new Error(`cannot find provider ${name}`.trim())
  await send({
    job,
    provider: object(providers[name]),
    numbers: [...new Set(texts(job.spec['phoneNumbers']))],
    message: job.renderer.render(templateOf(job, 'nm.default.text'), job.data),
  })
}
