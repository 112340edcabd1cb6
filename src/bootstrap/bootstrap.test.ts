import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { remembering, silent } from '../../test/fixtures/logger.js'
import { type KubeObject } from '../apimachinery/meta/types.js'
import { send } from '../client/transport.js'
import { PLATFORM } from '../client/writer.js'
import { type Kube, startKube } from '../kube/index.js'
import { bootstrapPlatform } from './index.js'

const USERS = '/apis/iam.kubesphere.io/v1alpha2/users'
const signal = new AbortController().signal

let kube: Kube

beforeEach(async () => {
  kube = await startKube()
})
afterEach(() => kube.close())

const bootstrap = (adminPassword = 'first') =>
  bootstrapPlatform({ client: kube.transport, adminPassword, logger: silent, signal })

async function ask<T = KubeObject>(method: string, path: string, body?: object): Promise<T> {
  const bytes = body && Buffer.from(JSON.stringify(body))
  const answer = await send(kube.transport, {
    method,
    path,
    headers: { 'content-type': method === 'PATCH' ? 'application/merge-patch+json' : 'application/json' },
    user: PLATFORM,
    ...(bytes && { body: bytes }),
  })
  if (answer.status >= 400) throw new Error(answer.body.toString())
  return JSON.parse(answer.body.toString()) as T
}

describe('first data', () => {
  it('is all there after the first start, quickly', async () => {
    const log = remembering()
    const { created, adminPassword, durationMs } = await bootstrapPlatform({
      client: kube.transport,
      adminPassword: 'first',
      logger: log,
      signal,
    })

    expect(adminPassword).toBe('first')
    expect(created.customresourcedefinitions).toHaveLength(57)
    expect(created.globalroles).toHaveLength(19)
    expect(created.rolebases).toHaveLength(39)
    expect(created.users).toEqual(['admin'])
    expect(await ask('GET', `${USERS}/admin`)).toMatchObject({
      spec: { email: 'admin@kubesphere.io', password: expect.stringMatching(/^\$2b\$10\$/) as string },
      status: { state: 'Active' },
    })
    expect(await ask('GET', '/api/v1/namespaces/kube-system')).toMatchObject({
      metadata: { labels: { 'kubesphere.io/workspace': 'system-workspace' } },
    })
    expect(await ask('GET', '/apis/rbac.authorization.k8s.io/v1/clusterroles/cluster-admin')).toMatchObject({
      metadata: { annotations: { 'kubesphere.io/creator': 'system' } },
    })
    expect(log.lines).toHaveLength(1)
    expect(durationMs).toBeLessThan(5_000) // Some 300 on a laptop; a busy machine gets time.
  })

  it('is left alone on the next start, except for what is missing', async () => {
    await bootstrap()
    const role = '/apis/iam.kubesphere.io/v1alpha2/globalroles/platform-regular'
    await ask('PATCH', role, { metadata: { annotations: { mine: 'yes' } } })
    await ask('DELETE', '/apis/iam.kubesphere.io/v1alpha2/rolebases/workspace-viewer')

    const { created, adminPassword } = await bootstrap('second')

    expect(created).toEqual({ rolebases: ['workspace-viewer'] })
    expect(adminPassword).toBeUndefined()
    expect((await ask('GET', role)).metadata.annotations).toMatchObject({ mine: 'yes' })
  })

  it('does not bring back an admin who has been removed from among others', async () => {
    await bootstrap()
    await ask('POST', USERS, {
      apiVersion: 'iam.kubesphere.io/v1alpha2',
      kind: 'User',
      metadata: { name: 'ann' },
      spec: { email: 'ann@example.com' },
    })
    await ask('DELETE', `${USERS}/admin`)

    expect((await bootstrap()).created).toEqual({})
  })

  it('does not bring back a role that nothing depends on', async () => {
    await bootstrap()
    const roles = '/apis/iam.kubesphere.io/v1alpha2/globalroles'
    for (const name of ['users-manager', 'platform-regular']) await ask('DELETE', `${roles}/${name}`)

    expect((await bootstrap()).created).toEqual({ globalroles: ['platform-regular'] })
  })

  it('may be made by two processes at once', async () => {
    const [one, two] = await Promise.all([bootstrap('one'), bootstrap('two')])

    expect([one.adminPassword, two.adminPassword].filter((password) => password !== undefined)).toHaveLength(
      1,
    )
  })
})
