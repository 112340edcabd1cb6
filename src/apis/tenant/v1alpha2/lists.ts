/** Lists of what the caller may see, under the common query rules. */
import { apiVersionOf } from '../../../apimachinery/meta/types.js'
import { type Store } from '../../../client/cache/interface.js'
import { type CachedResourceType } from '../../../client/cachedresource.js'
import { listPage, type Page } from '../../../listing/engine.js'
import { type AnyKind } from '../../../listing/kind.js'
import { findKind } from '../../../listing/kinds/index.js'
import { typedPageReply } from '../../../listing/page.js'
import { parseListQuery } from '../../../listing/query.js'
import { type KindStores } from '../../../listing/stores.js'
import { type Client, type Reply } from '../../../serving/route.js'
import { type Visible } from '../../../tenancy/visibility/index.js'

export interface VisibleList {
  type: Pick<CachedResourceType, 'group' | 'version' | 'resource' | 'kind'>
  query: URLSearchParams
  /** Filter keys that do not count, because the path says the same. */
  ignored?: readonly string[]
  choose: (store: Store<never>) => Visible | Promise<Visible>
  client: Client
}

/** @throws StatusError 503 when the objects have not been read yet */
export async function visiblePage(list: VisibleList, stores: KindStores): Promise<Page> {
  const { type, query, ignored = [], choose, client } = list
  const kind = findKind(type.resource, false) as AnyKind
  await stores.ready([type.resource, 'namespaces'], client)
  const parsed = parseListQuery(query)
  for (const key of ignored) parsed.filters.delete(key)
  const objects = await choose(stores.of<never>(kind))
  return listPage(kind, parsed, undefined, stores, objects && { objects, consumed: [], selectable: true })
}

export async function visibleList(list: VisibleList, stores: KindStores): Promise<Reply> {
  const { kind } = list.type
  return typedPageReply(await visiblePage(list, stores), { kind, apiVersion: apiVersionOf(list.type) })
}
