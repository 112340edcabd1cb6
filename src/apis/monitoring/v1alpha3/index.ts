/** Assembles monitoring.kubesphere.io/v1alpha3. */
import { type ApiGroup } from '../../../serving/route.js'
import { adHocRoutes } from './adhoc.js'
import { dashboardRoutes } from './dashboards.js'
import { type MonitoringDeps } from './deps.js'
import { namedMetricRoutes } from './named.js'

export { type MonitoringDeps } from './deps.js'

export function monitoringGroup(deps: MonitoringDeps): ApiGroup {
  return {
    root: '/kapis/monitoring.kubesphere.io/v1alpha3',
    title: 'Metrics',
    errors: 'text',
    routes: [...namedMetricRoutes(deps), ...adHocRoutes(deps), ...dashboardRoutes(deps)],
  }
}
