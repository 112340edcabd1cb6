/** Slack: chat.postMessage for each channel. */
import { type Job, demandConfig, each, jsonOf, post, templateOf, text, texts } from './channel.js'

const URL = 'https://slack.com/api/chat.postMessage'

export async function sendSlack(job: Job): Promise<void> {
  const token = await job.credential(demandConfig(job)['slackTokenSecret'])
  const message = job.renderer.render(templateOf(job, 'nm.default.text'), job.data)
  const sendTo = async (channel: string): Promise<void> => {
    const answer = jsonOf(
      await post(
        job,
        text(job.options['url']) || URL,
        { channel, text: message },
        { authorization: `Bearer ${token}` },
      ),
    )
    if (answer['ok'] !== true) throw new Error(text(answer['error']) || 'slack refused the message')
  }
  await each(job, texts(job.spec['channels']), (channel) => channel, sendTo)
}
