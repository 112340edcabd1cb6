/**
 * Keeps a user ready to log in, and leaves nothing behind when the user goes.
 *
 * Level-triggered: reads the user, login records and group bindings from the caches. Whatever the user itself has to
 * become (finalizer, hashed password, groups, state) is one write, which brings the next pass through the watch; what
 * belongs to the user comes after it.
 */
import { BCRYPT, type UserObject } from '../../authentication/users.js'
import { formatTime } from '../../apimachinery/meta/time.js'
import {
  type Reconciler,
  type Request,
  type Result,
  withFinalizer,
  withoutFinalizers,
} from '../../controller/index.js'
import { type Commit } from '../../controller/index.js'
import { FEDERATED, LAST_PASSWORD_CHANGE, USER_FINALIZER } from '../../tenancy/names.js'
import { type Tell } from '../telling.js'
import { type LockOptions, verdictOn } from './state.js'

type User = Readonly<UserObject>

export interface UserReconcilerDeps {
  get(name: string): User | undefined
  commit: Commit<UserObject>
  /** Times of the failed logins on record, in milliseconds. */
  failuresOf(name: string): readonly number[]
  /** `spec.groups` as they ought to be. */
  groupsOf(user: User): readonly string[]
  hash(password: string, signal: AbortSignal): Promise<string>
  /** @returns milliseconds until it has to be looked at again */
  keepKubeconfig(user: User, signal: AbortSignal): Promise<number | undefined>
  /** Removes all that the user has and is. */
  removeBelongings(user: User, signal: AbortSignal): Promise<void>
  tell: Tell
  lock: LockOptions
  now(): number
}

/** Holds the plain text when the user was made with kubectl. */
const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration'

export class UserReconciler implements Reconciler {
  constructor(private readonly deps: UserReconcilerDeps) {}

  async reconcile({ name }: Request, signal: AbortSignal): Promise<Result> {
    const { deps } = this
    const user = deps.get(name)
    if (user === undefined) return
    if (user.metadata.deletionTimestamp !== undefined) return this.#remove(user, signal)

    const isOurs = user.metadata.labels?.[FEDERATED] !== 'true'
    const settled = isOurs ? await this.#settled(user, signal) : { user: withFinalizer(user, USER_FINALIZER) }
    if (await deps.commit(user, settled.user, signal)) {
      deps.tell(user)
      return
    }
    const reviews = [settled.reviewAfterMs, await deps.keepKubeconfig(user, signal)]
    const requeueAfter = Math.min(...reviews.filter((ms) => ms !== undefined))
    return Number.isFinite(requeueAfter) ? { requeueAfter } : undefined
  }

  async #remove(user: User, signal: AbortSignal): Promise<void> {
    const { deps } = this
    const released = withoutFinalizers(user, USER_FINALIZER)
    if (released === user) return
    await deps.removeBelongings(user, signal)
    await deps.commit(user, released, signal)
  }

  async #settled(user: User, signal: AbortSignal): Promise<{ user: UserObject; reviewAfterMs?: number }> {
    const { deps } = this
    const now = deps.now()
    const after = structuredClone<UserObject>(withFinalizer(user, USER_FINALIZER))
    const spec = (after.spec ??= {})

    const password = spec.password ?? ''
    if (password !== '' && !BCRYPT.test(password)) {
      spec.password = await deps.hash(password, signal)
      const { [LAST_APPLIED]: _, ...annotations } = after.metadata.annotations ?? {}
      after.metadata.annotations = { ...annotations, [LAST_PASSWORD_CHANGE]: formatTime(new Date(now)) }
    }

    const groups = deps.groupsOf(user)
    if (groups.length > 0 || (spec.groups ?? []).length > 0) spec.groups = [...groups]

    const { state, reason, reviewAfterMs } = verdictOn(
      after,
      deps.failuresOf(user.metadata.name ?? ''),
      deps.lock,
      now,
    )
    if (state !== (after.status?.state ?? '') || reason !== (after.status?.reason ?? '')) {
      const { reason: _, ...status } = after.status ?? {}
      after.status = {
        ...status,
        state,
        ...(reason !== '' && { reason }),
        lastTransitionTime: formatTime(new Date(now)),
      }
    }
    return { user: after, ...(reviewAfterMs !== undefined && { reviewAfterMs }) }
  }
}
