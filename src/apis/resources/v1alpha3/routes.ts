/** `/kapis/resources.kubesphere.io/v1alpha3`: lists and objects of every kind, read from caches. */
import { StatusError } from '../../../apimachinery/errors/index.js'
import { type Client, Reply, route, type Route } from '../../../serving/route.js'
import { componentStatus, componentStatuses, health } from './components.js'
import { listPage, renderObject } from '../../../listing/engine.js'
import { type AnyKind } from '../../../listing/kind.js'
import { findKind } from '../../../listing/kinds/index.js'
import { JSON_TYPE, pageReply } from '../../../listing/page.js'
import { parseListQuery } from '../../../listing/query.js'
import { type KindStores } from '../../../listing/stores.js'

export function resourceRoutes(stores: KindStores): Route[] {
  async function list(
    resource: string,
    namespace: string | undefined,
    query: URLSearchParams,
    client: Client,
  ): Promise<Reply> {
    const kind = known(resource, namespace !== undefined)
    await stores.ready([kind.resource], client)
    return pageReply(listPage(kind, parseListQuery(query), namespace, stores))
  }

  async function get(
    resource: string,
    namespace: string | undefined,
    name: string,
    client: Client,
  ): Promise<Reply> {
    const kind = known(resource, namespace !== undefined)
    await stores.ready([kind.resource], client)
    const object = stores.of<never>(kind).get(kind.ignoresNamespace ? '' : (namespace ?? ''), name)
    if (!object) throw missing(kind, name)
    return new Reply(200, JSON_TYPE, renderObject(kind, object, stores))
  }

  const COMPONENTS = ['services', 'pods', 'nodes']
  return [
    route({
      method: 'GET',
      path: '/components',
      summary: 'List the components of the system with their health.',
      access: 'authorized',
      async handle({ client }) {
        await stores.ready(COMPONENTS, client)
        return componentStatuses(stores)
      },
    }),
    route({
      method: 'GET',
      path: '/components/{component}',
      summary: 'Tell the health of one component.',
      access: 'authorized',
      async handle({ params, client }) {
        await stores.ready(COMPONENTS, client)
        return componentStatus(params.component, stores)
      },
    }),
    route({
      method: 'GET',
      path: '/componenthealth',
      summary: 'Summarise the health of components and nodes.',
      access: 'authorized',
      async handle({ client }) {
        await stores.ready(COMPONENTS, client)
        return health(stores)
      },
    }),
    route({
      method: 'GET',
      path: '/{resources}',
      summary: 'List the objects of a kind, of all namespaces for a namespaced one.',
      access: 'authorized',
      handle: ({ params, query, client }) => list(params.resources, undefined, query, client),
    }),
    route({
      method: 'GET',
      path: '/{resources}/{name}',
      summary: 'Get one cluster-scoped object.',
      access: 'authorized',
      handle: ({ params, client }) => get(params.resources, undefined, params.name, client),
    }),
    route({
      method: 'GET',
      path: '/namespaces/{namespace}/{resources}',
      summary: 'List the objects of a kind in a namespace.',
      access: 'authorized',
      handle: ({ params, query, client }) => list(params.resources, params.namespace, query, client),
    }),
    route({
      method: 'GET',
      path: '/namespaces/{namespace}/{resources}/{name}',
      summary: 'Get one object of a namespace.',
      access: 'authorized',
      handle: ({ params, client }) => get(params.resources, params.namespace, params.name, client),
    }),
  ]
}

function known(resource: string, namespaced: boolean): AnyKind {
  const kind = findKind(resource, namespaced)
  if (kind) return kind
  throw new StatusError({ code: 404, reason: 'NotFound', message: 'resource is not supported' })
}

/** The original answers 500 for a missing object of a known kind, and the console has learnt to live with it. */
function missing({ legacy, singular }: AnyKind, name: string): StatusError {
  return new StatusError({
    code: legacy ? 404 : 500,
    reason: 'NotFound',
    message: `${singular} "${name}" not found`,
  })
}
