/** Pushover: a message to each profile. */
import {
  type Job,
  demandConfig,
  each,
  jsonOf,
  once,
  object,
  post,
  templateOf,
  text,
  texts,
} from './channel.js'

export async function sendPushover(job: Job): Promise<void> {
  const { spec, options, renderer, data } = job
  const token = await job.credential(demandConfig(job)['pushoverTokenSecret'])
  const titleTemplate = spec.titleTemplate || text(options['titleTemplate']) || 'nm.default.subject'
  const { parts } = renderer.parts(templateOf(job, 'nm.default.text'), data, 1_024)
  const profiles = Array.isArray(spec['profiles']) ? spec['profiles'].map(object) : []
  const send = async (profile: (typeof profiles)[number], part: (typeof parts)[number]): Promise<void> => {
    const [title, sound] = [text(profile['title']), text(profile['sound'])]
    const devices = texts(profile['devices'])
    const answer = jsonOf(
      await post(job, 'https://api.pushover.net/1/messages.json', {
        token,
        user: text(profile['userKey']),
        message: part.text,
        title: title || renderer.render(titleTemplate, part.data),
        ...(devices.length > 0 && { device: devices.join(',') }),
        ...(sound !== '' && { sound }),
      }),
    )
    if (answer['status'] !== 1)
      throw new Error(texts(answer['errors']).join(', ') || 'pushover refused the message')
  }
  await each(
    job,
    [...profiles.entries()],
    ([at]) => `${at}`,
    async ([at, profile]) => {
      for (const [n, part] of parts.entries()) await once(job, `${at} ${n}`, () => send(profile, part))
    },
  )
}
