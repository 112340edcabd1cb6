import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { type AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { afterEach, describe, expect, it } from 'vitest'
import { selfSignedAuthority, servingCertificate } from '../../certificates/index.js'
import { decodeProviderOptions } from '../../configuration/identityproviders.js'
import { aliyunIDaaSProvider } from './aliyunidaas.js'
import { casProvider } from './cas.js'
import { githubProvider } from './github.js'
import { gitlabProvider } from './gitlab.js'
import { type CallbackProvider, type Identity } from './interface.js'

const REDIRECT = 'https://console.example.com/oauth/redirect/x'

let server: Server | undefined
let base = ''

afterEach(() => {
  server?.closeAllConnections()
  server?.close()
})

async function serve(handle: (request: IncomingMessage, response: ServerResponse) => unknown): Promise<void> {
  server = createServer((request, response) => void handle(request, response))
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve))
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

const exchange = (provider: CallbackProvider, query: Record<string, string>): Promise<Identity> =>
  provider.exchange(new URLSearchParams(query), new AbortController().signal)

/** An authorization server: one client, codes that work once, and a user behind each token. */
async function serveOAuth2(user: unknown, answerAs: 'json' | 'form'): Promise<void> {
  const codes = new Set(['good'])
  await serve(async (request, response) => {
    const { pathname } = new URL(request.url ?? '', base)
    const send = (status: number, body: Record<string, string>): void => {
      if (answerAs === 'json' || status !== 200) {
        response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
      } else {
        const type = 'application/x-www-form-urlencoded; charset=utf-8'
        response.writeHead(200, { 'content-type': type }).end(new URLSearchParams(body).toString())
      }
    }
    if (pathname === '/token') {
      const form = new URLSearchParams(await text(request))
      const isClient = form.get('client_id') === 'c' && form.get('client_secret') === 's'
      if (!isClient) return send(401, { error: 'invalid_client' })
      if (form.get('redirect_uri') !== REDIRECT) return send(200, { error: 'redirect_uri_mismatch' })
      if (!codes.delete(form.get('code') ?? '')) return send(200, { error: 'bad_verification_code' })
      return send(200, { access_token: 'token-of-ann', token_type: 'bearer' })
    }
    if (request.headers.authorization !== 'Bearer token-of-ann') return response.writeHead(401).end()
    return response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(user))
  })
}

const options = (more: Record<string, unknown> = {}): Record<string, unknown> => ({
  clientID: 'c',
  clientSecret: 's',
  redirectURL: REDIRECT,
  endpoint: { authURL: `${base}/authorize`, tokenURL: `${base}/token`, userInfoURL: `${base}/user` },
  ...more,
})

const github = (more = {}) => githubProvider(decodeProviderOptions('GitHubIdentityProvider', options(more)))
const gitlab = (more = {}) => gitlabProvider(decodeProviderOptions('GitlabIdentityProvider', options(more)))
const aliyun = (more = {}) => aliyunIDaaSProvider(decodeProviderOptions('AliyunIDaaSProvider', options(more)))

