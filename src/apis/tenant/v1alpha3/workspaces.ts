/**
 * tenant.kubesphere.io/v1alpha3, workspaces as they are in one cluster. They are read here and written through their
 * templates.
 */
import { apiVersionOf } from '../../../apimachinery/meta/types.js'
import { route, type Route } from '../../../serving/route.js'
import { WORKSPACES } from '../../../tenancy/resources.js'
import { type Tenancy } from '../v1alpha2/deps.js'
import { visibleList } from '../v1alpha2/lists.js'

export function plainWorkspaceRoutes({ resources, stores, visibility, access }: Tenancy): Route[] {
  return [
    route({
      method: 'GET',
      path: '/workspaces',
      summary: 'List the workspaces of this cluster that the caller belongs to, or all.',
      access: 'authorized',
      handle: ({ user, query, client }) =>
        visibleList(
          { type: WORKSPACES, query, choose: (store) => visibility.workspaces(user, store), client },
          stores,
        ),
    }),
    route({
      method: 'GET',
      path: '/workspaces/{workspace}',
      summary: 'Get one workspace of this cluster.',
      access: 'authorized',
      async handle({ user, params }) {
        await resources.workspaces.pending()
        await access.demandWorkspace(user, params.workspace)
        const type = { kind: WORKSPACES.kind, apiVersion: apiVersionOf(WORKSPACES) }
        return { ...type, status: {}, ...resources.workspaces.require(params.workspace) }
      },
    }),
  ]
}
