import { createHmac, generateKeyPairSync } from 'node:crypto'
import bcrypt from 'bcrypt'
import { describe, expect, it } from 'vitest'
import { type KubeObject } from '../apimachinery/meta/types.js'
import { LiteralInformers } from '../../test/fixtures/informers.js'
import { silent } from '../../test/fixtures/logger.js'
import { createAuthentication } from './index.js'
import { type AuthenticationOptions } from './options.js'
import { USERS, type UserObject } from './users.js'

const SECRET = 'a secret of some length'
const PASSWORD = 'P@88w0rd'
const HASH = bcrypt.hashSync(PASSWORD, 4)

const OPTIONS: AuthenticationOptions = {
  jwtSecret: SECRET,
  maximumClockSkew: 10_000,
  authenticateRateLimiterMaxTries: 3,
  authenticateRateLimiterDuration: 600_000,
  multipleLogin: true,
  oauthOptions: {
    issuer: 'kubesphere',
    signKey: '',
    signKeyData: '',
    clients: [],
    accessTokenMaxAge: 7_200_000,
    accessTokenInactivityTimeout: 7_200_000,
  },
}

function user(name: string, more: { spec?: object; status?: object; metadata?: object } = {}): UserObject {
  return {
    metadata: { name, ...more.metadata },
    spec: { email: `${name}@example.com`, password: HASH, ...more.spec },
    status: { state: 'Active', ...more.status },
  }
}

function setup(options: Partial<AuthenticationOptions> = {}) {
  const clock = { now: 1_800_000_000_000 }
  const informers = new LiteralInformers()
  const users = informers.informer(USERS)
  users.put(user('ann', { spec: { groups: ['ops'] } }))
  users.put(user('off', { status: { state: 'Disabled' } }))
  users.put(user('locked', { status: { state: 'AuthLimitExceeded' } }))
  users.put(user('new', { status: { state: '' } }))
  users.put(user('external', { spec: { password: undefined } }))
  const records: KubeObject[] = []
  const authentication = createAuthentication({
    options: { ...OPTIONS, ...options },
    informers,
    create: async (_, record) => records.push(record),
    logger: silent,
    now: () => clock.now,
  })
  const authenticate = async (authorization: string | undefined) =>
    authentication.authenticator.authenticate(
      { headers: { authorization }, sourceIP: '10.0.0.1', userAgent: 'test' },
      new AbortController(),
    )
  return { ...authentication, authenticate, clock, users, records }
}

function forged(header: object, payload: object, key = SECRET): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
  const input = `${part(header)}.${part(payload)}`
  return `${input}.${createHmac('sha256', key).update(input).digest('base64url')}`
}

const HS256 = { alg: 'HS256', typ: 'JWT' }
const basic = (name: string, password: string): string =>
  `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}`
const unauthorized = (why: string) => ({ code: 401, message: `Unauthorized: ${why}` })

describe('no credentials', () => {
  it.each([undefined, '', '   '])('%j is the anonymous user', async (header) => {
    expect(await setup().authenticate(header)).toEqual({
      name: 'system:anonymous',
      groups: ['system:unauthenticated'],
    })
  })
})

describe('what no authenticator understands', () => {
  it.each(['Token x', 'Digest a=b', 'Bearer', 'Bearer ', 'Basic', 'Basic !!!', 'Basic bm9jb2xvbg=='])(
    '%s is refused in the words of the original',
    async (header) => {
      await expect(setup().authenticate(header)).rejects.toMatchObject(unauthorized('%!s(<nil>)'))
    },
  )
})

