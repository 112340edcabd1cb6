/** Assembles alerting.kubesphere.io/v2alpha1. */
import { badRequest } from '../../../apimachinery/errors/index.js'
import { type ApiGroup, type HttpMethod, route, type Route } from '../../../serving/route.js'
import { type AlertingDeps } from './deps.js'
import { readRoutes } from './reads.js'
import { writeRoutes } from './writes.js'

export { type AlertingDeps } from './deps.js'

const METHODS: readonly HttpMethod[] = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE']

export function alertingGroup(deps: AlertingDeps): ApiGroup {
  const routes = [...readRoutes(deps), ...writeRoutes(deps)]
  return {
    root: '/kapis/alerting.kubesphere.io/v2alpha1',
    title: 'Alerting rules and alerts',
    errors: 'text',
    routes: deps.enabled ? routes : [...routes.map(refusing), ...METHODS.map(refusingAll)],
  }
}

function refuse(): never {
  throw badRequest('The alerting v2 API is not enabled')
}

/** Authorized as ever, and then refused whatever the body. */
function refusing({ method, path, summary, access }: Route): Route {
  return route({ method, path, summary, access, consumes: ['*/*'], handle: refuse })
}

/** Every other path too, so that clients tell "not set up" from "not known". */
function refusingAll(method: HttpMethod): Route {
  return refusing({
    method,
    path: '/{path:*}',
    summary: 'Alerting has no backend.',
    access: 'authorized',
    handle: refuse,
  })
}
