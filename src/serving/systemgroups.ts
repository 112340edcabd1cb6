/** What the server tells about itself: health, version, metrics, documentation. */
import { type Registry } from 'prom-client'
import { APIDOCS_PAGE } from './apidocs.js'
import { type Health, healthRoutes } from './health.js'
import { type ApiGroup, Reply, route, type Route } from './route.js'

export interface SystemGroupsOptions {
  health: Health
  /** The body of `/kapis/version`. Must not wait long for the Kubernetes API: probes use it. */
  version: (signal: AbortSignal) => unknown
  metrics: Registry
  /** The OpenAPI document; asked for once. */
  document: () => unknown
}

const PAGE = {
  'Content-Type': 'text/html; charset=utf-8',
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
  'Content-Security-Policy':
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; connect-src 'self'; form-action 'none'",
}

export function systemGroups({ health, version, metrics, document }: SystemGroupsOptions): ApiGroup[] {
  let written: string | undefined
  return [
    {
      root: '',
      title: 'Server',
      errors: 'text',
      routes: [
        ...healthRoutes(health),
        metricsRoute(metrics),
        route({
          method: 'GET',
          path: '/apidocs',
          summary: 'The browsable documentation of this API.',
          access: 'public',
          produces: ['text/html'],
          handle: () => new Reply(200, PAGE, APIDOCS_PAGE),
        }),
        route({
          method: 'GET',
          path: '/apidocs/openapi.json',
          summary: 'This API as an OpenAPI document.',
          access: 'authenticated',
          handle: () =>
            new Reply(200, { 'Content-Type': 'application/json' }, (written ??= JSON.stringify(document()))),
        }),
      ],
    },
    {
      root: '/kapis',
      title: 'Server',
      errors: 'text',
      routes: [
        route({
          method: 'GET',
          path: '/version',
          summary: 'Versions of this server and of the Kubernetes API behind it.',
          access: 'public',
          handle: ({ signal }) => version(signal),
        }),
        metricsRoute(metrics),
      ],
    },
  ]
}

function metricsRoute(registry: Registry): Route {
  return route({
    method: 'GET',
    path: '/metrics',
    summary: 'Metrics in the Prometheus text format.',
    access: 'public',
    produces: ['*/*'],
    handle: async () => new Reply(200, { 'Content-Type': registry.contentType }, await registry.metrics()),
  })
}
