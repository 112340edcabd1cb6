/** `orrery notification-manager`, and the same within `orrery up`. */
import { mkdirSync } from 'node:fs'
import { type AddressInfo } from 'node:net'
import { join, resolve } from 'node:path'
import { type Authorization, createAuthorization } from '../authorization/index.js'
import { type Rights } from '../authorization/rights.js'
import { createInformerSet } from '../client/cache/informerset.js'
import { type InformerSet } from '../client/cache/interface.js'
import { RestClient } from '../client/rest.js'
import { type Transport } from '../client/transport.js'
import { Directory } from '../notification/directory.js'
import { Egress } from '../integrations/egress.js'
import { NotificationManager } from '../notification/manager.js'
import { openJournal } from '../notification/queue/opening.js'
import { Router, type TenantsOf } from '../notification/routing.js'
import { Sender } from '../notification/sender.js'
import { notificationServer } from '../notification/server.js'
import { type Logger } from '../serving/log.js'
import { tenancyResources } from '../tenancy/resources.js'
import { runUntil, untilSignalled } from './lifetime.js'
import { createLogger } from './logger.js'
import { kubeconfigFor, loadForCommand, type LogLevel } from './options.js'
import { connect } from './realcluster.js'

export interface NotificationManagerFlags {
  config?: string
  kubeconfig?: string
  dataDir: string
  port: number
  bindAddress: string
  /** Ranges inside that tenants' messages may go to. */
  allowEgress?: string[]
  logLevel: LogLevel
}

export async function notificationManager(flags: NotificationManagerFlags): Promise<void> {
  const signalled = untilSignalled()
  const logger = createLogger(flags.logLevel)
  const { options } = loadForCommand(flags)
  const { transport, server } = connect(kubeconfigFor(options.kubernetes.kubeconfig))
  const informers = createInformerSet({ transport, logger, userAgent: 'orrery-notification-manager' })
  const dataDir = join(resolve(flags.dataDir), 'notification')
  const { port, bindAddress: host, allowEgress } = flags
  const running = await startNotifications({
    upstream: transport,
    informers,
    logger,
    dataDir,
    listen: { host, port },
    ...(allowEgress && { allowEgress }),
    clusterName: options.multicluster.clusterName,
  })
  process.stdout.write(`The notification manager listens on ${running.url}, and works on ${server}.\n`)
  await runUntil(
    signalled,
    {
      async close() {
        await running.close()
        await informers.close()
        await transport.close()
      },
    },
    (text) => logger.info({}, text),
  )
}

export interface NotificationsDeps {
  upstream: Transport
  informers: InformerSet
  logger: Logger
  /** Undefined: accepted alerts do not outlive the process. */
  dataDir?: string
  listen: { host: string; port: number }
  allowEgress?: readonly string[]
  /** That alerts get which name none. */
  clusterName?: string
  /** Of the platform in the same process, which holds all roles and bindings already. */
  rights?: Rights
}

export interface Notifications {
  url: string
  manager: NotificationManager
  close(): Promise<void>
}

/** Settles when alerts are accepted. */
export async function startNotifications(deps: NotificationsDeps): Promise<Notifications> {
  const { upstream, informers, logger, dataDir, listen, allowEgress = [] } = deps
  if (dataDir !== undefined) mkdirSync(dataDir, { recursive: true, mode: 0o700 })
  const client = new RestClient({ transport: upstream })
  const directory = new Directory({ informers, client })
  const own = deps.rights ? undefined : createAuthorization({ mode: 'RBAC', informers, logger })
  const rights = deps.rights ?? (own as Authorization).rights
  const journal = openJournal(dataDir === undefined ? ':memory:' : join(dataDir, 'journal.db'), logger)
  const manager = new NotificationManager({
    directory,
    router: new Router(directory, tenantsOf(deps, rights), () => new Date()),
    sender: new Sender({ directory, egress: new Egress(allowEgress), logger }),
    journal,
    logger,
    clusterName: deps.clusterName ?? '',
  })
  const server = notificationServer({ manager, journal, directory, logger })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen({ host: listen.host, port: listen.port }, resolve)
  }).catch(async (error: unknown) => {
    await manager.close()
    own?.stop()
    throw error
  })
  await manager.start()
  const { port } = server.address() as AddressInfo
  return {
    url: `http://${listen.host.includes(':') ? `[${listen.host}]` : listen.host}:${port}`,
    manager,
    async close() {
      server.close()
      server.closeAllConnections()
      await manager.close()
      own?.stop()
    },
  }
}

/** Those who may see the namespace. */
function tenantsOf({ informers, upstream }: NotificationsDeps, rights: Rights): TenantsOf {
  const { users } = tenancyResources(informers, new RestClient({ transport: upstream }))
  const question = { verb: 'get', apiGroup: '', resource: 'namespaces' }
  return async (namespace, names) => {
    await users.pending()
    const may = await Promise.all(
      names.map(async (name) => {
        const user = users.get(name)
        if (!user) return false
        const groups = [...(user.spec?.groups ?? []), 'system:authenticated']
        return rights.can(
          { name, groups },
          { ...question, name: namespace },
          { level: 'namespace', namespace },
        )
      }),
    )
    return names.filter((_, position) => may[position])
  }
}
