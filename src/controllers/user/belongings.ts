/**
 * What a user has and is, removed when the user goes: role bindings at every level, memberships of groups, login
 * records, the kubeconfig.
 *
 * Found by label and by subject: the original went by label alone, so that a new user of the same name inherited what
 * had been written by other means. Of a binding that several share, only this user is taken out.
 */
import { type KubeObject } from '../../apimachinery/meta/types.js'
import { type Stored } from '../../controller/index.js'
import { type CachedResource } from '../../client/cachedresource.js'
import { storedIn } from '../../controller/index.js'
import { Mentions } from '../../tenancy/mentions.js'
import { USER_REF } from '../../tenancy/names.js'
import { type TenancyResources } from '../../tenancy/resources.js'
import { type BindingObject, type GroupBindingObject, userNamesIn } from '../../tenancy/types.js'

/** Longest label value. */
const MAX_LABEL = 63

/** Objects that name users: how to find them, and what is left of one without a user. */
interface Naming<T extends KubeObject> {
  stored: Stored<T>
  mentions: Mentions<T>
  /** Undefined when nothing is left. */
  without: (object: Readonly<T>, user: string) => T | undefined
}

export class Belongings {
  readonly #bindings: readonly Naming<BindingObject>[]
  readonly #groupBindings: Naming<GroupBindingObject>

  constructor(private readonly resources: TenancyResources) {
    const { globalRoleBindings, workspaceRoleBindings, clusterRoleBindings, roleBindings } = resources
    this.#bindings = [globalRoleBindings, workspaceRoleBindings, clusterRoleBindings, roleBindings].map(
      (resource) => naming(resource, userNamesIn, withoutSubject),
    )
    this.#groupBindings = naming(resources.groupBindings, ({ users }) => users ?? [], withoutMember)
  }

  /** Group bindings that list the user. */
  groupBindingsOf(user: string): Iterable<Readonly<GroupBindingObject>> {
    return this.#groupBindings.mentions.of(user)
  }

  /** Those whom a group binding listed when it was last seen. */
  membersOf(binding: { namespace: string; name: string }): readonly string[] {
    return this.#groupBindings.mentions.in(binding)
  }

  /** Access first. */
  async remove(user: string, signal: AbortSignal): Promise<void> {
    for (const bindings of this.#bindings) await removeFrom(bindings, user, signal)
    await removeFrom(this.#groupBindings, user, signal)
    if (user.length > MAX_LABEL) return
    const records = storedIn(this.resources.loginRecords)
    for (const record of [...records.labelled(USER_REF, user)]) await records.delete(record, signal)
  }
}

function naming<T extends KubeObject>(
  resource: CachedResource<T>,
  mentionedIn: (object: Readonly<T>) => Iterable<string>,
  without: Naming<T>['without'],
): Naming<T> {
  return { stored: storedIn(resource), mentions: new Mentions(resource, mentionedIn), without }
}

async function removeFrom<T extends KubeObject>(
  { stored, mentions, without }: Naming<T>,
  user: string,
  signal: AbortSignal,
): Promise<void> {
  const labelled = user.length > MAX_LABEL ? [] : [...stored.labelled(USER_REF, user)]
  const known = new Set(labelled.map(({ metadata }) => metadata.uid))
  const found = [...labelled, ...mentions.of(user).filter(({ metadata }) => !known.has(metadata.uid))]
  for (const object of found) {
    if (object.metadata.deletionTimestamp) continue
    const left = without(object, user)
    if (left === undefined) await stored.delete(object, signal)
    else await stored.commit(object, withoutLabel(left, user), signal)
  }
}

function withoutSubject(binding: Readonly<BindingObject>, user: string): BindingObject | undefined {
  const subjects = (binding.subjects ?? []).filter(({ kind, name }) => kind !== 'User' || name !== user)
  return subjects.length === 0 ? undefined : { ...binding, subjects }
}

function withoutMember(binding: Readonly<GroupBindingObject>, user: string): GroupBindingObject | undefined {
  const users = (binding.users ?? []).filter((name) => name !== user)
  return users.length === 0 ? undefined : { ...binding, users }
}

function withoutLabel<T extends KubeObject>(object: T, user: string): T {
  const { [USER_REF]: label, ...labels } = object.metadata.labels ?? {}
  return label === user ? { ...object, metadata: { ...object.metadata, labels } } : object
}
