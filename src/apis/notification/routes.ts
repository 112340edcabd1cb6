/**
 * notification.kubesphere.io: objects of everybody below the root, those of one user below `/users/{user}`. Who may
 * speak of which user is the authorizer's to say: everybody of themselves, administrators of all.
 */
import { type KubeObject } from '../../apimachinery/meta/types.js'
import { route, type Route, type RouteContext } from '../../serving/route.js'
import { isDryRun } from '../../tenancy/typedmetadata.js'
import { ObjectBody, typedBody, typedPatch } from './bodies.js'
import { answering } from './errors.js'
import { type NotificationKind, readKind, type Version, writtenKind } from './kinds.js'
import { type Lists } from './lists.js'
import { demandOpen, type Owner } from './ownership.js'
import { shown } from './shape.js'
import { type Write, type Writes } from './writes.js'

interface Routing {
  version: Version
  lists: Lists
  writes: Writes
}

type Params = { resources: string; name?: string; user?: string }
type Context = Pick<RouteContext<Params>, 'query' | 'signal' | 'client'> & { params: Params }

export function objectRoutes({ version, lists, writes }: Routing, of: 'everybody' | 'user'): Route[] {
  const collection = of === 'everybody' ? '/{resources}' : '/users/{user}/{resources}'
  const one = `${collection}/{name}` as '/{resources}/{name}'
  const whose = of === 'everybody' ? '' : ' of a user'
  const ownerOf = (params: Params): Owner => (of === 'everybody' ? undefined : params.user)
  const read = ({ params, query }: Context, verb: string): NotificationKind => {
    const kind = readKind(version, params.resources, query.get('type') ?? '')
    demandOpen(kind, ownerOf(params), verb)
    return kind
  }
  const write = ({ params, query, signal }: Context, verb: string): Write => {
    const kind = writtenKind(version, params.resources)
    const owner = ownerOf(params)
    demandOpen(kind, owner, verb)
    return { kind, owner, dryRun: isDryRun(query), signal }
  }
  const answer = (kind: NotificationKind, object: KubeObject): KubeObject | undefined =>
    shown(kind, object, version, '')
  return [
    route({
      method: 'GET',
      path: collection as '/{resources}',
      summary: `List notification objects${whose}.`,
      access: 'authorized',
      handle: (context) =>
        answering(async () => {
          const kind = read(context, 'list')
          return lists.page(kind, ownerOf(context.params), context.query, context.client)
        }),
    }),
    route({
      method: 'POST',
      path: collection as '/{resources}',
      summary: `Create a notification object${whose}.`,
      access: 'authorized',
      body: ObjectBody,
      handle: (context) =>
        answering(async () => {
          const request = write(context, 'create')
          return answer(request.kind, await writes.create(request, typedBody(request.kind, context.body)))
        }),
    }),
    route({
      method: 'GET',
      path: one,
      summary: `Get one notification object${whose}.`,
      access: 'authorized',
      handle: (context) =>
        answering(async () => {
          const { params, query } = context
          return lists.get(read(context, 'get'), ownerOf(params), params.name, query.get('type') ?? '')
        }),
    }),
    route({
      method: 'PUT',
      path: one,
      summary: `Replace one notification object${whose}.`,
      access: 'authorized',
      body: ObjectBody,
      handle: (context) =>
        answering(async () => {
          const request = write(context, 'update')
          const object = typedBody(request.kind, context.body)
          return answer(request.kind, await writes.update(request, context.params.name, object))
        }),
    }),
    ...(version === 'v2beta2'
      ? [
          route({
            method: 'PATCH',
            path: one,
            summary: `Merge a patch into one notification object${whose}.`,
            access: 'authorized',
            consumes: ['*/*'],
            handle: (context) =>
              answering(async () => {
                const request = write(context, 'patch')
                const patch = typedPatch(context.body)
                return answer(request.kind, await writes.patch(request, context.params.name, patch))
              }),
          }),
        ]
      : []),
    route({
      method: 'DELETE',
      path: one,
      summary: `Delete one notification object${whose}.`,
      access: 'authorized',
      handle: (context) =>
        answering(async () => {
          await writes.delete(write(context, 'delete'), context.params.name)
          return { message: 'success' }
        }),
    }),
  ]
}
