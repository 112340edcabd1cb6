/**
 * Writes `config/rules/recording.yaml`: the series that named metrics are asked of, as a PrometheusRule. The parts that
 * most rules share are functions here. With `--check` it writes nothing and fails when the file differs.
 *
 *     node scripts/generate-rules.js [--check]
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { format, resolveConfig } from 'prettier'
import { stringify } from 'yaml'

const KSM = 'job="kube-state-metrics"'
const EXPORTER = 'job="node-exporter"'
const KUBELET = 'job="kubelet"'
const DISK = `${EXPORTER},device=~"/dev/.*",device!~"/dev/loop\\\\d+"`
const NIC = '!~"^(cali.+|tunl.+|dummy.+|kube.+|flannel.+|cni.+|docker.+|veth.+|lo.*)"'

/** Of the pod of an exporter: the node it tells about. */
const onNode = (x) =>
  `${x} * on(namespace, pod) group_left(node, host_ip, role) node_namespace_pod:kube_pod_info:`
const byNode = (x, how = 'sum') => `${how} by(node, host_ip, role) (${x})`
const nodeSum = (x) => byNode(onNode(x))
const irate = (series, matchers, window = '5m') => `irate(${series}{${matchers}}[${window}])`
const phases = (phase) => `kube_pod_status_phase{${KSM},phase${phase}} > 0`

const abnormal = (pods) =>
  `(${pods}` +
  ` unless on(pod, namespace) (${phases('="Succeeded"')})` +
  ` unless on(pod, namespace) ((kube_pod_status_ready{${KSM},condition="true"} > 0) and on(pod, namespace) (${phases('="Running"')}))` +
  ` unless on(pod, namespace) (kube_pod_container_status_waiting_reason{${KSM},reason="ContainerCreating"} > 0))`

const NAMESPACES = `max by(namespace, workspace) (kube_namespace_labels{${KSM}})`
const inWorkspace = (x) => `${x} * on(namespace) group_left(workspace) ${NAMESPACES}`
/** Every project has a value. */
const orNothing = (x) =>
  `sum by(namespace, workspace) (${inWorkspace(x)}) or on(namespace, workspace) ${NAMESPACES} * 0`

/** Newer exporters of objects write an empty text for nobody. */
const NOBODY = '"<none>|"'
const OWNER =
  `max by(namespace, pod, owner_kind, owner_name) (` +
  `label_replace(kube_pod_owner{${KSM},owner_kind!~${NOBODY}}, "owner_kind", "Deployment", "owner_kind", "ReplicaSet")` +
  ` or label_replace(label_replace(kube_pod_owner{${KSM},owner_kind=~${NOBODY}}, "owner_kind", "Pod", "", ""), "owner_name", "$1", "pod", "(.+)"))`
/** A ReplicaSet of a Deployment is called like it, and a suffix. */
const workload = (x) =>
  `label_replace(label_join(${x} * on(namespace, pod) group_left(owner_kind, owner_name) ${OWNER},` +
  ` "workload", ":", "owner_kind", "owner_name"), "workload", "$1", "workload", "(Deployment:.+)-[^-]+")`
const ofWorkloads = (x) => `sum by(namespace, workload, owner_kind) (${workload(x)})`
const ofPods = (x) => `sum by(namespace, pod) (${x})`

const memory = (name) => `node_memory_${name}_bytes{${EXPORTER}}`
const AVAILABLE = `(${['MemFree', 'Cached', 'Buffers', 'SReclaimable'].map(memory).join(' + ')})`
const sizes = (series) =>
  `sum by(node, host_ip, role) (max by(device, node, host_ip, role) (${onNode(`${series}{${DISK}}`)}))`
const inodes = (series) =>
  nodeSum(`sum by(pod, namespace) (max by(device, pod, namespace) (${series}{${DISK}}))`)
const traffic = (direction) => irate(`node_network_${direction}_bytes_total`, `${EXPORTER},device${NIC}`)
/** Renamed between releases of kube-state-metrics. */
const capacity = (by) =>
  `(sum${by} (kube_node_status_capacity{${KSM},resource="pods"}) or sum${by} (kube_node_status_capacity_pods{${KSM}}))`
const PLACED = 'node_namespace_pod:kube_pod_info:{node!="",host_ip!=""}'

