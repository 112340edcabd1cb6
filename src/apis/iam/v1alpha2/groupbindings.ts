/**
 * iam.kubesphere.io/v1alpha2, who is in which group of a workspace. Groups and users must be there, and the group
 * must be of this workspace: whatever it is bound to, its members get.
 */
import { Type } from '../../../apimachinery/schema/type.js'
import { type UserInfo } from '../../../apimachinery/meta/types.js'
import { pageReply } from '../../../listing/page.js'
import { route, type Route } from '../../../serving/route.js'
import { GROUP_REF, USER_REF, WORKSPACE } from '../../../tenancy/names.js'
import { IAM_GROUP } from '../../../tenancy/resources.js'
import { type GroupBindingObject } from '../../../tenancy/types.js'
import { wholly } from '../../../tenancy/undo.js'
import { type IamDeps } from './deps.js'
import { GroupAccess } from './groupaccess.js'
import { isDryRun } from '../../../tenancy/typedmetadata.js'
import { demandSelector, workspacePage } from './workspacelist.js'

const GROUP_BINDINGS = '/workspaces/{workspace}/groupbindings'

const Membership = Type.Object({ userName: Type.String(), groupName: Type.String() })

export function groupBindingRoutes(deps: IamDeps): Route[] {
  const { stores, resources } = deps
  const access = new GroupAccess(deps)
  return [
    route({
      method: 'GET',
      path: GROUP_BINDINGS,
      summary: 'List who is in which group of a workspace.',
      access: 'authorized',
      async handle({ params, query, client }) {
        demandSelector(query)
        return pageReply(await workspacePage('groupbindings', params.workspace, query, { stores, client }))
      },
    }),
    route({
      method: 'POST',
      path: GROUP_BINDINGS,
      summary: 'Put users into groups: all of them, or nobody.',
      access: 'authorized',
      body: Type.Array(Membership, { title: '[]v1alpha2.GroupMember' }),
      async handle({ params: { workspace }, body, user, query }) {
        const dryRun = isDryRun(query)
        for (const { userName, groupName } of body) {
          access.group(workspace, groupName)
          resources.users.require(userName)
        }
        for (const group of new Set(body.map(({ groupName }) => groupName)))
          await access.demandAll(user, group)
        return wholly(async (undo) => {
          const bindings: GroupBindingObject[] = []
          for (const { userName, groupName } of body) {
            const binding = existing(deps, workspace, userName, groupName)
            if (binding) {
              bindings.push(binding)
              continue
            }
            const created = await resources.groupBindings.create(
              groupBinding(workspace, userName, groupName),
              { dryRun },
            )
            const { name = '' } = created.metadata
            if (!dryRun) undo.push(() => resources.groupBindings.delete(name))
            bindings.push(created)
          }
          return bindings
        })
      },
    }),
    route({
      method: 'DELETE',
      path: `${GROUP_BINDINGS}/{groupbinding}`,
      summary: 'Take a user out of a group.',
      access: 'authorized',
      async handle({ params: { workspace, groupbinding: name }, user, query }) {
        const { groupBindings } = resources
        const binding = groupBindings.get(name)
        if (binding?.metadata.labels?.[WORKSPACE] !== workspace) throw groupBindings.missing(name)
        if (!isOnly(user, binding)) await access.demandAll(user, binding.groupRef?.name ?? '')
        const { uid = '' } = binding.metadata
        await groupBindings.delete(name, { dryRun: isDryRun(query), preconditions: { uid } })
        return { message: 'success' }
      },
    }),
  ]
}

/** Everybody may leave. */
function isOnly({ name }: UserInfo, { users }: Readonly<GroupBindingObject>): boolean {
  return users?.every((user) => user === name) ?? false
}

function existing({ resources }: IamDeps, workspace: string, user: string, group: string) {
  for (const binding of resources.groupBindings.labelled(USER_REF, user)) {
    const { labels, deletionTimestamp } = binding.metadata
    const isSame = binding.groupRef?.name === group && binding.users?.length === 1
    if (isSame && labels?.[WORKSPACE] === workspace && deletionTimestamp === undefined) return binding
  }
  return undefined
}

function groupBinding(workspace: string, user: string, group: string): GroupBindingObject {
  return {
    metadata: {
      generateName: `${group}-${user}-`,
      labels: { [USER_REF]: user, [GROUP_REF]: group, [WORKSPACE]: workspace },
    },
    groupRef: { apiGroup: IAM_GROUP, kind: 'groups', name: group },
    users: [user],
  }
}
