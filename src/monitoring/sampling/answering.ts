/** Samples as a Prometheus would answer them: chosen by the matchers of a selection, with the labels of the metric. */
import { RE2JS } from 're2js'
import { failure, type Point } from '../../integrations/prometheus/types.js'
import { type Matcher } from '../../integrations/prometheus/promql/text.js'
import { type AnsweredSeries, plainNumber, UNCHARGED } from '../answer.js'
import { type MetricDefinition } from '../definitions.js'
import { type Selection } from '../selection.js'
import { type SampledLevel, type SampledSeries } from './series.js'

/** Places of a selection that speak of labels that samples have. */
const PLACES: Readonly<Record<SampledLevel, readonly string[]>> = {
  cluster: [],
  node: ['node'],
  workspace: ['workspace'],
  namespace: ['namespace'],
  workload: ['workload'],
  pod: ['owner', 'pod'],
  container: ['container'],
}
export type Chosen = (series: SampledSeries) => boolean

/** @throws PrometheusError for a regular expression that is none */
export function matcherOf(level: SampledLevel, { places }: Selection): Chosen {
  const tests = PLACES[level].flatMap((name) => {
    const place = places[name] ?? []
    return Array.isArray(place) ? (place as readonly Matcher[]).map(testOf) : []
  })
  return (series) => tests.every((test) => test(series))
}

function testOf({ label, operator, value }: Matcher): Chosen {
  if (operator === '=') return ({ labels }) => (labels[label] ?? '') === value
  if (operator === '!=') return ({ labels }) => (labels[label] ?? '') !== value
  let pattern: RE2JS
  try {
    pattern = RE2JS.compile(`^(?:${value})$`)
  } catch (error) {
    throw failure('bad_data', (error as Error).message, { cause: error })
  }
  const matches = new Map<string, boolean>()
  return ({ labels }) => {
    const text = labels[label] ?? ''
    const known = matches.get(text) ?? pattern.matcher(text).matches()
    matches.set(text, known)
    return known === (operator === '=~')
  }
}

export function vector(
  sampled: readonly SampledSeries[] = [],
  { name, labels }: MetricDefinition,
  chosen: Chosen,
  time: number,
): AnsweredSeries[] {
  return sampled.flatMap((series) => {
    const value = series.values[name]
    if (value === undefined || !chosen(series)) return []
    return [{ ...named(series, labels), value: [time, textOf(value)] as Point, ...UNCHARGED }]
  })
}

/** With the labels that clients expect of the metric. */
export function named(
  { labels }: SampledSeries,
  expected: readonly string[],
): { metric?: Record<string, string> } {
  const metric = Object.fromEntries(
    expected.flatMap((label) => (labels[label] ? [[label, labels[label]]] : [])),
  )
  return Object.keys(metric).length > 0 ? { metric } : {}
}

export function textOf(value: number): string {
  if (Number.isNaN(value)) return 'NaN'
  return Number.isFinite(value) ? plainNumber(String(value)) : value > 0 ? '+Inf' : '-Inf'
}
