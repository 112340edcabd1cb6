import { type AddressInfo } from 'node:net'
import { SMTPServer, type SMTPServerOptions } from 'smtp-server'
import { afterEach, describe, expect, it } from 'vitest'
import { sent } from '../../../test/fixtures/channeljob.js'

const servers: SMTPServer[] = []
let mails: { to: string; text: string }[] = []

afterEach(() => {
  for (const server of servers.splice(0)) server.close()
  mails = []
})

async function smtp(options: SMTPServerOptions = {}): Promise<Record<string, unknown>> {
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    onAuth: ({ password }, _session, done) =>
      password === 'right' ? done(null, { user: 'mailer' }) : done(new Error('bad password')),
    onData(stream, session, done) {
      let text = ''
      stream.on('data', (chunk: Buffer) => (text += chunk.toString()))
      stream.on('end', () => {
        mails.push({ to: session.envelope.rcptTo.map(({ address }) => address).join(), text })
        done()
      })
    },
    ...options,
  })
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    from: 'orrery@example.com',
    smartHost: { host: '127.0.0.1', port: (server.server.address() as AddressInfo).port },
  }
}

describe('mails', () => {
  it('are one for each recipient, of lists too', async () => {
    const config = await smtp()

    const { error } = await sent(
      'email',
      { to: ['a@example.com', 'b@example.com, c@example.com'] },
      { config },
    )

    expect(error).toBeUndefined()
    expect(mails.map(({ to }) => to)).toEqual(['a@example.com', 'b@example.com', 'c@example.com'])
  })

  it('have the same Message-Id in every attempt, and another for each recipient', async () => {
    const config = await smtp()
    const spec = { to: ['a@example.com', 'b@example.com'] }
    await sent('email', spec, { config })
    await sent('email', spec, { config })

    const ids = mails.map(({ text }) => /^message-id: (\S+)/im.exec(text)?.[1])
    expect(new Set(ids).size).toBe(2)
    expect(ids.slice(0, 2)).toEqual(ids.slice(2))
  })

  it('are not sent in the clear when TLS is required and not offered', async () => {
    const config = { ...(await smtp()), requireTLS: true }

    const { error } = await sent('email', { to: ['a@example.com'] }, { config })

    expect([error?.message, mails]).toEqual([expect.stringMatching(/STARTTLS|TLS/), []])
  })

  it('that the server refuses for a wrong password are an error in its words', async () => {
    const config = { ...(await smtp()), authUsername: 'mailer', authPassword: { value: 'wrong' } }

    const { error } = await sent('email', { to: ['a@example.com'] }, { config })

    expect([error?.message, mails]).toEqual([expect.stringContaining('bad password'), []])
  })

  it('do not go again to a recipient whom the server does not know, nor to one who has it', async () => {
    const config = await smtp({
      onRcptTo: ({ address }, _session, done) =>
        address.startsWith('gone')
          ? done(Object.assign(new Error('no such user'), { responseCode: 550 }))
          : done(),
    })
    const spec = { to: ['gone@example.com', 'a@example.com'] }
    const first = await sent('email', spec, { config })
    const second = await sent('email', spec, { config, done: first.done })

    expect(first.error?.message).toContain('no such user')
    expect(second.error?.message).toContain('no such user')
    expect(mails.map(({ to }) => to)).toEqual(['a@example.com'])
  })

  it('carry no line breaks of alerts or recipients into their headers', async () => {
    const config = await smtp()
    const spec = { to: ['a@example.com'], subjectTemplate: '{{ "one\\r\\nBcc: evil@example.com" }}' }

    await sent('email', spec, { config })

    expect(mails[0]?.text).toMatch(/^subject: one Bcc: evil@example\.com\r?$/im)
    expect(mails[0]?.text).not.toMatch(/^bcc:/im)
  })
})
