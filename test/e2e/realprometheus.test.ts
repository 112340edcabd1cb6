/** Every named metric, asked of a real Prometheus that evaluates our rules over what exporters tell. */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { parse, stringify } from 'yaml'
import { configDir } from '../../src/bootstrap/data.js'
import { PrometheusClient } from '../../src/integrations/prometheus/client.js'
import { type Metric } from '../../src/monitoring/answer.js'
import { readCatalogue } from '../../src/monitoring/definitions.js'
import * as meters from '../../src/monitoring/metering/selection.js'
import { PrometheusSource } from '../../src/monitoring/metricsource.js'
import { type Times } from '../../src/monitoring/parameters.js'
import * as selections from '../../src/monitoring/selection.js'
import { expositions } from '../fixtures/promexposition.js'
import {
  type Daemon,
  HAVE_PROMETHEUS,
  startScraping,
  WITHOUT_PROMETHEUS,
} from '../fixtures/realprometheus.js'

const MIB = 1024 * 1024
const PROMTOOL = '/usr/bin/promtool'
const all = { filter: '.*' }
const asked: readonly selections.Selection[] = [
  selections.clusterSelection,
  selections.nodeSelection(all),
  selections.workspaceSelection(all),
  selections.namespaceSelection(all),
  selections.workloadSelection('ns-a', '', '.*'),
  selections.podSelection({ namespace: 'ns-a' }, all),
  selections.containerSelection('ns-a', 'db-0', all),
  selections.claimSelection({ namespace: 'ns-a' }, all),
  selections.ingressSelection('ns-a', all, { job: 'gateway', pod: '', window: '5m0s' }),
  selections.componentSelection('etcd'),
  meters.clusterMeter,
  meters.nodeMeter(all),
  meters.workspaceMeter(all),
  meters.namespaceMeter(all),
  meters.workloadMeter('ns-a', '', '.*'),
  meters.podMeter({ namespace: 'ns-a' }, all),
  meters.applicationMeter('ns-a', { name: 'shop', members: ['Deployment:web', 'StatefulSet:db'] }),
  meters.serviceMeter('ns-a', { name: 'front', members: ['web-5d9-x1', 'db-0'] }),
]

/** No pod has succeeded; the project asked about has no DaemonSet. */
const NOTHING_TO_SAY = [
  'cluster_pod_succeeded_count',
  'node_pod_succeeded_count',
  'workload_daemonset_replica',
  'workload_daemonset_replica_available',
  'workload_daemonset_unavailable_replicas_ratio',
]

/**
 * By hand, from the rates and sizes of the fixture: the values of all series, the smallest first. Those
 * of node CPUs are not among them: their rule samples what a rule has sampled, whenever that was.
 */
const EXPECTED: Readonly<Record<string, readonly number[]>> = {
  cluster_cpu_total: [8],
  cluster_memory_utilisation: [0.4],
  cluster_memory_available: [1_200],
  cluster_memory_total: [2_000],
  cluster_memory_usage_wo_cache: [800],
  cluster_net_utilisation: [800],
  cluster_net_bytes_transmitted: [200],
  cluster_net_bytes_received: [600],
  cluster_disk_read_iops: [20],
  cluster_disk_write_iops: [40],
  cluster_disk_read_throughput: [2_000],
  cluster_disk_write_throughput: [4_000],
  cluster_disk_size_usage: [2_000],
  cluster_disk_size_utilisation: [0.25],
  cluster_disk_size_capacity: [8_000],
  cluster_disk_inode_total: [400],
  cluster_disk_inode_usage: [100],
  cluster_namespace_count: [3],
  cluster_pod_count: [6],
  cluster_pod_running_count: [6],
  cluster_pod_abnormal_count: [1],
  cluster_pod_abnormal_ratio: [1 / 6],
  cluster_node_online: [1],
  cluster_node_offline: [1],
  cluster_node_total: [2],
  cluster_node_offline_ratio: [0.5],
  cluster_load1: [0.5],
  cluster_load15: [1],
  node_cpu_total: [4, 4],
  node_memory_utilisation: [0.4, 0.4],
  node_memory_available: [600, 600],
  node_net_bytes_transmitted: [100, 100],
  node_net_bytes_received: [300, 300],
  node_disk_read_iops: [10, 10],
  node_disk_size_available: [3_000, 3_000],
  node_disk_size_utilisation: [0.25, 0.25],
  node_disk_inode_usage: [50, 50],
  node_pod_count: [3, 3],
  node_pod_utilisation: [0.3, 0.3],
  node_pod_abnormal_count: [1],
  node_pod_abnormal_ratio: [1 / 3],
  node_load5: [0.25, 0.25],
  node_pleg_quantile: [1.5, 1.5, 1.9, 1.9, 1.99, 1.99],
  workspace_cpu_usage: [0.188, 0.75],
  workspace_memory_usage: [96 * MIB, 384 * MIB],
  workspace_memory_usage_wo_cache: [48 * MIB, 192 * MIB],
  workspace_net_bytes_transmitted: [2_000, 2_000],
  workspace_pod_count: [2, 2],
  workspace_pod_abnormal_ratio: [0.5],
  namespace_memory_usage_wo_cache: [0, 48 * MIB, 192 * MIB],
  namespace_net_bytes_received: [0, 4_000, 4_000],
  namespace_pod_abnormal_count: [1],
  namespace_pod_count_hard: [10, 10, 10],
  workload_cpu_usage: [0.25, 0.5],
  workload_memory_usage: [128 * MIB, 256 * MIB],
  workload_net_bytes_received: [2_000, 2_000],
  workload_deployment_replica: [4],
  workload_deployment_unavailable_replicas_ratio: [0.25],
  workload_statefulset_unavailable_replicas_ratio: [0.5],
  pod_cpu_usage: [0.25, 0.5],
  pod_memory_usage_wo_cache: [64 * MIB, 128 * MIB],
  pod_net_bytes_transmitted: [1_000, 1_000],
  container_cpu_usage: [0.25],
  container_threads_usage: [7],
  pvc_bytes_utilisation: [0.25],
  pvc_inodes_utilisation: [0.4],
  ingress_success_rate: [0.6],
  ingress_request_duration_average: [1.5],
  ingress_request_volume: [10],
  etcd_server_up_total: [1],
  etcd_server_proposals_applied_rate: [30],
  etcd_grpc_call_failed_rate: [8],
  etcd_disk_wal_fsync_duration: [1.5],
  etcd_disk_backend_commit_duration_quantile: [1.5, 1.9, 1.99],
  apiserver_request_rate: [12],
  apiserver_request_by_verb_rate: [2, 10],
  apiserver_request_latencies: [1.5],
  scheduler_e2e_scheduling_latency: [1.5],
  meter_workspace_pvc_bytes_total: [1_000],
  meter_workload_memory_usage_wo_cache: [100 * MIB, 128 * MIB],
  meter_application_cpu_usage: [2],
}

