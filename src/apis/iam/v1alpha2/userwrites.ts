/**
 * Creating, changing and deleting users.
 *
 * Everything is checked before anything is written. Whoever gives a role must hold what it grants, and whoever
 * acts on another account must hold what that account holds.
 */
import {
  alreadyExists,
  conflict,
  forbidden,
  isConflict,
  isNotFound,
} from '../../../apimachinery/errors/index.js'
import { type UserInfo } from '../../../apimachinery/meta/types.js'
import { AUTHENTICATED_GROUP } from '../../../authentication/authenticator.js'
import { type UserObject } from '../../../authentication/users.js'
import { type Place } from '../../../authorization/rights.js'
import { changedUser, newUser, rfc3339 } from '../../../tenancy/accounts/changes.js'
import { demandPassword } from '../../../tenancy/accounts/passwordrules.js'
import { LAST_PASSWORD_CHANGE } from '../../../tenancy/names.js'
import { IAM_GROUP, USERS } from '../../../tenancy/resources.js'
import { type IamDeps } from './deps.js'
import { type UserRequest } from './userbody.js'
import { globalRoleOf, visibleUser } from './visibleuser.js'

/** Who writes, and how. */
export interface UserWrite {
  caller: UserInfo
  dryRun: boolean
  signal: AbortSignal
}

const GLOBAL: Place = { level: 'global' }
/** How often a write that names no version starts again when the user has changed meanwhile. */
const TRIES = 4

export class UserWrites {
  constructor(private readonly deps: IamDeps) {}

  /** @throws StatusError 403, 404 for an unknown role, 409 when the name or the address is taken, 422 */
  async create(request: UserRequest, write: UserWrite): Promise<UserObject> {
    const { wanted, password, globalRole } = request
    const { name = '' } = wanted.metadata
    const { membership, passwords, resources, rights } = this.deps
    const { caller, dryRun, signal } = write
    if (resources.users.get(name)) throw alreadyExists(USERS, name)
    this.demandUnclaimed(caller, name)
    if (globalRole !== '')
      await rights.demandGrant(caller, 'GlobalRole', membership.role(GLOBAL, globalRole), GLOBAL)

    const user = newUser(wanted)
    if (password !== '') {
      demandPassword(password, name)
      user.spec = { ...user.spec, password: await passwords.hash(password, signal) }
      user.metadata.annotations = {
        ...user.metadata.annotations,
        [LAST_PASSWORD_CHANGE]: rfc3339(this.deps.now()),
      }
    }
    const created = await resources.users.create(user, { dryRun, signal })
    if (globalRole !== '' && !dryRun) await this.#bindNew(created, globalRole)
    return visibleUser(withoutHashTime(created), '')
  }

