/**
 * The embedded Kubernetes API as one thing: storage, server, identity, policy, first objects, controllers.
 *
 * Without a data directory it lives in memory, without a port it is reached in this process only. The
 * genuine server's parts are put together here and nowhere else.
 */
import { mkdir, rename, writeFile } from 'node:fs/promises'
import { networkInterfaces } from 'node:os'
import { dirname, join } from 'node:path'
import { type UserInfo } from '../apimachinery/meta/types.js'
import { type Transport } from '../client/transport.js'
import { Aggregator } from './aggregator/index.js'
import { FRONT_PROXY } from './aggregator/types.js'
import { type AdmissionOptions, createAdmission } from './admission/index.js'
import { LocalWebhooks } from './admission/local.js'
import {
  AUTHENTICATED,
  createAuthentication,
  ServiceAccountTokens,
  type StaticToken,
} from './authentication/index.js'
import { authorizationReviews } from './authorization/reviews.js'
import { Rbac } from './authorization/rbac.js'
import { builtinResources, definitions, ServiceAddresses } from './builtin/index.js'
import { Definitions } from './apiextensions/definitions.js'
import { withDefinitionRules } from './apiextensions/rules.js'
import { Manager } from '../controller/index.js'
import { bootstrap } from './controllers/bootstrap.js'
import { Collections } from './controllers/collections.js'
import { type ControllerChoice, controllerChoice, startControllers } from './controllers/start.js'
import { Writer } from './controllers/writer.js'
import { Objects } from './objects.js'
import { ADMIN, kubeconfigFor, openPki, type Pki } from './pki/index.js'
import { createCatalogue } from './registry/catalogue.js'
import { type Clock, systemClock } from './registry/clock.js'
import { systemRandom } from './registry/random.js'
import { type Registry } from './registry/store.js'
import { type Catalogue } from './registry/strategy.js'
import { withReviews } from './reviews.js'
import { builtinRules } from './simulator/rules/index.js'
import { type Connect } from './server/api.js'
import { type Filter } from './server/chain.js'
import { createKubeServer } from './server/index.js'
import { type Documents } from './server/documents.js'
import { type Listener, listen } from './server/listener.js'
import { type HealthCheck, type Logger, SILENT } from './server/interfaces.js'
import { openFileStorage } from './storage/file/index.js'
import { type Storage } from './storage/interface.js'
import { createMemoryStorage } from './storage/memory/index.js'
import { versionInfo } from './version.js'

export interface KubeOptions {
  /** Holds `store/` and `pki/`. Absent: everything lives in memory. */
  dataDir?: string
  /** The same, said aloud; wins over `dataDir`. */
  memory?: boolean
  /** HTTPS; 0 picks a free port. Absent: in process only. */
  port?: number
  /** Default 127.0.0.1. */
  host?: string
  /** Names and addresses of the serving certificate, besides localhost and the cluster's own. */
  hosts?: readonly string[]
  /** Administrator access is written here (mode 0600) once there is a port. */
  kubeconfigPath?: string
  clock?: Clock
  logger?: Logger
  /** `v1.20.2` */
  kubeVersion?: string
  /** False: none. Patterns of names, `*` for all, `-name` for all but. Default: those of workloads with nodes only. */
  controllers?: ControllerChoice
  /** Run last in the chain of every request. */
  filters?: readonly Filter[]
  /** Simulated nodes. Default none. */
  nodes?: number
  /** A directory with stages and images of one's own, for simulated containers. */
  stages?: string
  admission?: AdmissionOptions
  /** Fixed bearer tokens. */
  tokens?: readonly StaticToken[]
  /** Runs on a storage that is given, and leaves it open at the end. */
  storage?: Storage
  /** Keys and certificates of an earlier server. Default: those of the data directory, or new ones. */
  pki?: Pki
}

export interface Kube {
  /** In process; the `user` of a request is trusted. */
  transport: Transport
  adminUser: UserInfo
  url?: string
  port?: number
  caPem: string
  kubeconfigPath?: string
  storage: Storage
  catalogue: Catalogue
  registry: Registry
  objects: Objects
  pki: Pki
  /** Validating webhooks that run in this process. */
  webhooks: LocalWebhooks
  /** Settles when bootstrap objects are there; `startKube` has waited for it. */
  ready: Promise<void>
  /** Ends all watches cleanly, as a restart would; clients resume. */
  dropWatches(): void
  /** True when no controller has anything to do now; what waits for its time does not count. */
  isIdle(): boolean
  /** Ends watches and connections, stops the controllers, closes the store. Safe to call twice. */
  close(): Promise<void>
}

