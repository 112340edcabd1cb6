/** Accounts from end to end: the embedded API, real caches, the controllers, and logging in. */
import bcrypt from 'bcrypt'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { silent } from '../../test/fixtures/logger.js'
import { AUTHENTICATION } from '../../test/fixtures/server.js'
import { type KubeObject } from '../apimachinery/meta/types.js'
import { type Authentication, createAuthentication } from '../authentication/index.js'
import { type UserObject } from '../authentication/users.js'
import { definitions } from '../bootstrap/data.js'
import { createInformerSet } from '../client/cache/informerset.js'
import { type InformerSet } from '../client/cache/interface.js'
import { eventually } from '../client/testing/eventually.js'
import { send } from '../client/transport.js'
import { ObjectWriter, PLATFORM } from '../client/writer.js'
import { Manager } from '../controller/index.js'
import { type Kube, startKube } from '../kube/index.js'
import { loginRecordController } from './loginrecord/index.js'
import { userController } from './user/index.js'

const USERS = '/apis/iam.kubesphere.io/v1alpha2/users'
const RECORDS = '/apis/iam.kubesphere.io/v1alpha2/loginrecords'
const CRDS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions'

const clock = {
  now: Date.now,
  after(ms: number, action: () => void) {
    const timer = setTimeout(action, ms)
    return () => clearTimeout(timer)
  },
}

let kube: Kube
let writer: ObjectWriter
let informers: InformerSet
let authentication: Authentication
let manager: Manager

beforeEach(async () => {
  kube = await startKube()
  writer = new ObjectWriter(kube.transport)
  const needed = (await definitions()).filter(({ name }) => /^(users|loginrecords)\.iam/.test(name))
  for (const { bytes } of needed) await writer.create(CRDS, JSON.parse(bytes.toString()) as KubeObject)
  informers = createInformerSet({ transport: kube.transport, logger: silent, user: PLATFORM, recheckMs: 20 })
  authentication = createAuthentication({
    options: { ...AUTHENTICATION, authenticateRateLimiterMaxTries: 3 },
    informers,
    create: (path, object) => writer.create(path, object),
    logger: silent,
  })
  manager = new Manager({ clock, logger: silent })
  const options = {
    authenticateRateLimiterMaxTries: 3,
    authenticateRateLimiterDuration: 600_000,
    loginHistoryRetentionPeriod: 3_600_000,
    loginHistoryMaximumEntries: 5,
  }
  manager.start(userController({ informers, writer, passwords: authentication.passwords, options }))
  manager.start(loginRecordController({ informers, writer, options }))
})

afterEach(async () => {
  await manager.close()
  await authentication.close()
  await informers.close()
  await kube.close()
})

const source = { type: 'Token', sourceIP: '10.0.0.1', userAgent: 'test', recordSuccess: true } as const
const login = (password: string, sourceIP = '10.0.0.1') =>
  authentication.login.withPassword('ann', password, { ...source, sourceIP })

async function read<T>(path: string): Promise<T> {
  const answer = await send(kube.transport, { method: 'GET', path, headers: {}, user: PLATFORM })
  return JSON.parse(answer.body.toString()) as T
}

const ann = () => read<UserObject>(`${USERS}/ann`)
const records = async () => (await read<{ items: KubeObject[] }>(RECORDS)).items

async function createAnn(): Promise<void> {
  await writer.create(USERS, {
    apiVersion: 'iam.kubesphere.io/v1alpha2',
    kind: 'User',
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
    await writer.mergePatch(`${USERS}/ann`, { status })
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
        new AbortController().signal,
      )
    expect(await authenticate()).toMatchObject({ name: 'ann' })

    await writer.mergePatch(`${USERS}/ann`, { spec: { password: 'An0ther!' } })

    await eventually(() => expect(authenticate()).rejects.toMatchObject({ code: 401 }))
    await eventually(() => login('An0ther!'))
  })
})
