/** What the routes of tenant.kubesphere.io are given. */
import { type Rights } from '../../../authorization/rights.js'
import { type RoleBook } from '../../../authorization/rolebook.js'
import { type KindStores } from '../../../listing/stores.js'
import { type TenancyResources } from '../../../tenancy/resources.js'

export interface TenantDeps {
  /** Reads from caches, writes with the server's own rights. */
  resources: TenancyResources
  /** For lists. */
  stores: KindStores
  book: RoleBook
  rights: Rights
}
