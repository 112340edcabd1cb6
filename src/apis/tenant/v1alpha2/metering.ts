/** What consumption costs, as the configuration says. Consumption itself is measured elsewhere. */
import { type Options } from '../../../configuration/options.js'
import { route, type Route } from '../../../serving/route.js'

export type MeteringOptions = Options['metering']

const RETENTION = '7d'

export function meteringRoutes({ retentionDay, billing }: MeteringOptions): Route[] {
  const { currencyUnit, ...prices } = billing.priceInfo
  const priced = Object.entries(prices).filter(([, price]) => price !== 0)
  const answer = {
    retention_day: retentionDay || RETENTION,
    currency: currencyUnit,
    ...Object.fromEntries(priced.map(([unit, price]) => [snakeCase(unit), price])),
  }
  return [
    route({
      method: 'GET',
      path: '/metering/price',
      summary: 'Prices of what is consumed, and how long measurements are kept.',
      access: 'authorized',
      handle: () => answer,
    }),
  ]
}

/** `cpuPerCorePerHour` → `cpu_per_core_per_hour`. */
function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
}
