/** Asks for the metrics of a level, all at once, each with an answer or an error of its own. */
import { setMaxListeners } from 'node:events'
import { type Metric, type Metrics } from './answer.js'
import { type Catalogue, type LevelDefinition, METER, type MetricDefinition } from './definitions.js'
import { nameFilter } from './filter.js'
import { type MetricSource } from './metricsource.js'
import { inParallel } from './parallel.js'
import { ANYTHING, type Sorting, type Times } from './parameters.js'
import { type Selection } from './selection.js'
import { sorted } from './sorting.js'

/** Of one request. */
const QUERIES_AT_ONCE = 60

export interface NamedQuestion {
  /** Of one level. The series of several are answered as one list. */
  selections: readonly Selection[]
  /** Of metric names. */
  filter: string
  times: Times
  sorting?: Sorting | undefined
  /** Applied to each metric before it is sorted. */
  measured?: (metric: Metric, definition: MetricDefinition) => Metric
  timeoutMs?: number
}

export class NamedMetrics {
  constructor(
    private readonly catalogue: () => Promise<Catalogue>,
    private readonly source: MetricSource,
  ) {}

  /** @param level of the selections */
  async ask(level: string, question: NamedQuestion, signal: AbortSignal): Promise<Metrics> {
    const { selections, filter, times, sorting, measured, timeoutMs } = question
    const definition = (await this.catalogue()).level(level)
    const chosen = choose(definition, filter, selections[0]?.component)
    if (chosen.length === 0) return { results: null }
    const jobs = chosen.flatMap((metric) => selections.map((selection) => ({ metric, selection })))
    // Each query listens for the client to leave.
    setMaxListeners(QUERIES_AT_ONCE * 2, signal)
    const options = { signal, ...(timeoutMs !== undefined && { timeoutMs }) }
    const answers = await inParallel(jobs, QUERIES_AT_ONCE, async ({ metric, selection }) => {
      const answer = await this.source.answer(metric, selection, times, options)
      return selection.pairs ? onlyPairs(answer, selection.pairs) : answer
    })
    const results = chosen.map((metric, position): Metric => {
      const own = answers.slice(position * selections.length, (position + 1) * selections.length)
      const whole = { metric_name: metric.name, ...together(own, times) }
      return measured ? measured(whole, metric) : whole
    })
    if (!sorting || times.kind === 'range' || definition.identifier === undefined) return { results }
    return sorted(results, sorting, definition.identifier)
  }

  /** What is answered about a time before the namespace: every name, whatever the filter, without data. */
  async nothing(selection: Selection): Promise<Metrics> {
    const catalogue = await this.catalogue()
    const levels = [catalogue.level(selection.level), catalogue.level(METER + selection.level)]
    const names = levels.flatMap(({ metrics }) => metrics.filter(({ onRequest }) => !onRequest))
    return { results: names.map(({ name }) => ({ metric_name: name, data: {} })) }
  }
}

/** One failure is the failure of all: a part would be taken for the whole. */
function together(parts: readonly Metric[], times: Times): Metric {
  const failed = parts.find(({ error }) => error !== undefined)
  if (failed) return failed
  if (parts.length === 1 && parts[0]) return parts[0]
  const result = parts.flatMap(({ data }) => data.result ?? [])
  const resultType = times.kind === 'range' ? 'matrix' : 'vector'
  return { data: { resultType, ...(result.length > 0 && { result }) } }
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
