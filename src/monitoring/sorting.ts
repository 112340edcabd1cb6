/**
 * Ranks resources by one metric and cuts a page, the same resources in every metric.
 *
 * After sorting, position i is the same resource everywhere; what a metric does not know of a resource is a
 * placeholder. The console's tables read by position.
 */
import { type AnsweredSeries, type Metric, type Metrics, UNCHARGED } from './answer.js'
import { type Sorting } from './parameters.js'

export function sorted(
  results: Metric[],
  { metric, ascending, page, limit }: Sorting,
  identifier: string,
): Metrics {
  const ranked = results.filter(isRanked)
  const byIdentifier = new Map(ranked.map((entry) => [entry, seriesBy(entry, identifier)]))
  const target = ranked.find(({ metric_name: name }) => name === metric)
  const order = inOrder(byIdentifier.get(target as Metric) ?? new Map<string, AnsweredSeries>(), ascending)

  const known = new Set(order)
  const others = new Set<string>()
  for (const series of byIdentifier.values()) {
    for (const name of series.keys()) if (!known.has(name)) others.add(name)
  }
  const all = [...order, ...[...others].sort(byText)]
  const shown = all.slice((page - 1) * limit, page * limit)

  return {
    results: results.map((entry) => {
      const series = byIdentifier.get(entry)
      if (!series) return entry
      const { resultType } = entry.data
      const result = shown.map((name) => series.get(name) ?? { ...UNCHARGED })
      return { ...entry, data: { ...(resultType && { resultType }), ...(result.length > 0 && { result }) } }
    }),
    page,
    ...(all.length > 0 && { total_page: Math.ceil(all.length / limit), total_item: all.length }),
  }
}

function isRanked({ error, data }: Metric): boolean {
  return error === undefined && data.resultType === 'vector'
}

/** Of two series of one resource the later counts, at the place of the first. Series of no resource are left out. */
function seriesBy({ data }: Metric, identifier: string): Map<string, AnsweredSeries> {
  const series = new Map<string, AnsweredSeries>()
  for (const one of data.result ?? []) {
    const name = one.metric?.[identifier] ?? ''
    if (name !== '') series.set(name, one)
  }
  return series
}

/** Numbers in the direction asked for; then NaN, then what has no sample; equals by name, always ascending. */
function inOrder(series: ReadonlyMap<string, AnsweredSeries>, ascending: boolean): string[] {
  const keyed = [...series].map(([name, { value }]) => {
    const number = value === undefined ? NaN : Number(value[1].replace('Inf', 'Infinity'))
    return { name, number, rank: value === undefined ? 2 : Number.isNaN(number) ? 1 : 0 }
  })
  keyed.sort((a, b) => {
    if (a.rank !== b.rank) return a.rank - b.rank
    if (a.rank === 0 && a.number !== b.number) return a.number < b.number === ascending ? -1 : 1
    return byText(a.name, b.name)
  })
  return keyed.map(({ name }) => name)
}

function byText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
