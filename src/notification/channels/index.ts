/** The channels, by the name they have in receivers. */
import { type Channel } from '../objects/types.js'
import { type Send } from './channel.js'
import { sendDingTalk } from './dingtalk.js'
import { sendDiscord } from './discord.js'
import { sendEmail } from './email.js'
import { sendFeishu } from './feishu.js'
import { sendPushover } from './pushover.js'
import { sendSlack } from './slack.js'
import { sendSms } from './sms.js'
import { sendTelegram } from './telegram.js'
import { sendWebhook } from './webhook.js'
import { sendWeChat } from './wechat.js'

export { type Job, type Progress, type Send } from './channel.js'

export const SENDERS: Readonly<Record<Channel, Send>> = {
  dingtalk: sendDingTalk,
  discord: sendDiscord,
  email: sendEmail,
  feishu: sendFeishu,
  pushover: sendPushover,
  slack: sendSlack,
  sms: sendSms,
  telegram: sendTelegram,
  webhook: sendWebhook,
  wechat: sendWeChat,
}
