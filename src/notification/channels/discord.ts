/** Discord: the webhook of a channel, as plain content or as an embed. */
import { type Job, once, post, templateOf, text, texts } from './channel.js'

export async function sendDiscord(job: Job): Promise<void> {
  const { spec, renderer, data } = job
  const webhook = await job.credential(spec['webhook'])
  const isEmbed = text(spec['type']) === 'embed'
  const mentions = [
    ...texts(spec['mentionedUsers']).map((user) => (user === 'everyone' ? '@everyone' : `<@${user}>`)),
    ...texts(spec['mentionedRoles']).map((role) => `<@&${role}>`),
  ].join('')
  const end = mentions === '' ? '' : `\n${mentions}`
  const limit = (isEmbed ? 4_096 : 2_000) - Buffer.byteLength(end)
  const send = async (message: string): Promise<void> => {
    const body = isEmbed ? { content: '', embeds: [{ description: message }] } : { content: message }
    const answer = await post(job, webhook, body)
    if (answer.status < 200 || answer.status > 299)
      throw new Error(`${answer.status}, ${answer.text.slice(0, 500)}`)
  }
  const { parts } = renderer.parts(templateOf(job, 'nm.default.text'), data, limit)
  for (const [n, part] of parts.entries()) await once(job, `${n}`, () => send(part.text + end))
}
