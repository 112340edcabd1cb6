/**
 * Counts and times requests: `ks_server_request_total`, `ks_server_request_duration_seconds`.
 *
 * Labels name a resource only for requests that were allowed, and only so many different ones: whoever may ask
 * for anything must not fill the memory with label values.
 */
import { Counter, Histogram, type Registry } from 'prom-client'
import { type Exchange, type Filter } from '../exchange.js'

const BUCKETS = [
  0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.6, 0.7, 0.8, 0.9, 1, 1.25, 1.5, 1.75, 2, 2.5, 3,
  3.5, 4, 4.5, 5, 6, 7, 8, 9, 10, 15, 20, 25, 30, 40, 50, 60,
]
const KNOWN_LIMIT = 1000
const VERBS = new Set([
  ...['get', 'list', 'watch', 'create', 'update', 'patch', 'delete', 'deletecollection', 'proxy'],
  ...['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'],
])

export function metrics(registry: Registry): Filter {
  const total = new Counter({
    name: 'ks_server_request_total',
    help: '[ALPHA] Counter of ks_server requests broken out for each verb, group, version, resource and HTTP response code.',
    labelNames: ['verb', 'group', 'version', 'resource', 'code'],
    registers: [registry],
  })
  const duration = new Histogram({
    name: 'ks_server_request_duration_seconds',
    help: '[ALPHA] Response latency distribution in seconds for each verb, group, version and resource.',
    labelNames: ['verb', 'group', 'version', 'resource'],
    buckets: BUCKETS,
    registers: [registry],
  })
  const known = new Set<string>()

  function labels({ info, allowed }: Exchange): {
    verb: string
    group: string
    version: string
    resource: string
  } {
    const verb = VERBS.has(info.verb) ? info.verb : ''
    const { apiGroup: group, apiVersion: version, resource } = info
    const key = `${group}/${version}/${resource}`
    if (!allowed || (!known.has(key) && known.size >= KNOWN_LIMIT)) {
      return { verb, group: '', version: '', resource: '' }
    }
    known.add(key)
    return { verb, group, version, resource }
  }

  return {
    name: 'metrics',
    handle(exchange, next) {
      exchange.whenOver(() => {
        const named = labels(exchange)
        total.inc({ ...named, code: exchange.response.statusCode })
        if (!exchange.longRunning) {
          duration.observe(named, (performance.now() - exchange.startedAt) / 1000)
        }
      })
      return next()
    },
  }
}
