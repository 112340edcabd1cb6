/** Accounts from end to end: the embedded API, real caches, the controllers, and logging in. */
import bcrypt from 'bcrypt'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Controlled, startControlled } from '../../test/fixtures/controlled.js'
import { type Authentication } from '../authentication/index.js'
import { type UserObject } from '../authentication/users.js'
import { eventually } from '../client/testing/eventually.js'
import { LOGIN_RECORDS, USERS } from '../tenancy/resources.js'

let controlled: Controlled
let authentication: Authentication

beforeEach(async () => {
  controlled = await startControlled({
    controllers: ['user', 'loginrecord'],
    options: {
      'authentication.authenticateRateLimiterMaxTries': '3',
      'authentication.loginHistoryMaximumEntries': '5',
    },
  })
  authentication = controlled.authentication
})

afterEach(() => controlled.close())

const source = { type: 'Token', sourceIP: '10.0.0.1', userAgent: 'test', recordSuccess: true } as const
const login = (password: string, sourceIP = '10.0.0.1') =>
  authentication.login.withPassword('ann', password, { ...source, sourceIP })

const ann = async () => (await controlled.read<UserObject>(USERS, 'ann')) as UserObject
const records = () => controlled.list(LOGIN_RECORDS)

async function createAnn(): Promise<void> {
  await controlled.create(USERS, {
    metadata: { name: 'ann' },
    spec: { email: 'ann@example.com', password: 'P@88w0rd' },
  })
  await eventually(async () => expect((await ann()).status?.state).toBe('Active'))
}

describe('an account', () => {
  it('made with a plain password can log in, and the password is not kept', async () => {
    await createAnn()

    await eventually(() => login('P@88w0rd'))

    const { spec, metadata } = await ann()
    expect(await bcrypt.compare('P@88w0rd', spec?.password ?? '')).toBe(true)
    expect(metadata.annotations).toHaveProperty(['iam.kubesphere.io/last-password-change-time'])
    await eventually(async () => expect((await ann()).status?.lastLoginTime).toBeDefined())
    expect(await records()).toMatchObject([
      {
        metadata: { labels: { 'iam.kubesphere.io/user-ref': 'ann' } },
        spec: { success: true, type: 'Token' },
      },
    ])
  })

  it('is locked after failures from anywhere, and free again when somebody unlocks it', async () => {
    await createAnn()
    await eventually(() => login('P@88w0rd'))

    for (const address of ['10.0.0.1', '10.0.0.2', '10.0.0.3'])
      await expect(login('wrong', address)).rejects.toThrow('incorrect password')

    await eventually(async () => expect((await ann()).status?.state).toBe('AuthLimitExceeded'))
    await eventually(() => expect(login('P@88w0rd', '10.0.0.9')).rejects.toThrow('auth rate limit exceeded'))

    // A second later, so that the failures lie before the unlock.
    const later = new Date(Date.now() + 1_000).toISOString().replace(/\.\d+Z/, 'Z')
    const status = { state: 'Active', reason: null, lastTransitionTime: later }
    await controlled.patch(USERS, 'ann', { status })
    await eventually(() => login('P@88w0rd', '10.0.0.9'))
    expect((await ann()).status?.state).toBe('Active')
  })

  it('keeps as many records as configured', async () => {
    await createAnn()
    await eventually(() => login('P@88w0rd'))

    for (let i = 0; i < 8; i++) await login('P@88w0rd')

    await eventually(async () => expect(await records()).toHaveLength(5))
  })

  it('ends its sessions when its password changes', async () => {
    await createAnn()
    await eventually(() => login('P@88w0rd'))
    const { access_token: token } = await authentication.sessions.open({ username: 'ann' })
    const authenticate = async () =>
      authentication.authenticator.authenticate(
        { headers: { authorization: `Bearer ${token}` }, sourceIP: '', userAgent: '' },
        new AbortController(),
      )
    expect(await authenticate()).toMatchObject({ name: 'ann' })

    await controlled.patch(USERS, 'ann', { spec: { password: 'An0ther!' } })

    await eventually(() => expect(authenticate()).rejects.toMatchObject({ code: 401 }))
    await eventually(() => login('An0ther!'))
  })
})
