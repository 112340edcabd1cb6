/** Consumption as a file of comma-separated values: per series a summary, then its points. */
import { type Metrics } from '../answer.js'
import { type Times } from '../parameters.js'

export function exported({ results }: Metrics, times: Times): string {
  const blocks = (results ?? []).flatMap(({ metric_name: name = '', data }) =>
    (data.result ?? []).map((series) => {
      const selector = Object.entries(series.metric ?? {})
        .map(([label, value]) => `${label}=${value}`)
        .sort()
        .join('|')
      const {
        min_value: min,
        max_value: max,
        avg_value: avg,
        sum_value: sum,
        fee,
        currency_unit: currency,
      } = series
      const [start, end] = times.kind === 'range' ? [goTime(times.start), goTime(times.end)] : [NEVER, NEVER]
      const rows = (series.values ?? []).map(([time, value]) =>
        row([name, selector, clock(time), value, series.resource_unit]),
      )
      return [
        '',
        'metric_name,selector,start_time,end_time,min,max,avg,sum,fee, currency_unit',
        row([name, selector, start, end, min, max, avg, sum, fee, currency]),
        '',
        'metric_name,selector,time,value,unit',
        ...rows,
        '',
      ].join('\n')
    }),
  )
  return blocks.length === 0 ? 'no data' : blocks.join('')
}

const NEVER = '0001-01-01 00:00:00 +0000 UTC'

function row(fields: readonly string[]): string {
  return fields
    .map((field) => (/[",\n\r]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field))
    .join(',')
}

/** `2021-09-01 08:00:00 +0800 +0800`, in the time zone of the server; only UTC is named. */
function goTime(seconds: number): string {
  const { date, time, at } = local(seconds)
  const minutes = -at.getTimezoneOffset()
  const zone = `${minutes < 0 ? '-' : '+'}${two(Math.floor(Math.abs(minutes) / 60))}${two(Math.abs(minutes) % 60)}`
  return `${date} ${time} ${zone} ${minutes === 0 ? 'UTC' : zone}`
}

/** `2021-09-01 08:00:00 AM`. */
function clock(seconds: number): string {
  const { date, at } = local(seconds)
  const hours = at.getHours()
  const time = `${two(hours % 12 || 12)}:${two(at.getMinutes())}:${two(at.getSeconds())}`
  return `${date} ${time} ${hours < 12 ? 'AM' : 'PM'}`
}

function local(seconds: number): { date: string; time: string; at: Date } {
  const at = new Date(seconds * 1_000)
  return {
    date: `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`,
    time: `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`,
    at,
  }
}

function two(value: number): string {
  return String(value).padStart(2, '0')
}
