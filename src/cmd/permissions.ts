/** `orrery permissions`: asks the running server what a user may do, where, and through which binding. */
import { type PolicyRule } from '../apimachinery/rbac/index.js'
import { type PermissionRole, type Permissions, type PlaceFilter } from '../tenancy/permissions.js'
import { askServer, type ServerFlags } from './askserver.js'
import { styleText } from './style.js'

export interface PermissionsFlags extends ServerFlags, PlaceFilter {
  output: 'text' | 'json'
}

interface Answer {
  user: string
  groups: string[]
  state: string
  items: Permissions[]
}

export async function permissions(user: string, flags: PermissionsFlags): Promise<string> {
  const { workspace, namespace } = flags
  const query = new URLSearchParams({
    ...(workspace !== undefined && { workspace }),
    ...(namespace !== undefined && { namespace }),
  })
  const path = `/kapis/iam.kubesphere.io/v1alpha2/users/${encodeURIComponent(user)}/permissions?${query.toString()}`
  const answer = (await askServer(flags, 'GET', path)) as Answer
  return flags.output === 'json' ? JSON.stringify(answer, undefined, 2) : permissionsText(answer)
}

/** The roles by place, each with its bindings, and what they allow below. */
export function permissionsText({ user, groups, state, items }: Answer): string {
  const about = [state === '' ? [] : [state], groups.length > 0 ? [`groups ${groups.join(', ')}`] : []].flat()
  const title = `${user}${about.length === 0 ? '' : ` (${about.join('; ')})`}`
  if (items.length === 0) return `${styleText('bold', title)}\n  holds no role`
  const lines = items.flatMap((place) => [
    `  ${placeText(place)}`,
    ...place.roles.flatMap((role) => [
      `    ${roleText(role)}`,
      ...[...(role.ownRules ?? []).map((id) => `built-in rule ${id}`), ...role.rules.map(ruleText)].map(
        (line) => `      ${styleText('dim', line)}`,
      ),
    ]),
  ])
  return [styleText('bold', title), ...lines].join('\n')
}

function placeText(place: Permissions): string {
  switch (place.level) {
    case 'global':
      return 'the platform'
    case 'cluster':
      return 'the cluster'
    case 'workspace':
      return `workspace ${place.workspace}`
    case 'namespace':
      return `project ${place.namespace}`
  }
}

function roleText({ kind, name, group, bindings, missing }: PermissionRole): string {
  const through = bindings.map((binding) => `${binding.kind} ${binding.name}`).join(', ')
  const as = group === undefined ? '' : ` as one of group ${group}`
  return `${kind} ${name}${as}, through ${through}${missing ? styleText('yellow', ' (no such role)') : ''}`
}

function ruleText({ verbs, apiGroups, resources, resourceNames, nonResourceURLs }: PolicyRule): string {
  const what = nonResourceURLs?.length ? nonResourceURLs : (resources ?? [])
  const groups = apiGroups?.map((group) => (group === '' ? 'core' : group)) ?? []
  const of = groups.length === 0 ? '' : ` of ${groups.join(', ')}`
  const named = resourceNames?.length ? ` named ${resourceNames.join(', ')}` : ''
  return `${(verbs ?? []).join(', ')}: ${what.join(', ')}${of}${named}`
}
