import bcrypt from 'bcrypt'
import { describe, expect, it } from 'vitest'
import { createMergePatch } from '../../apimachinery/patch/index.js'
import { type UserObject } from '../../authentication/users.js'
import { UserReconciler } from './user.reconciler.js'

const NOW = Date.parse('2026-01-01T12:00:00Z')
const HASH = bcrypt.hashSync('P@88w0rd', 4)
const HASHES: Record<string, string> = { plain: bcrypt.hashSync('plain', 4) }
const MINUTE = 60_000

function user(more: { spec?: object; status?: object; metadata?: object } = {}): UserObject {
  return {
    metadata: { name: 'ann', finalizers: ['finalizers.kubesphere.io/users'], ...more.metadata },
    spec: { email: 'ann@example.com', password: HASH, ...more.spec },
    status: { ...more.status },
  }
}

/** One pass: what was written, and when to come again. */
async function pass(object: UserObject | undefined, failures: number[] = [], groups = object?.spec?.groups) {
  const patches: (object | undefined)[] = []
  const done: string[] = []
  const reconciler = new UserReconciler({
    get: () => object,
    async commit(before, after) {
      const patch = createMergePatch(before, after)
      if (patch !== undefined) patches.push(patch)
      return patch !== undefined
    },
    failuresOf: () => failures,
    groupsOf: () => groups ?? [],
    hash: async (password) => HASHES[password] ?? '',
    keepKubeconfig: async () => void done.push('kubeconfig'),
    removeBelongings: async () => void done.push('belongings'),
    tell: () => done.push('told'),
    lock: { maxTries: 3, durationMs: 10 * MINUTE },
    now: () => NOW,
  })
  const result = await reconciler.reconcile({ namespace: '', name: 'ann' }, new AbortController().signal)
  expect(patches.length).toBeLessThan(2)
  return { patch: patches[0], requeueAfter: result?.requeueAfter, done }
}

const ago = (ms: number): string => new Date(NOW - ms).toISOString()
const status = (state: string, reason?: string | null) => ({
  status: { state, ...(reason !== undefined && { reason }), lastTransitionTime: '2026-01-01T12:00:00Z' },
})

describe('a user', () => {
  it('that is new gets all it needs in one write, and its kubeconfig after that', async () => {
    const annotations = { 'kubectl.kubernetes.io/last-applied-configuration': '{}' }
    const object = user({ spec: { password: 'plain' }, metadata: { annotations, finalizers: undefined } })

    expect(await pass(object, [], ['g'])).toEqual({
      patch: {
        metadata: {
          finalizers: ['finalizers.kubesphere.io/users'],
          annotations: {
            'iam.kubesphere.io/last-password-change-time': '2026-01-01T12:00:00Z',
            'kubectl.kubernetes.io/last-applied-configuration': null,
          },
        },
        spec: { password: HASHES['plain'], groups: ['g'] },
        status: { state: 'Active', lastTransitionTime: '2026-01-01T12:00:00Z' },
      },
      requeueAfter: undefined,
      done: ['told'],
    })
    expect((await pass(user({ status: { state: 'Active' } }))).done).toEqual(['kubeconfig'])
  })

  it('that goes is let go when nothing of it is left', async () => {
    const gone = { deletionTimestamp: ago(0) }

    expect(await pass(user({ metadata: gone }))).toMatchObject({
      patch: { metadata: { finalizers: [] } },
      done: ['belongings'],
    })
    expect(await pass(user({ metadata: { ...gone, finalizers: ['other'] } }))).toMatchObject({ done: [] })
  })

  it('keeps the time of the last login when the state changes', async () => {
    const times = { lastLoginTime: ago(MINUTE), lastTransitionTime: ago(60 * MINUTE) }
    const object = user({ status: { state: 'Active', ...times } })

    const { patch } = await pass(object, [NOW, NOW, NOW])

    expect(patch).toMatchObject({ status: { state: 'AuthLimitExceeded' } })
    expect(patch).not.toHaveProperty('status.lastLoginTime')
  })

  it.each([
    ['with a hashed password becomes active', user(), status('Active')],
    [
      'from an identity provider becomes active',
      user({ spec: { password: '' }, metadata: { labels: { 'iam.kubesphere.io/identify-provider': 'gh' } } }),
      status('Active'),
    ],
    [
      'without password is disabled',
      user({ spec: { password: '' } }),
      status('Disabled', 'the account has no password'),
    ],
    [
      'disabled for want of a password becomes active with one',
      user({ status: { state: 'Disabled', reason: 'the account has no password' } }),
      status('Active', null),
    ],
    ['disabled by somebody stays so', user({ status: { state: 'Disabled' } }), undefined],
    ['that is active is left alone', user({ status: { state: 'Active' } }), undefined],
    [
      'of a federation is left alone',
      user({ metadata: { labels: { 'kubefed.io/managed': 'true' } } }),
      undefined,
    ],
    ['that is gone is nothing to do', undefined, undefined],
  ])('%s', async (_, object, patch) => {
    expect((await pass(object)).patch).toEqual(patch)
  })
})

describe('failed logins', () => {
  const active = user({ status: { state: 'Active', lastTransitionTime: ago(60 * MINUTE) } })
  const locked = (sinceMs: number) =>
    user({ status: { state: 'AuthLimitExceeded', reason: 'r', lastTransitionTime: ago(sinceMs) } })
  const three = [NOW - MINUTE, NOW - 2 * MINUTE, NOW - 3 * MINUTE]

  it('lock the account when there are too many in the window', async () => {
    expect(await pass(active, three)).toMatchObject({
      patch: status('AuthLimitExceeded', 'Failed login attempts exceed 3 in last 10m0s'),
    })
  })

  it('outside the window do not count', async () => {
    expect((await pass(active, [...three.slice(1), NOW - 11 * MINUTE])).patch).toBeUndefined()
  })

  it('before an unlock do not count again', async () => {
    const unlocked = user({ status: { state: 'Active', lastTransitionTime: ago(30_000) } })

    expect((await pass(unlocked, three)).patch).toBeUndefined()
  })

  it('do not prolong a lock', async () => {
    expect(await pass(locked(4 * MINUTE), three)).toMatchObject({
      patch: undefined,
      requeueAfter: 6 * MINUTE,
    })
  })

  it('are forgiven when the lock is over', async () => {
    expect((await pass(locked(10 * MINUTE), [NOW - 11 * MINUTE])).patch).toEqual(status('Active', null))
  })
})
