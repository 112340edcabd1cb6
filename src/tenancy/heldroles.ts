/** Which roles somebody holds, where, and through what: by name or as one of a group. Costs what they hold. */
import { type BindingRecord, type Grants } from '../authorization/bindings.js'
import { type Place } from '../authorization/rights.js'
import { type RoleBook } from '../authorization/rolebook.js'
import { type RoleSlot } from '../authorization/roles.js'

export interface Holder {
  name: string
  groups: readonly string[]
}

export interface HeldRole {
  /** Without rules when no such role exists. */
  role: RoleSlot
  bindings: BindingRecord[]
  /** Undefined: bound by name. */
  group?: string
}

export type GrantBook = Pick<RoleBook, 'global' | 'cluster' | 'workspace' | 'namespace'>

/** What bindings of that very place say; a workspace is not searched for those of its projects. */
export function grantsAt(book: GrantBook, place: Place): Grants | undefined {
  switch (place.level) {
    case 'global':
      return book.global
    case 'cluster':
      return book.cluster
    case 'workspace':
      return book.workspace(place.workspace)
    case 'namespace':
      return book.namespace(place.namespace)
  }
}

/** By name of the binding, own ones first. */
export function heldAt(book: GrantBook, place: Place, { name, groups }: Holder): HeldRole[] {
  const grants = grantsAt(book, place)
  if (grants === undefined) return []
  const own = held(grants.users.get(name))
  return [
    ...own,
    ...groups.flatMap((group) => held(grants.groups.get(group)).map((role) => ({ ...role, group }))),
  ]
}

/** Every place that has a binding for the holder. */
export function placesOf(book: RoleBook, { name, groups }: Holder): Place[] {
  const holder = { name, groups: [...groups] }
  const everywhere: Place[] = [{ level: 'global' }, { level: 'cluster' }]
  return [
    ...everywhere.filter((place) => heldAt(book, place, holder).length > 0),
    ...[...book.workspacesOf(holder)].sort().map((workspace): Place => ({ level: 'workspace', workspace })),
    ...[...book.namespacesOf(holder)].sort().map((namespace): Place => ({ level: 'namespace', namespace })),
  ]
}

function held(grants: readonly { role: RoleSlot; bindings: readonly BindingRecord[] }[] = []): HeldRole[] {
  return grants
    .map(({ role, bindings }) => ({ role, bindings: [...bindings].sort((a, b) => order(a.name, b.name)) }))
    .sort((a, b) => order(a.bindings[0]?.name ?? '', b.bindings[0]?.name ?? ''))
}

const order = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
