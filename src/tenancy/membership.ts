/**
 * Who is bound to which role: of the platform, of the cluster, of a workspace, of a project.
 *
 * A user has one role at each place. The new binding is made before the user is taken out of others, so that nobody
 * is without a role in between, and others named in the same bindings keep theirs. Changes of a place come one after
 * another, and a change of many members happens whole or not at all.
 *
 * Whether the caller may grant is asked elsewhere. What is asked here is that the platform keeps an administrator.
 */
import { conflict, isAlreadyExists, isConflict, isNotFound, notFound } from '../apimachinery/errors/index.js'
import { type Place } from '../authorization/rights.js'
import { afterConflict, TRIES } from '../client/conflicts.js'
import { type RoleSlot } from '../authorization/roles.js'
import { BINDING_LEVELS, namespaceOf } from './bindinglevels.js'
import { bindingNames, givesRole, isUser, namesUser, userBinding } from './bindings.js'
import { type GrantBook, grantsAt, heldAt } from './heldroles.js'
import { ADMIN, PLATFORM_ADMIN, USER_REF, WORKSPACE } from './names.js'
import { type TenancyResources } from './resources.js'
import { type BindingObject, type RoleObject } from './types.js'
import { Turns } from './turns.js'
import { type Undo, wholly } from './undo.js'

type Binding = Readonly<BindingObject>

export interface RoleChoice {
  user: string
  role: string
}

export interface ChangeOptions {
  /** Everything is checked and nothing is kept. */
  dryRun?: boolean
}

export interface MembershipDeps {
  resources: TenancyResources
  /** Finds bindings by subject. */
  book: GrantBook
}

const GLOBAL: Place = { level: 'global' }

export class Membership {
  readonly #turns = new Turns()

  constructor(private readonly deps: MembershipDeps) {}

  /** The role as it can be given at the place. @throws StatusError 404, also for a role of another workspace */
  async role(place: Place, name: string): Promise<Readonly<RoleObject>> {
    const { roles, roleKind } = BINDING_LEVELS[place.level]
    const resource = roles(this.deps.resources)
    const role = await resource.find(name, namespaceOf(place))
    const isOfPlace = place.level !== 'workspace' || role?.metadata.labels?.[WORKSPACE] === place.workspace
    if (role && isOfPlace) return role
    throw notFound({ group: resource.type.group, resource: roleKind.toLowerCase() }, name)
  }

  /** The bindings that name the user at the place, by name; not those of the user's groups. */
  bindingsOf(place: Place, user: string): Binding[] {
    const bindings = BINDING_LEVELS[place.level].bindings(this.deps.resources)
    const held = heldAt(this.deps.book, place, { name: user, groups: [] })
    const names = new Set(held.flatMap(({ bindings: records }) => records.map(({ name }) => name)))
    return [...names]
      .sort()
      .flatMap((name) => bindings.get(name, namespaceOf(place)) ?? [])
      .filter((binding) => namesUser(binding, user))
  }

  isMember(place: Place, user: string): boolean {
    return this.bindingsOf(place, user).length > 0
  }

  /** Everybody bound by name, whether or not there is such a user. */
  members(place: Place): Iterable<string> {
    return grantsAt(this.deps.book, place)?.users.keys() ?? []
  }

  /** The roles of the user at the place, by name of the binding; not those of the user's groups. */
  rolesOf(place: Place, user: string): RoleSlot[] {
    return heldAt(this.deps.book, place, { name: user, groups: [] }).map(({ role }) => role)
  }

  /**
   * Gives each user that role at the place and no other; of two choices for one user the later counts.
   *
   * @throws StatusError 404 when a role is not there, 409 when the platform would be left without administrator
   */
  async bind(place: Place, choices: readonly RoleChoice[], options: ChangeOptions = {}): Promise<void> {
    const wanted = new Map(choices.map(({ user, role }) => [user, role]))
    for (const role of new Set(wanted.values())) await this.role(place, role)
    await this.#change(place, async (undo) => {
      const leaving = [...wanted].filter(([, role]) => role !== PLATFORM_ADMIN).map(([user]) => user)
      if (place.level === 'global') this.demandDispensable(leaving)
      // What others bind meanwhile is theirs to settle: if each took away the other's, nothing would be left.
      const others = new Map([...wanted.keys()].map((user) => [user, this.#bindingNames(place, user)]))
      for (const [user, role] of wanted) {
        const kept = await this.#give(place, { user, role }, options, undo)
        others.set(user, others.get(user)?.filter((name) => name !== kept) ?? [])
      }
      for (const [user, names] of others)
        for (const name of names) await this.#takeOutOf(place, user, name, options, undo)
    })
  }

  /** Takes every role at the place from the user; none is fine. @throws StatusError 409 as `bind` */
  async unbind(place: Place, user: string, options: ChangeOptions = {}): Promise<void> {
    await this.#change(place, async (undo) => {
      if (place.level === 'global') this.demandDispensable([user])
      for (const name of this.#bindingNames(place, user))
        await this.#takeOutOf(place, user, name, options, undo)
    })
  }

