/**
 * iam.kubesphere.io/v1alpha2, roles of the platform, of the cluster, of workspaces, projects and DevOps projects.
 *
 * One set of routes for all levels. A write with a resource version replaces, one without creates, whichever of POST
 * and PUT it comes as. Rules in bodies are not read: a role is composed of the roles that its annotation names.
 */
import { route, type Route } from '../../../serving/route.js'
import { pageReply } from '../../../listing/page.js'
import { apiVersionOf } from '../../../apimachinery/meta/types.js'
import { type IamDeps } from './deps.js'
import { RoleComposition } from './rolecomposition.js'
import { belongs, missingRole, ROLE_LEVELS, type RoleLevel } from './rolelevels.js'
import { rolePage } from './rolelist.js'
import { type RoleWrite, RoleWrites } from './rolewrites.js'
import { visibleRole, visibleRoles } from './visiblerole.js'
import { demandName, isDryRun, metadataBodyOf, typedMetadata } from '../../../tenancy/typedmetadata.js'

type Context = Pick<RoleWrite, 'user' | 'signal'> & { params: Record<string, string>; query: URLSearchParams }

export function roleRoutes(deps: IamDeps): Route[] {
  const writes = new RoleWrites(deps.resources, new RoleComposition(deps))
  return ROLE_LEVELS.flatMap((level) => routesOf(level, deps, writes))
}

function routesOf(level: RoleLevel, deps: IamDeps, writes: RoleWrites): Route[] {
  const { resources } = deps
  const { singular, path } = level
  const one: string = `${path}/{${singular}}`
  const body = metadataBodyOf(level.goType)
  const nameOf = (params: Record<string, string>): string => params[singular] ?? ''
  const write = ({ params, user, query, signal }: Context): RoleWrite => ({
    level,
    where: level.locate(params, resources),
    user,
    dryRun: isDryRun(query),
    signal,
  })

  return [
    route({
      method: 'GET',
      path,
      summary: `List ${level.resource}.`,
      access: 'authorized',
      async handle({ params, query, client }) {
        const page = await rolePage(level, level.locate(params, resources), query, deps, client)
        return pageReply(visibleRoles(page))
      },
    }),
    route({
      method: 'GET',
      path: one,
      summary: `Get one ${singular}.`,
      access: 'authorized',
      handle({ params }) {
        const where = level.locate(params, resources)
        const roles = level.of(resources)
        const role = roles.get(nameOf(params), where.namespace)
        if (!role || !belongs(role, where)) throw missingRole(level, resources, nameOf(params))
        return { kind: level.kind, apiVersion: apiVersionOf(roles.type), ...visibleRole(role) }
      },
    }),
    route({
      method: 'POST',
      path,
      summary: `Create one of the ${level.resource}, or replace it when the body has a resource version.`,
      access: 'authorized',
      body,
      handle: async (context) => visibleRole(await writes.put(write(context), typedMetadata(context.body))),
    }),
    route({
      method: 'PUT',
      path: one,
      summary: `Replace one ${singular}, or create it when the body has no resource version.`,
      access: 'authorized',
      body,
      async handle(context) {
        const metadata = typedMetadata(context.body)
        demandName(metadata.name, nameOf(context.params))
        return visibleRole(await writes.put(write(context), metadata))
      },
    }),
    route({
      method: 'PATCH',
      path: one,
      summary: `Merge metadata into one ${singular}, and compose it anew when roles are named.`,
      access: 'authorized',
      body,
      async handle(context) {
        const metadata = typedMetadata(context.body)
        if (metadata.name !== undefined) demandName(metadata.name, nameOf(context.params))
        return visibleRole(await writes.patch(write(context), nameOf(context.params), metadata))
      },
    }),
    route({
      method: 'DELETE',
      path: one,
      summary: `Delete one ${singular}.`,
      access: 'authorized',
      async handle(context) {
        await writes.delete(write(context), nameOf(context.params))
        return { message: 'success' }
      },
    }),
  ]
}
