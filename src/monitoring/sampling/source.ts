/** Answers named metrics from samples, as a Prometheus would; what samples cannot tell is said to need one. */
import { failure, type Point, PrometheusError } from '../../integrations/prometheus/types.js'
import { type AnsweredSeries, type Metric, UNCHARGED } from '../answer.js'
import { type MetricDefinition } from '../definitions.js'
import { type MetricSource } from '../metricsource.js'
import { type Times } from '../parameters.js'
import { type Selection } from '../selection.js'
import { type Chosen, matcherOf, named, textOf, vector } from './answering.js'
import { DERIVED, isMeasured } from './derived.js'
import { type Sampled, type Sampler } from './sampler.js'
import { isSampled, type SampledLevel } from './series.js'

/** As Prometheus limits them. */
const MOST_POINTS = 11_000

const UNAVAILABLE =
  'unavailable: this metric needs a Prometheus (monitoring.endpoint); without one there are samples of metrics.k8s.io and counts of objects'
const UNMEASURED = 'unavailable: nobody serves metrics.k8s.io in this cluster'

export class SampledMetrics implements MetricSource {
  constructor(private readonly sampler: Sampler) {}

  async answer(definition: MetricDefinition, selection: Selection, times: Times): Promise<Metric> {
    const { level } = selection
    if (!isSampled(level) || !DERIVED[level].includes(definition.name))
      return { data: {}, error: UNAVAILABLE }
    try {
      const samples = await this.#samples(level, times)
      const chosen = matcherOf(level, selection)
      const result =
        times.kind === 'instant'
          ? vector(samples[0]?.series, definition, chosen, times.time)
          : matrix(samples, definition, chosen)
      if (result.length === 0 && isMeasured(definition.name) && !hasAny(samples, definition.name))
        return { data: {}, error: UNMEASURED }
      const resultType = times.kind === 'instant' ? 'vector' : 'matrix'
      return { data: { resultType, ...(result.length > 0 && { result }) } }
    } catch (error) {
      if (!(error instanceof PrometheusError)) throw error
      return { data: {}, error: error.message }
    }
  }

  async #samples(level: SampledLevel, times: Times): Promise<Sampled[]> {
    if (times.kind === 'instant') {
      const found = await this.sampler.at(level, times.time)
      return found ? [found] : []
    }
    if ((times.end - times.start) / times.step > MOST_POINTS)
      throw failure(
        'bad_data',
        `more than ${MOST_POINTS.toLocaleString('en')} points of a series are asked for: take a longer step`,
      )
    return this.sampler.range(level, times)
  }
}

function matrix(
  samples: readonly Sampled[],
  { name, labels }: MetricDefinition,
  chosen: Chosen,
): AnsweredSeries[] {
  const byLabels = new Map<string, { metric?: Record<string, string>; values: Point[] }>()
  for (const { time, series: all } of samples) {
    for (const series of all) {
      const value = series.values[name]
      if (value === undefined || !chosen(series)) continue
      const shown = named(series, labels)
      const key = JSON.stringify(shown)
      const entry = byLabels.get(key)
      if (entry) entry.values.push([time, textOf(value)])
      else byLabels.set(key, { ...shown, values: [[time, textOf(value)]] })
    }
  }
  return [...byLabels.values()].map((entry) => ({ ...entry, ...UNCHARGED }))
}

function hasAny(samples: readonly Sampled[], name: string): boolean {
  return samples.some(({ series }) => series.some(({ values }) => values[name] !== undefined))
}
