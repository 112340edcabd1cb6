import { expect, it } from 'vitest'
import { type MeteringOptions, meteringRoutes } from './metering.js'

const answer = (priceInfo: Partial<MeteringOptions['billing']['priceInfo']>, retentionDay = ''): unknown => {
  const none = {
    cpuPerCorePerHour: 0,
    memPerGigabytesPerHour: 0,
    ingressNetworkTrafficPerMegabytesPerHour: 0,
    egressNetworkTrafficPerMegabytesPerHour: 0,
    pvcPerGigabytesPerHour: 0,
    currencyUnit: '',
  }
  const [price] = meteringRoutes({ retentionDay, billing: { priceInfo: { ...none, ...priceInfo } } })
  return price?.handle({} as never)
}

it('names the prices that are configured, and none that are not', () => {
  expect(answer({})).toEqual({ retention_day: '7d', currency: '' })
  expect(answer({ cpuPerCorePerHour: 1.5, pvcPerGigabytesPerHour: 2, currencyUnit: 'CNY' }, '30d')).toEqual({
    retention_day: '30d',
    currency: 'CNY',
    cpu_per_core_per_hour: 1.5,
    pvc_per_gigabytes_per_hour: 2,
  })
})
