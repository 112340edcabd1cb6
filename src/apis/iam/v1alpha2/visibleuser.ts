/** A user as answers show it: without password, and with the role of the platform that is really bound to it. */
import { type UserObject } from '../../../authentication/users.js'
import { type RoleBook } from '../../../authorization/rolebook.js'
import { type RoleSlot } from '../../../authorization/roles.js'
import { withoutApplied } from '../../../tenancy/accounts/lastapplied.js'
import { GLOBAL_ROLE } from '../../../tenancy/names.js'

/**
 * @returns the role bound to the user by name; groups do not count. Of several the first by name of the binding, one
 * that exists before one that does not. "" when there is none
 */
export function globalRoleOf(book: RoleBook, user: string): string {
  const bound = book.global.users.get(user) ?? []
  if (bound.length === 1) return bound[0]?.role.name ?? ''
  const named = bound.flatMap(({ role, bindings }) => [...bindings].map((binding) => ({ role, binding })))
  const isMissing = ({ rules }: RoleSlot): number => (rules === undefined ? 1 : 0)
  named.sort((a, b) => isMissing(a.role) - isMissing(b.role) || (a.binding.name < b.binding.name ? -1 : 1))
  return named[0]?.role.name ?? ''
}

/** Whatever the stored object says of the role. */
export function visibleUser(user: Readonly<UserObject>, globalRole: string): UserObject {
  const { password: _, ...spec } = user.spec ?? {}
  const { [GLOBAL_ROLE]: __, ...annotations } = user.metadata.annotations ?? {}
  const shown = { ...withoutApplied(annotations), ...(globalRole !== '' && { [GLOBAL_ROLE]: globalRole }) }
  const { annotations: ___, ...metadata } = user.metadata
  return {
    kind: 'User',
    apiVersion: 'iam.kubesphere.io/v1alpha2',
    ...user,
    metadata: { ...metadata, ...(Object.keys(shown).length > 0 && { annotations: shown }) },
    spec: { email: '', ...spec },
    status: user.status ?? {},
  }
}
