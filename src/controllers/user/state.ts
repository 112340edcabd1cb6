/**
 * The state a user ought to be in: Active, Disabled, or locked after too many failed logins.
 *
 * Differs from the original where that is unsafe or surprising: `Disabled` stays until somebody changes it (unless
 * the only reason was a missing password), and a lock ends when it said it would, whoever keeps trying.
 */
import { formatDuration } from '../../configuration/duration.js'
import {
  BCRYPT,
  IDENTITY_PROVIDER_LABEL,
  type UserObject,
  type UserState,
} from '../../authentication/users.js'

export interface LockOptions {
  maxTries: number
  durationMs: number
}

export interface Verdict {
  state: UserState
  reason: string
  /** Milliseconds until the verdict has to be looked at again. */
  reviewAfterMs?: number
}

export const NO_PASSWORD = 'the account has no password'

/** @param failures times, in milliseconds, of the failed logins on record */
export function verdictOn(
  user: Readonly<UserObject>,
  failures: readonly number[],
  { maxTries, durationMs }: LockOptions,
  now: number,
): Verdict {
  const { spec = {}, status = {}, metadata } = user
  const current: Verdict = { state: status.state ?? '', reason: status.reason ?? '' }
  const password = spec.password ?? ''
  const isExternal = metadata.labels?.[IDENTITY_PROVIDER_LABEL] !== undefined
  const since = Date.parse(status.lastTransitionTime ?? '') || 0

  if (current.state === 'Disabled' && current.reason !== NO_PASSWORD) return current
  if (password === '' && isExternal) return { state: 'Active', reason: '' }
  if (password === '') return { state: 'Disabled', reason: NO_PASSWORD }
  if (!BCRYPT.test(password)) return current // It is being hashed; the write brings the next look.

  if (current.state === 'AuthLimitExceeded') {
    const left = since + durationMs - now
    return left > 0 ? { ...current, reviewAfterMs: left } : { state: 'Active', reason: '' }
  }
  const from = Math.max(since, now - durationMs)
  if (maxTries > 0 && failures.filter((at) => at >= from).length >= maxTries) {
    const reason = `Failed login attempts exceed ${maxTries} in last ${formatDuration(durationMs)}`
    return { state: 'AuthLimitExceeded', reason, reviewAfterMs: durationMs }
  }
  return { state: 'Active', reason: '' }
}
