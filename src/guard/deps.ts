/** What policies are given, and the question most of them end with. */
import { forbidden, type QualifiedResource } from '../apimachinery/errors/index.js'
import { type UserInfo } from '../apimachinery/meta/types.js'
import { type Place, type Rights } from '../authorization/rights.js'
import { type RoleBook } from '../authorization/rolebook.js'
import { type Membership } from '../tenancy/membership.js'
import { type NewPasswordsDeps } from '../tenancy/accounts/newpasswords.js'
import { type UserListOptions } from '../tenancy/accounts/reduced.js'
import { type TenancyResources } from '../tenancy/resources.js'

export interface GuardDeps extends NewPasswordsDeps, UserListOptions {
  resources: TenancyResources
  rights: Rights
  book: RoleBook
  membership: Membership
}

/** @throws StatusError 403 for those who may not do everything at the place */
export function demandAdministrator(
  { rights }: Pick<GuardDeps, 'rights'>,
  caller: UserInfo,
  place: Place,
  resource: QualifiedResource,
  name: string,
  why: string,
): void {
  if (rights.holdsAll(caller, place)) return
  throw forbidden(resource, name, `User "${caller.name}" is no administrator, and ${why}`)
}
