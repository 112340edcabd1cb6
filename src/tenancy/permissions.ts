/**
 * What somebody may do, place by place: the reverse of an explanation. An explanation starts at a request and finds
 * the binding that allows it; this starts at the person and finds all bindings, with what their roles say.
 */
import { type PolicyRule } from '../authorization/rules.js'
import { type Place } from '../authorization/rights.js'
import { type RoleBook } from '../authorization/rolebook.js'
import { type Holder, heldAt, type HeldRole, placesOf } from './heldroles.js'

export interface ObjectName {
  kind: string
  namespace?: string
  name: string
}

export interface PermissionRole extends ObjectName {
  /** The group through which it is held; own bindings have none. */
  group?: string
  bindings: ObjectName[]
  /** Empty for a role that does not exist. */
  rules: readonly PolicyRule[]
  /** What it allows beyond rules, about things that are one's own. */
  ownRules?: string[]
  /** The binding names a role that does not exist: it gives nothing. */
  missing?: true
}

/** As in an answer: the place, and what is held through bindings there. */
export type Permissions = Place & { roles: PermissionRole[] }

/** Everywhere, or only what counts in one workspace or project, which is what the platform and cluster say as well. */
export type PlaceFilter = { workspace?: string; namespace?: string }

/** The places to answer for, in the order in which decisions visit them. */
export function permissionPlaces(
  book: RoleBook,
  holder: Holder,
  workspaceOf: (namespace: string) => string,
  { workspace, namespace }: PlaceFilter,
): Place[] {
  if (workspace === undefined && namespace === undefined) return placesOf(book, holder)
  const of = namespace === undefined ? (workspace ?? '') : workspaceOf(namespace)
  if (workspace !== undefined && of !== workspace) return []
  const places: Place[] = [
    { level: 'global' },
    { level: 'workspace', workspace: of },
    ...(namespace === undefined ? [] : [{ level: 'namespace', namespace } as const]),
    { level: 'cluster' },
  ]
  return places.filter((place) => heldAt(book, place, holder).length > 0)
}

export function permissionsAt(book: RoleBook, place: Place, holder: Holder): Permissions {
  return { ...place, roles: heldAt(book, place, holder).map(roleOf) }
}

function roleOf({ role, bindings, group }: HeldRole): PermissionRole {
  const own = role.native.map(({ id }) => id)
  return {
    ...objectName(role),
    ...(group !== undefined && { group }),
    bindings: bindings.map(objectName),
    rules: role.rules?.rules ?? [],
    ...(own.length > 0 && { ownRules: own }),
    ...(role.rules === undefined && { missing: true }),
  }
}

function objectName({
  kind,
  namespace,
  name,
}: {
  kind: string
  namespace: string
  name: string
}): ObjectName {
  return { kind, ...(namespace !== '' && { namespace }), name }
}
