/**
 * Changing a password. Whoever manages users need not know the old one; everybody else does, also of themselves.
 * Guesses at it are counted like those of logins. The sessions of the user end.
 */
import { badRequest, tooManyRequests } from '../../../apimachinery/errors/index.js'
import { NewPasswords } from '../../../tenancy/accounts/newpasswords.js'
import { AccountRules } from '../../../tenancy/accounts/rules.js'
import { BusyError } from '../../../authentication/passwords.js'
import { IAM_GROUP } from '../../../tenancy/resources.js'
import { type IamDeps } from './deps.js'
import { type UserWrite } from './userwrites.js'

export interface PasswordChange {
  user: string
  /** "" for none given. */
  current: string
  password: string
}

const QUESTION = { verb: 'update', apiGroup: IAM_GROUP, resource: 'users', subresource: 'password' }

export class PasswordChanges {
  readonly #rules: AccountRules
  readonly #newPasswords: NewPasswords

  constructor(private readonly deps: IamDeps) {
    this.#rules = new AccountRules(deps)
    this.#newPasswords = new NewPasswords(deps)
  }

  /** @throws StatusError 400 when the old password is wrong, 403, 404, 422 for one that is none, 429 */
  async change({ user, current, password }: PasswordChange, write: UserWrite): Promise<void> {
    const { resources, sessions } = this.deps
    const { caller, dryRun, signal } = write
    const stored = resources.users.require(user)
    this.#rules.demandPower(caller, stored)
    await this.#demandProof(user, current, write)

    const { metadata, spec } = await this.#newPasswords.changeFor(user, password, signal)
    const patch = { metadata: { ...metadata, uid: stored.metadata.uid }, spec }
    await resources.users.patch(user, 'merge', patch, { dryRun, signal })
    if (!dryRun) await sessions.closeAll(user)
  }

  async #demandProof(name: string, current: string, { caller, signal }: UserWrite): Promise<void> {
    const { attempts, passwords, rights, users } = this.deps
    if (current === '' && (await rights.can(caller, QUESTION, { level: 'global' }))) return
    const user = users.get(name)
    const source = `password change by ${caller.name}`
    if (attempts.exceeded(name, source, user?.lastTransitionAt ?? 0))
      throw tooManyRequests('too many wrong passwords')
    try {
      if (current !== '' && (await passwords.matches(current, user?.passwordHash ?? '', name, signal)))
        return attempts.succeeded(name, source)
    } catch (error) {
      throw error instanceof BusyError ? tooManyRequests(error.message) : error
    }
    if (current !== '') attempts.failed(name, source)
    throw badRequest('incorrect old password')
  }
}
