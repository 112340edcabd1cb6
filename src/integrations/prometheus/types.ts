/** What Prometheus answers, as its HTTP API words it. */

/** Seconds, with milliseconds as decimals, and the number as text. */
export type Point = [number, string]

export interface Series {
  metric: Record<string, string>
  /** Of an instant query. */
  value?: Point
  /** Of a range query. */
  values?: Point[]
}

export interface QueryResult {
  resultType: 'vector' | 'matrix' | 'scalar' | 'string'
  result: Series[]
}

/** Seconds since 1970. */
export interface Range {
  start: number
  end: number
  /** Seconds. */
  step: number
}

export interface MetricMetadata {
  metric: string
  type: string
  help: string
}

export type PrometheusErrorType =
  | 'bad_data'
  | 'execution'
  | 'timeout'
  | 'canceled'
  | 'internal'
  | 'unavailable'
  | 'not_found'
  | 'server_error'
  | 'client_error'
  | 'bad_response'

/** The message is for the client of the API: `<type>: <text>`, or what went wrong on the way. */
export class PrometheusError extends Error {
  override readonly name = 'PrometheusError'
}

export function failure(type: string, text: string, options?: ErrorOptions): PrometheusError {
  return new PrometheusError(`${type}: ${text}`, options)
}

export interface CallOptions {
  signal: AbortSignal
  /** Default: that of the client. */
  timeoutMs?: number
}

/** Every method throws PrometheusError, or the signal's reason. */
export interface Prometheus {
  query(expression: string, time: number, options: CallOptions): Promise<QueryResult>
  queryRange(expression: string, range: Range, options: CallOptions): Promise<QueryResult>
  /** @param match a selector of targets; empty: all */
  targetMetadata(match: string, options: CallOptions): Promise<MetricMetadata[]>
  series(
    match: string,
    times: { start: number; end: number },
    options: CallOptions,
  ): Promise<Record<string, string>[]>
}
