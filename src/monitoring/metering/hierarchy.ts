/** What the pods of a project consumed, added up by workload and by application. */
import { type AnsweredSeries, type Metrics } from '../answer.js'
import { type Members } from './selection.js'

/** The name in the answer → the metric of pods. */
const NUMBERS = {
  cpu_usage: 'meter_pod_cpu_usage',
  memory_usage_wo_cache: 'meter_pod_memory_usage_wo_cache',
  net_bytes_transmitted: 'meter_pod_net_bytes_transmitted',
  net_bytes_received: 'meter_pod_net_bytes_received',
  pvc_bytes_total: 'meter_pod_pvc_bytes_total',
} as const

type Numbers = Record<keyof typeof NUMBERS, number>
type Workload = Numbers & { pods: Record<string, Numbers> }

const KINDS = { Deployment: 'deployments', StatefulSet: 'statefulsets', DaemonSet: 'daemonsets' } as const

type Workloads = Record<(typeof KINDS)[keyof typeof KINDS], Record<string, Workload> | null>
type Application = Numbers & Workloads

/** A key without anything in it is null. */
export type Hierarchy = Workloads & Record<'openpitrixs' | 'apps', Record<string, Application> | null>

/**
 * @param metrics of pods, with their sums
 * @param groups what the workloads in them are told under; the first that has a workload takes it
 */
export function hierarchyOf(
  { results }: Metrics,
  groups: Readonly<Record<'openpitrixs' | 'apps', readonly Members[]>>,
): Hierarchy {
  const hierarchy: Hierarchy = { openpitrixs: null, apps: null, ...noWorkloads() }
  for (const [number, metric] of Object.entries(NUMBERS) as [keyof Numbers, string][]) {
    const answered = results?.find(({ metric_name: name }) => name === metric)
    for (const series of answered?.data.result ?? []) add(hierarchy, groups, number, series)
  }
  return hierarchy
}

function add(
  hierarchy: Hierarchy,
  groups: Parameters<typeof hierarchyOf>[1],
  number: keyof Numbers,
  { metric = {}, sum_value: sum }: AnsweredSeries,
): void {
  const { pod = '' } = metric
  const owner = ownerOf(metric)
  if (!owner) return
  const value = Number(sum) || 0
  let at: Workloads = hierarchy
  const full = `${owner.kind}:${owner.name}`
  for (const key of ['openpitrixs', 'apps'] as const) {
    const group = groups[key].find(({ members }) => members.includes(full))
    if (!group) continue
    const application = ((hierarchy[key] ??= {})[group.name] ??= { ...zero(), ...noWorkloads() })
    application[number] += value
    at = application
    break
  }
  const workload = ((at[KINDS[owner.kind]] ??= {})[owner.name] ??= { ...zero(), pods: {} })
  workload[number] += value
  ;(workload.pods[pod] ??= zero())[number] += value
}

/** Pods of a Deployment belong to a replica set that is named after it. */
function ownerOf({
  owner_kind: kind = '',
  owner_name: name = '',
}: Readonly<Record<string, string>>): { kind: keyof typeof KINDS; name: string } | undefined {
  if (kind === 'ReplicaSet') return { kind: 'Deployment', name: name.replace(/-[^-]*$/, '') }
  return kind === 'Deployment' || kind === 'StatefulSet' || kind === 'DaemonSet' ? { kind, name } : undefined
}

const noWorkloads = (): Workloads => ({ deployments: null, statefulsets: null, daemonsets: null })

const zero = (): Numbers =>
  Object.fromEntries(Object.keys(NUMBERS).map((number) => [number, 0])) as unknown as Numbers
