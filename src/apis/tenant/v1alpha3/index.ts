/** Assembles tenant.kubesphere.io/v1alpha3, which came with release 3.4. */
import { type ApiGroup } from '../../../serving/route.js'
import { type TenantDeps, tenancy } from '../v1alpha2/deps.js'
import { workspaceRoutes } from '../v1alpha2/workspaces.js'
import { plainWorkspaceRoutes } from './workspaces.js'

export function tenantGroupV1alpha3(deps: TenantDeps): ApiGroup {
  const domain = tenancy(deps)
  return {
    root: '/kapis/tenant.kubesphere.io/v1alpha3',
    title: 'Workspaces and their templates',
    errors: 'text',
    routes: [
      ...workspaceRoutes(domain, { path: '/workspacetemplates', openPatch: true }),
      ...plainWorkspaceRoutes(domain),
    ],
  }
}
