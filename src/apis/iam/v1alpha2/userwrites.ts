/** Creating, changing and deleting users. Everything is checked before anything is written. */
import { alreadyExists, isNotFound } from '../../../apimachinery/errors/index.js'
import { type UserInfo } from '../../../apimachinery/meta/types.js'
import { type UserObject } from '../../../authentication/users.js'
import { type Place } from '../../../authorization/rights.js'
import { retrying } from '../../../client/conflicts.js'
import { changedUser, newUser } from '../../../tenancy/accounts/changes.js'
import { NewPasswords } from '../../../tenancy/accounts/newpasswords.js'
import { AccountRules } from '../../../tenancy/accounts/rules.js'
import { LAST_PASSWORD_CHANGE } from '../../../tenancy/names.js'
import { USERS } from '../../../tenancy/resources.js'
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

export class UserWrites {
  readonly #rules: AccountRules
  readonly #newPasswords: NewPasswords

  constructor(private readonly deps: IamDeps) {
    this.#rules = new AccountRules(deps)
    this.#newPasswords = new NewPasswords(deps)
  }

  /** @throws StatusError 403, 404 for an unknown role, 409 when the name or the address is taken, 422 */
  async create(
    { wanted, password, globalRole }: UserRequest,
    { caller, dryRun, signal }: UserWrite,
  ): Promise<UserObject> {
    const { name = '' } = wanted.metadata
    const { users } = this.deps.resources
    if (users.get(name)) throw alreadyExists(USERS, name)
    this.#rules.demandUnclaimed(caller, name)
    if (globalRole !== '') await this.#rules.demandRole(caller, globalRole)

    const plain = newUser(wanted)
    const user = password === '' ? plain : await this.#newPasswords.applied(plain, password, signal)
    const created = await users.create(user, { dryRun, signal })
    if (globalRole !== '' && !dryRun) await this.#bindNew(created, globalRole)
    return visibleUser(withoutHashTime(created), '')
  }

  /** @throws StatusError 403, 404, 409 when the user has changed since the version of the request, 422 */
  async update(name: string, request: UserRequest, write: UserWrite): Promise<UserObject> {
    const { caller } = write
    const isVersionless = caller.name === name && request.wanted.metadata.resourceVersion === undefined
    const manages = await this.#rules.manages(caller, name)
    return retrying(!isVersionless, () => this.#updateOnce(name, request, write, manages))
  }

  /** @throws StatusError 403, 404, 409 when the platform cannot do without the user */
  async delete(name: string, { caller, dryRun, signal }: UserWrite): Promise<void> {
    const { resources, sessions } = this.deps
    const stored = resources.users.get(name)
    if (stored) {
      this.#rules.demandPower(caller, stored)
      this.#rules.demandDispensable(name)
    }
    const uid = stored?.metadata.uid
    await resources.users.delete(name, {
      dryRun,
      signal,
      ...(uid !== undefined && { preconditions: { uid } }),
    })
    if (!dryRun) await sessions.closeAll(name)
  }

  async #updateOnce(
    name: string,
    { wanted, globalRole }: UserRequest,
    { caller, dryRun, signal }: UserWrite,
    manages: boolean,
  ): Promise<UserObject> {
    const { book, membership, resources } = this.deps
    const stored = await this.#stored(name, signal)
    this.#rules.demandPower(caller, stored)
    const isNewRole = globalRole !== '' && globalRole !== globalRoleOf(book, name)
    if (isNewRole && !manages) this.#rules.refuseRole(name)
    if (isNewRole) {
      await this.#rules.demandRole(caller, globalRole)
      await membership.bind(GLOBAL, [{ user: name, role: globalRole }], { dryRun: true })
    }
    const changed = changedUser(stored, wanted, manages, this.deps.now())
    this.#rules.demandSwitch(stored, changed)

    const { resourceVersion } = wanted.metadata
    const { metadata } = changed
    // Editing oneself, the console names no version: the last one counts.
    if (resourceVersion !== undefined) metadata.resourceVersion = resourceVersion
    else if (caller.name !== name) delete metadata.resourceVersion
    const updated = await resources.users.update(changed, { dryRun, signal })
    if (isNewRole && !dryRun) await membership.bind(GLOBAL, [{ user: name, role: globalRole }])
    return visibleUser(updated, globalRole)
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
