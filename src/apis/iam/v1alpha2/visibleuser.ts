/** A user as answers show it: without password, and with the role of the platform that is really bound to it. */
import { type UserObject } from '../../../authentication/users.js'
import { type RoleBook } from '../../../authorization/rolebook.js'
import { GLOBAL_ROLE } from '../../../tenancy/names.js'

/** @returns the role bound to the user by name; groups do not count. "" when there is none or it does not exist */
export function globalRoleOf(book: RoleBook, user: string): string {
  const bound = (book.global.users.get(user) ?? []).filter(({ role }) => role.rules !== undefined)
  if (bound.length === 1) return bound[0]?.role.name ?? ''
  const named = bound.flatMap(({ role, bindings }) => [...bindings].map((binding) => ({ role, binding })))
  named.sort((a, b) => (a.binding.name < b.binding.name ? -1 : 1))
  return named[0]?.role.name ?? ''
}

/** Whatever the stored object says of the role. */
export function visibleUser(user: Readonly<UserObject>, globalRole: string): UserObject {
  const { password: _, ...spec } = user.spec ?? {}
  const { [GLOBAL_ROLE]: __, ...annotations } = user.metadata.annotations ?? {}
  const shown = { ...annotations, ...(globalRole !== '' && { [GLOBAL_ROLE]: globalRole }) }
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