  /** @throws StatusError 409 when the platform would have no administrator, or not its first one, without these users */
  demandDispensable(users: readonly string[]): void {
    const administrators = users.filter((user) => this.#isAdministrator(user))
    const [one] = administrators
    if (one === undefined) return
    const { resources, book } = this.deps
    const others = [...book.global.users.keys()].some(
      (user) => !users.includes(user) && this.#isAdministrator(user) && this.#canLogIn(user),
    )
    if (others && !administrators.includes(ADMIN)) return
    const { group } = resources.users.type
    throw conflict(
      { group, resource: 'users' },
      others ? ADMIN : one,
      'the platform needs this administrator',
    )
  }

  #isAdministrator(user: string): boolean {
    return this.bindingsOf(GLOBAL, user).some((binding) => givesRole(binding, GLOBAL, PLATFORM_ADMIN))
  }

  #canLogIn(user: string): boolean {
    const account = this.deps.resources.users.get(user)
    return account !== undefined && account.status?.state !== 'Disabled'
  }

  /** @returns the name of the binding that now gives the role */
  async #give(place: Place, { user, role }: RoleChoice, { dryRun = false }: ChangeOptions, undo: Undo) {
    const given = this.bindingsOf(place, user).filter((binding) => givesRole(binding, place, role))
    const names = bindingNames(user, role)
    const best = given.find(({ metadata }) => metadata.name === names[0]) ?? given[0]
    if (best) return best.metadata.name ?? ''

    const { resources } = this.deps
    const bindings = BINDING_LEVELS[place.level].bindings(resources)
    const namespace = namespaceOf(place)
    for (const name of names) {
      try {
        const { metadata } = await bindings.create(userBinding(resources, place, user, role, name), {
          dryRun,
        })
        const { uid } = metadata
        if (!dryRun)
          undo.push(() =>
            bindings.delete(name, { namespace, ...(uid !== undefined && { preconditions: { uid } }) }),
          )
        return name
      } catch (error) {
        if (!isAlreadyExists(error)) throw error
        const taken = await this.#live(place, name)
        const isGone = taken === undefined || taken.metadata.deletionTimestamp !== undefined
        if (!isGone && givesRole(taken, place, role) && namesUser(taken, user)) return name
      }
    }
    const { group, resource } = bindings.type
    throw conflict(
      { group, resource },
      names[0] ?? '',
      'another binding has the name that this one would have',
    )
  }

  #bindingNames(place: Place, user: string): string[] {
    return this.bindingsOf(place, user).map(({ metadata }) => metadata.name ?? '')
  }

  async #takeOutOf(
    place: Place,
    user: string,
    name: string,
    { dryRun = false }: ChangeOptions,
    undo: Undo,
  ): Promise<void> {
    const bindings = BINDING_LEVELS[place.level].bindings(this.deps.resources)
    const namespace = namespaceOf(place)
    for (let tries = 1; ; tries++) {
      const before = await this.#live(place, name)
      if (before === undefined || !namesUser(before, user)) return
      const { uid = '', resourceVersion = '' } = before.metadata
      const after = without(before, user)
      try {
        if (after.subjects?.length) {
          await bindings.update(after, { dryRun })
        } else {
          await bindings.delete(name, { namespace, dryRun, preconditions: { uid, resourceVersion } })
        }
        if (!dryRun) undo.push(() => this.#restore(place, before))
        return
      } catch (error) {
        if (isNotFound(error)) return
        if (!isConflict(error) || tries >= TRIES) throw error
        await afterConflict(tries)
      }
    }
  }

  async #restore(place: Place, before: BindingObject): Promise<void> {
    const bindings = BINDING_LEVELS[place.level].bindings(this.deps.resources)
    const now = await this.#live(place, before.metadata.name ?? '')
    const resourceVersion = now?.metadata.resourceVersion
    if (resourceVersion === undefined) await bindings.create({ ...before, metadata: asNew(before) })
    else await bindings.update({ ...before, metadata: { ...before.metadata, resourceVersion } })
  }

  async #live(place: Place, name: string): Promise<BindingObject | undefined> {
    const { client } = BINDING_LEVELS[place.level].bindings(this.deps.resources)
    try {
      return await client.get(name, { namespace: namespaceOf(place) })
    } catch (error) {
      if (isNotFound(error)) return undefined
      throw error
    }
  }

  /** Runs when the changes of the place that came before are done; whole or not at all. */
  #change(place: Place, action: (undo: Undo) => Promise<void>): Promise<void> {
    return this.#turns.take(JSON.stringify(place), () => wholly(action))
  }
}

/** A binding that stays for others no longer says that it is there for this user, and does not go with it. */
function without(binding: BindingObject, user: string): BindingObject {
  const { labels = {} } = binding.metadata
  const kept = Object.entries(labels).filter(([key, value]) => key !== USER_REF || value !== user)
  return {
    ...binding,
    metadata: { ...binding.metadata, labels: Object.fromEntries(kept) },
    subjects: binding.subjects?.filter((subject) => !isUser(subject, user)) ?? [],
  }
}

function asNew({ metadata }: BindingObject): BindingObject['metadata'] {
  const { name = '', namespace, labels, annotations, ownerReferences } = metadata
  return {
    name,
    ...(namespace !== undefined && { namespace }),
    ...(labels && { labels }),
    ...(annotations && { annotations }),
    ...(ownerReferences && { ownerReferences }),
  }
}
