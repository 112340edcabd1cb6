/**
 * The innermost handler: finds what serves a path and method.
 *
 * Unknown groups are plain-text 404, unknown resources of known groups a Status, known resources with a
 * wrong method 405.
 */
import { methodNotAllowed, noSuchResource } from '../../apimachinery/errors/index.js'
import { isBuiltinGroup } from '../registry/catalogue.js'
import { type ResourceDefinition } from '../registry/strategy.js'
import { type Api } from './api.js'
import { type Exchange } from './exchange.js'
import { answerText } from './output.js'
import { computed } from './resources/computed.js'
import { get, list, watch } from './resources/read.js'
import { patch } from './resources/patch.js'
import { review } from './resources/review.js'
import { subresource } from './resources/subresource.js'
import { create, remove, removeCollection, update } from './resources/write.js'

type Handler = (api: Api, exchange: Exchange, definition: ResourceDefinition) => Promise<void>

/** By Kubernetes verb; a definition says which of them it has. */
const HANDLERS: Record<string, Handler> = {
  get,
  list,
  watch,
  create,
  update,
  patch,
  delete: remove,
  deletecollection: removeCollection,
}

/** A handler of paths outside the resources. @returns false when the path is not its own */
export type PathHandler = (exchange: Exchange) => boolean | Promise<boolean>

export function notFoundText(exchange: Exchange): void {
  answerText(exchange, 404, '404 page not found\n')
}

export function dispatcher(api: Api, paths: readonly PathHandler[]): (exchange: Exchange) => Promise<void> {
  return async (exchange) => {
    const elsewhere = api.elsewhere(exchange)
    if (elsewhere instanceof Promise ? await elsewhere : elsewhere) return
    if (exchange.requestInfo.resourceRequest) return serveResource(api, exchange)
    for (const handle of paths) if (await handle(exchange)) return
    notFoundText(exchange)
  }
}

function hasVersion({ catalogue }: Api, group: string, version: string): boolean {
  for (const { name, versions } of catalogue.groups()) {
    if (name === group) return versions.includes(version) || isBuiltinGroup(group)
  }
  return false
}

async function serveResource(api: Api, exchange: Exchange): Promise<void> {
  const { requestInfo: info, method } = exchange
  const definition = api.catalogue.get(info.apiGroup, info.apiVersion, info.resource)
  if (!definition) {
    if (hasVersion(api, info.apiGroup, info.apiVersion)) throw noSuchResource()
    return notFoundText(exchange)
  }
  if (definition.deprecation !== undefined) exchange.warn(definition.deprecation)
  if (method === 'HEAD') throw methodNotAllowed()
  checkScope(definition, exchange)
  if (info.subresource !== '') return subresource(api, exchange, definition)
  const answer = definition.review ?? api.reviews[`${definition.resource}.${definition.group}`]
  if (answer && info.verb === 'create') return review(api, exchange, definition, answer)
  if (definition.computed) return computed(exchange, definition, definition.computed)
  const handler = HANDLERS[info.verb]
  if (!handler || !allows(definition, exchange)) throw methodNotAllowed()
  await handler(api, exchange, definition)
}

/** The verbs of discovery, and the shape that each path must have. */
function allows(definition: ResourceDefinition, exchange: Exchange): boolean {
  const { verb, namespace, pathName } = exchange.requestInfo
  if (!definition.verbs.includes(verb)) return false
  if (verb === 'create') return pathName === '' && (!definition.namespaced || namespace !== '')
  if (verb === 'update' || verb === 'patch') return pathName !== ''
  if (verb === 'deletecollection') return !definition.namespaced || namespace !== ''
  return true
}

/** @throws StatusError 404 for a namespaced path of a cluster-scoped resource and the other way round */
function checkScope(definition: ResourceDefinition, exchange: Exchange): void {
  const { namespace, pathName, resource } = exchange.requestInfo
  if (resource === 'namespaces' && definition.group === '') return
  if (!definition.namespaced && namespace !== '') throw noSuchResource()
  if (definition.namespaced && namespace === '' && pathName !== '') throw noSuchResource()
}
