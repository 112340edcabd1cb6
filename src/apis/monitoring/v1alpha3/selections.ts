/** The paths of named metrics, and what each asks about. */
import { formatDuration } from '../../../configuration/duration.js'
import { filterOf, goDuration } from '../../../monitoring/parameters.js'
import {
  claimSelection,
  clusterSelection,
  componentSelection,
  containerSelection,
  type IngressController,
  ingressSelection,
  namespaceSelection,
  nodeSelection,
  pairsOf,
  podSelection,
  type Selection,
  workloadSelection,
  workspaceSelection,
} from '../../../monitoring/selection.js'

type Params = Record<string, string | undefined>

export interface NamedPath {
  path: string
  summary: string
  select(params: Params, query: URLSearchParams): Selection
}

const named = (path: string, summary: string, select: NamedPath['select']): NamedPath => ({
  path,
  summary,
  select,
})

const resources = (query: URLSearchParams): string => filterOf(query, 'resources_filter')
const pairs = (query: URLSearchParams) => pairsOf(query.get('namespaced_resources_filter') ?? '')
const text = (value: string | undefined): string => value ?? ''

const pods: NamedPath['select'] = ({ namespace, node, pod, kind, workload }, query) =>
  podSelection(
    { namespace, node, ...(workload !== undefined && { workload: { kind: text(kind), name: workload } }) },
    { name: pod, filter: resources(query) },
    pairs(query),
  )

const NAMESPACE = '/namespaces/{namespace}'

export const NAMED_PATHS: readonly NamedPath[] = [
  named('/cluster', 'Metrics of the cluster.', () => clusterSelection),
  named('/components/{component}', 'Metrics of etcd, the API server or the scheduler.', ({ component }) =>
    componentSelection(text(component)),
  ),
  ...[
    named('/nodes', 'Metrics of nodes.', nodes),
    named('/nodes/{node}', 'Metrics of one node.', nodes),
    named('/workspaces', 'Metrics of workspaces.', workspaces),
    named('/workspaces/{workspace}/namespaces', 'Metrics of the projects of a workspace.', namespaces),
    named('/namespaces', 'Metrics of projects.', namespaces),
    named(NAMESPACE, 'Metrics of one project.', namespaces),
    named(`${NAMESPACE}/workloads`, 'Metrics of workloads.', workloads),
    named(`${NAMESPACE}/workloads/{kind}`, 'Metrics of workloads of a kind.', workloads),
  ],
  named('/pods', 'Metrics of pods, all or those of a list.', pods),
  named(`${NAMESPACE}/pods`, 'Metrics of the pods of a project.', pods),
  named(`${NAMESPACE}/pods/{pod}`, 'Metrics of one pod.', pods),
  named(`${NAMESPACE}/workloads/{kind}/{workload}/pods`, 'Metrics of the pods of a workload.', pods),
  named('/nodes/{node}/pods', 'Metrics of the pods on a node.', pods),
  named('/nodes/{node}/pods/{pod}', 'Metrics of one pod on a node, named pod or namespace/pod.', pods),
  // An escaped slash is a slash before routes are looked at.
  named(
    '/nodes/{node}/pods/{project}/{pod}',
    'The same, of namespace/pod.',
    ({ node, project, pod }, query) => pods({ node, pod: `${text(project)}/${text(pod)}` }, query),
  ),
  named(`${NAMESPACE}/pods/{pod}/containers`, 'Metrics of the containers of a pod.', containers),
  named(`${NAMESPACE}/pods/{pod}/containers/{container}`, 'Metrics of one container.', containers),
  named(
    '/storageclasses/{storageclass}/persistentvolumeclaims',
    'Metrics of the volumes of a class.',
    claims,
  ),
  named(`${NAMESPACE}/persistentvolumeclaims`, 'Metrics of the volumes of a project.', claims),
  named(`${NAMESPACE}/persistentvolumeclaims/{pvc}`, 'Metrics of one volume.', claims),
  named(`${NAMESPACE}/ingresses`, 'Metrics of ingresses.', ingresses),
  named(`${NAMESPACE}/ingresses/{ingress}`, 'Metrics of one ingress.', ingresses),
]

/** Also the path of the statistics of a workspace. */
export const WORKSPACE_PATH = named('/workspaces/{workspace}', 'Metrics of one workspace.', workspaces)

function nodes({ node }: Params, query: URLSearchParams): Selection {
  return nodeSelection({ name: node, filter: resources(query) })
}

function workspaces({ workspace }: Params, query: URLSearchParams): Selection {
  return workspaceSelection({ name: workspace, filter: resources(query) })
}

function namespaces({ workspace, namespace }: Params, query: URLSearchParams): Selection {
  return namespaceSelection({ name: namespace, filter: resources(query) }, workspace)
}

function workloads({ namespace, kind }: Params, query: URLSearchParams): Selection {
  return workloadSelection(text(namespace), text(kind), resources(query))
}

function containers({ namespace, pod, container }: Params, query: URLSearchParams): Selection {
  return containerSelection(text(namespace), text(pod), { name: container, filter: resources(query) })
}

function claims({ namespace, storageclass, pvc }: Params, query: URLSearchParams): Selection {
  const place = namespace === undefined ? { storageClass: text(storageclass) } : { namespace }
  return claimSelection(place, { name: pvc, filter: resources(query) })
}

function ingresses({ namespace, ingress }: Params, query: URLSearchParams): Selection {
  return ingressSelection(text(namespace), { name: ingress, filter: resources(query) }, controller(query))
}

const WINDOW_MS = 5 * 60_000

/** The window counts only beside a time, and falls back when it cannot be read: clients send any text. */
function controller(query: URLSearchParams): IngressController {
  let window = WINDOW_MS
  const duration = query.get('duration') ?? ''
  if (query.get('time') && duration !== '') {
    try {
      const asked = Math.round(goDuration(duration))
      if (asked > 0) window = asked
    } catch {
      // As above.
    }
  }
  return { job: query.get('job') ?? '', pod: query.get('pod') ?? '', window: formatDuration(window) }
}
