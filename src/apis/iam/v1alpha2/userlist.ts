/**
 * Lists of users: all, or those bound somewhere, each with its role of the platform.
 *
 * Everybody may list users, because members are invited by name. Who is bound where is for those to see who may
 * list members there. With `authorization.userLists: names`, who may not read users sees no more than names of others.
 */
import { type UserInfo } from '../../../apimachinery/meta/types.js'
import { type Place } from '../../../authorization/rights.js'
import { listPage, type Page } from '../../../listing/engine.js'
import { type AnyKind } from '../../../listing/kind.js'
import { findKind } from '../../../listing/kinds/index.js'
import { type ListQuery, parseListQuery } from '../../../listing/query.js'
import { reduce, seesNamesOnly } from '../../../tenancy/accounts/reduced.js'
import { GLOBAL_ROLE } from '../../../tenancy/names.js'
import { IAM_GROUP } from '../../../tenancy/resources.js'
import { type IamDeps } from './deps.js'
import { globalRoleOf } from './visibleuser.js'
import { type Client } from '../../../serving/route.js'

/** Of what only those see who may read users. Who is in a group is asked by those who manage groups. */
const OF_HIDDEN = ['email', 'annotation', 'label', 'ownerReference', 'ownerKind', 'uid', 'alias']

/** @throws StatusError 403 when the caller may not know who is bound there, 503 before users have been read */
export async function userPage(
  query: URLSearchParams,
  caller: UserInfo,
  deps: IamDeps,
  client: Client,
): Promise<Page> {
  const parsed = parseListQuery(query)
  await demandRoster(parsed, caller, deps)
  const isReduced = seesNamesOnly(caller, deps.rights, deps)
  if (isReduced && (parsed.labelSelector || OF_HIDDEN.some((key) => parsed.filters.has(key))))
    return { items: [], total: 0 }
  await deps.stores.ready(['users'], client)
  const kind = findKind('users', false) as AnyKind
  return listPage(withRoles(kind, deps, isReduced ? caller.name : undefined), parsed, undefined, deps.stores)
}

/** @param only the one user that is shown whole; undefined: all are */
function withRoles(kind: AnyKind, { book }: IamDeps, only: string | undefined): AnyKind {
  return {
    ...kind,
    annotations({ name }) {
      const role = globalRoleOf(book, name)
      return role === '' ? {} : { [GLOBAL_ROLE]: role }
    },
    decorate(user, cached, stores, single) {
      kind.decorate?.(user, cached, stores, single)
      const { name = '', annotations } = user.metadata
      if (annotations && globalRoleOf(book, name) === '') {
        delete annotations[GLOBAL_ROLE]
        if (Object.keys(annotations).length === 0) delete user.metadata.annotations
      }
      if (only !== undefined && name !== only) reduce(user)
    },
    dependsOn: ({ name }) => (only !== undefined && name !== only ? 'reduced' : 'with roles'),
  }
}

/** Of the scopes of iam-tenant.md §4.2 the first counts, as in the list itself. */
async function demandRoster({ filters }: ListQuery, caller: UserInfo, { rights }: IamDeps): Promise<void> {
  const scope = scopeOf(filters)
  if (scope === undefined) return
  const [question, place] = scope
  await rights.demand(caller, { verb: 'list', apiGroup: IAM_GROUP, ...question }, place)
}

function scopeOf(filters: ListQuery['filters']): [{ resource: string }, Place] | undefined {
  const namespace = filters.get('namespace')
  if (namespace !== undefined) return [{ resource: 'members' }, { level: 'namespace', namespace }]
  const workspace = filters.get('workspace')
  if (workspace !== undefined) return [{ resource: 'workspacemembers' }, { level: 'workspace', workspace }]
  if (filters.has('cluster')) return [{ resource: 'clustermembers' }, { level: 'cluster' }]
  return undefined
}
