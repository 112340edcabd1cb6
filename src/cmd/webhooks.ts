/** Serves the platform's webhooks to a cluster, where the cluster can reach this process. */
import { platformWebhooks, type Reachable, serveWebhooks } from '../admission/index.js'
import { UserDirectory } from '../authentication/users.js'
import { type InformerSet } from '../client/cache/interface.js'
import { RestClient } from '../client/rest.js'
import { type Transport } from '../client/transport.js'
import { type Logger } from '../serving/log.js'
import { UsageError } from './failures.js'
import { type Stoppable } from './lifetime.js'

export interface WebhookFlags {
  webhookPort: number
  /** Where the API server reaches this process; absent: through the Service of a pod, or not at all. */
  webhookUrl?: string
}

export interface ServedWebhooks extends Stoppable {
  /** Settles when the cluster knows of them. */
  registered: Promise<void>
}

const NAMESPACE = 'kubesphere-system'
const SERVICE = 'ks-controller-manager'

export interface WebhookDeps {
  flags: WebhookFlags
  /** Whether this process runs in a pod of the cluster. */
  inCluster: boolean
  transport: Transport
  informers: InformerSet
  logger: Logger
  signal: AbortSignal
}

/**
 * Settles when they are served, which on a new cluster is when its first data is there.
 *
 * @returns undefined when the cluster has no way to call this process
 */
export async function startWebhooks(deps: WebhookDeps): Promise<ServedWebhooks | undefined> {
  const { inCluster, transport, informers, logger, signal } = deps
  const { webhookPort, webhookUrl } = deps.flags
  if (webhookUrl === undefined && !inCluster) {
    logger.info({}, 'webhooks are not registered: the cluster cannot call this process; see --webhook-url')
    return undefined
  }
  const service = { namespace: NAMESPACE, name: SERVICE, port: 443 }
  const reachable: Reachable =
    webhookUrl === undefined ? { service } : { url: httpsUrl(webhookUrl).replace(/\/$/, '') }
  const users = new UserDirectory(informers)
  const client = new RestClient({ transport })
  const server = await serveWebhooks({
    client,
    webhooks: platformWebhooks({ users, informers, client, checksNamespaceQuotas: false }),
    logger,
    host: '0.0.0.0',
    port: webhookPort,
    namespace: NAMESPACE,
    hosts:
      webhookUrl === undefined
        ? [`${SERVICE}.${NAMESPACE}.svc`, `${SERVICE}.${NAMESPACE}`, SERVICE]
        : [new URL(webhookUrl).hostname.replace(/^\[|\]$/g, '')],
    reachable,
    signal,
  })
  logger.info({ port: server.port }, 'webhooks are served')
  return {
    registered: server.registered,
    async close() {
      users.stop()
      await server.close()
    },
  }
}

function httpsUrl(text: string): string {
  if (!URL.canParse(text) || new URL(text).protocol !== 'https:')
    throw new UsageError('--webhook-url needs an address such as https://10.0.0.5:8443.')
  return text
}
