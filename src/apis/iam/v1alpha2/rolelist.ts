/**
 * Lists of roles. A workspace sees its own roles; when templates are asked for, also those that all workspaces share,
 * but never what another workspace has made.
 */
import { type CachedObject } from '../../../client/cache/interface.js'
import { listPage, type Page } from '../../../listing/engine.js'
import { type AnyKind, type Source } from '../../../listing/kind.js'
import { findKind } from '../../../listing/kinds/index.js'
import { type ListQuery, parseListQuery } from '../../../listing/query.js'
import { type KindStores } from '../../../listing/stores.js'
import { AGGREGATION, ROLE_TEMPLATE, WORKSPACE } from '../../../tenancy/names.js'
import { type TenancyResources } from '../../../tenancy/resources.js'
import { servesWorkspace } from '../../../tenancy/roles.js'
import { aggregatedNames, type RoleObject } from '../../../tenancy/types.js'
import { type RoleLevel, type RoleLocation } from './rolelevels.js'
import { type Client } from '../../../serving/route.js'

type Cached = CachedObject<never>

const TEMPLATES = `${ROLE_TEMPLATE}=true`

/** @throws StatusError 503 when the roles have not been read yet */
export async function rolePage(
  level: RoleLevel,
  where: RoleLocation,
  query: URLSearchParams,
  { resources, stores }: { resources: TenancyResources; stores: KindStores },
  client: Client,
): Promise<Page> {
  const kind = findKind(level.resource, where.namespace !== '') as AnyKind
  await stores.ready([level.resource], client)
  const parsed = parseListQuery(query)
  const namespace = where.namespace === '' ? undefined : where.namespace
  return listPage(kind, parsed, namespace, stores, chosen(level, where, parsed, resources))
}

/** @returns undefined: all there are in the place */
function chosen(
  level: RoleLevel,
  where: RoleLocation,
  { filters, labelSelector }: ListQuery,
  resources: TenancyResources,
): Source<never> | undefined {
  const roles = level.of(resources)
  const { store } = roles.informer
  const { namespace, workspace } = where
  const serves = (cached: Cached): boolean =>
    workspace === undefined || servesWorkspace(roles.object(cached), workspace)

  const composed = filters.get('aggregateTo')
  if (composed !== undefined) {
    const whole: Readonly<RoleObject> | undefined = roles.get(composed, namespace)
    const visible = whole && (workspace === undefined || servesWorkspace(whole, workspace))
    const names = new Set(visible ? aggregatedNames(whole, AGGREGATION) : [])
    const parts = [...names].flatMap((name) => store.get(namespace, name) ?? []).filter(serves)
    return { objects: parts, consumed: ['aggregateTo'], selectable: true }
  }
  if (workspace === undefined) return undefined

  const own = [...store.byLabel(WORKSPACE, workspace)]
  const mentionsTemplates = labelSelector?.requirements.some(({ key }) => key === ROLE_TEMPLATE) ?? false
  if (filters.get('label') !== TEMPLATES && !mentionsTemplates)
    return { objects: own, consumed: [], selectable: true }
  const shared = [...store.byLabel(ROLE_TEMPLATE)].filter(serves)
  return { objects: [...new Set([...own, ...shared])], consumed: [], selectable: true }
}
