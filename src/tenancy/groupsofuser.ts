/**
 * The groups of a user as they ought to be: those that group bindings give, and those the platform knows nothing of.
 *
 * `spec.groups` is all that authorization reads, and it is writable in many ways. An entry that names a Group of the
 * platform counts only with a binding of the Group's own workspace behind it. Other entries come from identity
 * providers and are left alone.
 */
import { WORKSPACE } from './names.js'
import { type GroupBindingObject, type GroupObject, type UserObject } from './types.js'

export interface GroupSources {
  group(name: string): Readonly<GroupObject> | undefined
  /**
   * Whether a Group of the name has just gone. What gave it to a user may have been on its way at that time, and must
   * not be taken for a group of an identity provider.
   */
  wasGroup?(name: string): boolean
  /** Of the user of that name. */
  bindingsOf(user: string): Iterable<Readonly<GroupBindingObject>>
}

/** In the order that the user has them in, new ones by name. */
export function groupsOfUser(
  { metadata: { name = '' }, spec }: Readonly<UserObject>,
  sources: GroupSources,
): string[] {
  const given = new Set<string>()
  for (const binding of sources.bindingsOf(name)) {
    const group = groupGivenBy(binding, sources)
    if (group !== undefined) given.add(group)
  }
  const kept = [...new Set(spec?.groups)].filter(
    (group) => given.has(group) || (sources.group(group) === undefined && !sources.wasGroup?.(group)),
  )
  return [...kept, ...[...given].filter((group) => !kept.includes(group)).sort()]
}

function groupGivenBy(
  { metadata, groupRef }: Readonly<GroupBindingObject>,
  sources: GroupSources,
): string | undefined {
  const name = groupRef?.name ?? ''
  const group = sources.group(name)
  if (metadata.deletionTimestamp || !group || group.metadata.deletionTimestamp) return undefined
  return group.metadata.labels?.[WORKSPACE] === metadata.labels?.[WORKSPACE] ? name : undefined
}
