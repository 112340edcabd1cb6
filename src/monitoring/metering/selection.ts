/** What a question about consumption is about. Levels and places are those of `config/metrics/meter-*.yaml`. */
import { equal, literally, type Matcher, matching } from '../../integrations/prometheus/promql/text.js'
import { type Places } from '../fill.js'
import {
  type Chosen,
  namespaceMatchers,
  ownerMatchers,
  podMatchers,
  type PodPlace,
  type Selection,
  workloadMatchers,
  workspaceMatchers,
} from '../selection.js'

/** Prometheus is always asked for hours. */
const HOURLY: Places = { step: { literal: '1h' }, factor: { literal: '1' } }

const meter = (level: string, places: Places): Selection => ({
  level: `meter_${level}`,
  places: { ...HOURLY, ...places },
})

export const clusterMeter: Selection = meter('cluster', {})

/** The exporter's instance is the node. */
export function nodeMeter({ name, filter }: Chosen): Selection {
  const chosen = (label: string): Matcher[] => [
    name === undefined ? matching(label, filter) : equal(label, name),
  ]
  return meter('node', { node: chosen('node'), instance: chosen('instance') })
}

export function workspaceMeter(workspace: Chosen): Selection {
  return meter('workspace', { workspace: workspaceMatchers(workspace) })
}

export function namespaceMeter(namespace: Chosen, workspace?: string): Selection {
  return meter('namespace', { namespace: namespaceMatchers(namespace, workspace) })
}

export function workloadMeter(namespace: string, kind: string, filter: string): Selection {
  return meter('workload', { workload: workloadMatchers(namespace, kind, filter) })
}

export function podMeter(place: PodPlace, pod: Chosen): Selection {
  const { namespace } = place
  return meter('pod', {
    owner: ownerMatchers(place),
    pod: podMatchers(place, pod, undefined),
    name: [
      // A pod of a node may be named with its namespace.
      ...(pod.name === undefined ? [] : [equal('pod', pod.name.split('/', 2).at(-1) ?? '')]),
      matching('pod', pod.filter),
      ...(namespace === undefined ? [] : [equal('namespace', namespace)]),
    ],
  })
}

export interface Members {
  /** As it is shown. */
  name: string
  /** `Deployment:web`, or names of pods. */
  members: readonly string[]
}

export function applicationMeter(namespace: string, { name, members }: Members): Selection {
  return meter('application', {
    members: [equal('namespace', namespace), matching('workload', either(members))],
    app: { text: name },
  })
}

export function serviceMeter(namespace: string, { name, members }: Members): Selection {
  return meter('service', {
    members: [matching('pod', either(members)), equal('namespace', namespace)],
    svc: { text: name },
  })
}

const either = (names: readonly string[]): string => names.map(literally).join('|')
