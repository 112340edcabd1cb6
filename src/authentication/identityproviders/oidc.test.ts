import { createServer, type Server } from 'node:http'
import { type AddressInfo } from 'node:net'
import { type CryptoKey, exportJWK, generateKeyPair, type JWTPayload, SignJWT, UnsecuredJWT } from 'jose'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type OidcServer, REDIRECT_URL, startOidcProvider } from '../../../test/fixtures/oidcprovider.js'
import { freePort } from '../../../test/fixtures/slapd.js'
import { decodeProviderOptions } from '../../configuration/identityproviders.js'
import { type CallbackProvider } from './interface.js'
import { oidcProvider } from './oidc.js'

const never = (): AbortSignal => new AbortController().signal

const provider = (options: Record<string, unknown>, now?: () => number): CallbackProvider =>
  oidcProvider(decodeProviderOptions('OIDCIdentityProvider', { redirectURL: REDIRECT_URL, ...options }), now)

describe('a real OpenID provider', () => {
  let server: OidcServer
  const ANN = { email: 'ann@example.com', preferred_username: 'Ann', name: 'Ann Other', nick: 'annie' }

  beforeAll(async () => {
    server = await startOidcProvider({ 'ann|1': ANN, 'bob|2': { name: 'bob' } })
  })

  afterAll(() => server?.close())

  const real = (more: Record<string, unknown> = {}): CallbackProvider =>
    provider({
      issuer: server.issuer,
      clientID: server.client.client_id,
      clientSecret: server.client.client_secret,
      ...more,
    })

  it('vouches for who has logged in there', async () => {
    expect(await real().exchange(await server.authorize('ann|1'), never())).toEqual({
      uid: 'ann|1',
      username: 'Ann',
      email: 'ann@example.com',
    })
    expect(await real().exchange(await server.authorize('bob|2'), never())).toEqual({
      uid: 'bob|2',
      username: 'bob',
      email: '',
    })
  })

  it('is asked for user info when the options say so, and for other claims', async () => {
    const options = { getUserInfo: true, preferredUsernameKey: 'name', emailKey: 'preferred_username' }

    expect(await real(options).exchange(await server.authorize('ann|1'), never())).toEqual({
      uid: 'ann|1',
      username: 'Ann Other',
      email: 'Ann',
    })
  })

  it('takes a code once', async () => {
    const query = await server.authorize('ann|1')
    await real().exchange(query, never())

    await expect(real().exchange(query, never())).rejects.toMatchObject({
      fault: 'refused',
      message: 'the identity provider refused the login: invalid_grant',
    })
  })

  it('is unavailable with the wrong secret, which is not the fault of who logs in', async () => {
    const query = await server.authorize('ann|1')

    await expect(real({ clientSecret: 'wrong' }).exchange(query, never())).rejects.toMatchObject({
      fault: 'unavailable',
    })
  })

  it('publishes what its discovery document says, and the scope that id tokens need', async () => {
    const fresh = real({ scopes: ['email'], endpoint: { authURL: 'https://id.example.com/login' } })

    fresh.prepare?.()
    await expect
      .poll(() => fresh.published?.())
      .toMatchObject({
        endpoint: {
          authURL: 'https://id.example.com/login',
          tokenURL: `${server.issuer}/token`,
          userInfoURL: `${server.issuer}/me`,
          jwksURL: `${server.issuer}/jwks`,
          endSessionURL: `${server.issuer}/session/end`,
        },
        scopes: ['openid', 'email'],
      })
  })

  it('works by its addresses alone, too', async () => {
    const endpoint = { tokenURL: `${server.issuer}/token`, jwksURL: `${server.issuer}/jwks` }
    const query = await server.authorize('ann|1')

    expect(await real({ issuer: '', endpoint }).exchange(query, never())).toMatchObject({ uid: 'ann|1' })
  })

  it('accepts the secret in the form when it wants it there', async () => {
    const other = await startOidcProvider({ eve: {} }, 'client_secret_post')
    const { client_id: clientID, client_secret: clientSecret } = other.client
    const endpoint = { tokenURL: `${other.issuer}/token` }

    const query = await other.authorize('eve')

    // Nothing says so here: the other way is tried first.
    expect(await provider({ clientID, clientSecret, endpoint }).exchange(query, never())).toMatchObject({
      uid: 'eve',
    })
    await other.close()
  })
})

