/** A client of the Prometheus HTTP API: queries, and what is known of targets and series. */
import { type HttpResponse, MetricsHttp } from './http.js'
import { type Ruler, type RulerGroup } from './rules.js'
import {
  type CallOptions,
  failure,
  type MetricMetadata,
  type Point,
  type Prometheus,
  type QueryResult,
  type Range,
  type Series,
} from './types.js'

const TIMEOUT_MS = 30_000

export interface PrometheusOptions {
  /** `http://prometheus:9090`; a path is kept. */
  endpoint: string
  timeoutMs?: number
  /** Largest answer. */
  limitBytes?: number
}

export class PrometheusClient implements Prometheus, Ruler {
  readonly #base: string
  readonly #timeoutMs: number
  readonly #http: MetricsHttp

  constructor({ endpoint, timeoutMs = TIMEOUT_MS, limitBytes }: PrometheusOptions) {
    this.#base = endpoint.replace(/\/+$/, '')
    this.#timeoutMs = timeoutMs
    this.#http = new MetricsHttp(limitBytes)
  }

  async query(expression: string, time: number, options: CallOptions): Promise<QueryResult> {
    return this.#ask('/api/v1/query', { query: expression, time: String(time) }, options)
  }

  async queryRange(
    expression: string,
    { start, end, step }: Range,
    options: CallOptions,
  ): Promise<QueryResult> {
    const form = { query: expression, start: String(start), end: String(end), step: String(step) }
    return this.#ask('/api/v1/query_range', form, options)
  }

  async targetMetadata(match: string, options: CallOptions): Promise<MetricMetadata[]> {
    const found = await this.#get('/api/v1/targets/metadata', { match_target: match }, options)
    return records(found).map(({ metric = '', type = '', help = '' }) => ({ metric, type, help }))
  }

  async series(
    match: string,
    { start, end }: { start: number; end: number },
    options: CallOptions,
  ): Promise<Record<string, string>[]> {
    const query = { 'match[]': match, start: String(start), end: String(end) }
    return records(await this.#get('/api/v1/series', query, options))
  }

  async alertingRules({ match, ...options }: CallOptions & { match?: string }): Promise<RulerGroup[]> {
    const query = { type: 'alert', ...(match !== undefined && { 'match[]': match }) }
    const { groups } = ((await this.#get('/api/v1/rules', query, options)) ?? {}) as { groups?: unknown }
    if (groups !== null && groups !== undefined && !Array.isArray(groups))
      throw failure('bad_response', 'the answer holds no groups')
    return (groups ?? []) as RulerGroup[]
  }

  close(): void {
    this.#http.close()
  }

  /** A form, because expressions grow long; servers that know only GET say so with 405 or 501. */
  async #ask(path: string, fields: Record<string, string>, options: CallOptions): Promise<QueryResult> {
    const form = new URLSearchParams(fields)
    const response = await this.#http.send({
      method: 'POST',
      url: this.#url(path),
      form,
      ...this.#limits(options),
    })
    if (response.status === 405 || response.status === 501)
      return queryResult(await this.#get(path, fields, options))
    return queryResult(dataOf(response))
  }

  async #get(path: string, query: Record<string, string>, options: CallOptions): Promise<unknown> {
    const url = this.#url(path)
    for (const [key, value] of Object.entries(query)) url.searchParams.set(key, value)
    return dataOf(await this.#http.send({ method: 'GET', url, ...this.#limits(options) }))
  }

  #url(path: string): URL {
    try {
      return new URL(this.#base + path)
    } catch (error) {
      throw failure('client_error', `the address of Prometheus is not a URL: ${this.#base}`, { cause: error })
    }
  }

  #limits({ signal, timeoutMs = this.#timeoutMs }: CallOptions): { signal: AbortSignal; timeoutMs: number } {
    return { signal, timeoutMs }
  }
}

/** @throws PrometheusError for everything but a success */
function dataOf({ status, text }: HttpResponse): unknown {
  let body: unknown
  try {
    body = JSON.parse(text)
  } catch (error) {
    if (status >= 500) throw failure('server_error', `server error: ${status}`, { cause: error })
    if (status >= 400) throw failure('client_error', `client error: ${status}`, { cause: error })
    throw failure('bad_response', 'the answer is not JSON', { cause: error })
  }
  const { status: outcome, data, errorType, error } = (body ?? {}) as Record<string, unknown>
  if (outcome === 'success') return data
  if (outcome === 'error' && typeof errorType === 'string') throw failure(errorType, String(error))
  if (status >= 500) throw failure('server_error', `server error: ${status}`)
  if (status >= 400) throw failure('client_error', `client error: ${status}`)
  throw failure('bad_response', 'the answer is not of Prometheus')
}

function queryResult(data: unknown): QueryResult {
  const { resultType, result } = (data ?? {}) as Record<string, unknown>
  if (resultType === 'scalar' || resultType === 'string') return { resultType, result: [] }
  if ((resultType !== 'vector' && resultType !== 'matrix') || !Array.isArray(result))
    throw failure('bad_response', 'the answer holds no result')
  return { resultType, result: result.map(seriesOf) }
}

function seriesOf(value: unknown): Series {
  const { metric, value: sample, values } = (value ?? {}) as Record<string, unknown>
  const series: Series = { metric: (metric ?? {}) as Record<string, string> }
  if (sample !== undefined) series.value = pointOf(sample)
  if (Array.isArray(values)) series.values = values.map(pointOf)
  return series
}

function pointOf(value: unknown): Point {
  const [time, number] = Array.isArray(value) ? (value as unknown[]) : []
  if (typeof time !== 'number' || typeof number !== 'string')
    throw failure('bad_response', 'a sample is not a time and a text')
  return value as Point
}

function records(data: unknown): Record<string, string>[] {
  if (data === null) return []
  if (!Array.isArray(data)) throw failure('bad_response', 'the answer is not a list')
  return data as Record<string, string>[]
}
