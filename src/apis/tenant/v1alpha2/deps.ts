/** What the routes of tenant.kubesphere.io are given, and what they share. */
import { type Rights } from '../../../authorization/rights.js'
import { type RoleBook } from '../../../authorization/rolebook.js'
import { type KindStores } from '../../../listing/stores.js'
import { PlacementRights } from '../../../tenancy/placement.js'
import { type TenancyResources } from '../../../tenancy/resources.js'
import { Access, Visibility } from '../../../tenancy/visibility/index.js'
import { type RecordStores } from '../../../integrations/records/interface.js'
import { type Consumption } from './consumption.js'
import { type MeteringOptions } from './metering.js'
import { NamespaceWrites } from './namespacewrites.js'
import { QuotaWrites } from './quotawrites.js'
import { WorkspaceWrites } from './workspacewrites.js'

export interface TenantDeps {
  /** Reads from caches, writes with the server's own rights. */
  resources: TenancyResources
  /** For lists. */
  stores: KindStores
  book: RoleBook
  rights: Rights
  /** Prices. */
  metering: MeteringOptions
  /** What measures consumption. */
  consumption: Consumption
  /** Where log lines, Events and audit events are; those that are configured. */
  records: Partial<RecordStores>
  /** Most lines of one export. */
  exportLogsLimit: number
}

/** The domain behind the routes of all versions. */
export interface Tenancy extends TenantDeps {
  visibility: Visibility
  access: Access
  workspaceWrites: WorkspaceWrites
  namespaceWrites: NamespaceWrites
  quotaWrites: QuotaWrites
}

export function tenancy(deps: TenantDeps): Tenancy {
  const access = new Access(deps)
  const placement = new PlacementRights(deps)
  return {
    ...deps,
    access,
    visibility: new Visibility(deps),
    workspaceWrites: new WorkspaceWrites({ ...deps, access, placement }),
    namespaceWrites: new NamespaceWrites(deps.resources),
    quotaWrites: new QuotaWrites(deps.resources),
  }
}
