/** Which optional parts are configured, by name; the console shows and hides its pages accordingly. */
import { type Options } from '../../configuration/options.js'

/** @param keepsRecords log lines, Events and audit events are found without a host for them */
export function configz(options: Options, keepsRecords = false): Record<string, boolean> {
  const { network, openpitrix, alerting, servicemesh } = options
  const policies = network.enableNetworkPolicy
  const ippools = network.ippoolType !== 'none'
  const topology = network.weaveScopeHost !== ''
  const given = (...texts: string[]): boolean => texts.some((text) => text !== '')
  const flags: Record<string, boolean> = {
    alerting: given(alerting.endpoint, alerting.prometheusEndpoint, alerting.thanosRulerEndpoint),
    auditing: keepsRecords || given(options.auditing.host),
    authentication: true,
    authorization: true,
    devops: given(options.devops.host),
    events: keepsRecords || given(options.events.host),
    gateway: true,
    gpu: options.gpu.kinds.length > 0,
    kubeedge: given(options.kubeedge.endpoint),
    kubernetes: true,
    logging: keepsRecords || given(options.logging.host),
    metering: true,
    monitoring: given(options.monitoring.endpoint),
    multicluster: options.multicluster.enable,
    network: policies,
    'network.ippool': ippools,
    // A section that is empty altogether has no entry for the topology.
    ...((policies || ippools || topology) && { 'network.topology': topology }),
    notification: given(options.notification.endpoint),
    openpitrix: true,
    'openpitrix.appstore': given(openpitrix.s3.endpoint),
    redis: given(options.redis.host),
    s3: given(options.s3.endpoint),
    servicemesh: given(
      servicemesh.istioPilotHost,
      servicemesh.servicemeshPrometheusHost,
      servicemesh.jaegerQueryHost,
    ),
    sonarqube: given(options.sonarqube.host),
  }
  return Object.fromEntries(Object.entries(flags).sort(([a], [b]) => (a < b ? -1 : 1)))
}
