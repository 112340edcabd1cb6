import bcrypt from 'bcrypt'
import { describe, expect, it } from 'vitest'
import { type UserObject } from '../../authentication/users.js'
import { UserReconciler } from './user.reconciler.js'

const NOW = Date.parse('2026-01-01T12:00:00Z')
const HASH = bcrypt.hashSync('P@88w0rd', 4)
const MINUTE = 60_000

function user(more: { spec?: object; status?: object; metadata?: object } = {}): UserObject {
  return {
    metadata: { name: 'ann', uid: 'u', resourceVersion: '1', ...more.metadata },
    spec: { email: 'ann@example.com', password: HASH, ...more.spec },
    status: { ...more.status },
  }
}

/** One pass: what was written, and when to come again. */
async function pass(object: UserObject | undefined, failures: number[] = []) {
  const patches: object[] = []
  const reconciler = new UserReconciler({
    get: () => object,
    failuresOf: () => failures,
    patch: async (_, patch) => void patches.push(patch),
    hash: async (password) => `hash of ${password}`,
    lock: { maxTries: 3, durationMs: 10 * MINUTE },
    now: () => NOW,
  })
  const result = await reconciler.reconcile({ namespace: '', name: 'ann' }, new AbortController().signal)
  expect(patches.length).toBeLessThan(2)
  return { patch: patches[0], requeueAfter: result?.requeueAfter }
}

const ago = (ms: number): string => new Date(NOW - ms).toISOString()
const status = (state: string, reason: string | null = null) => ({
  status: { state, reason, lastTransitionTime: '2026-01-01T12:00:00Z' },
})

describe('a user', () => {
  it('with a new password gets it hashed first, and the copy that kubectl keeps removed', async () => {
    const annotations = { 'kubectl.kubernetes.io/last-applied-configuration': '{}' }
    const object = user({ spec: { password: 'plain' }, metadata: { annotations } })

    expect((await pass(object)).patch).toEqual({
      metadata: {
        annotations: {
          'iam.kubesphere.io/last-password-change-time': '2026-01-01T12:00:00Z',
          'kubectl.kubernetes.io/last-applied-configuration': null,
        },
      },
      spec: { password: 'hash of plain' },
    })
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
      status('Active'),
    ],
    ['disabled by somebody stays so', user({ status: { state: 'Disabled' } }), undefined],
    ['that is active is left alone', user({ status: { state: 'Active' } }), undefined],
    [
      'of a federation is left alone',
      user({ metadata: { labels: { 'kubefed.io/managed': 'true' } } }),
      undefined,
    ],
    ['that is being deleted is left alone', user({ metadata: { deletionTimestamp: ago(0) } }), undefined],
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
    expect(await pass(active, three)).toEqual({
      patch: status('AuthLimitExceeded', 'Failed login attempts exceed 3 in last 10m0s'),
      requeueAfter: 10 * MINUTE,
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
    expect(await pass(locked(4 * MINUTE), three)).toEqual({ patch: undefined, requeueAfter: 6 * MINUTE })
  })

  it('are forgiven when the lock is over', async () => {
    expect((await pass(locked(10 * MINUTE), [NOW - 11 * MINUTE])).patch).toEqual(status('Active'))
  })
})
