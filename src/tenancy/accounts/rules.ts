/**
 * Who may do what to accounts beyond what roles say by themselves: nobody acts on an account that may more, gives a
 * role that says more, takes a name that others have given roles to, or leaves the platform without administrator.
 */
import { conflict, forbidden } from '../../apimachinery/errors/index.js'
import { type UserInfo } from '../../apimachinery/meta/types.js'
import { AUTHENTICATED_GROUP } from '../../authentication/authenticator.js'
import { type UserObject } from '../../authentication/users.js'
import { type Place, type Question, type Rights } from '../../authorization/rights.js'
import { type RoleBook } from '../../authorization/rolebook.js'
import { type Membership } from '../membership.js'
import { IAM_GROUP, USERS } from '../resources.js'

export interface AccountRulesDeps {
  rights: Rights
  book: RoleBook
  membership: Membership
}

type User = Readonly<UserObject>

const GLOBAL: Place = { level: 'global' }
const UPDATE: Question = { verb: 'update', apiGroup: IAM_GROUP, resource: 'users' }

export class AccountRules {
  constructor(private readonly deps: AccountRulesDeps) {}

  /** Whether the caller has a right on the account that is not just that of its owner. */
  async manages(caller: UserInfo, user: string): Promise<boolean> {
    return caller.name !== user || (await this.deps.rights.can(caller, UPDATE, GLOBAL))
  }

  /** May write all there is to write of users. */
  administers(caller: UserInfo): boolean {
    return this.deps.rights.holdsAll(caller, GLOBAL)
  }

  /** Whoever acts on an account could act as that account. @throws StatusError 403 */
  demandPower(caller: UserInfo, { metadata: { name = '' }, spec }: User): void {
    const groups = [...(spec?.groups ?? []), AUTHENTICATED_GROUP]
    this.deps.rights.demandPower(caller, { name, groups })
  }

  /** @throws StatusError 403, 404 when there is no such role */
  async demandRole(caller: UserInfo, role: string): Promise<void> {
    const { membership, rights } = this.deps
    await rights.demandGrant(caller, 'GlobalRole', await membership.role(GLOBAL, role), GLOBAL)
  }

  /** Of an account without rights of its own on users. @throws StatusError 403 */
  refuseRole(user: string): never {
    throw forbidden(
      { group: IAM_GROUP, resource: USERS.singular },
      user,
      'update global role binding is not allowed',
    )
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

  /** @throws StatusError 409 when the platform cannot do without the user */
  demandDispensable(name: string): void {
    this.deps.membership.demandDispensable([name])
  }

  /** @throws StatusError 409 when this switches off a user whom the platform cannot do without */
  demandSwitch(before: User, after: User): void {
    if (after.status?.state === 'Disabled' && before.status?.state !== 'Disabled')
      this.demandDispensable(before.metadata.name ?? '')
  }
}
