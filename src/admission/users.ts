/**
 * `users.iam.kubesphere.io`: an e-mail address is well-formed and belongs to one user.
 *
 * Addresses are compared without regard to case. An update that leaves the address alone passes, so that a duplicate
 * from before does not keep anybody from writing the rest of the user.
 *
 * An address that was let through is held for its user until the cache can have it, so that two who ask for it in the
 * same moment do not both get it. Replicas do not know of one another's.
 */
import { ADMITTED, refused, type ValidatingWebhook } from '../apimachinery/admission/index.js'
import { type UserDirectory, type UserObject } from '../authentication/users.js'
import { emailKey, isEmailAddress } from '../tenancy/emailaddress.js'

export interface UserWebhookDeps {
  users: Pick<UserDirectory, 'namesByEmail' | 'pending'>
  /** Milliseconds. */
  now?: () => number
}

/** Long enough for a write to come back through the watch. */
const HOLD_MS = 2_000

const emailOf = (user: unknown): string => (user as UserObject | null | undefined)?.spec?.email ?? ''

export function userWebhook({ users, now = Date.now }: UserWebhookDeps): ValidatingWebhook {
  const held = new Map<string, { owner: string; until: number }>()

  /** @returns whether somebody else has just been given it */
  function isHeld(key: string, owner: string): boolean {
    for (const [other, { until }] of held) {
      if (until > now()) break // Oldest first.
      held.delete(other)
    }
    const holder = held.get(key)
    return holder !== undefined && holder.owner !== owner
  }

  return {
    name: 'users.iam.kubesphere.io',
    path: '/validate-email-iam-kubesphere-io-v1alpha2',
    rules: [
      {
        group: 'iam.kubesphere.io',
        version: 'v1alpha2',
        resources: ['users'],
        operations: ['CREATE', 'UPDATE'],
      },
    ],
    failurePolicy: 'Fail',
    sideEffects: 'NoneOnDryRun',
    async handle({ object, oldObject, name, uid, dryRun }) {
      const email = emailOf(object)
      if (email === '' || (oldObject && emailKey(emailOf(oldObject)) === emailKey(email))) return ADMITTED
      if (!isEmailAddress(email)) return refused(400, 'BadRequest', `invalid email address:${email}`)
      await users.pending()
      const owner = object?.metadata.name || name || uid
      const key = emailKey(email)
      const isTaken = [...users.namesByEmail(email)].some((other) => other !== owner) || isHeld(key, owner)
      if (isTaken) return refused(409, 'Conflict', `user email: ${email} already exists`)
      if (!dryRun) {
        held.delete(key)
        held.set(key, { owner, until: now() + HOLD_MS })
      }
      return ADMITTED
    },
  }
}
