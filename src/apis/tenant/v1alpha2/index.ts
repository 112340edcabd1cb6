/** Assembles tenant.kubesphere.io/v1alpha2. */
import { type ApiGroup } from '../../../serving/route.js'
import { clusterRoutes } from './clusters.js'
import { consumptionRoutes } from './consumption.js'
import { type TenantDeps, tenancy } from './deps.js'
import { memberViewRoutes } from './members.js'
import { meteringRoutes } from './metering.js'
import { namespaceRoutes } from './namespaces.js'
import { recordRoutes } from './records/index.js'
import { quotaRoutes } from './resourcequotas.js'
import { workspaceRoutes } from './workspaces.js'

export function tenantGroup(deps: TenantDeps): ApiGroup {
  const domain = tenancy(deps)
  return {
    root: '/kapis/tenant.kubesphere.io/v1alpha2',
    title: 'Workspaces, projects, quotas',
    errors: 'text',
    routes: [
      ...clusterRoutes(domain),
      ...workspaceRoutes(domain, { path: '/workspaces', openPatch: false }),
      ...namespaceRoutes(domain),
      ...memberViewRoutes(domain),
      ...quotaRoutes(domain),
      ...meteringRoutes(deps.metering),
      ...consumptionRoutes(deps),
      ...recordRoutes(deps),
    ],
  }
}
