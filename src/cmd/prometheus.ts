/** `--prometheus`: a Prometheus beside the platform, which scrapes what we tell of the cluster. */
import { randomBytes } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parse } from 'yaml'
import { type GroupVersionResource } from '../apimachinery/meta/types.js'
import { configDir } from '../bootstrap/data.js'
import { type Informer, type InformerSet } from '../client/cache/interface.js'
import { RestClient } from '../client/rest.js'
import { type Transport } from '../client/transport.js'
import { findProgram, PrometheusDaemon } from '../integrations/prometheus/daemon.js'
import { OBJECT_STORES } from '../monitoring/exposition/objects.js'
import { EXPOSED, ExpositionServer } from '../monitoring/exposition/server.js'
import { type Logger } from '../serving/log.js'
import { PLATFORM_USER } from './withuser.js'

const PROGRAM = 'prometheus'
const SYNC_MS = 5_000

const GROUPS: Readonly<Record<string, string>> = {
  cronjobs: 'batch/v1beta1',
  jobs: 'batch/v1',
  daemonsets: 'apps/v1',
  deployments: 'apps/v1',
  statefulsets: 'apps/v1',
  replicasets: 'apps/v1',
  horizontalpodautoscalers: 'autoscaling/v2beta2',
  ingresses: 'networking.k8s.io/v1',
}

export interface OwnPrometheusOptions {
  /** Undefined: of this run alone. */
  directory: string | undefined
  upstream: Transport
  informers: InformerSet
  every?: string | undefined
  logger: Logger
}

export interface OwnPrometheus {
  url: string
  pid(): number | undefined
  close(): Promise<void>
}

/** @throws Error when there is no program to start */
export async function startOwnPrometheus({
  directory,
  upstream,
  informers,
  every,
  logger,
}: OwnPrometheusOptions): Promise<OwnPrometheus> {
  const program = findProgram(PROGRAM, process.env['PATH'] ?? '')
  if (program === undefined)
    throw new Error(
      `--prometheus: there is no program "${PROGRAM}" on PATH. Install it (https://prometheus.io/download), or name the address of one in monitoring.endpoint of the configuration.`,
    )
  const stores = new Map<string, Informer<never>>()
  const token = randomBytes(24).toString('base64url')
  const exposition = new ExpositionServer({
    token,
    client: new RestClient({ transport: upstream, user: PLATFORM_USER }),
    store: (resource) => informerOf(stores, informers, resource).store,
    async ready(signal) {
      // A cluster may not serve every kind: what does not come is left out.
      const limit = AbortSignal.any([signal, AbortSignal.timeout(SYNC_MS)])
      await Promise.allSettled(
        OBJECT_STORES.map((resource) => informerOf(stores, informers, resource).whenSynced(limit)),
      )
      signal.throwIfAborted()
    },
    logger,
    now: () => new Date(),
  })
  const target = await exposition.listen()
  const scratch = directory === undefined ? mkdtempSync(join(tmpdir(), 'orrery-prometheus-')) : undefined
  const rules = parse(readFileSync(join(configDir('rules'), 'recording.yaml'), 'utf8')) as {
    spec: { groups: object[] }
  }
  const daemon = await PrometheusDaemon.start({
    program,
    directory: directory ?? scratch ?? '',
    groups: rules.spec.groups,
    jobs: EXPOSED,
    target,
    token,
    every,
    logger,
  })
  return {
    url: daemon.url,
    pid: () => daemon.pid,
    async close() {
      await daemon.close()
      await exposition.close()
      if (scratch !== undefined) rmSync(scratch, { recursive: true, force: true, maxRetries: 5 })
    },
  }
}

/** Started by the first scrape: the start of the server has no time for them. */
function informerOf(
  stores: Map<string, Informer<never>>,
  informers: InformerSet,
  resource: string,
): Informer<never> {
  let informer = stores.get(resource)
  if (!informer) {
    informer = informers.informer<never>(typeOf(resource))
    stores.set(resource, informer)
  }
  return informer
}

function typeOf(resource: string): GroupVersionResource {
  const [group = '', version = 'v1'] = GROUPS[resource]?.split('/') ?? []
  return { group, version, resource }
}