  /** @throws StatusError 403, 404, 409 when the user has changed since the version of the request, 422 */
  async update(name: string, request: UserRequest, write: UserWrite): Promise<UserObject> {
    const { caller } = write
    const isSelf = caller.name === name
    const manages = !isSelf || (await this.#managesUsers(caller))
    for (let tries = 1; ; tries++) {
      try {
        return await this.#updateOnce(name, request, write, manages)
      } catch (error) {
        const { resourceVersion } = request.wanted.metadata
        if (!isConflict(error) || !isSelf || resourceVersion !== undefined || tries >= TRIES) throw error
      }
    }
  }

  /** @throws StatusError 403, 404, 409 when the platform cannot do without the user */
  async delete(name: string, { caller, dryRun, signal }: UserWrite): Promise<void> {
    const { membership, resources, sessions } = this.deps
    const stored = resources.users.get(name)
    if (stored) {
      this.demandPower(caller, stored)
      membership.demandDispensable([name])
    }
    const { uid } = stored?.metadata ?? {}
    await resources.users.delete(name, {
      dryRun,
      signal,
      ...(uid !== undefined && { preconditions: { uid } }),
    })
    if (!dryRun) await sessions.closeAll(name)
  }

  /** Whoever acts on an account could act as that account. @throws StatusError 403 */
  demandPower(caller: UserInfo, { metadata: { name = '' }, spec }: Readonly<UserObject>): void {
    const groups = [...(spec?.groups ?? []), AUTHENTICATED_GROUP]
    this.deps.rights.demandPower(caller, { name, groups })
  }

  /**
   * Bindings may name users that are not there (yet, or any more), and whoever takes the name gets their roles.
   * @throws StatusError 403 when the caller holds less than the name would, 409 when the caller cannot know
   */
  demandUnclaimed(caller: UserInfo, name: string): void {
    const { book, rights } = this.deps
    const newcomer = { name, groups: [] }
    rights.demandPower(caller, newcomer)
    const isNamed = book.workspacesOf(newcomer).size > 0 || book.namespacesOf(newcomer).size > 0
    if (!isNamed || rights.holdsAll(caller, { level: 'cluster' })) return
    throw conflict(USERS, name, 'role bindings of workspaces or projects still name it')
  }

  async #updateOnce(
    name: string,
    { wanted, globalRole }: UserRequest,
    { caller, dryRun, signal }: UserWrite,
    manages: boolean,
  ): Promise<UserObject> {
    const { membership, resources } = this.deps
    const stored = await this.#stored(name, signal)
    this.demandPower(caller, stored)
    const isNewRole = globalRole !== '' && globalRole !== globalRoleOf(this.deps.book, name)
    if (isNewRole) await this.#demandRoleChange(caller, name, globalRole, manages)
    const changed = changedUser(stored, wanted, manages, this.deps.now())
    if (changed.status?.state === 'Disabled' && stored.status?.state !== 'Disabled')
      membership.demandDispensable([name])

    const { resourceVersion } = wanted.metadata
    const { metadata } = changed
    // Editing oneself, the console names no version: the last one counts.
    if (resourceVersion !== undefined) metadata.resourceVersion = resourceVersion
    else if (caller.name !== name) delete metadata.resourceVersion
    const updated = await resources.users.update(changed, { dryRun, signal })
    if (isNewRole) await membership.bind(GLOBAL, [{ user: name, role: globalRole }], { dryRun })
    return visibleUser(updated, globalRole)
  }

  async #demandRoleChange(caller: UserInfo, name: string, role: string, manages: boolean): Promise<void> {
    const { membership, rights } = this.deps
    if (!manages)
      throw forbidden(
        { group: IAM_GROUP, resource: USERS.singular },
        name,
        'update global role binding is not allowed',
      )
    await rights.demandGrant(caller, 'GlobalRole', membership.role(GLOBAL, role), GLOBAL)
    await membership.bind(GLOBAL, [{ user: name, role }], { dryRun: true })
  }

  /** A right on users in general, which the right on oneself is not. */
  #managesUsers(caller: UserInfo): Promise<boolean> {
    return this.deps.rights.can(caller, { verb: 'update', apiGroup: IAM_GROUP, resource: 'users' }, GLOBAL)
  }

  /** A user who was to have a role and cannot be given it is not left behind without. */
  async #bindNew({ metadata: { name = '', uid = '' } }: UserObject, role: string): Promise<void> {
    const { membership, resources } = this.deps
    try {
      await membership.bind(GLOBAL, [{ user: name, role }])
    } catch (error) {
      await resources.users.delete(name, { preconditions: { uid } })
      throw error
    }
  }

  /** As the API has it: what is checked must be what is written. */
  async #stored(name: string, signal: AbortSignal): Promise<UserObject> {
    const { users } = this.deps.resources
    users.require(name)
    try {
      return await users.client.get(name, { signal })
    } catch (error) {
      throw isNotFound(error) ? users.missing(name) : error
    }
  }
}

/** The answer to a creation shows what was asked for; when the password was hashed is there to be read later. */
function withoutHashTime(created: UserObject): UserObject {
  const { [LAST_PASSWORD_CHANGE]: _, ...annotations } = created.metadata.annotations ?? {}
  return { ...created, metadata: { ...created.metadata, annotations } }
}
