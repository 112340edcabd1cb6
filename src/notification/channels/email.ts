/** E-mail: one mail for each recipient, over SMTP. */
import { createHash } from 'node:crypto'
import { type Job, demandConfig, each, hasCredential, isOwnChoice, object, text, texts } from './channel.js'
import { RetryableError } from '../http.js'

const ANSWER_MS = 30_000

export async function sendEmail(job: Job): Promise<void> {
  const { spec, options, renderer, data, credential, egress, timeoutMs } = job
  const config = demandConfig(job)
  const smartHost = object(config['smartHost'])
  const host = text(smartHost['host'])
  const port = Number(smartHost['port'])
  const isHtml = (spec.tmplType || text(options['tmplType']) || 'html') === 'html'
  const template =
    spec.template || text(options['template']) || (isHtml ? 'nm.default.html' : 'nm.default.text')
  const subjectTemplate = spec.subjectTemplate || text(options['subjectTemplate']) || 'nm.default.subject'
  const subject = renderer.render(subjectTemplate, data).replace(/[\r\n]+/g, ' ')
  const body = renderer.render(template, data, isHtml ? 'html' : 'text')
  const tls = object(config['tls'])
  const user = text(config['authUsername'])
  const pass = hasCredential(config['authPassword']) ? await credential(config['authPassword']) : ''
  const secret = hasCredential(config['authSecret']) ? await credential(config['authSecret']) : ''
  const hasTls = config['tls'] !== undefined
  const pair = object(tls['clientCertificate'])
  const certificates = {
    ...(hasCredential(tls['rootCA']) && { ca: await credential(tls['rootCA']) }),
    ...(hasCredential(pair['cert']) && { cert: await credential(pair['cert']) }),
    ...(hasCredential(pair['key']) && { key: await credential(pair['key']) }),
  }
  // The account is the platform's own when a tenant uses the default config.
  const { address } = await egress.resolve(host, isOwnChoice(job))
  const { createTransport } = await import('nodemailer')
  const transport = createTransport({
    host: address,
    port,
    secure: port === 465,
    requireTLS: config['requireTLS'] === true,
    ignoreTLS: port !== 465 && config['requireTLS'] !== true,
    ...(text(config['hello']) !== '' && { name: text(config['hello']) }),
    tls: {
      servername: text(tls['serverName']) || host,
      rejectUnauthorized: hasTls && tls['insecureSkipVerify'] !== true,
      ...certificates,
    },
    ...(user !== '' && {
      auth: { user, pass: pass || secret, ...(pass === '' && secret !== '' && { method: 'CRAM-MD5' }) },
    }),
    connectionTimeout: timeoutMs,
    greetingTimeout: timeoutMs,
    // A server that has the mail may take its time to say so; who hangs up has it sent twice.
    socketTimeout: Math.max(timeoutMs, ANSWER_MS),
  } as never)
  try {
    const from = text(config['from']).replace(/[\r\n]/g, '')
    await each(
      job,
      texts(spec['to']).flatMap(addresses),
      (to) => to,
      async (to) => {
        try {
          await transport.sendMail({
            from,
            to,
            subject,
            messageId: messageId(job.progress.key, to, from),
            ...(isHtml ? { html: body } : { text: body }),
            disableFileAccess: true,
            disableUrlAccess: true,
          })
        } catch (error) {
          const { responseCode, message } = error as Error & { responseCode?: number }
          // 5yz is the server's last word; all else, such as no connection, may pass.
          if (responseCode !== undefined && responseCode >= 500) throw new Error(message, { cause: error })
          if (/require|TLS|certificate|credentials|auth/i.test(message))
            throw new Error(message, { cause: error })
          throw new RetryableError(message, undefined, { cause: error })
        }
      },
    )
  } finally {
    transport.close()
  }
}

/** The same for every attempt: a mail that was sent twice is shown once. */
function messageId(key: string, to: string, from: string): string {
  const name = createHash('sha256').update(`${key} ${to}`).digest('hex').slice(0, 32)
  return `<${name}@${/@([\w.-]+)/.exec(from)?.[1] ?? 'localhost'}>`
}

/** An entry may be a list. */
function addresses(entry: string): string[] {
  return entry
    .split(',')
    .map((address) => address.replace(/[\r\n]/g, '').trim())
    .filter((address) => address !== '')
}
