/**
 * What the role of a member is made of: the roles that its annotation names. Bindings to roles that are
 * gone, and parts that are gone, are passed over.
 */
import { type Holder, heldAt } from '../../../tenancy/heldroles.js'
import { AGGREGATION } from '../../../tenancy/names.js'
import { servesWorkspace } from '../../../tenancy/roles.js'
import { aggregatedNames, type RoleObject } from '../../../tenancy/types.js'
import { type IamDeps } from './deps.js'
import { belongs, ROLE_LEVELS, type RoleLevel, type RoleLocation } from './rolelevels.js'

type Deps = Pick<IamDeps, 'book' | 'resources'>

/** Of the platform role of a user; groups do not count. */
export function globalRoleParts(deps: Deps, user: string): RoleObject[] {
  const level = ROLE_LEVELS.find(({ kind }) => kind === 'GlobalRole') as RoleLevel
  return memberRoleParts(level, level.locate({}, deps.resources), user, deps)
}

/**
 * Roles of groups count in workspaces and projects, and all roles there; on the platform and in the cluster it is the
 * first of the user's own.
 *
 * @throws StatusError 404 for an unknown user of a workspace or project
 */
export function memberRoleParts(
  level: RoleLevel,
  where: RoleLocation,
  user: string,
  { book, resources }: Deps,
): RoleObject[] {
  const { place, namespace, workspace } = where
  const ofGroups = place.level === 'workspace' || place.level === 'namespace'
  const groups = ofGroups ? (resources.users.require(user).spec?.groups ?? []) : []
  const holder: Holder = { name: user, groups }
  const roles = level.of(resources)
  const held = heldAt(book, place, holder).flatMap(({ role }) => {
    const found = role.kind === level.kind ? roles.get(role.name, namespace) : undefined
    return found && belongs(found, where) ? [found] : []
  })
  const parts = (ofGroups ? held : held.slice(0, 1)).flatMap((role) => aggregatedNames(role, AGGREGATION))
  // A single role is told as its annotation puts it, a union in an order that does not change.
  const names = ofGroups ? [...new Set(parts)].sort() : parts
  return names
    .flatMap((name) => roles.get(name, namespace) ?? [])
    .filter((part) => workspace === undefined || servesWorkspace(part, workspace))
}
