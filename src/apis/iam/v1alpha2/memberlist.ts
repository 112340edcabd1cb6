/** Lists of members: the users bound by name at a place, each with its role there. */
import { type CachedObject } from '../../../client/cache/interface.js'
import { listPage, type Page } from '../../../listing/engine.js'
import { type AnyKind } from '../../../listing/kind.js'
import { findKind } from '../../../listing/kinds/index.js'
import { parseListQuery } from '../../../listing/query.js'
import { type Place } from '../../../authorization/rights.js'
import { type IamDeps } from './deps.js'
import { type MemberLevel } from './memberlevels.js'
import { type Client } from '../../../serving/route.js'

/** Of several roles of a member the first counts, by name of the binding; a role asked for is shown instead. */
export async function memberPage(
  { roleKey, annotation }: MemberLevel,
  place: Place,
  query: URLSearchParams,
  { membership, resources, stores }: Pick<IamDeps, 'membership' | 'resources' | 'stores'>,
  client: Client,
): Promise<Page> {
  await stores.ready(['users'], client)
  const parsed = parseListQuery(query)
  const asked = parsed.filters.get(roleKey)
  const { store } = resources.users.informer
  const roleOf = new Map<string, string>()
  const objects: CachedObject<never>[] = []
  for (const name of membership.members(place)) {
    const user = store.get('', name)
    const role = membership.rolesOf(place, name).find((held) => asked === undefined || held.name === asked)
    if (!user || role === undefined) continue
    roleOf.set(name, role.name)
    objects.push(user)
  }
  const annotate = ({ name }: CachedObject<never>) => ({ [annotation]: roleOf.get(name) ?? '' })
  return listPage(findKind('users', false) as AnyKind, parsed, undefined, stores, {
    objects,
    consumed: [roleKey],
    annotate,
  })
}
