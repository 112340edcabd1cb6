/**
 * iam.kubesphere.io/v1alpha2, groups of a workspace. They form a tree by the label that names the parent; what users
 * see as the name of a group is its `generateName`.
 */
import { apiVersionOf } from '../../../apimachinery/meta/types.js'
import { pageReply } from '../../../listing/page.js'
import { route, type Route } from '../../../serving/route.js'
import { type GroupObject } from '../../../tenancy/types.js'
import { type IamDeps } from './deps.js'
import { GroupAccess } from './groupaccess.js'
import { type GroupWrite, GroupWrites } from './groupwrites.js'
import { demandName, isDryRun, metadataBodyOf, typedMetadata } from '../../../tenancy/typedmetadata.js'
import { workspacePage } from './workspacelist.js'

const GROUPS = '/workspaces/{workspace}/groups'
const GROUP = `${GROUPS}/{group}` as const
const GroupBody = metadataBodyOf('v1alpha2.Group')

export function groupRoutes(deps: IamDeps): Route[] {
  const { resources, stores } = deps
  const access = new GroupAccess(deps)
  const writes = new GroupWrites(resources, access)
  const typed = (group: Readonly<GroupObject>): GroupObject => ({
    kind: resources.groups.type.kind,
    apiVersion: apiVersionOf(resources.groups.type),
    ...group,
  })
  return [
    route({
      method: 'GET',
      path: GROUPS,
      summary: 'List the groups of a workspace.',
      access: 'authorized',
      async handle({ params, query, client }) {
        const options = { stores, client, consumed: ['label'] }
        return pageReply(await workspacePage('groups', params.workspace, query, options))
      },
    }),
    route({
      method: 'GET',
      path: GROUP,
      summary: 'Get one group.',
      access: 'authorized',
      handle: ({ params }) => typed(access.group(params.workspace, params.group)),
    }),
    route({
      method: 'POST',
      path: GROUPS,
      summary: 'Create a group; its name is made from metadata.generateName.',
      access: 'authorized',
      body: GroupBody,
      handle: (context) => writes.create(writeOf(context), typedMetadata(context.body)),
    }),
    route({
      method: 'PUT',
      path: GROUP,
      summary: 'Replace the labels and annotations of a group.',
      access: 'authorized',
      body: GroupBody,
      handle(context) {
        const metadata = typedMetadata(context.body)
        demandName(metadata.name, context.params.group)
        return writes.update(writeOf(context), context.params.group, metadata)
      },
    }),
    route({
      method: 'PATCH',
      path: GROUP,
      summary: 'Merge labels and annotations into a group.',
      access: 'authorized',
      body: GroupBody,
      handle(context) {
        const metadata = typedMetadata(context.body)
        if (metadata.name !== undefined) demandName(metadata.name, context.params.group)
        return writes.patch(writeOf(context), context.params.group, metadata)
      },
    }),
    route({
      method: 'DELETE',
      path: GROUP,
      summary: 'Delete a group, with its bindings and the groups below it.',
      access: 'authorized',
      async handle(context) {
        await writes.delete(writeOf(context), context.params.group)
        return { message: 'success' }
      },
    }),
  ]
}

function writeOf({
  params,
  user,
  query,
}: {
  params: { workspace: string }
  user: GroupWrite['caller']
  query: URLSearchParams
}): GroupWrite {
  return { workspace: params.workspace, caller: user, dryRun: isDryRun(query) }
}
