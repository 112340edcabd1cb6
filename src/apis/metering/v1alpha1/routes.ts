/** The paths of consumption, and what each asks about. */
import { filterOf, sortingOf, timesOf } from '../../../monitoring/parameters.js'
import { exported } from '../../../monitoring/metering/export.js'
import { listed } from '../../../monitoring/metering/members.js'
import {
  applicationMeter,
  clusterMeter,
  namespaceMeter,
  nodeMeter,
  podMeter,
  serviceMeter,
  workloadMeter,
  workspaceMeter,
} from '../../../monitoring/metering/selection.js'
import { type Selection } from '../../../monitoring/selection.js'
import { Reply, route, type Route, type RouteContext } from '../../../serving/route.js'
import { type MeteringDeps } from './deps.js'

type Context = Pick<RouteContext, 'params' | 'query' | 'signal'>
type Select = (asked: Asked) => readonly Selection[] | Promise<readonly Selection[]>

/** Path parameters; `node` and `kind` of the query count before those of the path. */
interface Asked {
  workspace: string | undefined
  namespace: string
  named: string | undefined
  node: string | undefined
  pod: string | undefined
  kind: string
  workload: string | undefined
  filter: string
  query: URLSearchParams
  signal: AbortSignal
}

const NAMESPACE = '/namespaces/{namespace}'

export function meteringRoutes(deps: MeteringDeps): Route[] {
  const { members } = deps
  const applications: Select = async ({ namespace, query, signal }) =>
    (await members.applications(namespace, listed(query.get('applications')), signal)).map((one) =>
      applicationMeter(namespace, one),
    )
  const releases: Select = async ({ namespace, query, signal }) =>
    (await members.releases(namespace, listed(query.get('openpitrix_ids')), signal)).map((one) =>
      applicationMeter(namespace, one),
    )
  const services: Select = async ({ namespace, query, signal }) =>
    (await members.services(namespace, listed(query.get('services')), signal)).map((one) =>
      serviceMeter(namespace, one),
    )
  const paths: [path: string, level: string, summary: string, select: Select][] = [
    ['/cluster', 'cluster', 'of the cluster', () => [clusterMeter]],
    ['/nodes', 'node', 'of nodes', nodes],
    ['/nodes/{node}', 'node', 'of one node', nodes],
    ['/workspaces', 'workspace', 'of workspaces', workspaces],
    ['/workspaces/{workspace}', 'workspace', 'of one workspace', workspaces],
    ['/workspaces/{workspace}/namespaces', 'namespace', 'of the projects of a workspace', namespaces],
    [
      '/workspaces/{workspace}/namespaces/{namespace}',
      'namespace',
      'of a project of a workspace',
      namespaces,
    ],
    ['/namespaces', 'namespace', 'of projects', namespaces],
    [NAMESPACE, 'namespace', 'of one project', namespaces],
    [`${NAMESPACE}/workloads`, 'workload', 'of workloads', workloads],
    [`${NAMESPACE}/applications`, 'application', 'of applications', applications],
    [`${NAMESPACE}/openpitrixs`, 'application', 'of releases of the application store', releases],
    ['/clusters/{cluster}/namespaces/{namespace}/openpitrixs', 'application', 'of releases', releases],
    [`${NAMESPACE}/services`, 'service', 'of services', services],
    [`${NAMESPACE}/pods`, 'pod', 'of pods', pods],
    [`${NAMESPACE}/pods/{pod}`, 'pod', 'of one pod', pods],
    [`${NAMESPACE}/workloads/{workload}/pods`, 'pod', 'of the pods of a workload', pods],
    ['/nodes/{node}/pods', 'pod', 'of the pods on a node', pods],
    ['/nodes/{node}/pods/{pod}', 'pod', 'of one pod on a node', pods],
    // An escaped slash is a slash before routes are looked at.
    ['/nodes/{node}/pods/{project}/{pod}', 'pod', 'of namespace/pod on a node', pods],
  ]
  return paths.map(([path, level, summary, select]) =>
    route({
      method: 'GET',
      path,
      summary: `Consumption ${summary}.`,
      access: 'authorized',
      handle: (context) => answer(deps, level, select, context),
    }),
  )
}

const nodes: Select = ({ node, filter }) => [nodeMeter({ name: node, filter })]
const workspaces: Select = ({ workspace, filter }) => [workspaceMeter({ name: workspace, filter })]
const namespaces: Select = ({ workspace, named, filter }) => [
  namespaceMeter({ name: named, filter }, workspace),
]
const workloads: Select = ({ namespace, kind, filter }) => [workloadMeter(namespace, kind, filter)]
const pods: Select = ({ named, node, pod, kind, workload, filter }) => [
  podMeter(
    { namespace: named, node, ...(workload !== undefined && { workload: { kind, name: workload } }) },
    { name: pod, filter },
  ),
]

async function answer(deps: MeteringDeps, level: string, select: Select, { params, query, signal }: Context) {
  const times = timesOf(query, deps.now())
  const sorting = sortingOf(query)
  const { workspace, namespace, project, pod, workload } = params
  const selections = await select({
    workspace,
    namespace: namespace ?? '',
    named: namespace,
    node: query.get('node') || params['node'],
    pod: project === undefined ? pod : `${project}/${pod}`,
    kind: query.get('kind') || (params['kind'] ?? ''),
    workload,
    filter: filterOf(query, 'resources_filter'),
    query,
    signal,
  })
  const filter = filterOf(query, 'metrics_filter')
  const metrics = await deps.metering.ask({ level, selections, filter, times, sorting }, signal)
  if (query.get('operation') !== 'export') return metrics
  return new Reply(
    200,
    { 'Content-Type': 'text/plain', 'Content-Disposition': 'attachment' },
    exported(metrics, times),
  )
}
