/** Stands where a Prometheus would be: every question is answered with why there is no answer. */
import { failure, type Prometheus } from './types.js'

export function unconfigured(): Prometheus {
  const refuse = (): Promise<never> =>
    Promise.reject(failure('unavailable', 'no Prometheus is configured (monitoring.endpoint)'))
  return { query: refuse, queryRange: refuse, targetMetadata: refuse, series: refuse }
}