export const ADMIN_USER: UserInfo = {
  name: ADMIN.commonName,
  groups: [...ADMIN.organizations, AUTHENTICATED],
}

/**
 * @throws RulesError; Locked when another process has the data directory; Error when it cannot be used, or the port is
 *   taken
 */
export async function startKube(options: KubeOptions = {}): Promise<Kube> {
  const clock = options.clock ?? systemClock
  const logger = options.logger ?? SILENT
  const rules =
    options.stages === undefined
      ? builtinRules
      : (await import('./simulator/rules/read.js')).readRules(options.stages)
  const [storage, pki] = await Promise.all([openStorage(options, logger), openKeys(options)])
  const host = options.host ?? '127.0.0.1'
  const closers: (() => Promise<void> | void)[] = []
  if (!options.storage) closers.push(() => storage.close())
  const close = async (): Promise<void> => {
    for (let step = closers.pop(); step; step = closers.pop()) await step()
  }
  try {
    const objects = new Objects(storage)
    const rbac = new Rbac(objects)
    closers.push(() => rbac.close())
    const tokens = new ServiceAccountTokens({ key: pki.serviceAccountKey }, objects, clock)
    const { authenticate, authenticateToken } = createAuthentication({
      serviceAccounts: tokens,
      ...(options.tokens && { tokens: options.tokens }),
    })
    const serviceAddresses = new ServiceAddresses()
    for (const service of objects.list('', 'services')) serviceAddresses.adopt(service as never)
    const catalogue = createCatalogue(
      withReviews(builtinResources({ serviceAddresses }), {
        reviews: authorizationReviews(rbac.authorize, rbac),
        authenticateToken,
        tokens,
        objects,
      }),
    )
    const customResources = catalogue.get('apiextensions.k8s.io', 'v1', 'customresourcedefinitions')
    if (customResources) catalogue.set(withDefinitionRules(customResources))
    const webhooks = new LocalWebhooks(logger)
    const admission = createAdmission(
      { objects, catalogue, rbac, logger, more: [webhooks.plugin], runsHere: (name) => webhooks.has(name) },
      admissionFor(options),
    )
    closers.push(() => admission.close())
    let booted = false
    const health: HealthCheck[] = [
      { name: 'bootstrap', check: () => (booted ? undefined : 'the first objects are being made') },
    ]
    const connections: Record<string, Connect> = {}
    const aggregator: Aggregator = new Aggregator({
      objects,
      catalogue,
      clock,
      writer: () => writer,
      certificate: () => pki.issueClient({ commonName: FRONT_PROXY, organizations: [] }),
    })
    closers.push(() => aggregator.close())
    const server = createKubeServer({
      storage,
      connections,
      foreign: aggregator,
      ...(options.filters && { filters: options.filters }),
      catalogue,
      authenticate,
      authorize: rbac.authorize,
      admission: admission.plugins,
      version: versionInfo(options.kubeVersion),
      clock,
      logger,
      health,
      definitions: definitions(),
      ownsFields: true,
      documents: keyDocuments(tokens),
    })
    const { registry } = server

    const manager = new Manager({ clock, logger })
    closers.push(() => manager.close())
    const writer: Writer = new Writer(registry, catalogue)
    manager.start({ name: 'apiservice', reconciler: aggregator, sources: [aggregator.source] })
    const custom = new Definitions({ objects, writer, catalogue, clock })
    manager.start({
      name: 'customresourcedefinition',
      reconciler: custom,
      sources: [custom.source],
      workers: 16,
    })

    const address = advertised(options.host)
    const ready = bootstrap({
      authority: pki.authority.cert,
      objects,
      registry,
      catalogue,
      serviceAddress: serviceAddresses.first,
      advertise: address === undefined ? undefined : { address, port: options.port || 6443 },
    })
    await ready
    const collections = new Collections(objects)
    closers.push(() => collections.close())
    const stopControllers = await startControllers(
      {
        ...{ objects, collections, writer, catalogue, tokens, pki, clock, logger, manager },
        random: systemRandom,
        transport: server.transport,
        connections,
        nodes: options.nodes ?? 0,
        rules,
        kubeletVersion: versionInfo(options.kubeVersion).gitVersion,
      },
      options.controllers ?? true,
    )
    closers.push(stopControllers)
    booted = true
    const listener =
      options.port === undefined
        ? undefined
        : await listen({
            handle: server.handle,
            ...pki.serving,
            clientCa: pki.authority.cert,
            host,
            port: options.port,
            logger,
          })
    if (listener) closers.push(() => listener.close())
    closers.push(() => server.drain())
    return {
      transport: server.transport,
      adminUser: ADMIN_USER,
      ...(listener && (await reachedAt(listener, pki, options.kubeconfigPath))),
      caPem: pki.authority.cert,
      storage,
      catalogue,
      registry,
      objects,
      pki,
      webhooks,
      ready,
      dropWatches: () => server.drain(),
      isIdle: () => manager.idle,
      close,
    }
  } catch (error) {
    await close()
    throw error
  }
}

