/** `/kapis/resources.kubesphere.io/v1alpha3`: lists and objects of every kind, read from caches. */
import { StatusError } from '../../../apimachinery/errors/index.js'
import { Reply, route, type Route } from '../../../serving/route.js'
import { componentStatus, componentStatuses, health } from './components.js'
import { listPage, renderObject } from './engine.js'
import { type AnyKind } from './kind.js'
import { findKind } from './kinds/index.js'
import { parseListQuery } from './query.js'
import { type KindStores } from './stores.js'

/** What answers of a kind are made from, besides its own cache. */
const ALSO_NEEDED: Readonly<Record<string, readonly string[]>> = {
  nodes: ['pods'],
  pods: ['services'],
  persistentvolumeclaims: ['pods'],
  storageclasses: ['persistentvolumeclaims'],
  users: ['rolebindings', 'workspacerolebindings', 'clusterrolebindings', 'globalrolebindings'],
  ippools: ['namespaces'],
}

export function resourceRoutes(stores: KindStores): Route[] {
  const ready = (kind: AnyKind, signal: AbortSignal): Promise<void> =>
    stores.ready([kind.resource, ...(ALSO_NEEDED[kind.resource] ?? [])], signal)

  async function list(
    resource: string,
    namespace: string | undefined,
    query: URLSearchParams,
    signal: AbortSignal,
  ): Promise<Reply> {
    const kind = known(resource, namespace !== undefined)
    await ready(kind, signal)
    const { items, total } = listPage(kind, parseListQuery(query), namespace, stores)
    return new Reply(200, JSON_TYPE, pageBody(items, total))
  }

  async function get(
    resource: string,
    namespace: string | undefined,
    name: string,
    signal: AbortSignal,
  ): Promise<Reply> {
    const kind = known(resource, namespace !== undefined)
    await ready(kind, signal)
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
      async handle({ signal }) {
        await stores.ready(COMPONENTS, signal)
        return componentStatuses(stores)
      },
    }),
    route({
      method: 'GET',
      path: '/components/{component}',
      summary: 'Tell the health of one component.',
      access: 'authorized',
      async handle({ params, signal }) {
        await stores.ready(COMPONENTS, signal)
        return componentStatus(params.component, stores)
      },
    }),
    route({
      method: 'GET',
      path: '/componenthealth',
      summary: 'Summarise the health of components and nodes.',
      access: 'authorized',
      async handle({ signal }) {
        await stores.ready(COMPONENTS, signal)
        return health(stores)
      },
    }),
    route({
      method: 'GET',
      path: '/{resources}',
      summary: 'List the objects of a kind, of all namespaces for a namespaced one.',
      access: 'authorized',
      handle: ({ params, query, signal }) => list(params.resources, undefined, query, signal),
    }),
    route({
      method: 'GET',
      path: '/{resources}/{name}',
      summary: 'Get one cluster-scoped object.',
      access: 'authorized',
      handle: ({ params, signal }) => get(params.resources, undefined, params.name, signal),
    }),
    route({
      method: 'GET',
      path: '/namespaces/{namespace}/{resources}',
      summary: 'List the objects of a kind in a namespace.',
      access: 'authorized',
      handle: ({ params, query, signal }) => list(params.resources, params.namespace, query, signal),
    }),
    route({
      method: 'GET',
      path: '/namespaces/{namespace}/{resources}/{name}',
      summary: 'Get one object of a namespace.',
      access: 'authorized',
      handle: ({ params, signal }) => get(params.resources, params.namespace, params.name, signal),
    }),
  ]
}

const JSON_TYPE = { 'content-type': 'application/json' }
const OPEN = Buffer.from('{"items":[')
const COMMA = Buffer.from(',')

/** `{"items":[...],"totalItems":n}`, put together from the objects' own bytes. */
export function pageBody(items: readonly Uint8Array[], total: number): Uint8Array[] {
  const parts: Uint8Array[] = [OPEN]
  items.forEach((item, position) => {
    if (position > 0) parts.push(COMMA)
    parts.push(item)
  })
  parts.push(Buffer.from(`],"totalItems":${total}}`))
  return parts
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
