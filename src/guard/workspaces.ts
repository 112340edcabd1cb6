/**
 * Workspaces and the templates they are made of: changed by those who may do so at cluster level, whatever a
 * workspace's own roles say, and the workspace of the system stays.
 *
 * A workspace role counts for paths below `workspaces/{name}`, and the path of a Workspace is one: an administrator
 * of a workspace would otherwise change the object that the platform keeps for itself. Their way is the tenant API.
 */
import { badRequest, forbidden } from '../apimachinery/errors/index.js'
import { isObject } from '../apimachinery/json/index.js'
import { type KubeObject } from '../apimachinery/meta/types.js'
import { type GuardedWrite, type Policy } from '../serving/guard/policy.js'
import { SYSTEM_WORKSPACE } from '../tenancy/names.js'
import { PlacementRights } from '../tenancy/placement.js'
import { TENANT_GROUP, WORKSPACE_TEMPLATES, WORKSPACES } from '../tenancy/resources.js'
import { type Placement } from '../tenancy/types.js'
import { demandWorkspaceName } from '../tenancy/workspacename.js'
import { type GuardDeps } from './deps.js'

export function workspacePolicies(deps: GuardDeps): Policy[] {
  return [WORKSPACES, WORKSPACE_TEMPLATES].map((type) => workspacePolicy(deps, type))
}

function workspacePolicy(
  { rights, resources, book }: GuardDeps,
  { resource, kind }: typeof WORKSPACES,
): Policy {
  const group = TENANT_GROUP
  const placement = new PlacementRights({ resources, rights, book })

  async function judge({ caller, verb, name, before, after }: GuardedWrite): Promise<void> {
    if (verb === 'delete' && name === SYSTEM_WORKSPACE)
      throw forbidden({ group, resource }, name, 'the workspace of the system may not be deleted')
    const question = { verb, apiGroup: group, resource, name }
    if (!(await rights.can(caller, question, { level: 'cluster' })))
      throw forbidden(
        { group, resource },
        name,
        `User "${caller.name}" cannot ${verb} resource "${resource}" in API group "${group}" at the cluster scope`,
      )
    if (after === undefined) return
    if (before === undefined) demandWorkspaceName(kind, name)
    const change = { before: placementOf(before), after: placementOf(after) }
    await placement.demandChange(caller, { workspace: name, ownsWorkspace: true, ...change })
  }

  return { group, resource, judge }
}

/** @throws StatusError 400 for what names no clusters and selects none */
function placementOf(template: KubeObject | undefined): Placement | undefined {
  const spec = template?.['spec']
  const placement = isObject(spec) ? spec['placement'] : undefined
  if (placement === undefined || placement === null) return undefined
  const clusters = isObject(placement) ? (placement['clusters'] ?? null) : undefined
  if (clusters === null || (Array.isArray(clusters) && clusters.every(isObject))) return placement
  throw badRequest('spec.placement.clusters: a list of objects is wanted')
}
