/** `orrery up`: everything in one process. */
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { StatusError } from '../apimachinery/errors/index.js'
import { isLoopback } from '../bootstrap/index.js'
import { createInformerSet } from '../client/cache/informerset.js'
import { type InformerSet } from '../client/cache/interface.js'
import { type Transport } from '../client/transport.js'
import { type Options } from '../configuration/options.js'
import { createServer } from '../serving/server.js'
import { type Logger } from '../serving/log.js'
import { startCollecting } from './collecting.js'
import { startEventRules } from './eventrules.js'
import { startControllers } from './controllers.js'
import { announce, dataDirectory, localSecrets, withdraw, type DataDirectory } from './datadir.js'
import { startEmbedded } from './embedded.js'
import { explainFailure } from './failures.js'
import { installFirstData, tellPassword } from './firstdata.js'
import { runUntil, untilSignalled } from './lifetime.js'
import { createLogger } from './logger.js'
import { type Notifications, startNotifications } from './notificationmanager.js'
import { loadForCommand, type LogLevel } from './options.js'
import { createPlatform, type Platform } from './platform.js'
import { connect } from './realcluster.js'
import { openSamples } from './monitoring.js'
import type { OwnPrometheus } from './prometheus.js'
import { configuredRecords, recordsOfOneMachine } from './records.js'
import { summaryText } from './summary.js'
import { startWebhooks, type WebhookFlags } from './webhooks.js'
import { PLATFORM_USER, withUser } from './withuser.js'

export interface UpFlags extends Partial<WebhookFlags> {
  dataDir: string
  memory: boolean
  port: number
  bindAddress: string
  /** Default: 256. */
  maxRequestsInflight?: number
  kubePort: number
  /** Of the notification manager; default 19093. */
  notificationPort?: number
  /** Ranges inside that tenants' messages may go to. */
  allowEgress?: string[]
  config?: string
  kubeconfig?: string
  nodes: number
  /** A directory: what simulated containers do. */
  stages?: string
  /** Of the embedded API, by name. */
  kubeControllers?: string[]
  /** A Prometheus of our own, where the configuration names none. */
  prometheus?: boolean
  /** How often it looks; default 15s. */
  prometheusInterval?: string
  /** Patterns of controller names. Default: all. */
  controllers?: string[]
  logLevel: LogLevel
}

export async function up(flags: UpFlags): Promise<void> {
  const signalled = untilSignalled()
  const startedAt = performance.now()
  const logger = createLogger(flags.logLevel)
  const running = await startAllInOne(flags, logger)
  process.stdout.write(
    summaryText({ ...running.summary, readyMs: Math.round(performance.now() - startedAt) }),
  )
  await runUntil(signalled, running, (text) => logger.info({}, text))
}

export interface AllInOne {
  url: string
  /** The Kubernetes API behind the platform, with the platform's rights. */
  upstream: Transport
  /** All that is served besides the Kubernetes API. */
  groups: Platform['groups']
  /** Where alerts are accepted; undefined when the manager did not start. */
  notificationUrl: string | undefined
  /** Of our own, with --prometheus. */
  prometheus: OwnPrometheus | undefined
  summary: Omit<Parameters<typeof summaryText>[0], 'readyMs'>
  /** Settles when the first data is there and seen, and the webhooks are registered; a cluster may keep both waiting. */
  installed: Promise<void>
  close(): Promise<void>
}

