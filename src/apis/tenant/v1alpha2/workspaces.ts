/**
 * Workspaces. The objects are WorkspaceTemplates, whose name the workspace has; here as `/workspaces` of v1alpha2,
 * and as `/workspacetemplates` of v1alpha3, with one set of handlers.
 *
 * Reads pass the authorization filter for every logged-in user, so they ask here whether the caller belongs there.
 */
import { Type } from '../../../apimachinery/schema/type.js'
import { apiVersionOf } from '../../../apimachinery/meta/types.js'
import { route, type Route } from '../../../serving/route.js'
import { WORKSPACE_TEMPLATES } from '../../../tenancy/resources.js'
import { demandName, isDryRun } from '../../../tenancy/typedmetadata.js'
import { demandObject, typedTemplate, WorkspaceTemplateBody } from './bodies.js'
import { deletionOf } from './deletion.js'
import { type Tenancy } from './deps.js'
import { visibleList } from './lists.js'

/** Of patches; any other media type is 415. */
export const PATCHES = [
  'application/json',
  'application/merge-patch+json',
  'application/json-patch+json',
] as const

/** In both releases. */
interface Collection {
  path: '/workspaces' | '/workspacetemplates'
  /** Patches come from people of whom the authorization filter has asked nothing. */
  openPatch: boolean
}

const TYPE = { kind: WORKSPACE_TEMPLATES.kind, apiVersion: apiVersionOf(WORKSPACE_TEMPLATES) }

export function workspaceRoutes(
  { resources, stores, visibility, access, workspaceWrites }: Tenancy,
  { path, openPatch }: Collection,
): Route[] {
  const one = `${path}/{workspace}` as const
  return [
    route({
      method: 'GET',
      path,
      summary: 'List the workspaces that the caller belongs to, or all for those who may list them.',
      access: 'authorized',
      handle: ({ user, query, client }) =>
        visibleList(
          { type: WORKSPACE_TEMPLATES, query, choose: (store) => visibility.workspaces(user, store), client },
          stores,
        ),
    }),
    route({
      method: 'POST',
      path,
      summary: 'Create a workspace.',
      access: 'authorized',
      body: WorkspaceTemplateBody,
      handle: ({ user, query, body, signal }) =>
        workspaceWrites.create({ user, dryRun: isDryRun(query), signal }, typedTemplate(body)),
    }),
    route({
      method: 'GET',
      path: one,
      summary: 'Get one workspace.',
      access: 'authorized',
      async handle({ user, params }) {
        await resources.workspaceTemplates.pending()
        await access.demandWorkspace(user, params.workspace)
        return { ...TYPE, ...resources.workspaceTemplates.require(params.workspace) }
      },
    }),
    route({
      method: 'PUT',
      path: one,
      summary: 'Replace one workspace.',
      access: 'authorized',
      body: WorkspaceTemplateBody,
      handle({ user, params, query, body, signal }) {
        const template = typedTemplate(body)
        demandName(template.metadata.name, params.workspace)
        return workspaceWrites.replace({ user, dryRun: isDryRun(query), signal }, template)
      },
    }),
    route({
      method: 'PATCH',
      path: one,
      summary: openPatch
        ? 'Patch one workspace by JSON patch operations; its placement also by those who have the clusters.'
        : 'Patch one workspace: an object is a merge patch, an array a JSON patch.',
      access: 'authorized',
      consumes: PATCHES,
      body: Type.Unknown(),
      handle({ user, params, query, body, signal }) {
        const write = { user, dryRun: isDryRun(query), signal }
        if (openPatch) return workspaceWrites.patchPlacement(write, params.workspace, body)
        if (!Array.isArray(body)) demandObject(body, 'v1alpha2.WorkspaceTemplate')
        return workspaceWrites.patch(write, params.workspace, body)
      },
    }),
    route({
      method: 'DELETE',
      path: one,
      summary:
        'Delete one workspace with its projects, or without when the body says propagationPolicy Orphan.',
      access: 'authorized',
      async handle({ user, params, query, body, signal }) {
        await workspaceWrites.delete({ user, signal }, params.workspace, deletionOf(body, query))
        return { message: 'success' }
      },
    }),
  ]
}
