/**
 * Composes the platform's API server over a transport to a Kubernetes API. It does not know, and must not, whether
 * that API is embedded or a cluster.
 */
import { collectDefaultMetrics, Registry } from 'prom-client'
import { ANONYMOUS, type UserInfo } from '../apimachinery/meta/types.js'
import { alertingGroup } from '../apis/alerting/v2alpha1/index.js'
import { ruleGroupsGroup } from '../apis/alerting/v2beta1/index.js'
import { configGroup } from '../apis/config/index.js'
import { iamGroup } from '../apis/iam/v1alpha2/index.js'
import { notificationGroups, type Verifier } from '../apis/notification/index.js'
import { oauthGroup } from '../apis/oauth/index.js'
import { tenantGroup } from '../apis/tenant/v1alpha2/index.js'
import { tenantGroupV1alpha3 } from '../apis/tenant/v1alpha3/index.js'
import { meteringGroup } from '../apis/metering/v1alpha1/index.js'
import { monitoringGroup } from '../apis/monitoring/v1alpha3/index.js'
import { resourcesV2Group } from '../apis/resources/v1alpha2/index.js'
import { createKindStores, resourcesGroup } from '../apis/resources/v1alpha3/index.js'
import { type Passwords } from '../authentication/passwords.js'
import { createAuthentication } from '../authentication/index.js'
import { MemoryTokenStore } from '../authentication/tokens/memory-store.js'
import { RedisTokenStore } from '../authentication/tokens/redis-store.js'
import { type TokenStore } from '../authentication/tokens/store.js'
import { createAuthorization } from '../authorization/index.js'
import { type Rights } from '../authorization/rights.js'
import { type InformerSet } from '../client/cache/interface.js'
import { type Loading } from '../client/gate.js'
import { RestClient } from '../client/rest.js'
import { type Transport } from '../client/transport.js'
import { type Webhook } from '../apimachinery/admission/index.js'
import { platformWebhooks } from '../admission/index.js'
import { type Options } from '../configuration/options.js'
import { createAlerting } from './alerting.js'
import { createAuditing } from './auditing.js'
import type { Frames } from '../monitoring/sampling/frames.js'
import { createMonitoring } from './monitoring.js'
import { type RecordStore, type RecordStores } from '../integrations/records/interface.js'
import { accessLog } from '../serving/accesslog.js'
import { everyRoute } from '../serving/everyroute.js'
import { explainGroup } from '../serving/explain.js'
import { type Health } from '../serving/health.js'
import { type OverloadLimits } from '../serving/filters/overload.js'
import { type Logger } from '../serving/log.js'
import { RemoteVerifier } from '../notification/remoteverifier.js'
import { openApiDocument } from '../serving/openapi.js'
import { createPlatformHandler, type PlatformHandler } from '../serving/platform.js'
import { type ApiGroup } from '../serving/route.js'
import { systemGroups } from '../serving/systemgroups.js'
import { createPolicies } from '../guard/index.js'
import { AccountRules } from '../tenancy/accounts/rules.js'
import { Membership } from '../tenancy/membership.js'
import { tenancyResources } from '../tenancy/resources.js'
import { memoryMeter } from './memory.js'
import { ServedVersions } from './servedversions.js'
import { VersionReport } from './versionreport.js'

export interface PlatformDeps {
  options: Options
  /** Speaks to the Kubernetes API with the server's own rights. */
  upstream: Transport
  /** For explain and logs: `embedded`, `https://10.0.0.1:6443`. */
  upstreamName: string
  informers: InformerSet
  /** Being installed by this process: nobody is told that they may not before it is there. */
  firstData?: Loading
  logger: Logger
  overload?: Partial<OverloadLimits>
  /** Sends test messages. Default: the notification manager that is configured. */
  verifier?: Verifier
  /** Where log lines, Events and audit events can be searched. */
  records?: Partial<RecordStores>
  /** Where audit events are kept. Default: wherever the receiver of the webhook keeps them. */
  auditArchive?: RecordStore | undefined
  /** Where samples of the cluster are kept while there is no Prometheus. Default: none are taken. */
  samples?: Frames | undefined
  /** Whether clients are told of records that have no host. */
  showsRecords?: boolean
}

export interface Platform {
  handler: PlatformHandler
  groups: readonly ApiGroup[]
  /** To be asked before writes are stored. */
  webhooks: readonly Webhook[]
  /** One queue of hashes for logins and for the user controller. */
  passwords: Passwords
  /** What roles and bindings say that users may do, whatever the mode. */
  roleRights: Rights
  /** What `/metrics` shows; parts beside the platform add theirs. */
  metrics: Registry
  close(): Promise<void>
}

