/** What the routes of iam.kubesphere.io are given. */
import { type Attempts } from '../../../authentication/attempts.js'
import { type Passwords } from '../../../authentication/passwords.js'
import { type Sessions } from '../../../authentication/tokens/sessions.js'
import { type UserDirectory } from '../../../authentication/users.js'
import { type Rights } from '../../../authorization/rights.js'
import { type RoleBook } from '../../../authorization/rolebook.js'
import { type KindStores } from '../../../listing/stores.js'
import { type UserListOptions } from '../../../tenancy/accounts/reduced.js'
import { type Membership } from '../../../tenancy/membership.js'
import { type TenancyResources } from '../../../tenancy/resources.js'

export interface IamDeps extends UserListOptions {
  /** Reads from caches, writes with the server's own rights. */
  resources: TenancyResources
  /** For lists. */
  stores: KindStores
  book: RoleBook
  rights: Rights
  membership: Membership
  users: UserDirectory
  passwords: Passwords
  attempts: Attempts
  sessions: Sessions
  now(): Date
}
