/**
 * Keeps a user ready to log in: hashes a password that was written in plain text, and sets the state.
 *
 * Level-triggered: reads the user and its login records from the caches. A pass makes one write; the write brings
 * the next pass through the watch.
 */
import { BCRYPT, type UserObject } from '../../authentication/users.js'
import { type Reconciler, type Request, type Result } from '../../controller/index.js'
import { type LockOptions, verdictOn } from './state.js'

export interface UserReconcilerDeps {
  get(name: string): Readonly<UserObject> | undefined
  /** Times of the failed logins on record, in milliseconds. */
  failuresOf(name: string): readonly number[]
  /** Merge patch; it must fail when the user has changed since `from`. */
  patch(from: Readonly<UserObject>, patch: object, signal: AbortSignal): Promise<void>
  hash(password: string, signal: AbortSignal): Promise<string>
  lock: LockOptions
  now?: () => number
}

const PASSWORD_CHANGED = 'iam.kubesphere.io/last-password-change-time'
/** Holds the plain text when the user was made with kubectl. */
const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration'
/** Written on the host of a federation; members leave such users alone. */
const FEDERATED = 'kubefed.io/managed'

const rfc3339 = (ms: number): string => new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z')

export class UserReconciler implements Reconciler {
  constructor(private readonly deps: UserReconcilerDeps) {}

  async reconcile({ name }: Request, signal: AbortSignal): Promise<Result> {
    const { deps } = this
    const now = (deps.now ?? Date.now)()
    const user = deps.get(name)
    if (user === undefined || user.metadata.deletionTimestamp !== undefined) return
    if (user.metadata.labels?.[FEDERATED] === 'true') return

    const password = user.spec?.password ?? ''
    if (password !== '' && !BCRYPT.test(password)) {
      const annotations = {
        [PASSWORD_CHANGED]: rfc3339(now),
        ...(user.metadata.annotations?.[LAST_APPLIED] !== undefined && { [LAST_APPLIED]: null }),
      }
      const hashed = await deps.hash(password, signal)
      return deps.patch(user, { metadata: { annotations }, spec: { password: hashed } }, signal)
    }

    const { state, reason, reviewAfterMs } = verdictOn(user, deps.failuresOf(name), deps.lock, now)
    if (state !== (user.status?.state ?? '') || reason !== (user.status?.reason ?? '')) {
      const status = { state, reason: reason === '' ? null : reason, lastTransitionTime: rfc3339(now) }
      await deps.patch(user, { status }, signal)
    }
    return reviewAfterMs === undefined ? undefined : { requeueAfter: reviewAfterMs }
  }
}