describe('GitHub', () => {
  it.each(['json', 'form'] as const)(
    'vouches for the owner of a code, answering with %s',
    async (answerAs) => {
      await serveOAuth2({ login: 'Ann', id: 7, email: null }, answerAs)

      expect(await exchange(github(), { code: 'good', state: 'hub' })).toEqual({
        uid: 'Ann',
        username: 'Ann',
        email: '',
      })
      await expect(exchange(github(), { code: 'good' })).rejects.toMatchObject({
        fault: 'refused',
        message: 'the identity provider refused the login: bad_verification_code',
      })
    },
  )

  it.each([
    ['without a code', {}, 'the identity provider sent no code'],
    [
      'with an error of the provider',
      { error: 'access_denied', error_description: '<script>' },
      'the identity provider refused the login: access_denied',
    ],
    [
      'with an error that somebody made up',
      { error: 'call +1 555 0100 to unlock' },
      'the identity provider refused the login',
    ],
  ])('is not asked %s', async (_, query, message) => {
    await serve(() => expect.unreachable())

    await expect(exchange(github(), query as Record<string, string>)).rejects.toMatchObject({
      fault: 'refused',
      message,
    })
  })

  it('publishes where its login page is, unless it is one of our own', () => {
    expect(github({ endpoint: {} }).published?.()).toEqual({
      endpoint: {
        authURL: 'https://github.com/login/oauth/authorize',
        tokenURL: 'https://github.com/login/oauth/access_token',
        userInfoURL: 'https://api.github.com/user',
      },
    })
    expect(
      github({ endpoint: { authURL: 'https://git.example.com/authorize' } }).published?.(),
    ).toMatchObject({
      endpoint: { authURL: 'https://git.example.com/authorize' },
    })
  })

  it.each<[string, (response: ServerResponse) => unknown]>([
    ['fails', (response) => response.writeHead(500).end('out of order')],
    [
      'sends us elsewhere',
      (response) => response.writeHead(302, { location: 'http://169.254.169.254/' }).end(),
    ],
    ['answers with a page', (response) => response.writeHead(200).end('<html>')],
    ['answers nothing of use', (response) => response.writeHead(200).end('{}')],
    ['answers without end', (response) => response.writeHead(200).end('x'.repeat(1_100_000))],
    ['hangs up', (response) => response.destroy()],
  ])('is unavailable when it %s', async (_, handle) => {
    await serve((_request, response) => handle(response))

    await expect(exchange(github(), { code: 'good' })).rejects.toMatchObject({ fault: 'unavailable' })
  })

  it('is unavailable with the wrong secret: nobody can log in, whoever tries', async () => {
    await serveOAuth2({ login: 'Ann' }, 'json')

    await expect(exchange(github({ clientSecret: 'x' }), { code: 'good' })).rejects.toMatchObject({
      fault: 'unavailable',
    })
  })

  it('over TLS is trusted with its authority, or when verification is skipped', async () => {
    const validity = { notBefore: new Date(Date.now() - 60_000), notAfter: new Date(Date.now() + 3_600_000) }
    const authority = selfSignedAuthority('git-ca', validity)
    const { cert, key } = servingCertificate(authority, '127.0.0.1', ['127.0.0.1'], validity)
    const secure = createTlsServer({ cert, key }, (request, response) => {
      response.writeHead(200, { 'content-type': 'application/json' })
      response.end(JSON.stringify(request.url === '/token' ? { access_token: 'a' } : { login: 'Ann' }))
    })
    await new Promise<void>((resolve) => secure.listen(0, '127.0.0.1', resolve))
    base = `https://127.0.0.1:${(secure.address() as AddressInfo).port}`
    const rootCAData = Buffer.from(authority.cert).toString('base64')

    await expect(exchange(github(), { code: 'x' })).rejects.toMatchObject({ fault: 'unavailable' })
    expect(await exchange(github({ rootCAData }), { code: 'x' })).toMatchObject({ uid: 'Ann' })
    expect(await exchange(github({ insecureSkipVerify: true }), { code: 'x' })).toMatchObject({ uid: 'Ann' })
    secure.close()
  })
})

describe('GitLab', () => {
  it('vouches by number, because names can be given away', async () => {
    await serveOAuth2({ id: 42, username: 'ann', email: 'ann@example.com' }, 'json')

    expect(await exchange(gitlab(), { code: 'good' })).toEqual({
      uid: '42',
      username: 'ann',
      email: 'ann@example.com',
    })
  })
})

describe('Alibaba Cloud IDaaS', () => {
  it('vouches for the user in the envelope', async () => {
    const data = { sub: '4711', username: 'ann', email: 'ann@example.com' }
    await serveOAuth2({ success: true, code: '200', message: null, data }, 'json')

    expect(await exchange(aliyun(), { code: 'good' })).toEqual({
      uid: '4711',
      username: 'ann',
      email: 'ann@example.com',
    })
  })

  it.each([
    ['says it failed', { success: false, code: '403', message: 'no', data: { sub: 'admin' } }],
    ['sends no user', { success: true, data: null }],
  ])('is unavailable when it %s', async (_, answer) => {
    await serveOAuth2(answer, 'json')

    await expect(exchange(aliyun(), { code: 'good' })).rejects.toMatchObject({ fault: 'unavailable' })
  })
})

