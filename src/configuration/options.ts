/**
 * Every section of `kubesphere.yaml`, with types and defaults. Sections that no code reads yet are accepted and
 * checked all the same, so that a file written for the original works and a slip in it is found now.
 *
 * Source of names and defaults: core.md §1.2. Durations are milliseconds in memory.
 */
import {
  anyMap,
  choice,
  duration,
  flag,
  integer,
  listOf,
  number,
  section,
  text,
  texts,
  type Field,
} from './field.js'

const HOUR = 3_600_000
const MINUTE = 60_000
const MIB = 1024 * 1024

const oauthOptions = section('OAuth server', {
  issuer: text('kubesphere', 'value of the iss claim and base of the discovery document'),
  signKey: text('', 'PEM file with the RSA key that signs id tokens'),
  signKeyData: text(
    '',
    'the same key as base64 of its PEM text; a key is made at start when both are empty',
    {
      secret: true,
    },
  ),
  identityProviders: listOf(
    section('one identity provider', {
      name: text('', 'unique name, part of the callback path'),
      mappingMethod: text('', 'auto, lookup or mixed'),
      disableLoginConfirmation: flag(false, 'create users without asking them'),
      type: text('', 'LDAPIdentityProvider, OIDCIdentityProvider, GitHubIdentityProvider, ...'),
      provider: anyMap('options of the provider', { secret: true }),
    }),
    'external identity providers',
  ),
  clients: listOf(
    section('one OAuth client', {
      name: text('', 'client_id'),
      secret: text('', 'client_secret', { secret: true }),
      respondWithChallenges: flag(false, 'accepted for compatibility'),
      redirectURIs: texts([], 'allowed redirect URIs; * allows all'),
      grantMethod: text('', 'accepted for compatibility'),
      scopeRestrictions: texts([], 'accepted for compatibility'),
      accessTokenMaxAge: duration(0, 'accepted for compatibility'),
      accessTokenInactivityTimeout: duration(0, 'accepted for compatibility'),
    }),
    'OAuth clients',
  ),
  accessTokenMaxAge: duration(2 * HOUR, 'lifetime of access tokens; 0 never expires'),
  accessTokenInactivityTimeout: duration(2 * HOUR, 'added to the lifetime for refresh tokens'),
})

const elasticsearch = (indexPrefix: string) => ({
  host: text('', 'address of Elasticsearch or OpenSearch'),
  basicAuth: flag(false, 'send username and password'),
  username: text('', 'user name'),
  password: text('', 'password', { secret: true }),
  indexPrefix: text(indexPrefix, 'prefix of the daily indices'),
  version: text('', 'major version; empty: ask the server'),
})

const s3 = (region: string, plain: boolean, bucket: string) => ({
  endpoint: text('', 'address of the object store'),
  region: text(region, 'region'),
  disableSSL: flag(plain, 'use plain HTTP'),
  forcePathStyle: flag(plain, 'bucket in the path instead of the host name'),
  accessKeyID: text('', 'access key', { secret: true }),
  secretAccessKey: text('', 'secret key', { secret: true }),
  sessionToken: text('', 'session token', { secret: true }),
  bucket: text(bucket, 'bucket'),
})

