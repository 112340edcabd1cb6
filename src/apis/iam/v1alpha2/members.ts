/**
 * iam.kubesphere.io/v1alpha2, members of the cluster, of workspaces, projects and DevOps projects.
 *
 * A member is a user bound to a role by name. There is no object of its own: a member is answered as the user, with
 * the role in an annotation. POST and PUT do the same: they give the role, in place of any other.
 */
import { type Static, Type } from '../../../apimachinery/schema/type.js'
import { badRequest } from '../../../apimachinery/errors/index.js'
import { apiVersionOf } from '../../../apimachinery/meta/types.js'
import { pageReply } from '../../../listing/page.js'
import { route, type Route, type RouteContext } from '../../../serving/route.js'
import { type IamDeps } from './deps.js'
import { type MemberChange, MemberChanges } from './memberchanges.js'
import { MEMBER_LEVELS, type MemberLevel } from './memberlevels.js'
import { memberPage } from './memberlist.js'
import { memberRoleParts } from './memberroles.js'
import { demandName, isDryRun } from '../../../tenancy/typedmetadata.js'

const Member = Type.Object(
  { username: Type.Optional(Type.String()), roleRef: Type.Optional(Type.String()) },
  { title: 'v1alpha2.Member' },
)
const Members = Type.Array(Member, { title: '[]v1alpha2.Member' })

export function memberRoutes(deps: IamDeps): Route[] {
  const changes = new MemberChanges(deps)
  return MEMBER_LEVELS.flatMap((level) => routesOf(level, deps, changes))
}

function routesOf(level: MemberLevel, deps: IamDeps, changes: MemberChanges): Route[] {
  const { resources, membership } = deps
  const { path, singular, roles, annotation } = level
  const one: string = `${path}/{${singular}}`
  const nameOf = (params: Record<string, string>): string => params[singular] ?? ''
  const changeOf = ({ params, user, query }: RouteContext): MemberChange => ({
    level: roles,
    place: roles.locate(params, resources).place,
    caller: user,
    dryRun: isDryRun(query),
  })

  return [
    route({
      method: 'GET',
      path,
      summary: `List ${singular}s: the users bound to a role by name.`,
      access: 'authorized',
      async handle({ params, query, client }) {
        const { place } = roles.locate(params, resources)
        return pageReply(await memberPage(level, place, query, deps, client))
      },
    }),
    route({
      method: 'GET',
      path: one,
      summary: `Get one ${singular}.`,
      access: 'authorized',
      handle({ params }) {
        const { place } = roles.locate(params, resources)
        const name = nameOf(params)
        const user = resources.users.require(name)
        const [role] = membership.rolesOf(place, name)
        if (role === undefined) throw resources.users.missing(name)
        const { password: _, ...spec } = user.spec ?? {}
        const annotations = { ...user.metadata.annotations, [annotation]: role.name }
        const typed = { kind: resources.users.type.kind, apiVersion: apiVersionOf(resources.users.type) }
        return { ...typed, ...user, metadata: { ...user.metadata, annotations }, spec }
      },
    }),
    route({
      method: 'GET',
      path: `${one}/${roles.resource}`,
      summary: `List the roles that the role of one ${singular} is composed of.`,
      access: 'authorized',
      handle: ({ params }: RouteContext) =>
        memberRoleParts(roles, roles.locate(params, resources), nameOf(params), deps),
    }),
    route({
      method: 'POST',
      path,
      summary: `Give users a role here, each in place of any other: all of them, or nobody.`,
      access: 'authorized',
      body: Members,
      async handle(context: RouteContext<Record<string, string>, Static<typeof Member>[]>) {
        const { body } = context
        await changes.give(changeOf(context), body.map(choiceOf))
        return body
      },
    }),
    route({
      method: 'PUT',
      path: one,
      summary: `Give a user a role here, in place of any other.`,
      access: 'authorized',
      body: Member,
      async handle(context: RouteContext<Record<string, string>, Static<typeof Member>>) {
        const { body } = context
        demandName(body.username, nameOf(context.params))
        await changes.give(changeOf(context), [choiceOf(body)])
        return body
      },
    }),
    route({
      method: 'DELETE',
      path: one,
      summary: `Take every role here from a user.`,
      access: 'authorized',
      async handle(context: RouteContext) {
        await changes.takeOut(changeOf(context), nameOf(context.params))
        return { message: 'success' }
      },
    }),
  ]
}

function choiceOf({ username = '', roleRef = '' }: Static<typeof Member>) {
  if (username === '') throw badRequest('username is missing')
  return { user: username, role: roleRef }
}
