/** What a question is about: a level, and what is put into the places of the level's queries. */
import { equal, literally, type Matcher, matching, unequal } from '../integrations/prometheus/promql/text.js'
import { type Places } from './fill.js'

export interface Selection {
  level: string
  places: Places
  /** Of the level component: whose metrics. */
  component?: string
  /** `namespace/pod`; of the series only these are shown. */
  pairs?: ReadonlySet<string>
  /** Edge nodes are ranked among the others. */
  isRanking?: boolean
}

/** One by name, or all that a regular expression matches whole. */
export interface Chosen {
  name?: string | undefined
  filter: string
}

const chosen = (label: string, { name, filter }: Chosen): Matcher =>
  name === undefined ? matching(label, filter) : equal(label, name)

export const clusterSelection: Selection = { level: 'cluster', places: {} }

export function componentSelection(component: string): Selection {
  return { level: 'component', places: {}, component }
}

export function nodeSelection(node: Chosen): Selection {
  return { level: 'node', places: { node: [chosen('node', node)] } }
}

/** What is in no workspace is no workspace. */
export function workspaceMatchers(workspace: Chosen): Matcher[] {
  const matcher = chosen('workspace', workspace)
  return workspace.name === undefined ? [matcher, unequal('workspace', '')] : [matcher]
}

export function workspaceSelection(workspace: Chosen): Selection {
  return { level: 'workspace', places: { workspace: workspaceMatchers(workspace) } }
}

/** @param workspace whose namespaces; undefined: all */
export function namespaceMatchers(namespace: Chosen, workspace?: string): Matcher[] {
  const matcher = chosen('namespace', namespace)
  return workspace === undefined ? [matcher] : [equal('workspace', workspace), matcher]
}

export function namespaceSelection(namespace: Chosen, workspace?: string): Selection {
  return { level: 'namespace', places: { namespace: namespaceMatchers(namespace, workspace) } }
}

const KINDS: Readonly<Record<string, string>> = {
  deployment: 'Deployment',
  statefulset: 'StatefulSet',
  daemonset: 'DaemonSet',
}

/** @param kind in lower case; any other text is every kind */
export function workloadMatchers(namespace: string, kind: string, filter: string): Matcher[] {
  return [equal('namespace', namespace), matching('workload', `${KINDS[kind] ?? '.*'}:(${filter})`)]
}

export function workloadSelection(namespace: string, kind: string, filter: string): Selection {
  const named = (label: string): Matcher[] => [
    equal('namespace', namespace),
    unequal(label, ''),
    matching(label, filter),
  ]
  return {
    level: 'workload',
    places: {
      workload: workloadMatchers(namespace, kind, filter),
      deployment: named('deployment'),
      statefulset: named('statefulset'),
      daemonset: named('daemonset'),
    },
  }
}

export interface PodPlace {
  namespace?: string | undefined
  node?: string | undefined
  workload?: { kind: string; name: string } | undefined
}

/** @param pairs as `pairsOf` reads them */
export function podSelection(place: PodPlace, pod: Chosen, pairs?: ReadonlySet<string>): Selection {
  return {
    level: 'pod',
    places: { owner: ownerMatchers(place), pod: podMatchers(place, pod, pairs) },
    ...(pairs && { pairs }),
  }
}

/** A Deployment owns pods through replica sets, known by their names. */
export function ownerMatchers({ workload }: PodPlace): Matcher[] {
  switch (workload?.kind) {
    case undefined:
      return []
    case 'deployment':
      return [
        equal('owner_kind', 'ReplicaSet'),
        matching('owner_name', `^${literally(workload?.name ?? '')}-[^-]{1,10}$`),
      ]
    default: {
      const kind = KINDS[workload?.kind ?? ''] ?? workload?.kind ?? ''
      return [equal('owner_kind', kind), equal('owner_name', workload?.name ?? '')]
    }
  }
}

export function podMatchers(
  { namespace, node }: PodPlace,
  pod: Chosen,
  pairs: ReadonlySet<string> | undefined,
): Matcher[] {
  if (namespace !== undefined) return [chosen('pod', pod), equal('namespace', namespace)]
  if (node === undefined) return listMatchers(pairs)
  if (pod.name === undefined) return [equal('node', node), chosen('pod', pod), ...listMatchers(pairs)]
  const [first = '', second] = pod.name.split('/', 2)
  return second === undefined
    ? [equal('pod', first), equal('node', node)]
    : [equal('namespace', first), equal('pod', second), equal('node', node)]
}

/** More than the pairs: the rest is taken out of the answer. */
function listMatchers(pairs: ReadonlySet<string> | undefined): Matcher[] {
  if (!pairs) return []
  const parts = [...pairs].map((pair) => pair.split('/', 2))
  const either = (position: 0 | 1): string =>
    [...new Set(parts.map((part) => literally(part[position] ?? '')))].join('|')
  return [matching('namespace', either(0)), matching('pod', either(1))]
}

/** `a/p1|b/p2$`: namespaces and pods. Undefined when the filter is not given. */
export function pairsOf(filter: string): ReadonlySet<string> | undefined {
  const text = filter.replace(/\$+$/, '')
  return text === '' ? undefined : new Set(text.split('|'))
}

export function containerSelection(namespace: string, pod: string, container: Chosen): Selection {
  const matchers = [equal('pod', pod), equal('namespace', namespace), chosen('container', container)]
  return { level: 'container', places: { container: matchers } }
}

/** Of a namespace or of a storage class. */
export function claimSelection(
  place: { namespace: string } | { storageClass: string },
  claim: Chosen,
): Selection {
  const where =
    'namespace' in place ? equal('namespace', place.namespace) : equal('storageclass', place.storageClass)
  return { level: 'pvc', places: { claim: [where, chosen('persistentvolumeclaim', claim)] } }
}

/** Its gateway serves the whole cluster. */
const GATEWAY_NAMESPACE = 'kubesphere-system'

/** Of a project: its gateway, whose pods and scrape job are named after it. */
const PROJECT_GATEWAY = 'kubesphere-router-'

export interface IngressController {
  job: string
  pod: string
  /** Prometheus duration. */
  window: string
}

export function ingressSelection(
  namespace: string,
  ingress: Chosen,
  { job, pod, window }: IngressController,
): Selection {
  const where = namespace === GATEWAY_NAMESPACE ? [] : [equal('exported_namespace', namespace)]
  return {
    level: 'ingress',
    places: {
      ingress: [...where, chosen('ingress', ingress)],
      controller: [
        ...(job === '' ? [] : [equal('job', job)]),
        ...(pod === '' ? [] : [equal('controller_pod', pod)]),
        // What a controller tells of itself has no namespace: of a gateway of others this leaves nothing.
        ...([job, pod].some((name) => isForeignGateway(name, namespace)) ? where : []),
      ],
      window: { literal: window },
    },
  }
}

function isForeignGateway(name: string, namespace: string): boolean {
  if (!name.startsWith(PROJECT_GATEWAY)) return false
  const own = new RegExp(`^${literally(namespace)}(-metrics|-[^-]+-[^-]+)?$`)
  return !own.test(name.slice(PROJECT_GATEWAY.length))
}
