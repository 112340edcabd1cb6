/**
 * The platform's admission webhooks (iam-tenant.md §8): rules that hold whoever writes, by whichever way.
 *
 * On the embedded API they run in process; to a cluster they are served over HTTPS and registered there.
 */
import { createServer, type Server } from 'node:https'
import { type AddressInfo } from 'node:net'
import { type Webhook } from '../apimachinery/admission/index.js'
import { pause, systemClock } from '../client/clock.js'
import { type RestClient } from '../client/rest.js'
import { type Logger } from '../controller/index.js'
import {
  type CertificateSource,
  currentCertificate,
  SECRET,
  type ServingCertificate,
} from './certificates.js'
import { register, type Reachable } from './registration.js'
import { admissionListener } from './serve.js'
import { CachedResource } from '../client/cachedresource.js'
import { type InformerSet } from '../client/cache/interface.js'
import { Discovery } from '../client/discovery.js'
import { CountedObjects, type NamespaceQuotaObject, selectorsOf } from '../tenancy/quota/index.js'
import { NAMESPACES, WORKSPACE_QUOTAS } from '../tenancy/resources.js'
import { type NamespaceObject, type WorkspaceQuotaObject } from '../tenancy/types.js'
import { NamespaceQuotas } from './namespacequotas.js'
import { ruleGroupWebhooks } from './rulegroups.js'
import { quotaWebhook, type QuotaWebhookDeps } from './quotas.js'
import { userWebhook, type UserWebhookDeps } from './users.js'

export { type Reachable } from './registration.js'

export interface WebhookDeps extends UserWebhookDeps {
  informers: InformerSet
  client: RestClient
  /** Where Kubernetes does not see to its own quotas: those of namespaces are checked here too. */
  checksNamespaceQuotas: boolean
}

export function platformWebhooks(deps: WebhookDeps): Webhook[] {
  return [userWebhook(deps), quotaWebhook(quotaDeps(deps)), ...ruleGroupWebhooks()]
}

const RESOURCE_QUOTAS = { group: '', version: 'v1', resource: 'resourcequotas', kind: 'ResourceQuota' }

function quotaDeps({ informers, client, checksNamespaceQuotas }: WebhookDeps): QuotaWebhookDeps {
  const now = (): number => Date.now()
  const quotas = new CachedResource<WorkspaceQuotaObject>(WORKSPACE_QUOTAS, informers, client)
  return {
    quotas,
    selectors: selectorsOf(quotas),
    namespaces: new CachedResource<NamespaceObject>(NAMESPACES, informers, client),
    ...(checksNamespaceQuotas && {
      namespaceQuotas: new NamespaceQuotas({
        quotas: new CachedResource<NamespaceQuotaObject>(RESOURCE_QUOTAS, informers, client),
        objects: new CountedObjects({ informers, discovery: new Discovery({ client }) }),
        now,
      }),
    }),
    now,
  }
}

export interface WebhookServerOptions {
  client: RestClient
  webhooks: readonly Webhook[]
  logger: Logger
  host: string
  port: number
  /** Holds the Secret with the certificate. */
  namespace: string
  /** Names and addresses in the certificate. */
  hosts: readonly string[]
  /** Undefined: the address of this server. */
  reachable?: Reachable
  /** Ends the wait for a cluster that cannot keep the certificate yet. */
  signal?: AbortSignal
}

const LOOK_AGAIN_MS = 24 * 3_600_000
const RETRY_MS = 10_000
const CERTIFICATE_RETRY_MS = 2_000

/**
 * Serves and registers until closed. Settles when it listens, which needs a certificate: making one and registering
 * are retried until they work.
 */
export async function serveWebhooks(
  options: WebhookServerOptions,
): Promise<{ port: number; registered: Promise<void>; close(): Promise<void> }> {
  const { client, webhooks, logger, host, namespace, hosts } = options
  const stop = new AbortController()
  const source = { client, namespace, hosts, now: () => Date.now() }
  let current = await firstCertificate(source, logger, options.signal ?? stop.signal)
  const server = createServer(tls(current), admissionListener(webhooks, logger))
  const port = await listening(server, host, options.port)
  const reachable = options.reachable ?? { url: `https://${host.includes(':') ? `[${host}]` : host}:${port}` }

  let timer: NodeJS.Timeout | undefined
  const keep = async (): Promise<void> => {
    let againMs = LOOK_AGAIN_MS
    try {
      const found = await currentCertificate(source, stop.signal)
      if (found.cert !== current.cert) server.setSecureContext(tls((current = found)))
      await register(client, webhooks, reachable, current.ca, stop.signal)
    } catch (error) {
      if (stop.signal.aborted) return
      againMs = RETRY_MS
      logger.warn({ err: error, retryMs: RETRY_MS }, 'webhooks cannot be registered yet')
    }
    timer = setTimeout(() => void keep(), againMs)
    timer.unref()
  }
  return {
    port,
    registered: keep(),
    async close() {
      stop.abort()
      clearTimeout(timer)
      await new Promise((resolve) => {
        server.close(resolve)
        server.closeAllConnections()
      })
    },
  }
}

/** A new cluster gets the namespace of the Secret with its first data, which somebody else may be about to create. */
async function firstCertificate(
  source: CertificateSource,
  logger: Logger,
  signal: AbortSignal,
): Promise<ServingCertificate> {
  for (;;) {
    try {
      return await currentCertificate(source, signal)
    } catch (error) {
      signal.throwIfAborted()
      const { namespace } = source
      logger.warn(
        { err: error, namespace, secret: SECRET, retryMs: CERTIFICATE_RETRY_MS },
        'webhooks are not served yet: their certificate cannot be kept',
      )
      await pause(systemClock, CERTIFICATE_RETRY_MS, signal)
      signal.throwIfAborted()
    }
  }
}

const tls = ({ cert, key }: ServingCertificate): { cert: string; key: string } => ({ cert, key })

function listening(server: Server, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, () => resolve((server.address() as AddressInfo).port))
  })
}
