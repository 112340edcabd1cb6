/**
 * iam.kubesphere.io/v1alpha2, what a user may do: where, and through which binding of which role. Not in the
 * original.
 *
 * Users may ask about themselves. About others the answer holds the places whose members the caller may list anyway;
 * who sees none of them must have the right to get the user.
 */
import { Type } from '../../../apimachinery/schema/type.js'
import { type UserInfo } from '../../../apimachinery/meta/types.js'
import { type Place, type Question } from '../../../authorization/rights.js'
import { pageBounds, parseListQuery } from '../../../listing/query.js'
import { route, type Route } from '../../../serving/route.js'
import { WORKSPACE } from '../../../tenancy/names.js'
import { permissionPlaces, permissionsAt } from '../../../tenancy/permissions.js'
import { IAM_GROUP } from '../../../tenancy/resources.js'
import { type IamDeps } from './deps.js'

/** What shows who holds roles at a place. */
const SHOWN_BY: Readonly<Record<Place['level'], { verb: string; resource: string }>> = {
  global: { verb: 'get', resource: 'globalroles' },
  cluster: { verb: 'list', resource: 'clustermembers' },
  workspace: { verb: 'list', resource: 'workspacemembers' },
  namespace: { verb: 'list', resource: 'members' },
}

/** The group of everybody who has logged in. */
const AUTHENTICATED = 'system:authenticated'

const Query = Type.Object({
  workspace: Type.Optional(Type.String({ description: 'Only what counts in this workspace.' })),
  namespace: Type.Optional(Type.String({ description: 'Only what counts in this project.' })),
  page: Type.Optional(Type.String({ description: 'From 1; a page holds places.' })),
  limit: Type.Optional(Type.String({ description: 'Places on a page; default: all.' })),
})

export function permissionRoutes({ resources, book, rights }: IamDeps): Route[] {
  const isShown = async (caller: UserInfo, place: Place): Promise<boolean> => {
    const question: Question = { ...SHOWN_BY[place.level], apiGroup: IAM_GROUP }
    return rights.can(caller, question, place)
  }
  const demandGet = (caller: UserInfo, name: string): Promise<void> =>
    rights.demand(caller, { verb: 'get', apiGroup: IAM_GROUP, resource: 'users', name }, { level: 'global' })
  return [
    route({
      method: 'GET',
      path: '/users/{user}/permissions',
      summary:
        'What a user may do, place by place: the roles held there, and the bindings they are held through.',
      access: 'authorized',
      query: Query,
      async handle({ params: { user: name }, query, user: caller }) {
        const isSelf = name === caller.name
        const user = resources.users.get(name)
        if (!user) {
          await demandGet(caller, name)
          throw resources.users.missing(name)
        }
        const holder = { name, groups: [...(user.spec?.groups ?? []), AUTHENTICATED] }
        const [workspace, namespace] = [query.get('workspace'), query.get('namespace')]
        const places = permissionPlaces(book, holder, workspaceOf, {
          ...(workspace !== null && { workspace }),
          ...(namespace !== null && { namespace }),
        })
        const shown: Place[] = []
        for (const place of places) if (isSelf || (await isShown(caller, place))) shown.push(place)
        if (!isSelf && shown.length === 0) await demandGet(caller, name)
        const [start, end] = pageBounds(parseListQuery(query), shown.length)
        return {
          user: name,
          groups: holder.groups,
          state: user.status?.state ?? '',
          items: shown.slice(start, end).map((place) => permissionsAt(book, place, holder)),
          totalItems: shown.length,
        }
      },
    }),
  ]

  function workspaceOf(namespace: string): string {
    return resources.namespaces.get(namespace)?.metadata.labels?.[WORKSPACE] ?? ''
  }
}
