/** What was consumed where the caller may list pods: one route for all levels, narrowed to the caller. */
import { badRequest, StatusError } from '../../../apimachinery/errors/index.js'
import { birthOf } from '../../../monitoring/birth.js'
import { nameFilter } from '../../../monitoring/filter.js'
import { withinLife } from '../../../monitoring/lifetime.js'
import { exported } from '../../../monitoring/metering/export.js'
import { hierarchyOf } from '../../../monitoring/metering/hierarchy.js'
import { listed, type MeteredMembers } from '../../../monitoring/metering/members.js'
import { type Metering } from '../../../monitoring/metering/metering.js'
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
import { filterOf, sortingOf, type Times, timesOf } from '../../../monitoring/parameters.js'
import { literally } from '../../../integrations/prometheus/promql/text.js'
import { type Selection } from '../../../monitoring/selection.js'
import { Reply, route, type Route } from '../../../serving/route.js'
import {
  METERING_LEVELS,
  type MeteringLevel,
  MeteringNarrowing,
  type MeteringScope,
} from '../../../tenancy/narrowing/index.js'
import { type TenantDeps } from './deps.js'

export interface Consumption {
  metering: Metering
  members: MeteredMembers
  now(): Date
}

const SCOPES: Readonly<Record<MeteringLevel, string>> = {
  LevelCluster: 'Cluster',
  LevelNode: 'Cluster',
  LevelWorkspace: 'Workspace',
  LevelNamespace: 'Namespace',
  LevelApplication: 'Namespace',
  LevelWorkload: 'Namespace',
  LevelService: 'Namespace',
  LevelPod: 'Namespace',
}

export function consumptionRoutes(deps: TenantDeps): Route[] {
  const narrowing = new MeteringNarrowing(deps)
  const { metering, members, ...clock } = deps.consumption
  return [
    route({
      method: 'GET',
      path: '/metering',
      summary: 'Consumption at one level, as far as the caller may list pods.',
      access: 'authorized',
      async handle({ query, user, signal }) {
        const level = levelOf(query.get('level') ?? '')
        const asked = timesOf(query, clock.now())
        const sorting = sortingOf(query)
        const [workspace, namespace] = [query.get('workspace') ?? '', query.get('namespace') ?? '']
        const scope = await narrowing
          .scope(user, { level, workspace, namespace })
          .catch((error: unknown) => refuse(error, level))
        const times = await withinNamespace(asked, namespace, deps, signal)
        const selections = await selectionsOf(level, query, scope, members, signal)
        const filter = filterOf(query, 'metrics_filter')
        const name = level.slice('Level'.length).toLowerCase()
        const metrics = await metering.ask({ level: name, selections, filter, times, sorting }, signal)
        if (query.get('operation') !== 'export') return metrics
        const headers = { 'Content-Type': 'text/plain', 'Content-Disposition': 'attachment' }
        return new Reply(200, headers, exported(metrics, times))
      },
    }),
    route({
      method: 'GET',
      path: '/namespaces/{namespace}/metering/hierarchy',
      summary: 'Consumption of the pods of a project, by workload and application.',
      access: 'authorized',
      async handle({ params, query, user, signal }) {
        const { namespace = '' } = params
        const asked = timesOf(query, clock.now())
        const question = { level: 'LevelPod', workspace: query.get('workspace') ?? '', namespace } as const
        await narrowing.scope(user, question).catch((error: unknown) => refuse(error, 'LevelPod'))
        const times = await withinNamespace(asked, namespace, deps, signal)
        const place = new URLSearchParams(query)
        place.set('namespace', namespace)
        const [selections, openpitrixs, apps] = await Promise.all([
          selectionsOf('LevelPod', place, 'asked', members, signal),
          members.releases(namespace, listed(query.get('openpitrix_ids')), signal),
          members.applications(namespace, listed(query.get('applications')), signal),
        ])
        const filter = filterOf(query, 'metrics_filter')
        const metrics = await metering.ask({ level: 'pod', selections, filter, times }, signal)
        return hierarchyOf(metrics, { openpitrixs, apps })
      },
    }),
  ]
}

/** The misspelling is what clients know. */
function levelOf(text: string): MeteringLevel {
  const level = METERING_LEVELS.find((one) => one === text)
  if (level === undefined) throw badRequest('Parmameter [level] not found')
  return level
}

/** Clients of the original know all refusals as 400. */
function refuse(error: unknown, level: MeteringLevel): never {
  if (error instanceof StatusError && error.code === 403)
    throw badRequest(`scope [${SCOPES[level]}] not allowed`)
  if (error instanceof StatusError && error.code === 404) throw badRequest('resource not found')
  throw error
}

async function withinNamespace(
  times: Times,
  namespace: string,
  { resources }: TenantDeps,
  signal: AbortSignal,
): Promise<Times> {
  if (namespace === '') return times
  const within = withinLife(times, await birthOf(namespace, resources, signal))
  if (!within) throw badRequest("'end' or 'time' must be after the namespace creation time.")
  return within
}

/** Nothing when the scope leaves nothing. */
async function selectionsOf(
  level: MeteringLevel,
  query: URLSearchParams,
  scope: MeteringScope,
  members: MeteredMembers,
  signal: AbortSignal,
): Promise<Selection[]> {
  const given = (name: string): string | undefined => query.get(name) || undefined
  const namespace = query.get('namespace') ?? ''
  const filter = narrowed(filterOf(query, 'resources_filter'), scope)
  if (filter === undefined) return []
  switch (level) {
    case 'LevelCluster':
      return [clusterMeter]
    case 'LevelNode':
      return [nodeMeter({ name: given('node'), filter })]
    case 'LevelWorkspace':
      return [workspaceMeter({ name: given('workspace'), filter })]
    case 'LevelNamespace':
      return [namespaceMeter({ name: given('namespace'), filter }, given('workspace'))]
    case 'LevelApplication':
      return (await members.applications(namespace, listed(query.get('applications')), signal)).map((one) =>
        applicationMeter(namespace, one),
      )
    case 'LevelService':
      return (await members.services(namespace, listed(query.get('services')), signal)).map((one) =>
        serviceMeter(namespace, one),
      )
    case 'LevelWorkload':
      return [workloadMeter(namespace, query.get('kind') ?? '', filter)]
    case 'LevelPod': {
      const workload = given('workload')
      const place = {
        namespace: given('namespace'),
        node: given('node'),
        ...(workload !== undefined && { workload: { kind: query.get('kind') ?? '', name: workload } }),
      }
      return [podMeter(place, { name: given('pod'), filter })]
    }
  }
}

/** The filter of the client where all may be seen; else the names that pass it and may be seen. */
function narrowed(filter: string, scope: MeteringScope): string | undefined {
  if (scope === 'asked') return filter
  const passes = nameFilter(`^(?:${filter})$`)
  if (!passes || !nameFilter(filter)) return undefined
  const names = ('workspaces' in scope ? scope.workspaces : scope.namespaces).filter(passes)
  return names.length === 0 ? undefined : names.map(literally).join('|')
}
