/** Expressions that are put together from a threshold: `node:load1:ratio{node="a"} > 2`. */
import {
  type Matcher,
  equal,
  literally,
  matcherText,
  matching,
} from '../../integrations/prometheus/promql/text.js'
import { type Builder, type SpecRule, type Thresholds } from './types.js'

/** Recording rules, in the order in which a threshold is looked for. */
type Measures = Readonly<Record<string, Readonly<Record<string, string>>>>

const NODE: Measures = {
  cpu: {
    utilization: 'node:node_cpu_utilisation:avg1m',
    load1m: 'node:load1:ratio',
    load5m: 'node:load5:ratio',
    load15m: 'node:load15:ratio',
  },
  memory: {
    utilization: 'node:node_memory_utilisation:',
    available: 'node:node_memory_bytes_available:sum',
  },
  network: {
    transmittedRate: 'node:node_net_bytes_transmitted:sum_irate',
    receivedRate: 'node:node_net_bytes_received:sum_irate',
  },
  disk: {
    spaceUtilization: 'node:disk_space_utilization:ratio',
    spaceAvailable: 'node:disk_space_available:',
    inodeUtilization: 'node:disk_inode_utilization:ratio',
    iopsRead: 'node:data_volume_iops_reads:sum',
    iopsWrite: 'node:data_volume_iops_writes:sum',
    throughputRead: 'node:data_volume_throughput_bytes_read:sum',
    throughputWrite: 'node:data_volume_throughput_bytes_written:sum',
  },
  pod: { utilization: 'node:pod_utilization:ratio', abnormalRatio: 'node:pod_abnormal:ratio' },
}
const WORKLOAD: Measures = {
  cpu: { usage: 'namespace:workload_cpu_usage:sum' },
  memory: {
    usage: 'namespace:workload_memory_usage:sum',
    usageWoCache: 'namespace:workload_memory_usage_wo_cache:sum',
  },
  network: {
    transmittedRate: 'namespace:workload_net_bytes_transmitted:sum_irate',
    receivedRate: 'namespace:workload_net_bytes_received:sum_irate',
  },
}
/** As the label `workload` has them, and as the API takes them. */
const KINDS: Readonly<Record<string, string>> = {
  deployment: 'Deployment',
  statefulset: 'StatefulSet',
  daemonset: 'DaemonSet',
}
const COMPARATORS: ReadonlySet<string> = new Set(['<', '<=', '>', '>='])

/** @returns undefined when the rule has no builder, or one that nothing can be built from */
export function builtExpression({ exprBuilder }: Readonly<SpecRule>): string | undefined {
  if (exprBuilder?.workload) return ofWorkloads(exprBuilder.workload)
  return exprBuilder?.node ? ofNodes(exprBuilder.node) : undefined
}

/** @returns what keeps an expression from being built */
export function builderFault({ exprBuilder }: Readonly<SpecRule>): string | undefined {
  const builder = exprBuilder?.workload ?? exprBuilder?.node
  if (!builder) return undefined
  const { comparator = '', kind = '' } = builder
  if (!COMPARATORS.has(comparator)) return `invalid 'comparator': ${JSON.stringify(comparator)}`
  if (exprBuilder?.workload && !Object.hasOwn(KINDS, kind.toLowerCase()))
    return `invalid 'kind': ${JSON.stringify(kind)}`
  if (namesIn(builder).length === 0) return `'names' must not be empty`
  if (builtExpression({ exprBuilder: exprBuilder ?? null }) === undefined)
    return `'metricThreshold' names no known measure`
  return undefined
}

function ofNodes(builder: Builder): string | undefined {
  const names = namesIn(builder)
  const values = names.map(literally).join('|')
  const [only = ''] = names
  return built(builder, NODE, names.length === 1 ? equal('node', only) : matching('node', `(${values})`))
}

function ofWorkloads(builder: Builder): string | undefined {
  const kind = KINDS[(builder.kind ?? '').toLowerCase()] ?? ''
  const names = namesIn(builder)
  const values = names.map(literally).join('|')
  const [only = ''] = names
  const matcher =
    names.length === 1 ? equal('workload', `${kind}:${only}`) : matching('workload', `${kind}:(${values})`)
  const unavailable = `namespace:${kind.toLowerCase()}_unavailable_replicas:ratio`
  return built(builder, { ...WORKLOAD, replica: { unavailableRatio: unavailable } }, matcher)
}

function built({ comparator = '', metricThreshold }: Builder, measures: Measures, matcher: Matcher) {
  const found = thresholdIn(metricThreshold ?? {}, measures)
  return found && `${found.series}{${matcherText(matcher)}} ${comparator} ${found.threshold}`
}

function thresholdIn(thresholds: Thresholds, measures: Measures) {
  for (const [part, series] of Object.entries(measures))
    for (const [measure, name] of Object.entries(series)) {
      const threshold = thresholds[part]?.[measure]
      if (threshold !== undefined) return { series: name, threshold }
    }
  return undefined
}

/** Of all scopes: which go with which is not kept. */
function namesIn({ names }: Builder): string[] {
  const all = (names ?? []).flatMap((name) => (typeof name === 'string' ? [name] : (name.names ?? [])))
  return [...new Set(all)]
}