export function createPlatform(deps: PlatformDeps): Platform {
  const { options, upstream, informers, logger } = deps
  const now = (): Date => new Date()
  const metrics = new Registry()
  collectDefaultMetrics({ register: metrics })

  const authentication = createAuthentication({
    options: options.authentication,
    informers,
    create: (_, record) => resources.loginRecords.create(record),
    createUser(user, signal) {
      rules.demandUnclaimed(ANONYMOUS, user.metadata.name ?? '')
      return resources.users.create(user, { signal })
    },
    store: tokenStore(options, logger),
    logger,
  })
  const authorization = createAuthorization({
    mode: options.authorization.mode,
    opaEndpoint: options.authorization.opaEndpoint,
    informers,
    ...(deps.firstData && { first: [deps.firstData] }),
    logger,
  })
  const served = new ServedVersions(upstream, logger)
  const stores = createKindStores({
    informers,
    serves: (resource) => served.has(resource),
    now,
  })
  let closed = false
  // Lists of these would otherwise make the first request wait. What logins and decisions need comes first: beside
  // 50,000 pods it is read later.
  void Promise.allSettled([served.refresh(), authorization.pending()]).then(() => {
    if (!closed) stores.start()
  })

  const users = informers.informer({ group: 'iam.kubesphere.io', version: 'v1alpha2', resource: 'users' })
  const client = new RestClient({ transport: upstream })
  const resources = tenancyResources(informers, client)
  const { book, rights } = authorization
  const monitoring = createMonitoring({
    options,
    resources,
    informers,
    client,
    stores,
    samples: deps.samples,
    logger,
    now,
  })
  const tenantDeps = {
    consumption: { ...monitoring, now },
    resources,
    stores,
    book,
    rights,
    metering: options.metering,
    records: deps.records ?? {},
    exportLogsLimit: options.logging.exportLogsLimit,
  }
  const membership = new Membership({ resources, book })
  const rules = new AccountRules({ rights, book, membership })
  const version = new VersionReport(upstream)
  const alerting = createAlerting({ options, resources, informers, client, stores, now })
  const auditing = createAuditing({
    options,
    informers,
    archive: deps.auditArchive,
    metrics,
    logger,
  })
  const groups: ApiGroup[] = [
    ...systemGroups({
      health: healthOf(informers, users, deps.firstData),
      version: (signal) => version.read(signal),
      metrics,
      document: () => openApiDocument(groups, { title: 'Orrery', version: version.product }),
    }),
    configGroup({
      options,
      keepsRecords: deps.showsRecords,
      identityProviders: authentication.identityProviders,
    }),
    oauthGroup({
      issuer: options.authentication.oauthOptions.issuer,
      users: authentication.users,
      login: authentication.login,
      identityProviders: authentication.identityProviders,
      sessions: authentication.sessions,
      clients: authentication.clients,
      keys: authentication.keys,
    }),
    iamGroup({
      resources,
      stores,
      book: authorization.book,
      rights: authorization.rights,
      membership,
      users: authentication.users,
      passwords: authentication.passwords,
      attempts: authentication.attempts,
      userLists: options.authorization.userLists,
      sessions: authentication.sessions,
      now,
    }),
    tenantGroup(tenantDeps),
    tenantGroupV1alpha3(tenantDeps),
    ...notificationGroups({
      informers,
      client,
      stores,
      verifier: deps.verifier ?? new RemoteVerifier(options.notification.endpoint, logger),
    }),
    resourcesGroup(stores),
    resourcesV2Group({ client, resources, rights, master: options.kubernetes.master }),
    monitoringGroup({ ...monitoring, resources, now }),
    meteringGroup({ ...monitoring, now }),
    alertingGroup(alerting),
    ruleGroupsGroup(alerting.ruleGroups),
    explainGroup({
      filters: () => handler.filters,
      identify: (name) => identify(authentication.users.get(name)),
    }),
  ]
  const handler = createPlatformHandler({
    authenticator: authentication.authenticator,
    authorizer: authorization.authorizer,
    upstream,
    upstreamName: deps.upstreamName,
    audit: [accessLog(logger), ...auditing.recipients],
    policies: createPolicies({
      resources,
      rights,
      book,
      membership,
      passwords: authentication.passwords,
      userLists: options.authorization.userLists,
      now,
    }),
    groups,
    metrics,
    logger,
    memoryUsed: memoryMeter(),
    ...(deps.overload && { overload: deps.overload }),
  })
  logger.debug({ routes: everyRoute(groups).length }, 'routes declared')
  return {
    handler,
    groups,
    webhooks: platformWebhooks({
      users: authentication.users,
      informers,
      client,
      checksNamespaceQuotas: true,
    }),
    passwords: authentication.passwords,
    roleRights: authorization.roleRights,
    metrics,
    async close() {
      closed = true
      served.stop()
      await monitoring.close()
      alerting.close()
      await auditing.close()
      authorization.stop()
      await authentication.close()
    },
  }
}

/** The user as a login would know it. */
function identify(user: { name: string; groups: readonly string[] } | undefined): UserInfo | undefined {
  return user && { name: user.name, groups: [...user.groups, 'system:authenticated'] }
}

/** Redis when it is configured, in the form of v3.2 or of v3.4; otherwise memory. */
function tokenStore({ redis, cache }: Options, logger: Logger): TokenStore {
  if (redis.host !== '') return new RedisTokenStore(redis, logger)
  if (cache.type === 'redis') {
    const { host, port, password, db } = cache.options
    return new RedisTokenStore(
      {
        host: String(host),
        port: Number(port),
        password: typeof password === 'string' ? password : '',
        db: Number(db ?? 0),
      },
      logger,
    )
  }
  return new MemoryTokenStore(Date.now)
}

const USERS = 'users.iam.kubesphere.io'

/** Ready once users can log in; everything else that is missing is only named. */
function healthOf(informers: InformerSet, users: { synced: boolean }, firstData?: Loading): Health {
  return {
    live: [],
    ready: [
      {
        name: 'users',
        check() {
          if (!users.synced) throw new Error('the list of users has not been read yet')
          const ours = [...informers.status()].find(({ resource }) => resource === USERS)
          if (ours?.state === 'absent') throw new Error(`the Kubernetes API does not serve ${USERS}`)
        },
      },
      {
        name: 'first-data',
        check() {
          if (firstData?.synced === false) throw new Error('first data is being installed')
        },
      },
    ],
    degraded: () =>
      [...informers.status()]
        .filter(({ state }) => state === 'failing' || state === 'absent' || state === 'waiting')
        .map(({ resource, state, error }) => ({
          name: resource,
          reason: error ?? (state === 'absent' ? 'the Kubernetes API does not serve it' : 'not read yet'),
        })),
  }
}
