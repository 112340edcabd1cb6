/**
 * The built-in roles that a workspace or project is given, made from RoleBases.
 *
 * A role is what its base says: labels, annotations and rules that differ are put back. A role whose base is gone stays.
 */
import { equal } from '../apimachinery/json/value.js'
import { type OwnerReference } from '../apimachinery/meta/types.js'
import { type CachedResource } from '../client/cachedresource.js'
import { type Stored } from '../controller/index.js'
import { FEDERATED } from '../tenancy/names.js'
import { sameRules } from '../tenancy/roles.js'
import { type RoleBaseObject, type RoleObject } from '../tenancy/types.js'

export type BaseKind = 'Role' | 'WorkspaceRole'

/**
 * The roles of all bases of a kind, read anew only when a base has changed.
 *
 * @param label that the bases carry, with an empty value
 */
export function rolesOfBases(
  bases: Pick<CachedResource<RoleBaseObject>, 'informer' | 'list'>,
  kind: BaseKind,
  label?: string,
): () => readonly RoleObject[] {
  let revision = -1
  let roles: readonly RoleObject[] = []
  return () => {
    if (bases.informer.store.revision !== revision) {
      revision = bases.informer.store.revision
      roles = rolesIn(bases.list(), kind, label)
    }
    return roles
  }
}

export function rolesIn(bases: Iterable<RoleBaseObject>, kind: BaseKind, label?: string): RoleObject[] {
  const found: RoleObject[] = []
  for (const { metadata, role } of bases) {
    if (role?.kind !== kind || !role.metadata?.name) continue
    if (label !== undefined && metadata.labels?.[label] !== '') continue
    found.push(role)
  }
  return found
}

export interface Wanted {
  name: string
  namespace?: string
  /** Besides those of the base. */
  labels?: Record<string, string>
  /** Of a role that has to be made; the owner of one that is there is for others to mend. */
  owner?: OwnerReference
}

/** @returns whether something had to be written */
export async function ensureRole(
  roles: Pick<Stored<RoleObject>, 'get' | 'create' | 'commit'>,
  base: Readonly<RoleObject>,
  { name, namespace = '', labels: own = {}, owner }: Wanted,
  signal: AbortSignal,
): Promise<boolean> {
  const labels = { ...base.metadata.labels, ...own }
  const { annotations = {} } = base.metadata
  const rules = base.rules ?? []
  const found = roles.get(name, namespace)
  if (found === undefined) {
    const metadata = {
      name,
      ...(namespace !== '' && { namespace }),
      ...(Object.keys(labels).length > 0 && { labels }),
      ...(Object.keys(annotations).length > 0 && { annotations }),
      ...(owner && { ownerReferences: [owner] }),
    }
    await roles.create({ metadata, rules }, signal)
    return true
  }
  const federated = found.metadata.labels?.[FEDERATED]
  if (federated !== undefined) labels[FEDERATED] = federated // Set by the controller of the role itself.
  const isSame =
    equal(found.metadata.labels ?? {}, labels) &&
    equal(found.metadata.annotations ?? {}, annotations) &&
    sameRules(found.rules, rules)
  if (isSame) return false
  return roles.commit(
    found,
    { ...found, metadata: { ...found.metadata, labels, annotations }, rules },
    signal,
  )
}
