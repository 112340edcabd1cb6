/** Lists of what is a workspace's own: the objects that carry its label. */
import { parseSelector } from '../../../apimachinery/labels/index.js'
import { badRequest } from '../../../apimachinery/errors/index.js'
import { listPage, type Page } from '../../../listing/engine.js'
import { type AnyKind } from '../../../listing/kind.js'
import { findKind } from '../../../listing/kinds/index.js'
import { parseListQuery } from '../../../listing/query.js'
import { type KindStores } from '../../../listing/stores.js'
import { WORKSPACE } from '../../../tenancy/names.js'
import { type Client } from '../../../serving/route.js'

export interface WorkspaceListOptions {
  stores: KindStores
  client: Client
  /** Filters that the workspace takes the place of. */
  consumed?: readonly string[]
}

export async function workspacePage(
  resource: string,
  workspace: string,
  query: URLSearchParams,
  { stores, client, consumed = [] }: WorkspaceListOptions,
): Promise<Page> {
  const kind = findKind(resource, false) as AnyKind
  await stores.ready([resource], client)
  const objects = [...stores.of<never>(kind).byLabel(WORKSPACE, workspace)]
  return listPage(kind, parseListQuery(query), undefined, stores, { objects, consumed, selectable: true })
}

/** Elsewhere a selector that cannot be read selects everything. @throws StatusError 400 */
export function demandSelector(query: URLSearchParams): void {
  const text = query.get('labelSelector') ?? ''
  try {
    parseSelector(text)
  } catch (error) {
    throw badRequest(`labelSelector: ${(error as Error).message}`, { cause: error })
  }
}
