import { describe, expect, it } from 'vitest'
import { type UserObject } from '../../authentication/users.js'
import { type LoginRecord, LoginRecordReconciler } from './loginrecord.reconciler.js'

const NOW = Date.parse('2026-01-01T12:00:00Z')
const HOUR = 3_600_000

const record = (name: string, agoMs: number, user = 'ann'): LoginRecord => ({ name, at: NOW - agoMs, user })
const ann = (lastLoginTime?: string): UserObject => ({
  metadata: { name: 'ann' },
  status: { state: 'Active', ...(lastLoginTime !== undefined && { lastLoginTime }) },
})

async function pass(name: string, records: LoginRecord[], user: UserObject | undefined = ann()) {
  const deleted: string[] = []
  const patches: object[] = []
  const reconciler = new LoginRecordReconciler({
    get: (wanted) => records.find((candidate) => candidate.name === wanted),
    recordsOf: (owner) => records.filter((candidate) => candidate.user === owner),
    user: (wanted) => (wanted === 'ann' ? user : undefined),
    delete: async (gone) => void deleted.push(gone),
    commitUser: async (_, { status }) => void patches.push({ status }),
    retentionMs: 48 * HOUR,
    maxEntries: 2,
    now: () => NOW,
  })
  const result = await reconciler.reconcile({ namespace: '', name }, new AbortController().signal)
  return { deleted, patches, requeueAfter: result?.requeueAfter }
}

describe('a login record', () => {
  it('tells the user when the last login was, and is looked at again when it expires', async () => {
    expect(await pass('a', [record('a', 47 * HOUR)])).toEqual({
      deleted: [],
      patches: [{ status: { state: 'Active', lastLoginTime: '2025-12-30T13:00:00Z' } }],
      requeueAfter: HOUR,
    })
  })

  it('older than the last login tells nothing', async () => {
    expect((await pass('a', [record('a', HOUR)], ann('2026-01-01T11:30:00Z'))).patches).toEqual([])
  })

  it('goes when it is too old, or has no user', async () => {
    const nobodys = [record('old', 49 * HOUR), record('lost', HOUR, 'gone'), record('bare', 0, '')]

    for (const { name } of nobodys) expect((await pass(name, nobodys)).deleted).toEqual([name])
  })

  it('stays for a while when its user is not known yet', async () => {
    expect(await pass('a', [record('a', 1_000, 'new')])).toEqual({
      deleted: [],
      patches: [],
      requeueAfter: 59_000,
    })
  })

  it('pushes out the oldest of its user when there are too many', async () => {
    const records = [
      record('a', 3 * HOUR),
      record('b', 2 * HOUR),
      record('c', HOUR),
      record('d', HOUR, 'bob'),
    ]

    expect((await pass('c', records)).deleted).toEqual(['a'])
  })
})
