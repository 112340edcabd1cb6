import { createHash } from 'node:crypto'
import bcrypt from 'bcrypt'
import { createRemoteJWKSet, jwtVerify } from 'jose'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { LiteralInformers } from '../../../test/fixtures/informers.js'
import { type LiteralServer, serveLiterals } from '../../../test/fixtures/server.js'
import { type UserObject, USERS } from '../../authentication/users.js'
import { oauthGroup } from './index.js'

const PASSWORD = 'P@88w0rd'
const HASH = bcrypt.hashSync(PASSWORD, 4)
const CLIENT = { client_id: 'kubesphere', client_secret: 'kubesphere' }
const STRICT = { client_id: 'strict', client_secret: 'strict-secret' }
const CALLBACK = 'http://127.0.0.1:12345/cb'

function user(name: string, more: { spec?: object; status?: object; metadata?: object } = {}): UserObject {
  return {
    metadata: { name, ...more.metadata },
    spec: { email: `${name}@example.com`, lang: 'en', password: HASH, ...more.spec },
    status: { state: 'Active', ...more.status },
  }
}

let informers: LiteralInformers
let server: LiteralServer

beforeEach(async () => {
  informers = new LiteralInformers()
  informers.informer(USERS).put(user('ann'))
  server = await serveLiterals(informers, ({ authentication }) => [
    oauthGroup({ issuer: 'kubesphere', ...authentication }),
  ])
})

afterEach(() => server.close())

const users = () => informers.informer(USERS)

interface Tokens {
  access_token: string
  refresh_token: string
  id_token?: string
  error?: string
  error_description?: string
}

async function token(fields: Record<string, string>): Promise<{ status: number; body: Tokens }> {
  const answer = await fetch(`${server.base}/oauth/token`, {
    method: 'POST',
    body: new URLSearchParams(fields),
  })
  return { status: answer.status, body: (await answer.json()) as Tokens }
}

const login = (name = 'ann') =>
  token({ grant_type: 'password', username: name, password: PASSWORD, ...CLIENT })

function get(path: string, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(server.base + path, { headers, redirect: 'manual' })
}

/** The code that the authorize endpoint sends to the strict client. */
async function code(parameters: Record<string, string> = {}): Promise<string> {
  const { body } = await login()
  const query = new URLSearchParams({ client_id: 'strict', response_type: 'code', ...parameters })
  const answer = await get(`/oauth/authorize?${query.toString()}`, {
    authorization: `Bearer ${body.access_token}`,
  })
  return new URL(answer.headers.get('location') ?? '').searchParams.get('code') ?? ''
}

const claims = (jwt: string): Record<string, unknown> =>
  JSON.parse(Buffer.from(jwt.split('.')[1] ?? '', 'base64url').toString()) as Record<string, unknown>

describe('the password grant', () => {
  it('tells the console that the password is the initial one', async () => {
    users().put(user('new', { metadata: { annotations: { 'iam.kubesphere.io/uninitialized': 'true' } } }))

    const { body } = await login('new')

    expect(claims(body.access_token)).toMatchObject({ username: 'new', extra: { uninitialized: ['true'] } })
  })

  it('leaves a record of success and of failure', async () => {
    await login()
    await token({ grant_type: 'password', username: 'ann', password: 'wrong', ...CLIENT })
    await token({ grant_type: 'password', username: 'nobody', password: 'wrong', ...CLIENT })

    expect(server.created.map(({ spec }) => spec)).toMatchObject([
      { type: 'Token', success: true, reason: 'authenticated successfully', sourceIP: '127.0.0.1' },
      { type: 'Token', success: false, reason: 'incorrect password' },
    ])
  })

  it('answers a disabled user 400', async () => {
    users().put(user('off', { status: { state: 'Disabled' } }))

    expect(await login('off')).toEqual({
      status: 400,
      body: { error: 'invalid_grant', error_description: 'account is not active' },
    })
  })
})

