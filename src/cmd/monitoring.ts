/** The metrics backend of the configuration, or samples of our own, and what answers questions from it. */
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
import { type KindStores } from '../listing/stores.js'
import { DashboardImporter } from '../monitoring/dashboards/importer.js'
import { EdgeNodes, WithEdgeNodes } from '../monitoring/edge.js'
import { MeteredMembers } from '../monitoring/metering/members.js'
import { Metering } from '../monitoring/metering/metering.js'
import { type MetricSource, PrometheusSource } from '../monitoring/metricsource.js'
import { NamedMetrics } from '../monitoring/namedmetrics.js'
import type { Frames } from '../monitoring/sampling/frames.js'
import { Sampler } from '../monitoring/sampling/sampler.js'
import { SampledMetrics } from '../monitoring/sampling/source.js'
import { Egress } from '../integrations/egress.js'
import { type Logger } from '../serving/log.js'
import { type TenancyResources } from '../tenancy/resources.js'

export interface MonitoringParts {
  options: Options
  resources: TenancyResources
  informers: InformerSet
  client: RestClient
  stores: KindStores
  /** Where samples are kept while there is no Prometheus. Default: nowhere, and none are taken. */
  samples: Frames | undefined
  logger: Logger
  now(): Date
}

export interface Monitoring {
  prometheus: Prometheus
  metrics: NamedMetrics
  counts: Counts
  dashboards: DashboardImporter
  metering: Metering
  members: MeteredMembers
  close(): Promise<void>
}

export function createMonitoring({ options, ...parts }: MonitoringParts): Monitoring {
  const { endpoint } = options.monitoring
  const client = endpoint === '' ? undefined : new PrometheusClient({ endpoint })
  const prometheus = client ? new SharedPrometheus(client) : unconfigured()
  const sampler = client ? undefined : startSampler(options.sampling, parts)
  const source: MetricSource = sampler
    ? new SampledMetrics(sampler)
    : new WithEdgeNodes(new PrometheusSource(prometheus), new EdgeNodes(parts))
  const metrics = new NamedMetrics(lazyCatalogue(configDir('metrics')), source)
  return {
    prometheus,
    metrics,
    metering: new Metering(metrics, options.metering.billing.priceInfo),
    members: new MeteredMembers(parts.client),
    counts: new Counts(parts),
    dashboards: new DashboardImporter(parts.client, new Egress(options.monitoring.dashboardSources)),
    async close() {
      client?.close()
      await sampler?.close()
    },
  }
}

/** @returns undefined where a Prometheus is configured: only without one are samples taken */
export async function openSamples(
  { monitoring, sampling: { retention, maxBytes } }: Options,
  file: string | undefined,
  logger: Logger,
): Promise<Frames | undefined> {
  if (monitoring.endpoint !== '') return undefined
  // Its library is for those who sample.
  const { Frames } = await import('../monitoring/sampling/frames.js')
  return new Frames({
    file,
    maxAgeSeconds: retention / 1_000,
    maxBytes,
    damaged: (movedTo, error) =>
      logger.warn({ err: error }, `samples could not be read; they are in ${movedTo} now`),
  })
}

function startSampler(
  { interval }: Options['sampling'],
  { samples: frames, ...parts }: Omit<MonitoringParts, 'options'>,
): Sampler | undefined {
  if (!frames) return undefined
  const sampler = new Sampler({ ...parts, frames, intervalMs: interval })
  sampler.start()
  return sampler
}
