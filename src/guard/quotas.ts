/**
 * Quotas of workspaces: how much a workspace may use is said by those who look after quotas in the whole cluster. Members
 * of the workspace have the routes of the tenant API, which keep to the selector of the workspace.
 */
import { forbidden } from '../apimachinery/errors/index.js'
import { isObject } from '../apimachinery/json/index.js'
import { type KubeObject } from '../apimachinery/meta/types.js'
import { type GuardedWrite, type Policy } from '../serving/guard/policy.js'
import { WORKSPACE } from '../tenancy/names.js'
import { WORKSPACE_QUOTAS } from '../tenancy/resources.js'
import { demandAdministrator, type GuardDeps } from './deps.js'
import { changes, label } from './fields.js'

const { group, resource } = WORKSPACE_QUOTAS

export function workspaceQuotaPolicy(deps: GuardDeps): Policy {
  async function judge({ caller, verb, subresource, name, before, after }: GuardedWrite): Promise<void> {
    const question = { verb, apiGroup: group, resource, name, ...(subresource !== '' && { subresource }) }
    // However the path is written that came here.
    if (!(await deps.rights.can(caller, question, { level: 'cluster' })))
      throw forbidden(
        { group, resource },
        name,
        `User "${caller.name}" cannot ${verb} resource "${resource}" in API group "${group}" at the cluster scope`,
      )
    if (after === undefined) return
    for (const read of [selectorOf, (quota: KubeObject | undefined) => label(quota, WORKSPACE)])
      if (changes(read, before, after) && !countsItsWorkspace(after))
        demandAdministrator(
          deps,
          caller,
          { level: 'cluster' },
          { group, resource },
          name,
          'this counts others',
        )
  }

  return { group, resource, judge }
}

/** As the tenant API writes them. */
function countsItsWorkspace(quota: KubeObject): boolean {
  const workspace = label(quota, WORKSPACE)
  const selector = selectorOf(quota)
  return typeof workspace === 'string' && isObject(selector) && selector[WORKSPACE] === workspace
}

function selectorOf(quota: KubeObject | undefined): unknown {
  const spec = quota?.['spec']
  return isObject(spec) ? spec['selector'] : undefined
}