describe('an OpenID provider that lies', () => {
  let server: Server
  let issuer: string
  let keys: { publicKey: CryptoKey; privateKey: CryptoKey }
  let idToken: string
  let document: Record<string, unknown>
  let userinfo: Record<string, unknown>
  let requests: string[]
  let isUp: boolean

  beforeEach(async () => {
    keys = await generateKeyPair('ES256')
    requests = []
    isUp = true
    userinfo = {}
    server = createServer((request, response) => {
      requests.push(request.url ?? '')
      const answers: Record<string, unknown> = {
        '/.well-known/openid-configuration': document,
        '/jwks': { keys: [] },
        '/token': { access_token: 'a', token_type: 'Bearer', id_token: idToken },
        '/me': userinfo,
      }
      const answer = answers[request.url ?? '']
      void exportJWK(keys.publicKey).then((jwk) => {
        const body = request.url === '/jwks' ? { keys: [{ ...jwk, kid: 'k', alg: 'ES256' }] } : answer
        response.writeHead(isUp ? 200 : 503, { 'content-type': 'application/json' })
        response.end(JSON.stringify(body))
      })
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    document = {
      issuer,
      authorization_endpoint: `${issuer}/auth`,
      token_endpoint: `${issuer}/token`,
      userinfo_endpoint: `${issuer}/me`,
      jwks_uri: `${issuer}/jwks`,
    }
    idToken = await signed({})
  })

  afterEach(() => server.close())

  const NOW = Math.floor(Date.now() / 1000)
  const signed = (claims: JWTPayload, key = keys.privateKey): Promise<string> =>
    new SignJWT({ sub: 'ann', iss: issuer, aud: 'c', iat: NOW, exp: NOW + 300, ...claims })
      .setProtectedHeader({ alg: 'ES256', kid: 'k' })
      .sign(key)

  const CODE = new URLSearchParams({ code: 'x' })
  const exchange = (more: Record<string, unknown> = {}) =>
    provider({ issuer, clientID: 'c', ...more }).exchange(CODE, never())

  it('is believed when it tells the truth', async () => {
    expect(await exchange()).toMatchObject({ uid: 'ann' })
  })

  it.each<[string, () => Promise<string> | string]>([
    ['is for another client', () => signed({ aud: 'other' })],
    ['was issued to another client', () => signed({ aud: ['c', 'other'], azp: 'other' })],
    ['is from another issuer', () => signed({ iss: 'https://elsewhere.example.com' })],
    ['is over', () => signed({ exp: NOW - 120 })],
    ['never ends', () => signed({ exp: undefined as unknown as number })],
    ['is signed with another key', async () => signed({}, (await generateKeyPair('ES256')).privateKey)],
    ['is not signed', () => new UnsecuredJWT({ sub: 'ann', iss: issuer, aud: 'c', exp: NOW + 300 }).encode()],
    ['is no token', () => 'nonsense'],
  ])('is refused when its id token %s', async (_, make) => {
    idToken = await make()

    await expect(exchange()).rejects.toMatchObject({ fault: 'refused' })
  })

  it.each<[string, () => Promise<string>]>([
    ['is for another client', () => signed({ aud: 'other' })],
    ['is over', () => signed({ exp: NOW - 120 })],
  ])('is refused, where no keys are known, when its id token %s', async (_, make) => {
    idToken = await make()

    const more = { issuer: '', endpoint: { tokenURL: `${issuer}/token` } }
    await expect(exchange(more)).rejects.toMatchObject({ fault: 'refused' })
  })

  it('is not believed about another subject', async () => {
    userinfo = { sub: 'admin', preferred_username: 'admin' }

    await expect(exchange({ getUserInfo: true })).rejects.toMatchObject({ fault: 'unavailable' })
  })

  it('is not believed with the discovery document of another issuer', async () => {
    document = { ...document, issuer: 'https://elsewhere.example.com' }

    await expect(exchange()).rejects.toMatchObject({ fault: 'unavailable' })
    expect(requests).toEqual(['/.well-known/openid-configuration'])
  })

  it('that is down fails a login, and not the next one when it is back', async () => {
    const patient = provider({ issuer, clientID: 'c' })
    isUp = false
    await expect(patient.exchange(CODE, never())).rejects.toMatchObject({ fault: 'unavailable' })
    expect(patient.published?.()).toEqual({ scopes: ['openid'] })

    isUp = true
    expect(await patient.exchange(CODE, never())).toMatchObject({ uid: 'ann' })
  })

  it('that is down lives on what it said an hour ago', async () => {
    let now = Date.now()
    const known = provider({ issuer, clientID: 'c', endpoint: { jwksURL: `${issuer}/jwks` } }, () => now)
    await known.exchange(CODE, never())

    document = {}
    now += 3_600_001
    idToken = await signed({ exp: NOW + 7_200 })

    expect(await known.exchange(CODE, never())).toMatchObject({ uid: 'ann' })
    expect(requests.filter((path) => path.includes('well-known'))).toHaveLength(2)
  })
})

it('an OpenID provider that is not there is unavailable, by a message without its address', async () => {
  const absent = provider({ issuer: `http://127.0.0.1:${await freePort()}`, clientID: 'c' })

  await expect(absent.exchange(new URLSearchParams({ code: 'x' }), never())).rejects.toMatchObject({
    fault: 'unavailable',
    message: 'the identity provider cannot be reached',
  })
})