interface Group {
  name: string
  rules: { record: string; expr: string }[]
}
const rules = parse(readFileSync(join(configDir('rules'), 'recording.yaml'), 'utf8')) as {
  spec: { groups: Group[] }
}

let exporters: Server
let prometheus: Daemon
let client: PrometheusClient

describe.skipIf(!HAVE_PROMETHEUS)(HAVE_PROMETHEUS ? 'a real Prometheus' : WITHOUT_PROMETHEUS, () => {
  beforeAll(async () => {
    exporters = createServer((request, response) => {
      const text = expositions(Date.now())[request.url?.slice(1) ?? '']
      response.writeHead(text === undefined ? 404 : 200, { 'content-type': 'text/plain; version=0.0.4' })
      response.end(text)
    })
    await new Promise<void>((resolve) => exporters.listen(0, '127.0.0.1', resolve))
    const host = `127.0.0.1:${(exporters.address() as AddressInfo).port}`
    const targets = Object.keys(expositions(0)).map((job) => [job, { host, path: `/${job}` }] as const)
    prometheus = await startScraping(rules.spec.groups, Object.fromEntries(targets))
    client = new PrometheusClient({ endpoint: prometheus.url })
    // The last of a chain of rules, and enough of them for a range.
    await vi.waitFor(
      async () => {
        const query = 'count_over_time(node:pod_abnormal:ratio[1h]) > 3'
        expect((await client.query(query, now(), options)).result).not.toEqual([])
      },
      { timeout: 90_000, interval: 250 },
    )
  }, 150_000)

  afterAll(async () => {
    client.close()
    await prometheus.close()
    exporters.closeAllConnections()
    exporters.close()
  })

  const options = { signal: new AbortController().signal }
  const now = (): number => Math.floor(Date.now() / 1_000)

  async function everyMetric(times: Times): Promise<Map<string, Metric>> {
    const catalogue = await readCatalogue(configDir('metrics'))
    const source = new PrometheusSource(client)
    const answers = new Map<string, Metric>()
    for (const selection of asked) {
      for (const metric of catalogue.level(selection.level).metrics)
        answers.set(metric.name, await source.answer(metric, selection, times, options))
    }
    return answers
  }

  it('has something to say for every metric, at a time and over a range', async () => {
    const end = now()
    for (const times of [
      { kind: 'instant', time: end },
      { kind: 'range', start: end - 2, end, step: 1 },
    ] as const) {
      const answers = await everyMetric(times)
      const failed = [...answers].filter(([, { error }]) => error !== undefined)
      expect(failed).toEqual([])
      const silent = [...answers].filter(([, { data }]) => !data.result?.length).map(([name]) => name)
      expect(silent).toEqual(NOTHING_TO_SAY)
    }
  }, 60_000)

  it('answers what a person finds who multiplies', async () => {
    const answers = await everyMetric({ kind: 'instant', time: now() })

    for (const [name, values] of Object.entries(EXPECTED)) {
      const result = answers.get(name)?.data.result ?? []
      const found = result.map(({ value }) => Number(value?.[1])).sort((a, b) => a - b)
      expect(found, name).toEqual(values.map((value) => expect.closeTo(value, 2) as number))
    }
    expect(Object.keys(EXPECTED).length).toBeGreaterThanOrEqual(60)
  }, 60_000)
})

describe.skipIf(!existsSync(PROMTOOL))(existsSync(PROMTOOL) ? 'promtool' : WITHOUT_PROMETHEUS, () => {
  it('finds no fault with the recording rules', () => {
    const directory = mkdtempSync(join(tmpdir(), 'orrery-rules-'))
    try {
      const file = join(directory, 'rules.yml')
      writeFileSync(file, stringify(rules.spec))
      expect(execFileSync(PROMTOOL, ['check', 'rules', file], { encoding: 'utf8' })).toContain(
        'SUCCESS: 96 rules',
      )
    } finally {
      rmSync(directory, { recursive: true })
    }
  })
})