const quantiles = (record, expr) =>
  [0.99, 0.9, 0.5].map((q) => ({
    record,
    expr: expr(q),
    labels: { quantile: String(q) },
  }))
const rule = (record, expr) => ({ record, expr })

const unavailable = (kind, ratio) => {
  const label = kind.toLowerCase()
  const named =
    `label_replace(label_replace(sum by(namespace, ${label}) (${ratio}), "owner_kind", "${kind}", "", ""),` +
    ` "workload", "${kind}:$1", "${label}", "(.+)")`
  return rule(`namespace:${label}_unavailable_replicas:ratio`, inWorkspace(named))
}

const byMember = (x) => `sum by(node) (label_replace(${x}, "node", "$1", "instance", "(.+):\\\\d+"))`
const etcdRate = (record, series, more = '') =>
  rule(`etcd:${record}:sum_irate`, byMember(irate(series, `job=~".*etcd.*"${more}`)))
const etcdNow = (record, series) => rule(`etcd:${record}:sum`, byMember(`${series}{job=~".*etcd.*"}`))
const etcdDuration = (record, series) => {
  const of = (part) => irate(`${series}_${part}`, 'job=~".*etcd.*"')
  return [
    rule(`etcd:${record}:avg`, `${byMember(of('sum'))} / ${byMember(of('count'))}`),
    ...quantiles(
      `etcd:${record}:histogram_quantile`,
      (q) =>
        `histogram_quantile(${q}, sum by(node, le) (label_replace(${of('bucket')}, "node", "$1", "instance", "(.+):\\\\d+")))`,
    ),
  ]
}

const SHORT = 'job="apiserver",subresource!="log",verb!~"LIST|WATCH|WATCHLIST|PROXY|CONNECT"'
const answering = (by) => {
  const of = (part) => `sum${by} (${irate(`apiserver_request_duration_seconds_${part}`, SHORT)})`
  return `${of('sum')} / ${of('count')}`
}
const SCHEDULER = 'job="kube-scheduler"'
const scheduling = (part) => `rate(scheduler_e2e_scheduling_duration_seconds_${part}{${SCHEDULER}}[1h])`

const CPU = irate('node_cpu_used_seconds_total', EXPORTER)
const CONTAINER = `${KUBELET},image!="",container!=""`
const POD = `${KUBELET},pod!="",image!=""`
const podTraffic = (direction) => `container_network_${direction}_bytes_total`
const POD_NIC = `${KUBELET},pod!="",interface${NIC}`

