/** Queries as bodies of `_search`. Nothing is scored: all conditions are filters. */
import { type Match, type PageOptions, type ReadablePlace, type RecordQuery } from '../interface.js'
import { parseInterval } from '../intervals.js'
import { type KindSchema } from '../kinds.js'
import { type Dialect } from './dialects.js'

type Json = Record<string, unknown>

const ALWAYS = '0001-01-01T00:00:00Z'
export const CARDINALITY = 'cardinality_aggregation'
export const HISTOGRAM = 'date_histogram_aggregation'

export function pageBody(
  schema: KindSchema,
  query: RecordQuery,
  dialect: Dialect,
  options: PageOptions,
): Json {
  const { offset, limit, order } = options
  return {
    ...searchBody(schema, query, dialect),
    // A new index may not know the field yet.
    sort: [{ [schema.time]: { order, unmapped_type: 'date' } }],
    from: offset,
    size: limit,
  }
}

export function statisticsBody(schema: KindSchema, query: RecordQuery, dialect: Dialect): Json {
  return {
    ...searchBody(schema, query, dialect),
    size: 0,
    aggs: { [CARDINALITY]: { cardinality: { field: schema.distinctName } } },
  }
}

export function histogramBody(
  schema: KindSchema,
  query: RecordQuery,
  dialect: Dialect,
  interval: string,
): Json {
  return {
    ...searchBody(schema, query, dialect),
    size: 0,
    aggs: { [HISTOGRAM]: { date_histogram: { field: schema.time, ...widthOf(interval, dialect) } } },
  }
}

/** Sorted without a page, for a scroll. */
export function scrollBody(schema: KindSchema, query: RecordQuery, dialect: Dialect, size: number): Json {
  return {
    ...searchBody(schema, query, dialect),
    sort: [{ [schema.time]: { order: 'desc', unmapped_type: 'date' } }],
    size,
  }
}

function searchBody(schema: KindSchema, { readable, where, from, to }: RecordQuery, dialect: Dialect): Json {
  const range = { ...(from && { gte: from.toISOString() }), ...(to && { lte: to.toISOString() }) }
  const filter = [
    ...(readable === 'everything' ? [] : [anyOf(readable.map((place) => placeFilter(place, schema.time)))]),
    ...where.map((alternatives) => anyOf(alternativesOf(alternatives))),
    ...(from || to ? [{ range: { [schema.time]: range } }] : []),
  ]
  return {
    query: { bool: { filter } },
    ...(dialect.tracksTotals && { track_total_hits: true }),
  }
}

function anyOf(should: Json[]): Json {
  return { bool: { should, minimum_should_match: 1 } }
}

function placeFilter(place: ReadablePlace, time: string): Json {
  if ('lacks' in place) return { bool: { must_not: [{ exists: { field: place.lacks } }] } }
  return {
    bool: {
      filter: [
        { match_phrase: { [`${place.field}.keyword`]: place.is } },
        { range: { [time]: { gte: place.since?.toISOString() ?? ALWAYS } } },
      ],
    },
  }
}

function alternativesOf(matches: readonly Match[]): Json[] {
  const numbers = matches.flatMap((match) => ('number' in match ? [match] : []))
  const [first] = numbers
  return [
    ...matches.flatMap((match) => ('number' in match ? [] : [matchFilter(match)])),
    ...(first ? [{ terms: { [first.field]: numbers.map(({ number }) => number) } }] : []),
  ]
}

function matchFilter(match: Exclude<Match, { number: number }>): Json {
  const whole = `${match.field}.keyword`
  if ('is' in match) return { match_phrase: { [whole]: match.is } }
  if ('words' in match) return { match_phrase: { [match.field]: match.words } }
  if ('prefix' in match) return { match_phrase_prefix: { [match.field]: match.prefix } }
  if ('glob' in match) return { wildcard: { [whole]: match.glob } }
  return { regexp: { [whole]: match.pattern } }
}

/** @throws StatusError 400 */
function widthOf(text: string, { splitsIntervals }: Dialect): Json {
  const interval = parseInterval(text)
  if (!splitsIntervals) return { interval: text }
  if ('calendar' in interval || !/^\d/.test(text)) return { calendar_interval: text }
  return { fixed_interval: text }
}