describe('a bearer token', () => {
  it('is the user with the groups of now', async () => {
    const { sessions, authenticate, users } = setup()
    const { access_token: token } = await sessions.open({ username: 'ann' })

    expect(await authenticate(`bearer ${token}`)).toEqual({
      name: 'ann',
      groups: ['ops', 'system:authenticated'],
    })

    users.put(user('ann', { spec: { groups: ['dev'] } }))
    expect(await authenticate(`Bearer ${token}`)).toEqual({
      name: 'ann',
      groups: ['dev', 'system:authenticated'],
    })
  })

  it('may be a refresh token, which the console sends, and never a code', async () => {
    const { sessions, authenticate } = setup()
    const { refresh_token: refresh } = await sessions.open({ username: 'ann' })
    const code = await sessions.openCode({ username: 'ann' })

    expect(await authenticate(`Bearer ${refresh}`)).toMatchObject({ name: 'ann' })
    await expect(authenticate(`Bearer ${code}`)).rejects.toMatchObject({ code: 401 })
  })

  it('has the claims of the original, in its order', async () => {
    const { sessions } = setup()
    const { access_token: token } = await sessions.open({ username: 'ann' })

    const payload = Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()
    expect(payload).toBe(
      '{"exp":1800007200,"iat":1800000000,"iss":"kubesphere","sub":"ann","token_type":"access_token","username":"ann"}',
    )
  })

  const iat = 1_800_000_000
  const good = { username: 'ann', iat, exp: iat + 60, iss: 'kubesphere', token_type: 'access_token' }
  const none = `${forged({ alg: 'none' }, good).split('.').slice(0, 2).join('.')}.`
  const refusals: [string, string, string][] = [
    ['no token', 'abc', 'token contains an invalid number of segments'],
    ['four parts', 'a.b.c.d', 'token contains an invalid number of segments'],
    ['not base64', '!.b.c', 'illegal base64 data at input byte 0'],
    [
      'not JSON',
      `${Buffer.from('xyz').toString('base64url')}.e30.`,
      "invalid character 'x' looking for beginning of value",
    ],
    ['alg none', none, 'signing method none is invalid'],
    ['another algorithm', forged({ alg: 'HS512' }, good), 'signing method HS512 is invalid'],
    ['an id token', forged({ alg: 'RS256' }, good), 'key is of invalid type'],
    ['another key', forged(HS256, good, 'other'), 'signature is invalid'],
    ['expired', forged(HS256, { ...good, exp: iat - 62 }), 'jwt: token is expired by 1m2s'],
    [
      'from the future',
      forged(HS256, { ...good, iat: iat + 60 }),
      `jwt: token used before issued, iat:${iat + 60}, now:${iat}`,
    ],
    ['another issuer', forged(HS256, { ...good, iss: 'evil' }), 'token of another issuer: evil'],
    ['not in the store', forged(HS256, good), 'token not found in cache'],
    [
      'a name that is no text',
      forged(HS256, { ...good, username: { a: 1 } }),
      'token claims have the wrong type',
    ],
  ]
  it.each(refusals)('%s is refused', async (_, token, why) => {
    await expect(setup().authenticate(`Bearer ${token}`)).rejects.toMatchObject(unauthorized(why))
  })

  it('within the clock skew is good', async () => {
    const { authenticate } = setup({ oauthOptions: { ...OPTIONS.oauthOptions, accessTokenMaxAge: 0 } })

    expect(await authenticate(`Bearer ${forged(HS256, { ...good, iat: iat + 9 })}`)).toMatchObject({
      name: 'ann',
    })
  })

  it('expires also when it has been seen before', async () => {
    const { sessions, authenticate, clock } = setup()
    const { access_token: token } = await sessions.open({ username: 'ann' })
    await authenticate(`Bearer ${token}`)

    clock.now += 7_200_000
    await expect(authenticate(`Bearer ${token}`)).rejects.toMatchObject({ code: 401 })
  })

  it('made for a machine is good without store and expiry', async () => {
    const token = forged(HS256, { email: 'ann@example.com', username: 'ann', token_type: 'static_token' })

    expect(await setup().authenticate(`Bearer ${token}`)).toMatchObject({ name: 'ann' })
  })

  it('of who is not registered yet has the proved identity and no groups', async () => {
    const { sessions, authenticate } = setup()
    const extra = { idp: ['gh'], uid: ['7'] }
    const { access_token: token } = await sessions.open({ username: 'system:pre-registration', extra })

    expect(await authenticate(`Bearer ${token}`)).toEqual({
      name: 'system:pre-registration',
      groups: [],
      extra,
    })
  })

  it.each([
    ['deleted', (users: ReturnType<typeof setup>['users']) => users.remove('', 'ann')],
    [
      'being deleted',
      (users) =>
        users.put(user('ann', { metadata: { name: 'ann', deletionTimestamp: '2026-11-22T20:00:00Z' } })),
    ],
    [
      'given a new password',
      (users) => users.put(user('ann', { spec: { password: bcrypt.hashSync('x', 4) } })),
    ],
  ] satisfies [string, (users: ReturnType<typeof setup>['users']) => void][])(
    'ends when its user is %s, and stays ended when the user is back',
    async (_, happen) => {
      const { sessions, authenticate, users } = setup()
      const { access_token: token } = await sessions.open({ username: 'ann' })

      happen(users)
      await expect(authenticate(`Bearer ${token}`)).rejects.toMatchObject({ code: 401 })

      users.put(user('ann'))
      await expect(authenticate(`Bearer ${token}`)).rejects.toMatchObject(
        unauthorized('token not found in cache'),
      )
    },
  )

  it('rests while its user is disabled', async () => {
    const { sessions, authenticate, users } = setup()
    const { access_token: token } = await sessions.open({ username: 'ann' })

    users.put(user('ann', { status: { state: 'Disabled' } }))
    await expect(authenticate(`Bearer ${token}`)).rejects.toMatchObject(unauthorized('account is not active'))

    users.put(user('ann'))
    expect(await authenticate(`Bearer ${token}`)).toMatchObject({ name: 'ann' })
  })

  it('of a locked user goes on: the lock is about logging in', async () => {
    const { sessions, authenticate } = setup()
    const { access_token: token } = await sessions.open({ username: 'locked' })

    expect(await authenticate(`Bearer ${token}`)).toMatchObject({ name: 'locked' })
  })
})