describe('CAS', () => {
  const CAS = "xmlns:cas='http://www.yale.edu/tp/cas'"

  /** Tickets work once, and for the service they were issued to. */
  async function serveCas(): Promise<void> {
    const tickets = new Set(['ST-1'])
    await serve((request, response) => {
      const { pathname, searchParams } = new URL(request.url ?? '', base)
      if (pathname !== '/cas/serviceValidate') return response.writeHead(404).end()
      const failure =
        searchParams.get('service') !== REDIRECT
          ? 'INVALID_SERVICE'
          : tickets.delete(searchParams.get('ticket') ?? '')
            ? undefined
            : 'INVALID_TICKET'
      const body =
        failure === undefined
          ? `<cas:authenticationSuccess><cas:user>ann</cas:user>
             <cas:attributes><cas:user>admin</cas:user></cas:attributes></cas:authenticationSuccess>`
          : `<cas:authenticationFailure code="${failure}">no &amp; never</cas:authenticationFailure>`
      return response
        .writeHead(200, { 'content-type': 'application/xml' })
        .end(`<?xml version="1.0"?><cas:serviceResponse ${CAS}>${body}</cas:serviceResponse>`)
    })
  }

  const cas = (more: Record<string, unknown> = {}): CallbackProvider =>
    casProvider(
      decodeProviderOptions('CASIdentityProvider', {
        casServerURL: `${base}/cas`,
        redirectURL: REDIRECT,
        ...more,
      }),
    )

  it('vouches for the owner of a ticket, once', async () => {
    await serveCas()

    expect(await exchange(cas(), { ticket: 'ST-1' })).toEqual({ uid: 'ann', username: 'ann', email: '' })
    await expect(exchange(cas(), { ticket: 'ST-1' })).rejects.toMatchObject({
      fault: 'refused',
      message: 'the identity provider refused the ticket: INVALID_TICKET',
    })
  })

  it('may be named by its login page', async () => {
    await serveCas()

    expect(await exchange(cas({ casServerURL: `${base}/cas/login/` }), { ticket: 'ST-1' })).toMatchObject({
      uid: 'ann',
    })
  })

  it('refuses tickets for another service, and who brings none', async () => {
    await serveCas()

    await expect(
      exchange(cas({ redirectURL: 'https://elsewhere.example.com' }), { ticket: 'ST-1' }),
    ).rejects.toMatchObject({ fault: 'refused' })
    await expect(exchange(cas(), {})).rejects.toMatchObject({ fault: 'refused' })
  })

  it('is not fooled by a ticket that would change the address', async () => {
    await serveCas()

    await expect(
      exchange(cas(), { ticket: 'x&service=https://elsewhere.example.com&ticket=ST-1#' }),
    ).rejects.toMatchObject({ message: 'the identity provider refused the ticket: INVALID_TICKET' })
  })

  it.each([
    ['no XML', 'yes\nann\n'],
    [
      'XML of another kind',
      '<serviceResponse><authenticationSuccess><user>ann</user></authenticationSuccess></serviceResponse>',
    ],
    [
      'success without a user',
      `<cas:serviceResponse ${CAS}><cas:authenticationSuccess/></cas:serviceResponse>`,
    ],
    [
      'a user beside the success',
      `<cas:serviceResponse ${CAS}><cas:user>ann</cas:user><cas:other/></cas:serviceResponse>`,
    ],
    [
      'XML that breaks off',
      `<cas:serviceResponse ${CAS}><cas:authenticationSuccess><cas:user>ann</cas:user>`,
    ],
    [
      'entities to expand',
      `<!DOCTYPE r [<!ENTITY a "admin">]><cas:serviceResponse ${CAS}><cas:authenticationSuccess><cas:user>&a;</cas:user></cas:authenticationSuccess></cas:serviceResponse>`,
    ],
  ])('is unavailable when it answers %s', async (_, body) => {
    await serve((_request, response) => response.writeHead(200).end(body))

    await expect(exchange(cas(), { ticket: 'ST-1' })).rejects.toMatchObject({ fault: 'unavailable' })
  })
})
