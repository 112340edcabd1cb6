/** Metrics as clients get them. Seven texts are always there; only metering fills them. */
import { type Point, type QueryResult, type Series } from '../integrations/prometheus/types.js'

export interface AnsweredSeries {
  metric?: Record<string, string>
  value?: Point
  values?: Point[]
  min_value: string
  max_value: string
  avg_value: string
  sum_value: string
  fee: string
  resource_unit: string
  currency_unit: string
}

export interface MetricData {
  resultType?: 'vector' | 'matrix'
  result?: AnsweredSeries[]
}

export interface Metric {
  metric_name?: string
  data: MetricData
  error?: string
}

export interface Metrics {
  /** Null when nothing ran. */
  results: Metric[] | null
  page?: number
  total_page?: number
  total_item?: number
}

export const UNCHARGED = {
  min_value: '',
  max_value: '',
  avg_value: '',
  sum_value: '',
  fee: '',
  resource_unit: '',
  currency_unit: '',
} as const

/** A scalar or a text counts as a vector of nothing. */
export function dataOf({ resultType, result }: QueryResult): MetricData {
  return {
    resultType: resultType === 'matrix' ? 'matrix' : 'vector',
    ...(result.length > 0 && {
      result: result.map(answeredSeries),
    }),
  }
}

/** Written field by field: a page of a console is twelve thousand of these, and spreading objects takes ten times as long. */
function answeredSeries({ metric, value, values }: Series): AnsweredSeries {
  const series = {} as AnsweredSeries
  for (const _ in metric) {
    series.metric = metric
    break
  }
  if (value) series.value = pointOf(value)
  if (values && values.length > 0) series.values = values.map(pointOf)
  series.min_value = ''
  series.max_value = ''
  series.avg_value = ''
  series.sum_value = ''
  series.fee = ''
  series.resource_unit = ''
  series.currency_unit = ''
  return series
}

/** A number that was counted here. */
export function counted(name: string, count: number, now: Date): Metric {
  const value: Point = [Math.floor(now.getTime() / 1_000), String(count)]
  return { metric_name: name, data: { resultType: 'vector', result: [{ value, ...UNCHARGED }] } }
}

function pointOf([time, number]: Point): Point {
  return [Math.round(time * 1_000) / 1_000, plainNumber(number)]
}

/** Never with an exponent. */
export function plainNumber(text: string): string {
  if (!text.includes('e') && !text.includes('E')) return text
  const match = /^([+-]?)(\d+)(?:\.(\d*))?[eE]([+-]?\d{1,3})$/.exec(text)
  if (!match) return text
  const [, sign = '', whole = '', fraction = '', exponent = '0'] = match
  const point = whole.length + Number(exponent)
  const digits = whole + fraction
  const padded = point > digits.length ? digits.padEnd(point, '0') : digits
  const before = point > 0 ? padded.slice(0, point) : '0'
  const after = (point > 0 ? padded.slice(point) : '0'.repeat(-point) + digits).replace(/0+$/, '')
  const trimmed = before.replace(/^0+(?=\d)/, '')
  return (sign === '-' ? '-' : '') + trimmed + (after === '' ? '' : `.${after}`)
}
