/**
 * DevOps projects: who rules one is decided by the workspace in its label and by the namespace in its status, as that of
 * a namespace is by its label.
 */
import { forbidden } from '../apimachinery/errors/index.js'
import { isObject } from '../apimachinery/json/index.js'
import { type KubeObject } from '../apimachinery/meta/types.js'
import { type Place } from '../authorization/rights.js'
import { type GuardedWrite, type Policy } from '../serving/guard/policy.js'
import { WORKSPACE } from '../tenancy/names.js'
import { DEVOPS_PROJECTS } from '../tenancy/resources.js'
import { demandAdministrator, type GuardDeps } from './deps.js'
import { changes, label } from './fields.js'

type Object = KubeObject | undefined

const { group, resource } = DEVOPS_PROJECTS

export function devopsProjectPolicy(deps: GuardDeps): Policy {
  async function demand({ caller, name }: GuardedWrite, verb: string, workspace: string): Promise<void> {
    const place: Place = workspace === '' ? { level: 'cluster' } : { level: 'workspace', workspace }
    if (await deps.rights.can(caller, { verb, apiGroup: group, resource, name }, place)) return
    const where = workspace === '' ? 'at the cluster scope' : `in the workspace "${workspace}"`
    throw forbidden(
      { group, resource },
      name,
      `User "${caller.name}" cannot ${verb} DevOps projects ${where}`,
    )
  }

  async function judge(write: GuardedWrite): Promise<void> {
    const { caller, name, before, after } = write
    if (after === undefined) return
    if (changes(workspaceOf, before, after)) {
      if (before) await demand(write, 'delete', workspaceOf(before))
      await demand(write, 'create', workspaceOf(after))
    }
    if (changes(adminNamespaceOf, before, after))
      demandAdministrator(
        deps,
        caller,
        { level: 'cluster' },
        { group, resource },
        name,
        'members of this namespace rule the project',
      )
  }

  return { group, resource, indifferentTo: ['delete'], judge }
}

function workspaceOf(project: Object): string {
  const workspace = label(project, WORKSPACE)
  return typeof workspace === 'string' ? workspace : ''
}

function adminNamespaceOf(project: Object): unknown {
  const status = project?.['status']
  return isObject(status) ? status['adminNamespace'] : undefined
}
