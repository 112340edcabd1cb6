/** The metrics backend of the configuration, and what answers questions from it. */
import { configDir } from '../bootstrap/data.js'
import { type InformerSet } from '../client/cache/interface.js'
import { type RestClient } from '../client/rest.js'
import { type Options } from '../configuration/options.js'
import { PrometheusClient } from '../integrations/prometheus/client.js'
import { SharedPrometheus } from '../integrations/prometheus/sharing.js'
import { type Prometheus } from '../integrations/prometheus/types.js'
import { unconfigured } from '../integrations/prometheus/unconfigured.js'
import { Counts } from '../monitoring/counts.js'
import { lazyCatalogue } from '../monitoring/definitions.js'
import { MeteredMembers } from '../monitoring/metering/members.js'
import { Metering } from '../monitoring/metering/metering.js'
import { NamedMetrics } from '../monitoring/namedmetrics.js'
import { type TenancyResources } from '../tenancy/resources.js'

export interface MonitoringParts {
  options: Options
  resources: TenancyResources
  informers: InformerSet
  client: RestClient
  now(): Date
}

export interface Monitoring {
  prometheus: Prometheus
  metrics: NamedMetrics
  counts: Counts
  metering: Metering
  members: MeteredMembers
  close(): void
}

export function createMonitoring({ options, ...parts }: MonitoringParts): Monitoring {
  const { endpoint } = options.monitoring
  const client = endpoint === '' ? undefined : new PrometheusClient({ endpoint })
  const prometheus = client ? new SharedPrometheus(client) : unconfigured()
  const metrics = new NamedMetrics(lazyCatalogue(configDir('metrics')), prometheus)
  return {
    prometheus,
    metrics,
    metering: new Metering(metrics, options.metering.billing.priceInfo),
    members: new MeteredMembers(parts.client),
    counts: new Counts(parts),
    close: () => client?.close(),
  }
}
