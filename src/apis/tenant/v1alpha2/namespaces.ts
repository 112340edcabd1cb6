/** Projects: the namespaces that the caller may see, those of a workspace, and what federation makes of them. */
import { type Static, Type } from '../../../apimachinery/schema/type.js'
import { apiVersionOf, type ObjectMeta } from '../../../apimachinery/meta/types.js'
import { route, type Route } from '../../../serving/route.js'
import { bodyCheck } from '../../../serving/validation.js'
import { NAMESPACES } from '../../../tenancy/resources.js'
import { demandName, isDryRun, MetadataBody, typedMetadata } from '../../../tenancy/typedmetadata.js'
import { demandObject } from './bodies.js'
import { deletionOf } from './deletion.js'
import { type Tenancy } from './deps.js'
import { visibleList } from './lists.js'
import { PATCHES } from './workspaces.js'

const OF_WORKSPACE = '/workspaces/{workspace}/namespaces'
const ONE = `${OF_WORKSPACE}/{namespace}` as const
const GO_TYPE = 'v1.Namespace'
const check = bodyCheck(MetadataBody)

const FEDERATED = {
  group: 'types.kubefed.io',
  version: 'v1beta1',
  resource: 'federatednamespaces',
  kind: 'FederatedNamespace',
}

export function namespaceRoutes(deps: Tenancy): Route[] {
  const { resources, access, namespaceWrites } = deps
  return [
    ...listRoutes(deps),
    route({
      method: 'POST',
      path: OF_WORKSPACE,
      summary: 'Create a project in the workspace; its creator is the caller.',
      access: 'authorized',
      body: Type.Unknown(),
      handle({ user, params, query, body, signal }) {
        const options = { dryRun: isDryRun(query), signal }
        return namespaceWrites.create(user, params.workspace, metadataIn(body), options)
      },
    }),
    route({
      method: 'GET',
      path: ONE,
      summary: 'Get one project of the workspace.',
      access: 'authorized',
      async handle({ user, params }) {
        await resources.namespaces.pending()
        await access.demandNamespace(user, params.workspace, params.namespace)
        const type = { kind: NAMESPACES.kind, apiVersion: apiVersionOf(NAMESPACES) }
        return { ...type, ...resources.namespaces.require(params.namespace) }
      },
    }),
    route({
      method: 'PUT',
      path: ONE,
      summary: 'Replace labels and annotations of one project of the workspace.',
      access: 'authorized',
      body: Type.Unknown(),
      handle({ params, query, body, signal }) {
        const metadata = metadataIn(body)
        demandName(metadata.name, params.namespace)
        const options = { dryRun: isDryRun(query), signal }
        return namespaceWrites.replace(params.workspace, params.namespace, metadata, options)
      },
    }),
    route({
      method: 'PATCH',
      path: ONE,
      summary: 'Merge labels and annotations into one project of the workspace.',
      access: 'authorized',
      consumes: PATCHES,
      body: Type.Unknown(),
      handle({ params, query, body, signal }) {
        const metadata = metadataIn(body)
        if (metadata.name !== undefined) demandName(metadata.name, params.namespace)
        const options = { dryRun: isDryRun(query), signal }
        return namespaceWrites.patch(params.workspace, params.namespace, metadata, options)
      },
    }),
    route({
      method: 'DELETE',
      path: ONE,
      summary: 'Delete one project of the workspace.',
      access: 'authorized',
      async handle({ params, query, body, signal }) {
        await namespaceWrites.delete(params.workspace, params.namespace, deletionOf(body, query), signal)
        return { message: 'success' }
      },
    }),
  ]
}

function listRoutes({ stores, visibility }: Tenancy): Route[] {
  return [
    route({
      method: 'GET',
      path: '/namespaces',
      summary: 'List the projects that the caller may see.',
      access: 'authorized',
      handle({ user, query, client }) {
        const choose = () => visibility.namespaces(user)
        return visibleList({ type: NAMESPACES, query, choose, client }, stores)
      },
    }),
    route({
      method: 'GET',
      path: OF_WORKSPACE,
      summary: 'List the projects of the workspace that the caller may see.',
      access: 'authorized',
      handle: ({ user, params, query, client }) =>
        visibleList(
          {
            type: NAMESPACES,
            query,
            ignored: ['label'],
            choose: () => visibility.namespaces(user, params.workspace),
            client,
          },
          stores,
        ),
    }),
    route({
      method: 'GET',
      path: '/federatednamespaces',
      summary: 'List the multi-cluster projects that the caller may see.',
      access: 'authorized',
      handle: ({ user, query, client }) =>
        visibleList(
          { type: FEDERATED, query, choose: (store) => visibility.federatedNamespaces(user, store), client },
          stores,
        ),
    }),
    route({
      method: 'GET',
      path: '/workspaces/{workspace}/federatednamespaces',
      summary: 'List the multi-cluster projects of the workspace that the caller may see.',
      access: 'authorized',
      handle: ({ user, params, query, client }) =>
        visibleList(
          {
            type: FEDERATED,
            query,
            ignored: ['label'],
            choose: (store) => visibility.federatedNamespaces(user, store, params.workspace),
            client,
          },
          stores,
        ),
    }),
  ]
}

/** @throws StatusError 400 */
function metadataIn(body: unknown): ObjectMeta {
  demandObject(body, GO_TYPE)
  check(body)
  return typedMetadata(body as Static<typeof MetadataBody>)
}