describe('one session per user', () => {
  it('ends the older one when a new one starts', async () => {
    const { sessions, authenticate, clock } = setup({ multipleLogin: false })
    const older = await sessions.open({ username: 'ann' })
    clock.now += 1_000

    const newer = await sessions.open({ username: 'ann' })

    await expect(authenticate(`Bearer ${older.access_token}`)).rejects.toMatchObject({ code: 401 })
    expect(await authenticate(`Bearer ${newer.access_token}`)).toMatchObject({ name: 'ann' })
  })
})

describe('basic credentials', () => {
  it('are the user, by name or address, without a record of the success', async () => {
    const { authenticate, records } = setup()

    expect(await authenticate(basic('ann', PASSWORD))).toEqual({
      name: 'ann',
      groups: ['ops', 'system:authenticated'],
    })
    expect(await authenticate(basic('Ann <ANN@example.com>', PASSWORD))).toMatchObject({ name: 'ann' })
    expect(records).toEqual([])
  })

  it.each([
    ['an unknown user', 'nobody', PASSWORD, 'incorrect password'],
    ['a wrong password', 'ann', 'wrong', 'incorrect password'],
    ['no password', 'ann', '', 'incorrect password'],
    ['a user without password', 'external', '', 'incorrect password'],
    ['a user without password and a guess', 'external', 'x', 'incorrect password'],
    ['a locked user', 'locked', PASSWORD, 'auth rate limit exceeded'],
    ['a disabled user', 'off', PASSWORD, 'account is not active'],
    ['a user not set up yet', 'new', PASSWORD, 'account is not active'],
  ])('%s is refused', async (_, name, password, why) => {
    await expect(setup().authenticate(basic(name, password))).rejects.toMatchObject(unauthorized(why))
  })

  it('leave a record when wrong', async () => {
    const { authenticate, records } = setup()

    await expect(authenticate(basic('ann', 'wrong'))).rejects.toThrow()

    expect(records).toEqual([
      {
        apiVersion: 'iam.kubesphere.io/v1alpha2',
        kind: 'LoginRecord',
        metadata: { generateName: 'ann-', labels: { 'iam.kubesphere.io/user-ref': 'ann' } },
        spec: {
          type: 'Basic',
          provider: '',
          sourceIP: '10.0.0.1',
          userAgent: 'test',
          success: false,
          reason: 'incorrect password',
        },
      },
    ])
  })

  it('are refused after too many failures, until an unlock or the end of the window', async () => {
    const { authenticate, clock, users } = setup()
    const fail = async (): Promise<void> => {
      for (let i = 0; i < 3; i++) await expect(authenticate(basic('ann', 'wrong'))).rejects.toThrow()
      await expect(authenticate(basic('ann', PASSWORD))).rejects.toMatchObject(
        unauthorized('auth rate limit exceeded'),
      )
    }

    await fail()
    clock.now += 600_001
    expect(await authenticate(basic('ann', PASSWORD))).toMatchObject({ name: 'ann' })

    await fail()
    clock.now += 2_000
    users.put(user('ann', { status: { lastTransitionTime: new Date(clock.now - 1_000).toISOString() } }))
    expect(await authenticate(basic('ann', PASSWORD))).toMatchObject({ name: 'ann' })
  })
})

describe('a password that is not hashed yet', () => {
  it('is refused, and nobody is blamed for it', async () => {
    const { authenticate, users, records } = setup()
    users.put(user('ann', { spec: { password: PASSWORD } }))

    for (let i = 0; i < 5; i++)
      await expect(authenticate(basic('ann', PASSWORD))).rejects.toMatchObject(
        unauthorized('incorrect password'),
      )
    expect(records).toEqual([])

    users.put(user('ann'))
    expect(await authenticate(basic('ann', PASSWORD))).toMatchObject({ name: 'ann' })
  })
})

describe('the key of id tokens', () => {
  it('can be configured, and is published with the name the original gives it', async () => {
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
    const pem = privateKey.export({ type: 'pkcs1', format: 'pem' }) as string
    const signKeyData = Buffer.from(pem).toString('base64')
    const { keys } = setup({ oauthOptions: { ...OPTIONS.oauthOptions, signKeyData } })

    const { n, e } = privateKey.export({ format: 'jwk' })
    const { keys: published } = await keys.published()
    expect(published).toMatchObject([{ use: 'sig', kty: 'RSA', alg: 'RS256', n, e }])
    expect(published[0]?.kid).toMatch(/^\d+$/)
  })
})
