/**
 * iam.kubesphere.io/v1alpha2, users.
 *
 * A user is answered without password, and with the global role that is bound to it in an annotation, whatever
 * the stored object says there.
 */
import { type RoleBook } from '../../../authorization/rolebook.js'
import { type UserObject } from '../../../authentication/users.js'
import { route, type Route } from '../../../serving/route.js'
import { type IamDeps } from './deps.js'

export const GLOBAL_ROLE_ANNOTATION = 'iam.kubesphere.io/globalrole'

export function userRoutes({ resources, book }: IamDeps): Route[] {
  return [
    route({
      method: 'GET',
      path: '/users/{user}',
      summary: 'A user, with the global role bound to it.',
      access: 'authorized',
      handle({ params }) {
        return visibleUser(resources.users.require(params.user), globalRoleOf(book, params.user))
      },
    }),
  ]
}

/** @returns the role bound to the user by name; groups do not count. "" when there is none or it does not exist */
export function globalRoleOf(book: RoleBook, user: string): string {
  const bound = (book.global.users.get(user) ?? []).filter(({ role }) => role.rules !== undefined)
  const named = bound.flatMap(({ role, bindings }) => [...bindings].map((binding) => ({ role, binding })))
  named.sort((a, b) => (a.binding.name < b.binding.name ? -1 : 1))
  return named[0]?.role.name ?? ''
}

export function visibleUser(user: Readonly<UserObject>, globalRole: string): UserObject {
  const { password: _, ...spec } = user.spec ?? {}
  const { metadata } = user
  const annotations = { ...metadata.annotations, [GLOBAL_ROLE_ANNOTATION]: globalRole }
  return { ...user, metadata: globalRole === '' ? metadata : { ...metadata, annotations }, spec }
}
