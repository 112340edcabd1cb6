/** Where the values of named metrics come from. */
import {
  type CallOptions,
  type Prometheus,
  PrometheusError,
  type QueryResult,
} from '../integrations/prometheus/types.js'
import { dataOf, type Metric } from './answer.js'
import { type MetricDefinition } from './definitions.js'
import { fill } from './fill.js'
import { type Times } from './parameters.js'
import { type Selection } from './selection.js'

export interface MetricSource {
  /** Without the name. A failure is part of the answer. @throws the signal's reason */
  answer(metric: MetricDefinition, selection: Selection, times: Times, options: CallOptions): Promise<Metric>
}

export class PrometheusSource implements MetricSource {
  constructor(private readonly prometheus: Prometheus) {}

  answer(
    { expr }: MetricDefinition,
    { places }: Selection,
    times: Times,
    options: CallOptions,
  ): Promise<Metric> {
    return answered(this.prometheus, fill(expr, places), times, options)
  }
}

/** One query as a metric without a name. */
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
