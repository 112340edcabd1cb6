/** Routes of named metrics. */
import { route, type Route, type RouteContext } from '../../../serving/route.js'
import { type Metrics } from '../../../monitoring/answer.js'
import { birthOf } from '../../../monitoring/birth.js'
import { withinLife } from '../../../monitoring/lifetime.js'
import { filterOf, sortingOf, timesOf } from '../../../monitoring/parameters.js'
import { type MonitoringDeps } from './deps.js'
import { NAMED_PATHS, type NamedPath, WORKSPACE_PATH } from './selections.js'

export function namedMetricRoutes(deps: MonitoringDeps): Route[] {
  return [
    route({
      method: 'GET',
      path: '/kubesphere',
      summary: 'How many clusters, workspaces, users and app templates there are.',
      access: 'authorized',
      handle: () => ({ results: deps.counts.platform() }),
    }),
    route({
      method: 'GET',
      path: WORKSPACE_PATH.path,
      summary: `${WORKSPACE_PATH.summary} With type=statistics how many projects, members and roles it has.`,
      access: 'authorized',
      handle(context) {
        if (context.query.get('type') !== 'statistics') return answer(deps, WORKSPACE_PATH, context)
        timesOf(context.query, deps.now())
        sortingOf(context.query)
        return {
          results: deps.counts.workspace(context.params['workspace'] ?? ''),
        }
      },
    }),
    ...NAMED_PATHS.map((path) =>
      route({
        method: 'GET',
        path: path.path,
        summary: path.summary,
        access: 'authorized',
        handle: (context) => answer(deps, path, context),
      }),
    ),
  ]
}

async function answer(
  { metrics, resources, ...deps }: MonitoringDeps,
  path: NamedPath,
  { params, query, signal }: Pick<RouteContext, 'params' | 'query' | 'signal'>,
): Promise<Metrics> {
  const asked = timesOf(query, deps.now())
  const { namespace } = params
  const times =
    namespace === undefined ? asked : withinLife(asked, await birthOf(namespace, resources, signal))
  const isRanking = query.get('type') === 'rank'
  const selection = { ...path.select(params, query), ...(isRanking && { isRanking }) }
  if (!times) return metrics.nothing(selection)
  const sorting = sortingOf(query)
  const filter = filterOf(query, 'metrics_filter')
  return metrics.ask(selection.level, { selections: [selection], filter, times, sorting }, signal)
}
