/** Routes for expressions of the client's own, and for what can be put into them. */
import { badRequest } from '../../../apimachinery/errors/index.js'
import { type Metric } from '../../../monitoring/answer.js'
import { birthOf } from '../../../monitoring/birth.js'
import { withinLife } from '../../../monitoring/lifetime.js'
import { answered } from '../../../monitoring/metricsource.js'
import { type Times, timesOf } from '../../../monitoring/parameters.js'
import { PromqlError } from '../../../integrations/prometheus/promql/errors.js'
import { confine } from '../../../integrations/prometheus/promql/confine.js'
import { equal, matcherText } from '../../../integrations/prometheus/promql/text.js'
import { type MetricMetadata, PrometheusError } from '../../../integrations/prometheus/types.js'
import { route, type Route, type RouteContext } from '../../../serving/route.js'
import { type MonitoringDeps } from './deps.js'

type Context = Pick<RouteContext, 'params' | 'query' | 'signal'>

/** With a namespace in the path everything is confined to it. */
export function adHocRoutes(deps: MonitoringDeps): Route[] {
  const both = (path: string, summary: string, handle: (context: Context) => unknown): Route[] =>
    [path, `/namespaces/{namespace}${path}`].map((each) =>
      route({ method: 'GET', path: each, summary, access: 'authorized', handle }),
    )
  return [
    ...both('/targets/query', 'The value of a PromQL expression.', (context) => query(deps, context)),
    ...both('/targets/metadata', 'Names, types and descriptions of metrics.', (context) =>
      metadata(deps, context),
    ),
    ...both('/targets/labelsets', 'The labels of the series of a metric.', (context) =>
      labelSets(deps, context),
    ),
  ]
}

async function query(deps: MonitoringDeps, { params, query, signal }: Context): Promise<Metric> {
  const times = await timesIn(deps, params['namespace'], timesOf(query, deps.now()), signal)
  if (!times) return { data: {} }
  const expression = confined(query.get('expr') ?? '', params['namespace'])
  return answered(deps.prometheus, expression, times, { signal })
}

async function metadata({ prometheus }: MonitoringDeps, { params, signal }: Context): Promise<unknown> {
  const { namespace } = params
  const match = namespace === undefined ? '' : `{${matcherText(equal('namespace', namespace))}}`
  const found = await orNothing(prometheus.targetMetadata(match, { signal }))
  const byMetric = new Map<string, MetricMetadata>()
  for (const one of found ?? []) if (!byMetric.has(one.metric)) byMetric.set(one.metric, one)
  const entries = [...byMetric.values()].map((one) =>
    Object.fromEntries(Object.entries(one).filter(([, text]) => text !== '')),
  )
  return { data: entries.length > 0 ? entries : null }
}

async function labelSets(deps: MonitoringDeps, { params, query, signal }: Context): Promise<unknown> {
  const metric = query.get('metric') ?? ''
  if (metric === '' || !query.get('start') || !query.get('end'))
    throw badRequest('required fields are missing: [metric, start, end]')
  const times = await timesIn(deps, params['namespace'], timesOf(query, deps.now()), signal)
  if (times?.kind !== 'range') return { data: null }
  let match: string
  try {
    match = confined(metric, params['namespace'])
  } catch {
    return { data: null }
  }
  const found = await orNothing(deps.prometheus.series(match, times, { signal }))
  if (!found) return { data: [] }
  const sets = found.map(({ __name__: _, ...labels }) => labels)
  return { data: sets.length > 0 ? sets : null }
}

async function timesIn(
  { resources }: MonitoringDeps,
  namespace: string | undefined,
  times: Times,
  signal: AbortSignal,
): Promise<Times | undefined> {
  return namespace === undefined ? times : withinLife(times, await birthOf(namespace, resources, signal))
}

/** @throws StatusError 400 with the position of the mistake; without a namespace Prometheus itself tells it */
function confined(expression: string, namespace: string | undefined): string {
  if (namespace === undefined) return expression
  try {
    return confine(expression, equal('namespace', namespace))
  } catch (error) {
    if (!(error instanceof PromqlError)) throw error
    throw badRequest(error.message)
  }
}

/** Undefined when Prometheus fails: these answers have no place for an error. */
async function orNothing<T>(asked: Promise<T>): Promise<T | undefined> {
  try {
    return await asked
  } catch (error) {
    if (!(error instanceof PrometheusError)) throw error
    return undefined
  }
}
