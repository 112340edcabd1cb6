/** What the routes of monitoring.kubesphere.io are given. */
import { type Prometheus } from '../../../integrations/prometheus/types.js'
import { type Counts } from '../../../monitoring/counts.js'
import { type DashboardImporter } from '../../../monitoring/dashboards/importer.js'
import { type NamedMetrics } from '../../../monitoring/namedmetrics.js'
import { type TenancyResources } from '../../../tenancy/resources.js'

export interface MonitoringDeps {
  metrics: NamedMetrics
  prometheus: Prometheus
  counts: Counts
  dashboards: DashboardImporter
  resources: Pick<TenancyResources, 'namespaces'>
  now(): Date
}
