/**
 * iam.kubesphere.io/v1alpha2, users: accounts, their passwords, their logins.
 *
 * A user is answered without password, and with the global role that is bound to it in an annotation, whatever
 * the stored object says there. The same annotation in a request asks for a role.
 */
import { Type } from '../../../apimachinery/schema/type.js'
import { type UserInfo } from '../../../apimachinery/meta/types.js'
import { isRegistering } from '../../../authorization/registration.js'
import { route, type Route } from '../../../serving/route.js'
import { listPage } from '../../../listing/engine.js'
import { type AnyKind } from '../../../listing/kind.js'
import { findKind } from '../../../listing/kinds/index.js'
import { pageReply } from '../../../listing/page.js'
import { parseListQuery } from '../../../listing/query.js'
import { USER_REF } from '../../../tenancy/names.js'
import { type IamDeps } from './deps.js'
import { globalRoleParts } from './memberroles.js'
import { PasswordChanges } from './passwordchange.js'
import { Registrations } from './registration.js'
import { demandName, isDryRun } from '../../../tenancy/typedmetadata.js'
import { UserBody, userRequest } from './userbody.js'
import { userPage } from './userlist.js'
import { UserWrites } from './userwrites.js'
import { globalRoleOf, visibleUser } from './visibleuser.js'

const USER = '/users/{user}'
const SUCCESS = { message: 'success' }

const text = Type.Optional(Type.Union([Type.String(), Type.Null()]))
const PasswordBody = Type.Object(
  { currentPassword: text, password: text },
  { title: 'v1alpha2.PasswordReset' },
)

export function userRoutes(deps: IamDeps): Route[] {
  const { resources, book, stores } = deps
  const writes = new UserWrites(deps)
  const passwordChanges = new PasswordChanges(deps)
  const registrations = new Registrations(deps.users)
  const write = ({
    user,
    query,
    signal,
  }: {
    user: UserInfo
    query: URLSearchParams
    signal: AbortSignal
  }) => ({
    caller: user,
    dryRun: isDryRun(query),
    signal,
  })

  return [
    route({
      method: 'GET',
      path: '/users',
      summary:
        'List users, or those bound to roles of a namespace, a workspace, the cluster or the platform.',
      access: 'authorized',
      async handle({ query, user, client }) {
        return pageReply(await userPage(query, user, deps, client))
      },
    }),
    route({
      method: 'POST',
      path: '/users',
      summary: 'Create a user, with the global role that its annotation names.',
      access: 'authorized',
      body: UserBody,
      handle(context) {
        const request = userRequest(context.body)
        const { user } = context
        if (!isRegistering(user)) return writes.create(request, write(context))
        return registrations.register(request, user, (own) => writes.create(own, write(context)))
      },
    }),
    route({
      method: 'GET',
      path: USER,
      summary: 'A user, with the global role bound to it.',
      access: 'authorized',
      handle({ params }) {
        return visibleUser(resources.users.require(params.user), globalRoleOf(book, params.user))
      },
    }),
    route({
      method: 'PUT',
      path: USER,
      summary: 'Replace what a client may write of a user; switch it on or off; change its global role.',
      access: 'authorized',
      body: UserBody,
      handle(context) {
        const { params, body } = context
        demandName(body.metadata?.name ?? undefined, params.user)
        return writes.update(params.user, userRequest(body), write(context))
      },
    }),
    route({
      method: 'DELETE',
      path: USER,
      summary: 'Delete a user and all that belongs to it.',
      access: 'authorized',
      async handle(context) {
        await writes.delete(context.params.user, write(context))
        return SUCCESS
      },
    }),
    route({
      method: 'PUT',
      path: `${USER}/password`,
      summary: 'Change a password, by who knows the old one or manages users. Sessions of the user end.',
      access: 'authorized',
      body: PasswordBody,
      async handle(context) {
        const { params, body } = context
        const { currentPassword, password } = body
        await passwordChanges.change(
          { user: params.user, current: currentPassword ?? '', password: password ?? '' },
          write(context),
        )
        return SUCCESS
      },
    }),
    route({
      method: 'GET',
      path: `${USER}/loginrecords`,
      summary: 'Logins of a user, the latest first.',
      access: 'authorized',
      async handle({ params, query, client }) {
        await stores.ready(['loginrecords'], client)
        const kind = findKind('loginrecords', false) as AnyKind
        const objects = [...stores.of<never>(kind).byLabel(USER_REF, params.user)]
        const ofUser = { objects, consumed: ['label'], selectable: true }
        return pageReply(listPage(kind, parseListQuery(query), undefined, stores, ofUser))
      },
    }),
    route({
      method: 'GET',
      path: `${USER}/globalroles`,
      summary: 'The templates that the global role of a user is composed of.',
      access: 'authorized',
      handle({ params }) {
        return globalRoleParts(deps, params.user)
      },
    }),
  ]
}