describe('the refresh grant', () => {
  const refresh = (refreshToken: string) =>
    token({ grant_type: 'refresh_token', refresh_token: refreshToken, ...CLIENT })

  it.each([
    ['deleted', () => users().remove('', 'ann')],
    ['disabled', () => users().put(user('ann', { status: { state: 'Disabled' } }))],
  ])('is refused when the user has been %s', async (_, happen) => {
    const { body } = await login()

    happen()

    expect((await refresh(body.refresh_token)).status).toBe(400)
  })

  it('turns a confirmed registration into its user', async () => {
    const extra = { idp: ['gh'], uid: ['7'] }
    const before = await server.authentication.sessions.open({ username: 'system:pre-registration', extra })
    expect(await refresh(before.refresh_token)).toEqual({
      status: 400,
      body: { error: 'invalid_grant', error_description: 'authenticated user does not exist' },
    })

    const labels = { 'iam.kubesphere.io/identify-provider': 'gh', 'iam.kubesphere.io/origin-uid': '7' }
    users().put(user('eve', { metadata: { labels }, spec: { password: '' } }))

    expect(claims((await refresh(before.refresh_token)).body.access_token)).toMatchObject({ username: 'eve' })
  })
})

describe('the code grant', () => {
  it('works once', async () => {
    const given = await code()
    const exchange = () => token({ grant_type: 'authorization_code', code: given, ...STRICT })

    expect((await exchange()).status).toBe(200)
    expect(await exchange()).toMatchObject({ status: 400, body: { error: 'invalid_grant' } })
  })

  it('works once for two who try at the same time', async () => {
    const given = await code()

    const both = await Promise.all([1, 2].map(() => token({ grant_type: 'code', code: given, ...STRICT })))

    expect(both.map(({ status }) => status).sort()).toEqual([200, 400])
  })

  it.each([
    ['another client', {}, CLIENT],
    ['another address', { redirect_uri: CALLBACK }, { ...STRICT, redirect_uri: 'http://elsewhere' }],
    ['no verifier', { code_challenge: 'x', code_challenge_method: 'plain' }, STRICT],
    [
      'a wrong verifier',
      { code_challenge: 'x', code_challenge_method: 'S256' },
      { ...STRICT, code_verifier: 'x' },
    ],
    [
      'an unknown method',
      { code_challenge: 'x', code_challenge_method: 'S1' },
      { ...STRICT, code_verifier: 'x' },
    ],
  ] satisfies [string, Record<string, string>, Record<string, string>][])(
    'is refused to %s',
    async (_, asked, exchanged) => {
      const answer = await token({ grant_type: 'code', code: await code(asked), ...exchanged })

      expect(answer).toMatchObject({ status: 400, body: { error: 'invalid_grant' } })
    },
  )

  it('is given to who proves the challenge', async () => {
    const verifier = 'a-verifier-of-some-length-for-this-test'
    const challenge = createHash('sha256').update(verifier).digest('base64url')
    const given = await code({
      code_challenge: challenge,
      code_challenge_method: 'S256',
      redirect_uri: CALLBACK,
    })

    const answer = await token({
      grant_type: 'authorization_code',
      code: given,
      code_verifier: verifier,
      redirect_uri: CALLBACK,
      ...STRICT,
    })

    expect(answer.status).toBe(200)
    expect(answer.body.id_token).toBeUndefined()
  })

  it('comes with an id token that the published key verifies', async () => {
    const given = await code({ scope: 'openid email profile', nonce: 'n1' })

    const { body } = await token({ grant_type: 'code', code: given, ...STRICT })

    const keys = createRemoteJWKSet(new URL(`${server.base}/oauth/keys`))
    const { payload } = await jwtVerify(body.id_token ?? '', keys, {
      issuer: 'kubesphere',
      audience: 'strict',
    })
    expect(payload).toMatchObject({
      sub: 'ann',
      name: 'ann',
      nonce: 'n1',
      email: 'ann@example.com',
      locale: 'en',
      preferred_username: 'ann',
    })
    expect((await get('/oauth/userinfo', { authorization: `Bearer ${body.id_token}` })).status).toBe(401)
  })
})

