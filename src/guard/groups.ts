/**
 * Groups of users: whoever comes into a group has what the group has, wherever that is.
 *
 * Requests for these through the Kubernetes API are of the cluster scope; members of a workspace use the routes of
 * the workspace, which keep to its groups.
 */
import { forbidden, notFound } from '../apimachinery/errors/index.js'
import { isObject } from '../apimachinery/json/index.js'
import { type KubeObject } from '../apimachinery/meta/types.js'
import { type GuardedWrite, type Policy } from '../serving/guard/policy.js'
import { GROUP_PARENT, WORKSPACE } from '../tenancy/names.js'
import { GROUP_BINDINGS, GROUPS } from '../tenancy/resources.js'
import { demandAdministrator, type GuardDeps } from './deps.js'
import { changes, label } from './fields.js'

export function groupPolicies(deps: GuardDeps): Policy[] {
  return [groupPolicy(deps), groupBindingPolicy(deps)]
}

function groupPolicy({ resources }: GuardDeps): Policy {
  function judge({ name, before, after }: GuardedWrite): void {
    if (after === undefined) return
    const workspace = label(after, WORKSPACE)
    if (before && workspace !== label(before, WORKSPACE))
      throw forbidden(GROUPS, name, 'a group stays in its workspace')
    const parent = label(after, GROUP_PARENT)
    if (typeof parent !== 'string' || !changes((group) => label(group, GROUP_PARENT), before, after)) return
    if (label(resources.groups.get(parent), WORKSPACE) !== workspace) throw notFound(GROUPS, parent)
  }
  return { group: GROUPS.group, resource: GROUPS.resource, judge }
}

function groupBindingPolicy(deps: GuardDeps): Policy {
  const { resources, rights } = deps

  function judge({ caller, name, before, after }: GuardedWrite): void {
    if (after === undefined || rights.holdsAll(caller, { level: 'global' })) return
    const workspace = label(after, WORKSPACE)
    if (before && workspace !== label(before, WORKSPACE))
      throw forbidden(GROUP_BINDINGS, name, 'a binding stays in its workspace')
    const group = groupOf(after)
    if (label(resources.groups.get(group), WORKSPACE) !== workspace) throw notFound(GROUPS, group)
    rights.demandPowerEverywhere(caller, { name: '', groups: [group] })
  }
  return { group: GROUP_BINDINGS.group, resource: GROUP_BINDINGS.resource, judge }
}

function groupOf(binding: KubeObject): string {
  const reference = binding['groupRef']
  const name = isObject(reference) ? reference['name'] : undefined
  return typeof name === 'string' ? name : ''
}

/** Objects that make others, everywhere: what they say is what administrators say. */
export function administratorsPolicy(deps: GuardDeps, group: string, resource: string, why: string): Policy {
  return {
    group,
    resource,
    judge: ({ caller, name }) =>
      demandAdministrator(deps, caller, { level: 'global' }, { group, resource }, name, why),
  }
}
