/**
 * Member clusters: those that the caller may use, and those that a workspace is placed on.
 *
 * The kubeconfig of a cluster is in no answer; the token of its agent only in those to whoever may change clusters.
 */
import { type Selector, selectorFromLabelSelector } from '../../../apimachinery/labels/index.js'
import { apiVersionOf, type KubeObject, type UserInfo } from '../../../apimachinery/meta/types.js'
import { type CachedObject, type Store } from '../../../client/cache/interface.js'
import { type Page } from '../../../listing/engine.js'
import { typedPageReply } from '../../../listing/page.js'
import { type Reply, route, type Route } from '../../../serving/route.js'
import { GRANTED_CLUSTERS } from '../../../tenancy/names.js'
import { CLUSTERS, WORKSPACES } from '../../../tenancy/resources.js'
import { type ClusterObject, type Placement } from '../../../tenancy/types.js'
import { type Visible } from '../../../tenancy/visibility/index.js'
import { type Tenancy } from './deps.js'
import { visiblePage } from './lists.js'

type Cached = CachedObject<never>
type Deps = Pick<Tenancy, 'resources' | 'stores' | 'book' | 'rights' | 'access'>

export function clusterRoutes(deps: Deps): Route[] {
  const { resources, stores, access } = deps
  return [
    route({
      method: 'GET',
      path: '/clusters',
      summary: 'List the clusters that the caller may use.',
      access: 'authorized',
      async handle({ user, query, client }) {
        await stores.ready(['users', 'workspacetemplates'], client)
        const choose = (store: Store<never>): Promise<Visible> => usable(user, store, deps)
        return reply(await visiblePage({ type: CLUSTERS, query, choose, client }, stores), user, deps)
      },
    }),
    route({
      method: 'GET',
      path: '/workspaces/{workspace}/clusters',
      summary: 'List the clusters that the workspace is placed on.',
      access: 'authorized',
      async handle({ user, params, client }) {
        await resources.workspaceTemplates.pending()
        await access.demandWorkspace(user, params.workspace)
        const { spec } = resources.workspaceTemplates.require(params.workspace)
        const choose = (store: Store<never>): Visible => placedOn(spec?.placement, store)
        const query = new URLSearchParams()
        return reply(await visiblePage({ type: CLUSTERS, query, choose, client }, stores), user, deps)
      },
    }),
  ]
}

/**
 * All for those who may list clusters or all workspaces. Else what 3.4 notes on the user, and what 3.2 goes by: the
 * clusters that the user's workspaces name.
 */
async function usable(
  user: UserInfo,
  store: Store<never>,
  { resources, book, rights }: Deps,
): Promise<Visible> {
  const clusters = { verb: 'list', apiGroup: CLUSTERS.group, resource: CLUSTERS.resource }
  const workspaces = { verb: 'list', apiGroup: '', resource: WORKSPACES.resource }
  if (await rights.can(user, clusters, { level: 'global' })) return undefined
  if (await rights.can(user, workspaces, { level: 'global' })) return undefined
  const granted = resources.users.get(user.name)?.metadata.annotations?.[GRANTED_CLUSTERS] ?? ''
  const named = [...book.workspacesOf(user)].flatMap((workspace) => {
    const placement = resources.workspaceTemplates.get(workspace)?.spec?.placement
    return placement?.clusters?.map(({ name }) => name) ?? []
  })
  return [...new Set([...granted.split(',').map((name) => name.trim()), ...named])].flatMap(
    (name) => store.get('', name) ?? [],
  )
}

function placedOn({ clusters, clusterSelector }: Placement = {}, store: Store<never>): Cached[] {
  if (clusters) return clusters.flatMap(({ name }) => store.get('', name) ?? [])
  if (!clusterSelector) return []
  let selector: Selector
  try {
    selector = selectorFromLabelSelector(clusterSelector)
  } catch {
    return [] // Stored by somebody else than the reader, and selecting nothing.
  }
  return [...store.byName()].filter(({ labels }) => selector.matches(labels))
}

async function reply(page: Page, user: UserInfo, { rights }: Deps): Promise<Reply> {
  const question = { verb: 'update', apiGroup: CLUSTERS.group, resource: CLUSTERS.resource }
  const administers = await rights.can(user, question, { level: 'global' })
  const items = administers ? page.items : page.items.map(withoutToken)
  return typedPageReply(
    { items, total: page.total },
    { kind: CLUSTERS.kind, apiVersion: apiVersionOf(CLUSTERS) },
  )
}

function withoutToken(item: Uint8Array): Uint8Array {
  const cluster = JSON.parse(Buffer.from(item).toString('utf8')) as ClusterObject & KubeObject
  delete cluster.spec?.connection?.['token']
  return Buffer.from(JSON.stringify(cluster))
}
