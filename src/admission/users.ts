/**
 * `users.iam.kubesphere.io`: an e-mail address is well-formed and belongs to one user.
 *
 * Addresses are compared without regard to case. An update that leaves the address alone passes, so that a duplicate
 * from before does not keep anybody from writing the rest of the user.
 */
import { ADMITTED, refused, type ValidatingWebhook } from '../apimachinery/admission/index.js'
import { type UserDirectory, type UserObject } from '../authentication/users.js'
import { emailKey, isEmailAddress } from '../tenancy/emailaddress.js'

export interface UserWebhookDeps {
  users: Pick<UserDirectory, 'namesByEmail' | 'pending'>
}

const emailOf = (user: unknown): string => (user as UserObject | null | undefined)?.spec?.email ?? ''

export function userWebhook({ users }: UserWebhookDeps): ValidatingWebhook {
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
    async handle({ object, oldObject, name }) {
      const email = emailOf(object)
      if (email === '' || (oldObject && emailKey(emailOf(oldObject)) === emailKey(email))) return ADMITTED
      if (!isEmailAddress(email)) return refused(400, 'BadRequest', `invalid email address:${email}`)
      await users.pending()
      const owner = object?.metadata.name ?? name
      const taken = [...users.namesByEmail(email)].some((other) => other !== owner)
      return taken ? refused(409, 'Conflict', `user email: ${email} already exists`) : ADMITTED
    },
  }
}
