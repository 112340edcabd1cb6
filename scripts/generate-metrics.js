/**
 * Writes `config/metrics/<level>.yaml` from a reference table of metrics, in which common parts of queries are macros.
 * With `--check` it writes nothing and fails when a file differs from what it would write.
 *
 *     node scripts/generate-metrics.js REFERENCE.yaml [--check]
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { format, resolveConfig } from 'prettier'
import { parse, stringify } from 'yaml'

const [source, mode] = process.argv.slice(2)
if (source === undefined) {
  console.error('usage: node scripts/generate-metrics.js REFERENCE.yaml [--check]')
  process.exit(2)
}
const out = join(import.meta.dirname, '..', 'config', 'metrics')

/** Numbered places of the reference, by the names they have in our files. */
const PLACES = {
  node: { $1: '$node' },
  workspace: { $1: '$workspace' },
  namespace: { $1: '$namespace' },
  workload: { $1: '$workload' },
  pod: { $1: '$owner', $2: '$pod' },
  container: { $1: '$container' },
  pvc: { $1: '$claim' },
  ingress: { $1: '$ingress', $2: '$controller', $3: '$window' },
  meter_workspace: { $1: '$workspace' },
  meter_namespace: { $1: '$namespace' },
  meter_application: { $1: '$members' },
  meter_workload: { $1: '$workload' },
  meter_service: { $1: '$members' },
  meter_pod: { $pod: '$name', $1: '$owner', $2: '$pod' },
}

const DISK = 'device=~"/dev/.*",device!~"/dev/loop\\\\d+",job="node-exporter"'
const NIC = '!~"^(cali.+|tunl.+|dummy.+|kube.+|flannel.+|cni.+|docker.+|veth.+|lo.*)"'
const KSM = 'job="kube-state-metrics"'

const MACROS = {
  disk: () => DISK,
  nic: () => NIC,
  nodedown: () => 'kube_node_status_condition{condition="Ready",status=~"unknown|false"} > 0',
  ns: (x) => `${x} * on(namespace) group_left(workspace) kube_namespace_labels{$1}`,
  zero: (label) => `or on(${label}) max by(${label}) (kube_namespace_labels{$1} * 0)`,
  abnormal: (pods) =>
    `(${pods} unless on(pod,namespace) (kube_pod_status_phase{${KSM},phase="Succeeded"} > 0)` +
    ` unless on(pod,namespace) ((kube_pod_status_ready{${KSM},condition="true"} > 0)` +
    ` and on(pod,namespace) (kube_pod_status_phase{${KSM},phase="Running"} > 0))` +
    ` unless on(pod,namespace) (kube_pod_container_status_waiting_reason{${KSM},reason="ContainerCreating"} > 0))`,
  podjoin: (x) =>
    `${x} * on(namespace,pod) group_left(owner_kind,owner_name) kube_pod_owner{$1}` +
    ` * on(namespace,pod) group_left(node) kube_pod_info{$2}`,
  svcjoin: (x) =>
    `${x} * on(namespace,pod) group_left(owner_kind,owner_name) kube_pod_owner` +
    ` * on(namespace,pod) group_left(node) kube_pod_info{$1}`,
  nodejoin1: () => '* on(namespace,pod) group_left(node,host_ip,role) node_namespace_pod:kube_pod_info:{$1}',
  kindlabel(kind, sum) {
    const [, series] = /\((\w+)\{\$2\}\)/.exec(sum)
    const label = kind.toLowerCase()
    const named = `label_join(label_replace(${series}{$${label}}, "owner_kind", "${kind}", "", ""), "workload", "", "${label}")`
    return `label_join(sum by(namespace,owner_kind,workload) (${named}), "workload", ":", "owner_kind", "workload")`
  },
  tag: (label, value, x) => `label_replace(${x}, "${label}", ${value}, "", "")`,
  max2: (a, b) => `(${a} >= ${b}) or (${b} > ${a})`,
  max3: (a, b) => `(${a} >= ${b}) or (${b} > ${a}) or ${b}`,
  avg: (x) => `avg_over_time(${x}[$step])`,
}
function expand(text) {
  let result = ''
  for (let at = 0; at < text.length;) {
    const rest = text.slice(at)
    const string = /^"(?:[^"\\]|\\.)*"/.exec(rest)
    const call = /^(?:@(\w+)|(A)(?=\())/.exec(rest)
    if (string) {
      result += string[0]
      at += string[0].length
    } else if (call && (call[1] || !/\w$/.test(result))) {
      const name = call[1] ?? 'avg'
      at += call[0].length
      let args = []
      if (text[at] === '(' && MACROS[name].length > 0) {
        const end = closing(text, at)
        args = split(text.slice(at + 1, end)).map((part) => expand(part.trim()))
        at = end + 1
      }
      const operands = name.startsWith('max')
        ? args.map((arg) => (isOperation(arg) ? `(${arg})` : arg))
        : args
      result += MACROS[name](...operands)
    } else {
      result += text[at]
      at += 1
    }
  }
  return result
}

const isOperation = (text) => /^[^(]*[*/+-]|\) [*/+-] /.test(text.replace(/\{[^}]*\}/g, ''))

function closing(text, from) {
  let depth = 0
  let quoted = false
  for (let at = from; at < text.length; at++) {
    const char = text[at]
    if (char === '"' && text[at - 1] !== '\\') quoted = !quoted
    if (quoted) continue
    if ('({['.includes(char)) depth += 1
    if (')}]'.includes(char) && --depth === 0) return at
  }
  throw new Error(`unbalanced: ${text}`)
}

function split(text) {
  const parts = ['']
  let depth = 0
  let quoted = false
  for (const char of text) {
    if (char === '"') quoted = !quoted
    if (!quoted && '({['.includes(char)) depth += 1
    if (!quoted && ')}]'.includes(char)) depth -= 1
    if (char === ',' && depth === 0 && !quoted) parts.push('')
    else parts[parts.length - 1] += char
  }
  return parts
}

function place(level, expr) {
  let text = expr
  for (const [from, to] of Object.entries(PLACES[level] ?? {})) text = text.replaceAll(from, to)
  return text
}

const { levels, metrics } = parse(readFileSync(source, 'utf8'))
const byLevel = new Map()
for (const metric of metrics) byLevel.set(metric.level, [...(byLevel.get(metric.level) ?? []), metric])
let different = 0
for (const [level, list] of byLevel) {
  if (list.every(({ expr }) => expr.startsWith('count of objects'))) continue
  const document = {
    level,
    ...(levels[level].identifier && { identifier: levels[level].identifier }),
    metrics: list.map(({ name, desc, unit, labels, expr, since, note }) => ({
      name,
      help: desc,
      unit,
      labels,
      ...(level === 'component' && { component: name.split('_')[0] }),
      ...(since && { onRequest: true }),
      ...(note && { note }),
      expr: place(level, expand(expr)),
    })),
  }
  const comment = `# Metrics of the level ${level}; doc.md of the API group tells what the fields mean.\n`
  const file = join(out, `${level.replaceAll('_', '-')}.yaml`)
  const style = { ...(await resolveConfig(file)), parser: 'yaml' }
  // Folded text settles at the second pass.
  const once = await format(comment + stringify(document, { lineWidth: 110 }), style)
  const text = await format(once, style)
  if (mode === '--check') {
    if (readFileSync(file, 'utf8') === text) continue
    console.error(`${file} differs`)
    different += 1
  } else writeFileSync(file, text)
}
process.exitCode = different > 0 ? 1 : 0
