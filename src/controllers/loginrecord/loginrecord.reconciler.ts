/**
 * Keeps login records as long and as many as configured, and tells the user when the last login was.
 *
 * Deletes records without a user. `lastLoginTime` is the newest record, good or bad, as in the original.
 */
import { formatTime } from '../../apimachinery/meta/time.js'
import { type UserObject } from '../../authentication/users.js'
import { type Reconciler, type Request, type Result } from '../../controller/index.js'

export interface LoginRecord {
  readonly name: string
  /** Milliseconds. */
  readonly at: number
  /** "" when the record has no user label. */
  readonly user: string
}

export interface LoginRecordReconcilerDeps {
  get(name: string): LoginRecord | undefined
  recordsOf(user: string): readonly LoginRecord[]
  user(name: string): Readonly<UserObject> | undefined
  delete(name: string, signal: AbortSignal): Promise<void>
  /** @param record what made it change */
  commitUser(
    before: Readonly<UserObject>,
    after: Readonly<UserObject>,
    record: string,
    signal: AbortSignal,
  ): Promise<void>
  retentionMs: number
  maxEntries: number
  now?: () => number
}

/** How long a record may be older than the knowledge of its user. */
const UNKNOWN_USER_MS = 60_000
/** Timers cannot wait for ever. */
const LONGEST_WAIT_MS = 86_400_000

const withLastLogin = (user: Readonly<UserObject>, ms: number): UserObject => ({
  ...user,
  status: { ...user.status, lastLoginTime: formatTime(new Date(ms)) },
})

export class LoginRecordReconciler implements Reconciler {
  constructor(private readonly deps: LoginRecordReconcilerDeps) {}

  async reconcile({ name }: Request, signal: AbortSignal): Promise<Result> {
    const { deps } = this
    const now = (deps.now ?? Date.now)()
    const record = deps.get(name)
    if (record === undefined) return
    const expiresInMs = record.at + deps.retentionMs - now
    if (record.user === '' || expiresInMs <= 0) return deps.delete(name, signal)
    const user = deps.user(record.user)
    if (user === undefined) {
      // A user and its first record are watched separately: the user may be about to be seen.
      const patienceMs = record.at + UNKNOWN_USER_MS - now
      return patienceMs > 0 ? { requeueAfter: patienceMs } : deps.delete(name, signal)
    }

    const newestFirst = [...deps.recordsOf(record.user)].sort(
      (a, b) => b.at - a.at || (a.name < b.name ? 1 : -1),
    )
    for (const surplus of newestFirst.slice(deps.maxEntries)) await deps.delete(surplus.name, signal)

    const lastLogin = Date.parse(user.status?.lastLoginTime ?? '') || 0
    if (record.at > lastLogin && user.metadata.deletionTimestamp === undefined)
      await deps.commitUser(user, withLastLogin(user, record.at), name, signal)
    return { requeueAfter: Math.min(expiresInMs, LONGEST_WAIT_MS) }
  }
}
