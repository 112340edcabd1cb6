/** Telegram: the message of a bot to each channel. */
import { type Job, demandConfig, each, post, templateOf, text, texts } from './channel.js'

export async function sendTelegram(job: Job): Promise<void> {
  const token = await job.credential(demandConfig(job)['telegramTokenSecret'])
  const users = texts(job.spec['mentionedUsers'])
  const mentions = users.length > 0 ? `\n${users.map((user) => `@${user} `).join('')}` : ''
  const { parts } = job.renderer.parts(templateOf(job, 'nm.default.text'), job.data, 4_096 - mentions.length)
  await each(texts(job.spec['channels']), async (channel) => {
    for (const part of parts) {
      const body = { chat_id: channel, text: part.text + mentions }
      const { status, text: said } = await post(job, `https://api.telegram.org/bot${token}/sendMessage`, body)
      const answer = JSON.parse(said) as { ok?: unknown; description?: unknown }
      if (answer.ok !== true) throw new Error(text(answer.description) || `${status}`)
    }
  })
}
