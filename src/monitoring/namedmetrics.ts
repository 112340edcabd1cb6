/** Asks for the metrics of a level, all at once, each with an answer or an error of its own. */
import {
  type CallOptions,
  type Prometheus,
  PrometheusError,
  type QueryResult,
} from '../integrations/prometheus/types.js'
import { dataOf, type Metric, type Metrics } from './answer.js'
import { type Catalogue, type LevelDefinition, METER, type MetricDefinition } from './definitions.js'
import { fill } from './fill.js'
import { nameFilter } from './filter.js'
import { inParallel } from './parallel.js'
import { ANYTHING, type Sorting, type Times } from './parameters.js'
import { type Selection } from './selection.js'
import { sorted } from './sorting.js'

/** Of one request. */
const QUERIES_AT_ONCE = 20

export interface NamedQuestion {
  selection: Selection
  /** Of metric names. */
  filter: string
  times: Times
  sorting?: Sorting | undefined
}

export class NamedMetrics {
  constructor(
    private readonly catalogue: () => Promise<Catalogue>,
    private readonly prometheus: Prometheus,
  ) {}

  async ask({ selection, filter, times, sorting }: NamedQuestion, signal: AbortSignal): Promise<Metrics> {
    const level = (await this.catalogue()).level(selection.level)
    const chosen = choose(level, filter, selection.component)
    if (chosen.length === 0) return { results: null }
    const results = await inParallel(chosen, QUERIES_AT_ONCE, ({ name, expr }) =>
      this.#metric(name, fill(expr, selection.places), times, { signal }),
    )
    const { pairs } = selection
    const shown = pairs ? results.map((metric) => onlyPairs(metric, pairs)) : results
    if (!sorting || times.kind === 'range' || level.identifier === undefined) return { results: shown }
    return sorted(shown, sorting, level.identifier)
  }

  /** What is answered about a time before the namespace: every name, whatever the filter, without data. */
  async nothing(selection: Selection): Promise<Metrics> {
    const catalogue = await this.catalogue()
    const levels = [catalogue.level(selection.level), catalogue.level(METER + selection.level)]
    const names = levels.flatMap(({ metrics }) => metrics.filter(({ onRequest }) => !onRequest))
    return { results: names.map(({ name }) => ({ metric_name: name, data: {} })) }
  }

  async #metric(name: string, expression: string, times: Times, options: CallOptions): Promise<Metric> {
    return { metric_name: name, ...(await answered(this.prometheus, expression, times, options)) }
  }
}

/** One query as a metric without a name. A failure of Prometheus is part of the answer. */
export async function answered(
  prometheus: Prometheus,
  expression: string,
  times: Times,
  options: CallOptions,
): Promise<Metric> {
  try {
    return { data: dataOf(await run(prometheus, expression, times, options)) }
  } catch (error) {
    if (!(error instanceof PrometheusError)) throw error
    return { data: {}, error: error.message }
  }
}

function run(
  prometheus: Prometheus,
  expression: string,
  times: Times,
  options: CallOptions,
): Promise<QueryResult> {
  return times.kind === 'instant'
    ? prometheus.query(expression, times.time, options)
    : prometheus.queryRange(expression, times, options)
}

function choose({ metrics }: LevelDefinition, filter: string, component?: string): MetricDefinition[] {
  const passes = nameFilter(filter)
  if (!passes) return []
  return metrics.filter(
    (metric) =>
      passes(metric.name) && metric.component === component && (!metric.onRequest || filter !== ANYTHING),
  )
}

function onlyPairs(metric: Metric, pairs: ReadonlySet<string>): Metric {
  const { result, ...data } = metric.data
  const kept = result?.filter((series) =>
    pairs.has(`${series.metric?.['namespace'] ?? ''}/${series.metric?.['pod'] ?? ''}`),
  )
  return { ...metric, data: { ...data, ...(kept && kept.length > 0 && { result: kept }) } }
}
