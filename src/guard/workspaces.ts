/**
 * Workspaces and the templates they are made of: changed by those who may do so at cluster level, whatever a
 * workspace's own roles say, and the workspace of the system stays.
 *
 * A workspace role counts for paths below `workspaces/{name}`, and the path of a Workspace is one: an administrator
 * of a workspace would otherwise change the object that the platform keeps for itself. Their way is the tenant API.
 */
import { forbidden } from '../apimachinery/errors/index.js'
import { type GuardedWrite, type Policy } from '../serving/guard/policy.js'
import { SYSTEM_WORKSPACE } from '../tenancy/names.js'
import { TENANT_GROUP, WORKSPACE_TEMPLATES, WORKSPACES } from '../tenancy/resources.js'
import { type GuardDeps } from './deps.js'

export function workspacePolicies(deps: GuardDeps): Policy[] {
  return [WORKSPACES, WORKSPACE_TEMPLATES].map(({ resource }) => workspacePolicy(deps, resource))
}

function workspacePolicy({ rights }: GuardDeps, resource: string): Policy {
  const group = TENANT_GROUP

  async function judge({ caller, verb, name }: GuardedWrite): Promise<void> {
    if (verb === 'delete' && name === SYSTEM_WORKSPACE)
      throw forbidden({ group, resource }, name, 'the workspace of the system may not be deleted')
    const question = { verb, apiGroup: group, resource, name }
    if (await rights.can(caller, question, { level: 'cluster' })) return
    throw forbidden(
      { group, resource },
      name,
      `User "${caller.name}" cannot ${verb} resource "${resource}" in API group "${group}" at the cluster scope`,
    )
  }

  return { group, resource, judge }
}
