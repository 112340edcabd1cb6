/** Assembles tenant.kubesphere.io/v1alpha2. */
import { type ApiGroup } from '../../../serving/route.js'
import { type TenantDeps } from './deps.js'

export function tenantGroup(_deps: TenantDeps): ApiGroup {
  return {
    root: '/kapis/tenant.kubesphere.io/v1alpha2',
    title: 'Workspaces, projects, quotas',
    errors: 'text',
    routes: [],
  }
}
