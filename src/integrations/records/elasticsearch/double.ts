/**
 * A stand-in for Elasticsearch and OpenSearch in tests: it takes the requests that the client sends, in the form that
 * each release documents, and works out their answers from the documents it was given, in the form that genuine servers
 * have answered in (`recorded.ts`). What a release would refuse, it refuses.
 */
import { createServer, type IncomingMessage } from 'node:http'
import { type AddressInfo } from 'node:net'
import { bucketAfter, bucketOf, parseInterval } from '../intervals.js'
import { type JsonDocument } from '../interface.js'
import { valueAt } from '../kinds.js'
import { type Dialect, DIALECTS } from './dialects.js'
import { bucketAnswer, missingIndex, refusal, rootOf, searchAnswer } from './recorded.js'

type Json = Record<string, any> // eslint-disable-line @typescript-eslint/no-explicit-any -- bodies of any shape

export interface Double {
  url: string
  /** `METHOD path body`, in order. */
  asked: string[]
  /** Scrolls that nobody has released. */
  scrolls: Map<string, JsonDocument[]>
  close(): Promise<void>
}

export async function startDouble(version: keyof typeof DIALECTS): Promise<Double> {
  const dialect: Dialect = DIALECTS[version]
  const indices = new Map<string, JsonDocument[]>()
  const asked: string[] = []
  const scrolls = new Map<string, JsonDocument[]>()

  function answer(method: string, path: string, query: URLSearchParams, body: string): Json {
    if (method === 'GET' && path === '/') return rootOf(version)
    if (path === '/_bulk') return bulk(body)
    if (path === '/_search/scroll' && method === 'DELETE') {
      for (const id of (JSON.parse(body) as Json)['scroll_id']) scrolls.delete(id as string)
      return { succeeded: true }
    }
    if (path === '/_search/scroll') {
      const id = (JSON.parse(body) as Json)['scroll_id'] as string
      const rest = scrolls.get(id) ?? []
      return { _scroll_id: id, ...searchAnswer(version, rest.length, rest.splice(0, 1_000)) }
    }
    return search(decodeURIComponent(path.split('/')[1] ?? '').split(','), JSON.parse(body) as Json, query)
  }

  function bulk(body: string): Json {
    const lines = body
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Json)
    for (let i = 0; i < lines.length; i += 2) {
      const { _index, _type } = lines[i]?.['index'] as { _index: string; _type?: string }
      if (_type !== dialect.documentType) return refusal('illegal_argument_exception', 'wrong _type')
      const documents = indices.get(_index) ?? []
      indices.set(_index, documents)
      documents.push(lines[i + 1] as JsonDocument)
    }
    return { errors: false, items: [] }
  }

  function search(names: string[], body: Json, query: URLSearchParams): Json {
    if ('track_total_hits' in body !== dialect.tracksTotals)
      return refusal('parsing_exception', 'track_total_hits')
    const absent = names.find((name) => !name.endsWith('*') && !indices.has(name))
    if (absent !== undefined && query.get('ignore_unavailable') !== 'true') return missingIndex(absent)
    const named = (index: string): boolean =>
      names.some((name) => (name.endsWith('*') ? index.startsWith(name.slice(0, -1)) : index === name))
    const found = [...indices]
      .filter(([index]) => named(index))
      .flatMap(([, documents]) => documents)
      .filter((document) => matches(document, body['query'] as Json))
    const [sort] = (body['sort'] ?? []) as Record<string, { order: string }>[]
    for (const [field, { order }] of Object.entries(sort ?? {}))
      found.sort((a, b) => (order === 'asc' ? 1 : -1) * (timeOf(a, field) - timeOf(b, field)))
    const { from = 0, size = 10 } = body
    const page = found.slice(from as number, (from as number) + (size as number))
    const result: Json = searchAnswer(version, found.length, page)
    if (query.has('scroll')) {
      result['_scroll_id'] = `scroll-${scrolls.size}`
      scrolls.set(`scroll-${scrolls.size}`, found.slice(size as number))
    }
    const { cardinality_aggregation: cardinality, date_histogram_aggregation: histogram } = (body['aggs'] ??
      {}) as Json
    if (cardinality) {
      const field = ((cardinality as Json)['cardinality'] as Record<string, string>)['field'] ?? ''
      const values = new Set(found.map((document) => valueAt(document, field.replace(/\.keyword$/, ''))))
      result['aggregations'] = { cardinality_aggregation: { value: values.size } }
    }
    if (histogram) {
      const { field, interval, fixed_interval, calendar_interval } = (histogram as Json)[
        'date_histogram'
      ] as Record<string, string>
      if ((interval === undefined) !== dialect.splitsIntervals)
        return refusal('x_content_parse_exception', 'interval')
      const width = parseInterval(interval ?? fixed_interval ?? calendar_interval ?? '')
      const times = found.map((document) => bucketOf(timeOf(document, field ?? ''), width))
      const buckets: Json[] = []
      for (let key = Math.min(...times); key <= Math.max(...times); key = bucketAfter(key, width))
        buckets.push(bucketAnswer(key, times.filter((time) => time === key).length))
      result['aggregations'] = { date_histogram_aggregation: { buckets } }
    }
    return result
  }

  const server = createServer((request, response) => {
    void bodyOf(request).then((body) => {
      asked.push(`${request.method} ${request.url} ${body}`)
      const url = new URL(request.url ?? '', 'http://double')
      const result = answer(request.method ?? '', url.pathname, url.searchParams, body)
      response.writeHead((result['status'] as number | undefined) ?? 200, {
        'content-type': 'application/json',
      })
      response.end(JSON.stringify(result))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    scrolls,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  let body = ''
  for await (const chunk of request as AsyncIterable<Buffer>) body += chunk.toString()
  return body
}

function timeOf(document: JsonDocument, field: string): number {
  return Date.parse(String(valueAt(document, field)))
}

function valuesOf(document: JsonDocument, field: string): unknown[] {
  const value = valueAt(document, field.replace(/\.keyword$/, ''))
  return Array.isArray(value) ? value : value === undefined ? [] : [value]
}

/** As the analyzer `standard` cuts them. */
const wordsOf = (text: unknown): string[] =>
  String(text)
    .toLowerCase()
    .match(
      /[\p{Script=Han}\p{Script=Hiragana}]|(?:(?![\p{Script=Han}\p{Script=Hiragana}])[\p{L}\p{N}])+/gu,
    ) ?? []

function hasPhrase(value: unknown, phrase: unknown, isPrefix: boolean): boolean {
  const words = wordsOf(value)
  const wanted = wordsOf(phrase)
  if (wanted.length === 0) return false
  return words.some((_, start) =>
    wanted.every((word, i) =>
      isPrefix && i === wanted.length - 1 ? words[start + i]?.startsWith(word) : words[start + i] === word,
    ),
  )
}

function matches(document: JsonDocument, clause: Json): boolean {
  const [[kind, inner] = []] = Object.entries(clause)
  if (kind === 'bool') {
    const {
      filter = [],
      should = [],
      must_not: mustNot = [],
      minimum_should_match: least = 0,
    } = inner as Record<string, any> // eslint-disable-line @typescript-eslint/no-explicit-any -- as above
    const holds = (one: Json): boolean => matches(document, one)
    return (
      (filter as Json[]).every(holds) &&
      (should as Json[]).filter(holds).length >= least &&
      !(mustNot as Json[]).some(holds)
    )
  }
  if (kind === 'exists') return valuesOf(document, (inner as Json)['field'] as string).length > 0
  const [[field = '', wanted] = []] = Object.entries(inner as Json)
  const values = valuesOf(document, field)
  switch (kind) {
    case 'match_phrase':
      return values.some((value) =>
        field.endsWith('.keyword') ? value === wanted : hasPhrase(value, wanted, false),
      )
    case 'match_phrase_prefix':
      return values.some((value) => hasPhrase(value, wanted, true))
    case 'wildcard': {
      const pattern = String(wanted)
        .replace(/[.+^${}()|[\]\\]/g, '\\$&')
        .replaceAll('*', '[^]*')
        .replaceAll('?', '[^]')
      return values.some((value) => new RegExp(`^${pattern}$`).test(String(value)))
    }
    case 'regexp':
      return values.some((value) => new RegExp(`^(?:${String(wanted)})$`).test(String(value)))
    case 'terms':
      return values.some((value) => (wanted as unknown[]).includes(value))
    case 'range': {
      const { gte, lte } = wanted as { gte?: string; lte?: string }
      const time = Date.parse(String(values[0]))
      return !(
        Number.isNaN(time) ||
        time < Date.parse(gte ?? '0001-01-01') ||
        time > Date.parse(lte ?? '9999-01-01')
      )
    }
    default:
      throw new Error(`the stand-in does not know ${kind}`)
  }
}