/** What pods need of service accounts is made by controllers: without them, pods do without. */
function admissionFor({ controllers = true, admission = {} }: KubeOptions): AdmissionOptions {
  const isWanted = controllerChoice(controllers)
  const made = ['serviceaccount', 'serviceaccount-token'].every(isWanted)
  return made ? admission : { disabled: [...(admission.disabled ?? []), 'ServiceAccount'] }
}

/** Where a data directory keeps the objects. */
export function storeDirectory(dataDir: string): string {
  return join(dataDir, 'store')
}

async function openStorage({ storage, dataDir, memory }: KubeOptions, logger: Logger): Promise<Storage> {
  if (storage) return storage
  if (dataDir === undefined || memory) return createMemoryStorage({ logger })
  await mkdir(dataDir, { recursive: true, mode: 0o700 })
  return openFileStorage({ directory: storeDirectory(dataDir), logger })
}

async function openKeys({ pki, dataDir, memory, host, hosts = [] }: KubeOptions): Promise<Pki> {
  if (pki) return pki
  const all = host === undefined || isEveryAddress(host) ? hosts : [host, ...hosts]
  const folder = dataDir === undefined || memory ? undefined : join(dataDir, 'pki')
  return openPki({ hosts: all, ...(folder !== undefined && { folder }) })
}

const isEveryAddress = (host: string): boolean => host === '0.0.0.0' || host === '::'

async function reachedAt(
  { host, port }: Listener,
  pki: Pki,
  kubeconfigPath: string | undefined,
): Promise<Pick<Kube, 'url' | 'port' | 'kubeconfigPath'>> {
  const name = isEveryAddress(host) ? '127.0.0.1' : host.includes(':') ? `[${host}]` : host
  const url = `https://${name}:${port}`
  if (kubeconfigPath === undefined) return { url, port }
  const text = kubeconfigFor({ server: url, ca: pki.authority.cert, user: ADMIN.commonName, ...pki.admin })
  await mkdir(dirname(kubeconfigPath), { recursive: true, mode: 0o700 })
  await writeFile(`${kubeconfigPath}.new`, text, { mode: 0o600 })
  await rename(`${kubeconfigPath}.new`, kubeconfigPath)
  return { url, port, kubeconfigPath }
}

function keyDocuments(tokens: ServiceAccountTokens): Documents {
  return {
    '/.well-known/openid-configuration': () => ({
      contentType: 'application/json',
      body: JSON.stringify(tokens.discovery()),
    }),
    '/openid/v1/jwks': () => ({
      contentType: 'application/jwk-set+json',
      body: JSON.stringify(tokens.keys()),
    }),
  }
}

/** An address that Endpoints may hold: no loopback. @returns undefined when this machine has none */
function advertised(host: string | undefined): string | undefined {
  if (host !== undefined && /^\d+\.\d+\.\d+\.\d+$/.test(host) && !/^(127|0)\./.test(host)) return host
  for (const addresses of Object.values(networkInterfaces())) {
    const found = addresses?.find(({ family, internal }) => family === 'IPv4' && !internal)
    if (found) return found.address
  }
  return undefined
}
