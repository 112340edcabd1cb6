/** Which named metrics samples can answer honestly; docs/guides/monitoring.md lists them. */
import { type SampledLevel } from './series.js'

const names = (prefix: string, ends: readonly string[]): string[] => ends.map((end) => `${prefix}_${end}`)

const USED = ['cpu_usage', 'memory_usage_wo_cache']
const MACHINE = [
  'cpu_usage',
  'cpu_utilisation',
  'memory_usage_wo_cache',
  'memory_available',
  'memory_utilisation',
]
const TOTALS = ['cpu_total', 'memory_total']
const PODS = [
  'pod_count',
  'pod_running_count',
  'pod_succeeded_count',
  'pod_abnormal_count',
  'pod_abnormal_ratio',
]
const CAPACITY = ['pod_quota', 'pod_utilisation']

/** Part of the metric's name → plural of the kind that is counted. */
export const COUNTED: Readonly<Record<string, string>> = {
  cronjob: 'cronjobs',
  pvc: 'persistentvolumeclaims',
  daemonset: 'daemonsets',
  deployment: 'deployments',
  endpoint: 'endpoints',
  hpa: 'horizontalpodautoscalers',
  job: 'jobs',
  statefulset: 'statefulsets',
  replicaset: 'replicasets',
  service: 'services',
  secret: 'secrets',
  ingresses_extensions: 'ingresses',
}
const COUNTS = Object.keys(COUNTED).map((key) => `${key}_count`)

export const QUOTAS: Readonly<Record<string, string>> = {
  'limits.memory': 'namespace_memory_limit_hard',
  'limits.cpu': 'namespace_cpu_limit_hard',
  'count/pods': 'namespace_pod_count_hard',
}

export const DERIVED: Readonly<Record<SampledLevel, readonly string[]>> = {
  cluster: names('cluster', [
    ...MACHINE,
    ...TOTALS,
    ...PODS,
    ...CAPACITY,
    ...COUNTS,
    ...['namespace_count', 'pv_count', 'node_online', 'node_offline', 'node_total', 'node_offline_ratio'],
  ]),
  node: names('node', [...MACHINE, ...TOTALS, ...PODS, ...CAPACITY]),
  workspace: names('workspace', [...USED, ...PODS, ...COUNTS]),
  namespace: [
    ...names('namespace', [...USED, ...PODS, ...COUNTS, 'configmap_count']),
    ...Object.values(QUOTAS),
  ],
  workload: names('workload', [
    ...USED,
    ...['deployment', 'statefulset', 'daemonset'].flatMap((kind) =>
      names(kind, ['replica', 'replica_available', 'unavailable_replicas_ratio']),
    ),
  ]),
  pod: names('pod', USED),
  container: names('container', USED),
}

const MEASURED = new Set(Object.keys(DERIVED).flatMap((level) => names(level, [...MACHINE, ...USED])))

/** Whether it takes somebody who measures: a metrics-server, or the simulated nodes. */
export const isMeasured = (metric: string): boolean => MEASURED.has(metric)