const groups = {
  'nodes.base': [
    rule(
      'node_namespace_pod:kube_pod_info:',
      `max by(node, namespace, host_ip, role, pod) (kube_pod_info{${KSM}} * on(node) group_left(role)` +
        ` max by(node, role) (label_replace(kube_node_role{${KSM},role=~"master|control-plane"}, "role", "master", "", "")))` +
        ` or on(namespace, pod) max by(node, namespace, host_ip, role, pod) (kube_pod_info{${KSM}})`,
    ),
    rule(
      'node_cpu_used_seconds_total',
      `sum by(cpu, instance, job, namespace, pod) (node_cpu_seconds_total{${EXPORTER},mode=~"user|nice|system|iowait|irq|softirq"})`,
    ),
  ],
  nodes: [
    rule(
      'node:node_num_cpu:sum',
      byNode(`sum by(cpu, node, host_ip, role) (${onNode(`node_cpu_seconds_total{${EXPORTER}}`)})`, 'count'),
    ),
    rule('node:node_cpu_utilisation:avg1m', byNode(onNode(CPU), 'avg')),
    rule('node:node_memory_bytes_available:sum', nodeSum(AVAILABLE)),
    rule('node:node_memory_bytes_total:sum', nodeSum(memory('MemTotal'))),
    rule(
      'node:node_memory_utilisation:',
      '1 - node:node_memory_bytes_available:sum / node:node_memory_bytes_total:sum',
    ),
    ...[
      ['data_volume_iops_reads:sum', 'reads_completed_total'],
      ['data_volume_iops_writes:sum', 'writes_completed_total'],
      ['data_volume_throughput_bytes_read:sum', 'read_bytes_total'],
      ['data_volume_throughput_bytes_written:sum', 'written_bytes_total'],
    ].map(([record, series]) => rule(`node:${record}`, nodeSum(irate(`node_disk_${series}`, EXPORTER)))),
    rule('node:node_net_bytes_transmitted:sum_irate', nodeSum(traffic('transmit'))),
    rule('node:node_net_bytes_received:sum_irate', nodeSum(traffic('receive'))),
    rule('node:node_net_utilisation:sum_irate', nodeSum(`(${traffic('receive')} + ${traffic('transmit')})`)),
    rule('node:node_inodes_total:', inodes('node_filesystem_files')),
    rule('node:node_inodes_free:', inodes('node_filesystem_files_free')),
    rule('node:disk_inode_utilization:ratio', '1 - node:node_inodes_free: / node:node_inodes_total:'),
    rule('node:disk_space_available:', sizes('node_filesystem_avail_bytes')),
    rule(
      'node:disk_space_utilization:ratio',
      `1 - ${sizes('node_filesystem_avail_bytes')} / ${sizes('node_filesystem_size_bytes')}`,
    ),
    ...[1, 5, 15].map((minutes) =>
      rule(
        `node:load${minutes}:ratio`,
        `${nodeSum(`node_load${minutes}{${EXPORTER}}`)} / node:node_num_cpu:sum`,
      ),
    ),
    rule('node:pod_count:sum', nodeSum(`(kube_pod_status_scheduled{${KSM},condition="true"} > 0)`)),
    rule(
      'node:pod_capacity:sum',
      `${capacity(' by(node)')} * on(node) group_left(host_ip, role) ${byNode(PLACED, 'max')}`,
    ),
    rule(
      'node:pod_running:count',
      byNode(
        `node_namespace_pod:kube_pod_info: unless on(pod, namespace) (${phases('=~"Failed|Pending|Unknown|Succeeded"')})`,
        'count',
      ),
    ),
    rule(
      'node:pod_succeeded:count',
      byNode(
        `node_namespace_pod:kube_pod_info: unless on(pod, namespace) (${phases('=~"Failed|Pending|Unknown|Running"')})`,
        'count',
      ),
    ),
    rule('node:pod_utilization:ratio', 'node:pod_running:count / node:pod_capacity:sum'),
    rule('node:pod_abnormal:count', byNode(abnormal(PLACED), 'count')),
    rule(
      'node:pod_abnormal:ratio',
      `node:pod_abnormal:count / ${byNode(`${PLACED} unless on(pod, namespace) (${phases('="Succeeded"')})`, 'count')}`,
    ),
    ...quantiles(
      'node_quantile:kubelet_pleg_relist_duration_seconds:histogram_quantile',
      (q) =>
        `histogram_quantile(${q}, sum by(instance, le) (rate(kubelet_pleg_relist_duration_seconds_bucket[5m]))` +
        ` * on(instance) group_left(node) max by(instance, node) (kubelet_node_name{${KUBELET}}))`,
    ),
  ],
  cluster: [
    rule(':node_cpu_utilisation:avg1m', `avg(${CPU})`),
    rule(':node_memory_utilisation:', `1 - sum(${AVAILABLE}) / sum(${memory('MemTotal')})`),
    rule(':node_net_utilisation:sum_irate', `sum(${traffic('receive')}) + sum(${traffic('transmit')})`),
    rule(
      'cluster:disk_utilization:ratio',
      `1 - sum(max by(device, instance) (node_filesystem_avail_bytes{${DISK}})) / sum(max by(device, instance) (node_filesystem_size_bytes{${DISK}}))`,
    ),
    rule(
      'cluster:disk_inode_utilization:ratio',
      '1 - sum(node:node_inodes_free:) / sum(node:node_inodes_total:)',
    ),
    rule(
      'cluster:node_offline:sum',
      `sum(kube_node_status_condition{${KSM},condition="Ready",status=~"unknown|false"})`,
    ),
    rule(
      'cluster:node_offline:ratio',
      `cluster:node_offline:sum / sum(kube_node_status_condition{${KSM},condition="Ready"})`,
    ),
    rule(
      'cluster:pod:sum',
      `sum((kube_pod_status_scheduled{${KSM},condition="true"} > 0) and on(namespace, pod) kube_pod_info{${KSM}})`,
    ),
    rule(
      'cluster:pod_running:count',
      `count(kube_pod_info{${KSM}} and on(pod, namespace) (${phases('="Running"')}))`,
    ),
    rule('cluster:pod_utilization:ratio', `cluster:pod_running:count / ${capacity('')}`),
    rule('cluster:pod_abnormal:sum', `count(${abnormal(`kube_pod_info{${KSM}}`)})`),
    rule(
      'cluster:pod_abnormal:ratio',
      `cluster:pod_abnormal:sum / sum(kube_pod_status_phase{${KSM},phase!="Succeeded"})`,
    ),
  ],
  namespaces: [
    rule(
      'namespace:container_cpu_usage_seconds_total:sum_rate',
      orNothing(`sum by(namespace) (${irate('container_cpu_usage_seconds_total', CONTAINER)})`),
    ),
    rule(
      'namespace:container_memory_usage_bytes:sum',
      orNothing(`sum by(namespace) (container_memory_usage_bytes{${CONTAINER}})`),
    ),
    rule(
      'namespace:container_memory_usage_bytes_wo_cache:sum',
      orNothing(`sum by(namespace) (container_memory_working_set_bytes{${CONTAINER}})`),
    ),
    rule(
      'namespace:pod_abnormal:count',
      inWorkspace(`count by(namespace) (${abnormal(`kube_pod_info{${KSM},node!=""}`)})`),
    ),
    rule(
      'namespace:pod_abnormal:ratio',
      `namespace:pod_abnormal:count / on(namespace) group_left() sum by(namespace) (kube_pod_status_phase{${KSM},phase!="Succeeded"})`,
    ),
  ],
  workloads: [
    unavailable(
      'Deployment',
      `kube_deployment_status_replicas_unavailable{${KSM}} / kube_deployment_spec_replicas{${KSM}}`,
    ),
    unavailable(
      'DaemonSet',
      `kube_daemonset_status_number_unavailable{${KSM}} / kube_daemonset_status_desired_number_scheduled{${KSM}}`,
    ),
    unavailable(
      'StatefulSet',
      `1 - kube_statefulset_status_replicas_current{${KSM}} / kube_statefulset_replicas{${KSM}}`,
    ),
    rule(
      'namespace:workload_cpu_usage:sum',
      ofWorkloads(ofPods(irate('container_cpu_usage_seconds_total', POD))),
    ),
    rule('namespace:workload_memory_usage:sum', ofWorkloads(ofPods(`container_memory_usage_bytes{${POD}}`))),
    rule(
      'namespace:workload_memory_usage_wo_cache:sum',
      ofWorkloads(ofPods(`container_memory_working_set_bytes{${POD}}`)),
    ),
    ...[
      ['transmitted', 'transmit'],
      ['received', 'receive'],
    ].flatMap(([record, direction]) => [
      rule(
        `namespace:workload_net_bytes_${record}:sum_irate`,
        ofWorkloads(ofPods(irate(podTraffic(direction), POD_NIC))),
      ),
      rule(
        `namespace:workload_net_bytes_${record}:sum`,
        ofWorkloads(ofPods(`${podTraffic(direction)}{${POD_NIC}}`)),
      ),
    ]),
    rule(
      'namespace:kube_pod_resource_request:sum',
      inWorkspace(
        `sum by(namespace, owner_kind, pod, resource) (kube_pod_container_resource_requests{${KSM}} * on(namespace, pod) group_left(owner_kind) ${OWNER})`,
      ),
    ),
    rule(
      'namespace:kube_workload_resource_request:sum',
      inWorkspace(
        `sum by(namespace, workload, resource) (${workload(`kube_pod_container_resource_requests{${KSM}}`)})`,
      ),
    ),
    rule(
      'namespace:pvc_bytes_total:sum',
      inWorkspace(
        `sum by(namespace, workload, pod, persistentvolumeclaim, node) (` +
          `${workload(`max by(namespace, pod, persistentvolumeclaim) (kube_pod_spec_volumes_persistentvolumeclaims_info{${KSM}})`)}` +
          ` * on(namespace, pod) group_left(node) max by(namespace, pod, node) (kube_pod_info{${KSM}})` +
          ` * on(node, persistentvolumeclaim, namespace) group_left() max by(node, persistentvolumeclaim, namespace) (kubelet_volume_stats_capacity_bytes))`,
      ),
    ),
  ],
  etcd: [
    rule('etcd:up:sum', 'sum(up{job=~".*etcd.*"} == 1)'),
    rule(
      'etcd:etcd_server_leader_changes_seen:sum_changes',
      byMember('changes(etcd_server_leader_changes_seen_total{job=~".*etcd.*"}[1h])'),
    ),
    ...['failed', 'applied', 'committed'].map((what) =>
      etcdRate(`etcd_server_proposals_${what}`, `etcd_server_proposals_${what}_total`),
    ),
    etcdNow('etcd_server_proposals_pending', 'etcd_server_proposals_pending'),
    etcdNow('etcd_debugging_mvcc_db_total_size', 'etcd_debugging_mvcc_db_total_size_in_bytes'),
    etcdNow('etcd_mvcc_db_total_size', 'etcd_mvcc_db_total_size_in_bytes'),
    ...['received', 'sent'].map((what) =>
      etcdRate(`etcd_network_client_grpc_${what}_bytes`, `etcd_network_client_grpc_${what}_bytes_total`),
    ),
    etcdRate('grpc_server_started', 'grpc_server_started_total', ',grpc_type="unary"'),
    etcdRate('grpc_server_handled', 'grpc_server_handled_total', ',grpc_type="unary",grpc_code!="OK"'),
    etcdRate('grpc_server_msg_received', 'grpc_server_msg_received_total'),
    etcdRate('grpc_server_msg_sent', 'grpc_server_msg_sent_total'),
    ...etcdDuration('etcd_disk_wal_fsync_duration', 'etcd_disk_wal_fsync_duration_seconds'),
    ...etcdDuration('etcd_disk_backend_commit_duration', 'etcd_disk_backend_commit_duration_seconds'),
  ],
  apiserver: [
    rule('apiserver:up:sum', 'sum(up{job="apiserver"} == 1)'),
    rule(
      'apiserver:apiserver_request_total:sum_irate',
      `sum(${irate('apiserver_request_total', 'job="apiserver"')})`,
    ),
    rule(
      'apiserver:apiserver_request_total:sum_verb_irate',
      `sum by(verb) (${irate('apiserver_request_total', 'job="apiserver"')})`,
    ),
    rule('apiserver:apiserver_request_duration:avg', answering('')),
    rule('apiserver:apiserver_request_duration:avg_by_verb', answering(' by(verb)')),
  ],
  scheduler: [
    rule('scheduler:up:sum', `sum(up{${SCHEDULER}} == 1)`),
    rule(
      'scheduler:scheduler_schedule_attempts:sum',
      `sum by(result) (scheduler_schedule_attempts_total{${SCHEDULER}})`,
    ),
    rule(
      'scheduler:scheduler_schedule_attempts:sum_rate',
      `sum by(result) (rate(scheduler_schedule_attempts_total{${SCHEDULER}}[5m]))`,
    ),
    rule(
      'scheduler:scheduler_e2e_scheduling_duration:avg',
      `sum(${scheduling('sum')}) / sum(${scheduling('count')})`,
    ),
    ...quantiles(
      'scheduler:scheduler_e2e_scheduling_duration:histogram_quantile',
      (q) => `histogram_quantile(${q}, sum by(le) (${scheduling('bucket')}))`,
    ),
  ],
}

const manifest = {
  apiVersion: 'monitoring.coreos.com/v1',
  kind: 'PrometheusRule',
  metadata: {
    name: 'orrery-recording',
    namespace: 'kubesphere-monitoring-system',
    labels: { prometheus: 'k8s', role: 'alert-rules' },
  },
  spec: {
    groups: Object.entries(groups).map(([name, rules]) => ({
      name: `orrery.${name}`,
      interval: '1m',
      rules,
    })),
  },
}

const file = join(import.meta.dirname, '..', 'config', 'rules', 'recording.yaml')
const comment =
  '# The series that named metrics are asked of. Written by scripts/generate-rules.js; `kubectl apply -f` takes it.\n'
const style = { ...(await resolveConfig(file)), parser: 'yaml' }
const text = await format(await format(comment + stringify(manifest, { lineWidth: 110 }), style), style)
if (process.argv[2] !== '--check') writeFileSync(file, text)
else if (readFileSync(file, 'utf8') !== text) {
  console.error(`${file} differs`)
  process.exitCode = 1
}
