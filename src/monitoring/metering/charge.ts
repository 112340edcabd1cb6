/** Sums up what was consumed, and what it costs. */
import { type Options } from '../../configuration/options.js'
import { type AnsweredSeries, type Metric } from '../answer.js'
import { amount, grouped } from './sampling.js'

export type PriceInfo = Options['metering']['billing']['priceInfo']

const GIGABYTE = 2 ** 30
const MEGABYTE = 2 ** 20

/** @param hours that a point of the answer stands for */
export function charged(metric: Metric, hours: number, prices: PriceInfo): Metric {
  const { result } = metric.data
  if (!result) return metric
  const tariff = tariffOf(metric.metric_name ?? '', prices)
  return {
    ...metric,
    data: { ...metric.data, result: result.map((series) => chargedSeries(series, hours, tariff)) },
  }
}

interface Tariff {
  resourceUnit: 'cores' | 'bytes'
  currency: string
  /** Of one unit as it is measured. */
  price: number
}

function tariffOf(name: string, prices: PriceInfo): Tariff {
  const currency = prices.currencyUnit
  const bytes = (price: number, per: number): Tariff => ({
    resourceUnit: 'bytes',
    currency,
    price: price / per,
  })
  if (name.includes('_cpu_')) return { resourceUnit: 'cores', currency, price: prices.cpuPerCorePerHour }
  if (name.includes('_memory_')) return bytes(prices.memPerGigabytesPerHour, GIGABYTE)
  if (name.endsWith('_received')) return bytes(prices.ingressNetworkTrafficPerMegabytesPerHour, MEGABYTE)
  if (name.endsWith('_transmitted')) return bytes(prices.egressNetworkTrafficPerMegabytesPerHour, MEGABYTE)
  return bytes(prices.pvcPerGigabytesPerHour, GIGABYTE)
}

function chargedSeries(series: AnsweredSeries, hours: number, tariff: Tariff): AnsweredSeries {
  const points = series.values ?? (series.value ? [series.value] : [])
  const amounts = points.map(([, value]) => amount(value))
  const { resourceUnit, currency, price } = tariff
  const units = { resource_unit: resourceUnit, currency_unit: currency }
  if (amounts.length === 0) return { ...series, ...units }
  const sum = amounts.reduce((total, one) => total + one, 0)
  return {
    ...series,
    ...(series.values && { values: grouped(series.values, hours) }),
    min_value: decimals(amounts.reduce((a, b) => Math.min(a, b))),
    max_value: decimals(amounts.reduce((a, b) => Math.max(a, b))),
    avg_value: decimals(sum / amounts.length),
    sum_value: decimals(sum),
    fee: fixed(sum * price, 3),
    ...units,
  }
}

const decimals = (value: number): string => fixed(value, 10)

/** Also beyond 10^21, where numbers print themselves with an exponent. */
function fixed(value: number, digits: number): string {
  return Math.abs(value) < 1e21 ? value.toFixed(digits) : `${BigInt(value)}.${'0'.repeat(digits)}`
}