describe('the authorize endpoint in a browser', () => {
  const query = new URLSearchParams({
    client_id: 'strict',
    response_type: 'code',
    redirect_uri: CALLBACK,
    state: '"><script>',
  })
  const html = { accept: 'text/html,application/xhtml+xml' }

  function post(fields: Record<string, string>, headers: Record<string, string> = html): Promise<Response> {
    const body = new URLSearchParams({ ...Object.fromEntries(query), ...fields })
    return fetch(`${server.base}/oauth/authorize`, { method: 'POST', body, headers, redirect: 'manual' })
  }

  it('shows a login page that carries the parameters, harmless', async () => {
    const answer = await get(`/oauth/authorize?${query.toString()}`, html)
    const page = await answer.text()

    expect(answer.status).toBe(200)
    expect(answer.headers.get('content-security-policy')).toContain("default-src 'none'")
    expect(answer.headers.get('x-frame-options')).toBe('DENY')
    expect(page).toContain(`name="redirect_uri" value="${CALLBACK}"`)
    expect(page).not.toContain('<script>')
  })

  it('sends back with a code and the state after a good login', async () => {
    const answer = await post({ username: 'ann', password: PASSWORD })

    const location = new URL(answer.headers.get('location') ?? '')
    expect(answer.status).toBe(302)
    expect(location.origin + location.pathname).toBe(CALLBACK)
    expect(location.searchParams.get('state')).toBe('"><script>')
    expect(
      (await token({ grant_type: 'code', code: location.searchParams.get('code') ?? '', ...STRICT })).status,
    ).toBe(200)
    expect(server.created).toMatchObject([{ spec: { type: 'OAuth', success: true } }])
  })

  it('shows the page again after a bad one, and answers other clients in JSON', async () => {
    const page = await post({ username: 'ann"', password: 'wrong' })
    const json = await post({ username: 'ann', password: 'wrong' }, {})

    expect(page.status).toBe(401)
    expect(page.headers.get('www-authenticate')).toBeNull()
    expect(await page.text()).toContain('incorrect password')
    expect(await json.json()).toEqual({ error: 'invalid_grant', error_description: 'incorrect password' })
  })

  it('never takes a password from the address', async () => {
    const answer = await get(
      `/oauth/authorize?${query.toString()}&username=ann&password=${encodeURIComponent(PASSWORD)}`,
    )

    expect(answer.status).toBe(401)
    expect(server.created).toEqual([])
  })

  it('shows nothing for a client or an address it does not know', async () => {
    expect((await get('/oauth/authorize?client_id=nope', html)).status).toBe(400)
    expect((await get('/oauth/authorize?client_id=strict&redirect_uri=http://evil', html)).status).toBe(400)
    expect(
      (await get('/oauth/authorize?client_id=kubesphere&redirect_uri=javascript:alert(1)', html)).status,
    ).toBe(400)
    expect((await get('/oauth/authorize?client_id=kubesphere', html)).status).toBe(400)
  })
})

describe('logging out', () => {
  it('ends every session of the user and no other', async () => {
    users().put(user('bob'))
    const [ann, bob] = [await login(), await login('bob')]
    const as = (tokens: Tokens) => ({ authorization: `Bearer ${tokens.access_token}` })

    await get('/oauth/logout', as(ann.body))

    expect((await get('/oauth/userinfo', as(ann.body))).status).toBe(401)
    expect((await get('/oauth/userinfo', as(bob.body))).status).toBe(200)
  })

  it.each(['javascript:alert(1)', '//evil', 'not a url'])('does not send to %s', async (target) => {
    const answer = await get(`/oauth/logout?post_logout_redirect_uri=${encodeURIComponent(target)}`)

    expect(answer.status).toBe(400)
  })
})

describe('a token review', () => {
  async function review(shown: string): Promise<{ status: number; text: string }> {
    const answer = await fetch(`${server.base}/oauth/authenticate`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ kind: 'TokenReview', spec: { token: shown } }),
    })
    return { status: answer.status, text: await answer.text() }
  }

  it('knows access tokens of users who are there', async () => {
    const { body } = await login()
    expect((await review(body.access_token)).status).toBe(200)
    expect((await review(body.refresh_token)).status).toBe(400)

    users().remove('', 'ann')
    expect(await review(body.access_token)).toEqual({ status: 400, text: 'token not found in cache\n' })
  })
})

describe('identity providers', () => {
  it('are none yet', async () => {
    const body = new URLSearchParams({ username: 'a', password: 'b' })
    const answer = await fetch(`${server.base}/oauth/login/ldap`, { method: 'POST', body })

    expect(answer.status).toBe(500)
    expect(await answer.json()).toEqual({
      error: 'server_error',
      error_description: 'the identity provider was not found',
    })
  })
})