const sections = {
  authentication: section('tokens, login limits and OAuth', {
    authenticateRateLimiterMaxTries: integer(5, 'failed logins within the window that lock an account'),
    authenticateRateLimiterDuration: duration(HOUR / 2, 'the window, and how long the lock lasts'),
    maximumClockSkew: duration(10_000, 'tolerance on the iat claim'),
    loginHistoryRetentionPeriod: duration(168 * HOUR, 'age limit of login records'),
    loginHistoryMaximumEntries: integer(100, 'login records kept per user'),
    multipleLogin: flag(true, 'one user may hold several sessions; false: a new login ends the older ones'),
    jwtSecret: text('', 'key of the HS256 signature of tokens', { secret: true }),
    kubectlImage: text('kubesphere/kubectl:v1.0.0', 'image of the web kubectl pod'),
    oauthOptions,
  }),
  authorization: section('who may do what', {
    mode: choice(['RBAC', 'AlwaysAllow', 'AlwaysDeny'], 'RBAC', 'how requests are decided'),
    userLists: choice(
      ['full', 'names'],
      'full',
      'what lists show of other users to those who may not read users; the web console is at home with full',
    ),
    opaEndpoint: text(
      '',
      'OPA server asked about rego policies of platform roles other than the built-in one; empty: they grant nothing',
    ),
  }),
  kubernetes: section('the Kubernetes API behind this server', {
    kubeconfig: text('', 'kubeconfig file'),
    master: text('', 'address written into downloadable kubeconfigs'),
    qps: number(1e6, 'accepted for compatibility'),
    burst: integer(1_000_000, 'accepted for compatibility'),
  }),
  redis: section('token store shared by replicas', {
    host: text('', 'empty: tokens are kept in memory'),
    port: integer(0, 'port'),
    password: text('', 'password', { secret: true }),
    db: integer(0, 'database number'),
  }),
  cache: section('token store, form of v3.4', {
    type: choice(['InMemoryCache', 'redis'], 'InMemoryCache', 'kind of the store'),
    options: anyMap('host, port, password, db; or cleanupperiod', { secret: true }),
  }),
  multicluster: section('several clusters behind one host', {
    enable: flag(false, 'dispatch /clusters/{cluster}/ paths'),
    enableFederation: flag(false, 'accepted for compatibility'),
    proxyPublishService: text('', 'service of the tunnel'),
    proxyPublishAddress: text('', 'address of the tunnel'),
    agentImage: text('kubesphere/tower:v1.0', 'image of the agent'),
    clusterControllerResyncPeriod: duration(120_000, 'how often members are probed'),
    hostClusterName: text('host', 'name of the host cluster'),
    clusterName: text('', 'name of this cluster'),
    clusterRole: choice(['', 'host', 'member'], '', 'role of this cluster'),
  }),
  auditing: section('audit events', {
    enable: flag(false, 'record requests'),
    webhookUrl: text('', 'receiver of audit events'),
    eventSendersNum: integer(0, 'concurrent senders; 0: 100'),
    eventBatchSize: integer(0, 'events per batch; 0: 100'),
    eventBatchInterval: duration(0, 'longest wait for a batch; 0: 3s'),
    ...elasticsearch('ks-logstash-auditing'),
  }),
  logging: section('log search', {
    ...elasticsearch('fluentbit'),
    exportLogsLimit: integer(100_000, 'most lines of one export'),
  }),
  events: section('event search', elasticsearch('ks-logstash-events')),
  monitoring: section('Prometheus', {
    endpoint: text('', 'address of Prometheus'),
    enableGPUMonitoring: flag(false, 'accepted for compatibility'),
    dashboardSources: texts([], 'ranges of addresses inside that dashboards may be imported from'),
  }),
  alerting: section('alerting rules', {
    endpoint: text('', 'address of the v1 backend'),
    prometheusEndpoint: text('', 'address of Prometheus'),
    thanosRulerEndpoint: text('', 'address of the Thanos ruler'),
    thanosRuleResourceLabels: text('', 'labels of rule objects, k=v,k=v'),
  }),
  notification: section('notification manager', {
    endpoint: text('', 'address of the notification manager'),
  }),
  devops: section('DevOps backend', {
    host: text('', 'address of Jenkins'),
    username: text('', 'user name'),
    password: text('', 'password', { secret: true }),
    maxConnections: integer(100, 'connections to Jenkins'),
    endpoint: text('', 'address of ks-devops'),
  }),
  sonarqube: section('SonarQube', {
    host: text('', 'address'),
    token: text('', 'token', { secret: true }),
  }),
  servicemesh: section('service mesh', {
    istioPilotHost: text('', 'address of Istio'),
    jaegerQueryHost: text('', 'address of Jaeger'),
    kialiQueryHost: text('', 'address of Kiali'),
    servicemeshPrometheusHost: text('', 'address of its Prometheus'),
  }),
  network: section('network policies and IP pools', {
    enableNetworkPolicy: flag(false, 'isolate workspaces and projects'),
    nsnpOptions: section('project network policies', {
      allowedIngressNamespaces: texts([], 'namespaces that may always reach in'),
    }),
    weaveScopeHost: text('', 'address of Weave Scope'),
    ippoolType: choice(['none', 'local', 'calico'], 'none', 'kind of IP pools'),
  }),
  ldap: section('LDAP server that users are written to', {
    host: text('', 'address'),
    managerDN: text('cn=admin,dc=example,dc=org', 'bind name'),
    managerPassword: text('', 'bind password', { secret: true }),
    userSearchBase: text('ou=Users,dc=example,dc=org', 'where users are'),
    groupSearchBase: text('ou=Groups,dc=example,dc=org', 'where groups are'),
    initialCap: integer(10, 'connections at start'),
    maxCap: integer(100, 'most connections'),
    poolName: text('ldap', 'name of the pool'),
  }),
  s3: section('object store of source builds', s3('us-east-1', true, 's2i-binaries')),
  openpitrix: section('app store', {
    s3: section('object store of packages', s3('', false, '')),
    releaseControllerOptions: section('release controller', {
      maxConcurrent: integer(10, 'releases worked on at once'),
      waitTime: duration(30_000, 'longest wait for a release'),
    }),
  }),
  kubeedge: section('KubeEdge', { endpoint: text('', 'address') }),
  edgeruntime: section('edge runtime', { endpoint: text('', 'address') }),
  metering: section('metering', {
    retentionDay: text('', 'how long data is kept'),
    billing: section('prices', {
      priceInfo: section('price per unit', {
        cpuPerCorePerHour: number(0, 'CPU'),
        memPerGigabytesPerHour: number(0, 'memory'),
        ingressNetworkTrafficPerMegabytesPerHour: number(0, 'traffic in'),
        egressNetworkTrafficPerMegabytesPerHour: number(0, 'traffic out'),
        pvcPerGigabytesPerHour: number(0, 'storage'),
        currencyUnit: text('', 'currency'),
      }),
    }),
  }),
  gateway: section('ingress gateways', {
    watchesPath: text('', 'watches file of the chart operator; empty: off'),
    namespace: text('', 'namespace of gateways'),
    repository: text('', 'image of the controller'),
    tag: text('', 'tag of the image'),
  }),
  gpu: section('GPU kinds', {
    kinds: listOf(
      section('one kind', {
        resourceName: text('', 'name of the extended resource'),
        resourceType: text('', 'type'),
        default: flag(false, 'the default kind'),
      }),
      'GPU kinds',
    ),
  }),
  // Not in files of the original.
  records: section('own store of log lines, Events and audit events, for what has no host above', {
    enabled: flag(false, 'keep them on one machine; without a configuration file they are kept anyway'),
    retention: duration(7 * 24 * HOUR, 'how long records are kept'),
    logsMaxBytes: integer(1024 * MIB, 'most bytes of log lines; the oldest go first'),
    eventsMaxBytes: integer(128 * MIB, 'most bytes of Events'),
    auditsMaxBytes: integer(256 * MIB, 'most bytes of audit events'),
    archiveAudits: flag(
      false,
      'write audit events to auditing.host too; not where the receiver of the webhook does so already',
    ),
    auditFile: text('', 'file that audit events are appended to, one JSON text a line'),
    followPods: flag(true, 'collect the log lines of pods'),
    followedContainers: integer(100, 'most containers followed at once'),
    linesPerSecond: integer(200, 'most lines kept of one container, on average; the rest is counted'),
  }),
  sampling: section('samples of the cluster, for when monitoring.endpoint is empty', {
    interval: duration(MINUTE, 'how often the cluster is looked at'),
    retention: duration(24 * HOUR, 'how long samples are kept'),
    maxBytes: integer(64 * MIB, 'most bytes of samples; the oldest go first'),
  }),
  terminal: section('terminals', {
    image: text('alpine:3.15', 'image of node terminals'),
    timeout: integer(600, 'seconds a node terminal pod lives; 0: for ever'),
  }),
}

/** The whole file. */
export const schema = section('configuration of KubeSphere-compatible servers', sections)

type ValueOf<F> = F extends Field<infer T> ? T : never
export type Options = ValueOf<typeof schema>
export type OAuthOptions = Options['authentication']['oauthOptions']
