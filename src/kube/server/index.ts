/**
 * The embedded Kubernetes API server: put together here, and nowhere else.
 *
 * It owns no socket and no policy. Requests come in through `transport` (in this process) or through the
 * listeners of `listener.ts`; who asks and who may is decided by what is passed in.
 */
import { type Dispatched, type ResponseSink, type Transport } from '../../client/transport.js'
import { type Clock, systemClock } from '../registry/clock.js'
import { type Foreign, NO_FOREIGN } from '../aggregator/types.js'
import { type Definition, Definitions } from '../../apimachinery/schema/index.js'
import { fieldTracker } from '../registry/fields.js'
import { type Random, systemRandom } from '../registry/random.js'
import { Registry } from '../registry/store.js'
import { type AdmissionPlugin, type Catalogue } from '../registry/strategy.js'
import { Watches } from '../registry/watches.js'
import { type Storage } from '../storage/interface.js'
import { type Api } from './api.js'
import { chain, type Filter } from './chain.js'
import { discoveryPaths } from './discovery/index.js'
import { dispatcher } from './dispatch.js'
import { documentPaths, type Documents } from './documents.js'
import { Exchange, type ServerRequest } from './exchange.js'
import { auditFilter } from './filters/audit.js'
import { authenticationFilter } from './filters/authentication.js'
import { authorizationFilter } from './filters/authorization.js'
import { impersonationFilter } from './filters/impersonation.js'
import { DEFAULT_LIMITS, type InFlightLimits, inFlightFilter } from './filters/inflight.js'
import { panicFilter } from './filters/panic.js'
import { requestInfoFilter } from './filters/requestinfo.js'
import { timeoutFilter } from './filters/timeout.js'
import { healthPaths } from './health.js'
import {
  type Audit,
  type Authenticate,
  type Authorize,
  type HealthCheck,
  type Logger,
  SILENT,
  type VersionInfo,
} from './interfaces.js'
import { openApiPaths } from './openapi/index.js'
import { podActions } from './resources/pods.js'
import { inProcessTransport } from './transport.js'

export interface KubeServerOptions {
  storage: Storage
  catalogue: Catalogue
  authenticate: Authenticate
  authorize: Authorize
  admission: readonly AdmissionPlugin[]
  version: VersionInfo
  clock?: Clock
  random?: Random
  logger?: Logger
  /** Checks of `/readyz` and `/livez`; called per request, so they must be quick. */
  health?: readonly HealthCheck[]
  audit?: Audit
  limits?: InFlightLimits
  /** Keeps managedFields; without them there is no server-side apply. */
  ownsFields?: boolean
  /** Published OpenAPI v2 definitions of the built-in kinds: merge keys, `/openapi`. */
  definitions?: Readonly<Record<string, Definition>>
  /** More paths with a fixed answer: `/openid/v1/jwks`, `/metrics`. */
  documents?: Documents
  /** What `/api` tells clients of the address; `host:port`. */
  serverAddress?: string
  /** `serviceaccounts/token` and the like, where a definition has no function of its own. */
  subresources?: Api['subresources']
  /** Run last, with the user known and allowed: faults for tests. */
  filters?: readonly Filter[]
  /** `pods/log` and the like; may be filled later. */
  connections?: Api['connections']
  /** API servers registered with this one. */
  foreign?: Foreign & { serve: Api['elsewhere'] }
  /** `tokenreviews.authentication.k8s.io` and the like, likewise. */
  reviews?: Api['reviews']
}

export interface KubeServer {
  /** In this process; the request's `user` is trusted, without one it is authenticated like any other. */
  transport: Transport
  /** How listeners hand a request in. */
  handle: (request: ServerRequest, sink: ResponseSink) => Dispatched
  registry: Registry
  /** Open watches. */
  readonly watches: number
  /** Names of the filters, in order. */
  readonly filters: readonly string[]
  /** Ends all watches cleanly. Requests that come later are still answered. */
  drain(): void
}

export function createKubeServer(options: KubeServerOptions): KubeServer {
  const { storage, catalogue, admission, authenticate, authorize } = options
  const clock = options.clock ?? systemClock
  const random = options.random ?? systemRandom
  const logger = options.logger ?? SILENT
  const definitions = options.definitions ?? {}
  const schemas = new Definitions(definitions)
  const registry = new Registry({
    storage,
    catalogue,
    admission,
    clock,
    random,
    ...(options.ownsFields && { fields: fieldTracker(schemas) }),
  })
  const watches = new Watches({ storage, catalogue, clock })
  const { bind, evict } = podActions(registry, catalogue)
  const api: Api = {
    storage,
    catalogue,
    registry,
    watches,
    clock,
    random,
    logger,
    patchSchema: (name) => (name in definitions ? schemas.patchSchema(name) : undefined),
    subresources: { 'pods/binding': bind, 'pods/eviction': evict, ...options.subresources },
    connections: options.connections ?? {},
    elsewhere: (exchange) => options.foreign?.serve(exchange) ?? false,
    reviews: {
      // The older way to bind: the pod is named in the body.
      'bindings.': (object, context, namespace) =>
        bind(undefined, object, { namespace, name: object.metadata.name ?? '' }, context),
      ...options.reviews,
    },
  }
  const filters: Filter[] = [
    panicFilter(logger),
    requestInfoFilter,
    timeoutFilter(clock),
    authenticationFilter(authenticate),
    auditFilter(options.audit, clock),
    impersonationFilter(authorize),
    inFlightFilter(options.limits ?? DEFAULT_LIMITS),
    authorizationFilter(authorize),
    ...(options.filters ?? []),
  ]
  const foreign = options.foreign ?? NO_FOREIGN
  const paths = [
    healthPaths(options.health ?? [], logger),
    documentPaths(options.version, catalogue, options.documents ?? {}),
    openApiPaths(catalogue, definitions, options.version, foreign),
    discoveryPaths(catalogue, options.serverAddress ?? '127.0.0.1:6443', foreign),
  ]
  const serve = chain(filters, dispatcher(api, paths))

  function handle(request: ServerRequest, sink: ResponseSink): Dispatched {
    const exchange = new Exchange(request, sink, random.uuid())
    // Not before the caller holds what is returned here.
    Promise.resolve(exchange)
      .then(serve)
      .catch((error: unknown) => {
        logger.error({ requestId: exchange.id, error }, 'request broke off')
        exchange.fail(error instanceof Error ? error : new Error(String(error)))
      })
    return { abort: () => exchange.abort(), resume: () => exchange.resume() }
  }

  return {
    transport: inProcessTransport(handle),
    handle,
    registry,
    get watches() {
      return watches.size
    },
    filters: filters.map(({ name }) => name),
    drain: () => watches.end(),
  }
}
