/**
 * The platform's request handler: every request passes this list of filters, top to bottom.
 *
 * Who builds it hands over everything that it talks to; it starts no work and opens nothing by itself.
 */
import { Gauge, type Registry } from 'prom-client'
import { type Authenticator } from '../authentication/interface.js'
import { type Authorizer } from '../authorization/interface.js'
import { type Transport } from '../client/transport.js'
import { type BodyLimits } from './body.js'
import { compose, type Handler } from './chain.js'
import { everyRoute } from './everyroute.js'
import { type Filter } from './exchange.js'
import { explain, type Explained, type Question } from './explain.js'
import { audit, type AuditOptions } from './filters/audit.js'
import { authentication } from './filters/authentication.js'
import { authorization, type PathRule, PATH_RULES, ruleFor } from './filters/authorization.js'
import { clusterDispatch, type ClusterDispatcher } from './filters/clusterdispatch.js'
import { kubernetesGuard } from './filters/kubernetesguard.js'
import { kubernetesProxy } from './filters/kubernetesproxy.js'
import { metrics } from './filters/metrics.js'
import { overload, type OverloadLimits } from './filters/overload.js'
import { requestInfo } from './filters/requestinfo.js'
import { requestLog } from './filters/requestlog.js'
import { PolicyTable } from './guard/policy.js'
import { type Logger } from './log.js'
import { type RequestInfoOptions } from './requestinfo.js'
import { type ApiGroup } from './route.js'
import { createRouter, type Router } from './router.js'

export interface PlatformOptions extends RequestInfoOptions {
  authenticator: Authenticator
  authorizer: Authorizer
  upstream: Transport
  /** For explain and the log: `https://10.0.0.1:6443`, `embedded`. */
  upstreamName?: string
  /** All of them, the server's own (`systemGroups`, `explainGroup`) included. */
  groups: readonly ApiGroup[]
  /** Where the request metrics are registered. */
  metrics: Registry
  logger: Logger
  /** Whoever is told of requests. */
  audit?: readonly AuditOptions[]
  clusters?: ClusterDispatcher
  /** What requests for the Kubernetes API are held to beyond authorization. */
  policies?: PolicyTable
  pathRules?: readonly PathRule[]
  bodyLimits?: BodyLimits
  overload?: Partial<OverloadLimits>
  /** Between 0 and 1; at nearly 1 requests are refused. */
  memoryUsed?: () => number
}

export interface PlatformHandler {
  handle: Handler
  readonly filters: readonly Filter[]
  readonly router: Router
  explain(question: Question): Promise<Explained>
}

/** @throws Error when routes collide, or a route's access is not what the path rules say */
export function createPlatformHandler(options: PlatformOptions): PlatformHandler {
  const { authenticator, authorizer, upstream, upstreamName = 'embedded', logger } = options
  const { groups, pathRules = PATH_RULES } = options
  checkAccess(groups, pathRules)
  const router = createRouter({
    groups,
    logger,
    ...(options.bodyLimits && { limits: options.bodyLimits }),
  })
  const filters: readonly Filter[] = [
    requestLog(logger),
    metrics(options.metrics),
    requestInfo(options),
    authentication(authenticator),
    overload({
      logger,
      limits: options.overload,
      running: new Gauge({
        name: 'ks_server_requests_in_flight',
        help: 'Requests worked on now; watches and tunnels not counted.',
        registers: [options.metrics],
      }),
      ...(options.memoryUsed && { memoryUsed: options.memoryUsed }),
    }),
    clusterDispatch(options.clusters),
    authorization(authorizer, pathRules),
    audit(options.audit ?? []),
    kubernetesGuard({ policies: options.policies ?? new PolicyTable(), upstream, logger }),
    kubernetesProxy({ upstream, upstreamName, logger }),
    apiGroups(router),
  ]
  return {
    handle: compose(filters),
    filters,
    router,
    explain: (question) => explain(filters, question),
  }
}

/** What a route declares must be what the filter does: nothing is public by an accident of its path. */
function checkAccess(groups: readonly ApiGroup[], rules: readonly PathRule[]): void {
  for (const { route, example } of everyRoute(groups)) {
    const rule = ruleFor(rules, example)
    const given = !rule ? 'authorized' : rule.who === 'anyone' ? 'public' : 'authenticated'
    if (route.access !== given) {
      throw new Error(`route ${route.method} ${example} declares access ${route.access}, but is ${given}`)
    }
  }
}

/** The innermost filter: always answers. */
function apiGroups(router: Router): Filter {
  return {
    name: 'api groups',
    handle: (exchange) => router.handle(exchange),
    async explain(exchange) {
      const found = router.match(exchange)
      if (!found) return { outcome: 'answers', summary: 'no route: 404 or 405' }
      const { group, route } = found
      const path = group.root + route.path
      return {
        outcome: 'answers',
        summary: `${route.method} ${path}: ${route.summary}`,
        detail: { group: group.title, method: route.method, path, access: route.access },
      }
    },
  }
}
