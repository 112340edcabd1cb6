/** Slack: chat.postMessage for each channel. */
import { type Job, demandConfig, each, jsonOf, post, templateOf, text, texts } from './channel.js'

const URL = 'https://slack.com/api/chat.postMessage'

export async function sendSlack(job: Job): Promise<void> {
  const token = await job.credential(demandConfig(job)['slackTokenSecret'])
  const message = job.renderer.render(templateOf(job, 'nm.default.text'), job.data)
  await each(texts(job.spec['channels']), async (channel) => {
    const answer = jsonOf(
      await post(
        job,
        text(job.options['url']) || URL,
        { channel, text: message },
        { authorization: `Bearer ${token}` },
      ),
    )
    if (answer['ok'] !== true) throw new Error(text(answer['error']) || 'slack refused the message')
  })
}
