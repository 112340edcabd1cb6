/** Telegram: the message of a bot to each channel. */
import { type Job, demandConfig, each, jsonOf, once, post, templateOf, text, texts } from './channel.js'

export async function sendTelegram(job: Job): Promise<void> {
  const token = await job.credential(demandConfig(job)['telegramTokenSecret'])
  const users = texts(job.spec['mentionedUsers'])
  const mentions = users.length > 0 ? `\n${users.map((user) => `@${user} `).join('')}` : ''
  const { parts } = job.renderer.parts(templateOf(job, 'nm.default.text'), job.data, 4_096 - mentions.length)
  const send = async (channel: string, message: string): Promise<void> => {
    const body = { chat_id: channel, text: message + mentions }
    const { status, text: said } = await post(job, `https://api.telegram.org/bot${token}/sendMessage`, body)
    // It says why in JSON, whatever the status.
    const answer = jsonOf({ status: said.startsWith('{') ? 200 : status, text: said })
    if (answer['ok'] !== true) throw new Error(text(answer['description']) || `${status}`)
  }
  await each(
    job,
    texts(job.spec['channels']),
    (channel) => channel,
    async (channel) => {
      for (const [n, part] of parts.entries())
        await once(job, `${channel} ${n}`, () => send(channel, part.text))
    },
  )
}