/** Starts the whole platform; settles when it answers. */
export async function startAllInOne(flags: UpFlags, logger: Logger): Promise<AllInOne> {
  const { options, file, warnings } = loadForCommand(flags)
  for (const { path, message } of warnings) logger.warn({ file, key: path }, message)
  const data = dataDirectory(flags.dataDir)
  completeForOneMachine(options, flags, data)
  const kube = flags.kubeconfig === undefined ? await startEmbedded({ ...flags, data, logger }) : undefined
  const cluster = kube === undefined ? connect(flags.kubeconfig ?? '') : undefined
  const upstream = kube ? withUser(kube.transport, PLATFORM_USER) : (cluster?.transport as Transport)
  const kubernetes = kube?.url === undefined ? cluster?.address : { server: kube.url, ca: kube.caPem }
  const upstreamName = kube ? 'embedded' : (cluster?.server ?? '')

  const informers = createInformerSet({
    transport: upstream,
    logger,
    user: PLATFORM_USER,
    userAgent: 'orrery',
  })
  const stop = new AbortController()
  const { signal } = stop
  const firstData = installFirstData({ upstream, informers, host: flags.bindAddress, logger, signal })
  // The embedded API always answers; a cluster may not, and the server must start all the same.
  if (kube) await firstData.stored
  else tellPassword(firstData, logger)

  const prometheus =
    flags.prometheus === true && options.monitoring.endpoint === ''
      ? await (
          await import('./prometheus.js')
        ).startOwnPrometheus({
          directory: flags.memory ? undefined : data.prometheus,
          upstream,
          informers,
          every: flags.prometheusInterval,
          logger,
        })
      : undefined
  if (prometheus) options.monitoring.endpoint = prometheus.url

  // A configuration file says what there is; without one there is all that works.
  const keepsRecords = file === undefined || options.records.enabled
  const records = keepsRecords
    ? recordsOfOneMachine(options, flags.memory ? undefined : data.records, logger)
    : configuredRecords(options)
  const own: { notifications?: Notifications | undefined } = {}
  const platform = createPlatform({
    options,
    records: records.stores,
    auditArchive: records.auditArchive,
    showsRecords: keepsRecords,
    samples: await openSamples(options, flags.memory ? undefined : data.samples, logger),
    upstream,
    upstreamName,
    informers,
    firstData,
    logger,
    ...(options.notification.endpoint === '' && {
      verifier: { verify: (body, signal) => ownVerifier(own.notifications, body, signal) },
    }),
    ...(flags.maxRequestsInflight !== undefined && { overload: { inFlight: flags.maxRequestsInflight } }),
  })
  for (const webhook of platform.webhooks) kube?.webhooks.register(webhook)
  const server = createServer({ handler: platform.handler.handle, logger })
  const { port } = await server.listen({ host: flags.bindAddress, port: flags.port })
  const { webhookPort = 0, webhookUrl } = flags
  const reach: WebhookFlags = { webhookPort, ...(webhookUrl !== undefined && { webhookUrl }) }
  // Their certificate is kept in a namespace of the first data.
  const webhooks = firstData.stored.then(() =>
    cluster
      ? startWebhooks({ flags: reach, inCluster: false, transport: upstream, informers, logger, signal })
      : undefined,
  )
  webhooks.catch((error: unknown) => {
    if (!stop.signal.aborted) logger.error({ err: error }, 'webhooks are not served')
  })
  const controllers = startControllers({
    options,
    upstream,
    informers,
    logger,
    passwords: platform.passwords,
    ...(kubernetes && { kubernetes }),
    ...(flags.controllers && { selection: flags.controllers }),
  })
  const collecting = startCollecting({
    options,
    records,
    informers,
    upstream,
    metrics: platform.metrics,
    logger,
  })
  const url = `http://${hostForUrl(flags.bindAddress)}:${port}`
  if (!flags.memory) announce(data, { pid: process.pid, url })
  // Whoever reads the summary and logs in at once must succeed.
  const adminPassword = kube ? (await firstData.seen).adminPassword : undefined
  if (kube) await usersKnown(informers)
  own.notifications = await startNotifications({
    upstream,
    informers,
    logger,
    // It asks nobody who they are.
    listen: { host: '127.0.0.1', port: flags.notificationPort ?? DEFAULT_NOTIFICATION_PORT },
    ...(!flags.memory && { dataDir: join(data.path, 'notification') }),
    ...(flags.allowEgress && { allowEgress: flags.allowEgress }),
    clusterName: options.multicluster.clusterName,
    rights: platform.roleRights,
  }).catch((error: unknown) => {
    // Everything else works without.
    const why = explainFailure(error, flags.logLevel === 'debug', '--notification-port')
    logger.warn({ why }, 'the notification manager did not start')
    return undefined
  })
  const eventRules =
    own.notifications &&
    startEventRules({ informers, manager: own.notifications.manager, metrics: platform.metrics, logger })
  const installed = Promise.all([webhooks.then((served) => served?.registered), firstData.seen]).then(
    () => undefined,
  )
  installed.catch(() => undefined)

  return {
    url,
    upstream,
    groups: platform.groups,
    notificationUrl: own.notifications?.url,
    prometheus,
    summary: {
      url,
      kubeUrl: kube?.url ?? cluster?.server,
      kubeconfig: kube?.kubeconfigPath,
      dataDirectory: flags.memory ? undefined : data.path,
      login: { username: 'admin', password: adminPassword },
    },
    installed,
    async close() {
      stop.abort()
      await server.close()
      await eventRules?.close()
      await own.notifications?.close()
      await webhooks.then(
        (served) => served?.close(),
        () => undefined,
      )
      await controllers.close()
      await platform.close()
      await prometheus?.close()
      await collecting.close()
      await records.close()
      await informers.close()
      await (kube ?? cluster?.transport)?.close()
      if (!flags.memory) withdraw(data)
    },
  }
}

const DEFAULT_NOTIFICATION_PORT = 19093
const VERIFY_MS = 30_000

async function ownVerifier(
  notifications: Notifications | undefined,
  body: Uint8Array,
  client: AbortSignal,
): Promise<{ Status: number; Message: string }> {
  if (!notifications) return { Status: 500, Message: 'Cannot find Notification Manager endpoint' }
  const { manager } = notifications
  try {
    const signal = AbortSignal.any([client, AbortSignal.timeout(VERIFY_MS)])
    await manager.notify(JSON.parse(Buffer.from(body).toString('utf8')), [manager.testAlert()], signal)
    return { Status: 200, Message: 'Verify successfully' }
  } catch (error) {
    if (!(error instanceof StatusError)) throw error
    return { Status: 400, Message: error.message }
  }
}

/** What an installation sets by hand and one machine need not: a signing key, and the console's OAuth client. */
function completeForOneMachine(
  options: Options,
  { memory, bindAddress }: UpFlags,
  data: DataDirectory,
): void {
  const { authentication } = options
  if (authentication.jwtSecret === '') {
    authentication.jwtSecret = memory ? randomBytes(32).toString('base64url') : localSecrets(data).jwtSecret
  }
  if (authentication.oauthOptions.clients.length === 0) {
    authentication.oauthOptions.clients.push({
      name: 'kubesphere',
      secret: 'kubesphere',
      respondWithChallenges: false,
      // Codes and tokens may go anywhere only while nobody else can reach the server.
      redirectURIs: isLoopback(bindAddress) ? ['*'] : [],
      grantMethod: '',
      scopeRestrictions: [],
      accessTokenMaxAge: 0,
      accessTokenInactivityTimeout: 0,
    })
  }
}

async function usersKnown(informers: InformerSet): Promise<void> {
  const users = informers.informer({ group: 'iam.kubesphere.io', version: 'v1alpha2', resource: 'users' })
  await users.whenSynced(AbortSignal.timeout(10_000))
}

function hostForUrl(host: string): string {
  if (host === '0.0.0.0' || host === '::' || host === '') return '127.0.0.1'
  return host.includes(':') ? `[${host}]` : host
}
