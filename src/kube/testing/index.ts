/**
 * `orrery/kube`: a Kubernetes API for tests, in the process of the test.
 *
 * Everything lives in memory and is gone with `close`. Without a port there is no socket: `client` calls the server
 * directly.
 */
import { StatusError } from '../../apimachinery/errors/index.js'
import { type KubeObject, parseApiVersion } from '../../apimachinery/meta/types.js'
import { type ResourceClient, RestClient } from '../../client/rest.js'
import { parseAllDocuments } from 'yaml'
import { type Kube, type KubeOptions, startKube as startServer } from '../index.js'
import { ADMIN, kubeconfigFor } from '../pki/index.js'
import { ManualClock } from '../registry/clock.js'
import { createFaults, type Faults, type FaultTarget } from './faults.js'
import { Snapshot } from './snapshot.js'
import { type Time, timeOf } from './time.js'

export { StatusError }
export type { Faults, FaultTarget, KubeObject, ResourceClient, Snapshot, Time }

export interface TestKubeOptions {
  /** HTTPS on this port of 127.0.0.1; 0 picks a free one. Absent: no port, in process only. */
  port?: number
  /** Simulated nodes; with them pods run, as far as simulated ones do. Default 0. */
  nodes?: number
  /** A directory with stages and images of your own: what pods do. */
  stages?: string
  /** Patterns of controller names: `*` for all, `-job` for all but. False: none. Default: all. */
  controllers?: false | readonly string[]
  /** Objects there from the start: as objects, or YAML documents. */
  objects?: string | readonly KubeObject[]
  /** Time stands still at this moment until `time.advance`. Absent: real time. */
  time?: Date | string
  /** Begins with all that another server held, at its time if that stood still; `objects` come on top. */
  snapshot?: Snapshot
  /** `v1.20.2` */
  kubeVersion?: string
}

export interface TestKube {
  /** With a port. */
  url: string | undefined
  /** Of the administrator, as YAML; with a port. */
  kubeconfig: string | undefined
  /** Calls the API as the administrator, without a socket. */
  client: RestClient
  /** The same as somebody else: what they may do is decided by RBAC. */
  as(user: string, groups?: readonly string[]): RestClient
  /** A resource by its path: `v1/pods`, `apps/v1/deployments`. */
  resource<T extends KubeObject = KubeObject>(path: string): ResourceClient<T>
  /** Creates objects, in order. @throws StatusError for the first that is refused */
  create(objects: string | readonly KubeObject[]): Promise<KubeObject[]>
  /** All objects as they are now, for `startKube({ snapshot })`. */
  snapshot(): Promise<Snapshot>
  /** Settles when no controller has anything to do now. */
  settled(): Promise<void>
  time: Time
  faults: Faults & {
    /** Ends every watch, as a restart of the server would. */
    dropWatches(): void
    /** Forgets the past: watches that resume, and pages that continue, answer 410. */
    expireHistory(): void
  }
  close(): Promise<void>
}

export async function startKube(options: TestKubeOptions = {}): Promise<TestKube> {
  const { port, nodes = 0, stages, controllers = ['*'], objects, snapshot, kubeVersion } = options
  const restored = snapshot && (await Snapshot.taken(snapshot))
  const time = options.time ?? restored?.time
  const clock = time === undefined ? undefined : new ManualClock(new Date(time).getTime())
  const { faults, filter } = createFaults()
  const settings: KubeOptions = {
    memory: true,
    nodes,
    controllers,
    filters: [filter],
    ...(port !== undefined && { port }),
    ...(stages !== undefined && { stages }),
    ...(restored && { storage: restored.storage, pki: restored.pki }),
    ...(clock && { clock }),
    ...(kubeVersion !== undefined && { kubeVersion }),
  }
  const kube = await startServer(settings).catch(async (error: unknown) => {
    await restored?.storage.close()
    throw error
  })
  const close = async (): Promise<void> => {
    await kube.close()
    await restored?.storage.close()
  }
  const client = new RestClient({ transport: kube.transport, user: kube.adminUser, userAgent: 'orrery-test' })
  const settled = (): Promise<void> => settle(kube)
  const create = (given: string | readonly KubeObject[]): Promise<KubeObject[]> =>
    createAll(kube, client, given)
  if (objects !== undefined) {
    try {
      await create(objects)
    } catch (error) {
      await close()
      throw error
    }
  }
  return {
    url: kube.url,
    kubeconfig:
      kube.url &&
      kubeconfigFor({ server: kube.url, ca: kube.caPem, user: ADMIN.commonName, ...kube.pki.admin }),
    client,
    as: (user, groups = []) =>
      new RestClient({
        transport: kube.transport,
        user: { name: user, groups: [...groups, 'system:authenticated'] },
        userAgent: 'orrery-test',
      }),
    resource: <T extends KubeObject>(path: string) => resourceAt<T>(kube, client, path),
    create,
    async snapshot() {
      await settled()
      return new Snapshot(kube, clock?.now())
    },
    settled,
    time: timeOf(clock, settled),
    faults: {
      ...faults,
      dropWatches: () => kube.dropWatches(),
      expireHistory: () => kube.storage.compact(kube.storage.revision),
    },
    close,
  }
}

/** @throws Error for a path of nothing that is served */
function resourceAt<T extends KubeObject>(kube: Kube, client: RestClient, path: string): ResourceClient<T> {
  const parts = path.split('/')
  const [resource = '', version = '', group = ''] = parts.reverse()
  const definition = kube.catalogue.get(group, version, resource)
  if (!definition) throw new Error(`${path} is not served: write v1/pods, apps/v1/deployments`)
  return client.resource<T>({ group, version, resource, kind: definition.kind })
}

async function createAll(
  kube: Kube,
  client: RestClient,
  given: string | readonly KubeObject[],
): Promise<KubeObject[]> {
  const objects =
    typeof given === 'string'
      ? parseAllDocuments(given).flatMap((document) => (document.toJS() as KubeObject | null) ?? [])
      : given
  const created: KubeObject[] = []
  for (const object of objects) {
    const { group = '', version = '' } = parseApiVersion(object.apiVersion ?? '') ?? {}
    const definition = kube.catalogue.byKind(group, version, object.kind ?? '')
    if (!definition) throw new Error(`${object.apiVersion ?? '?'} ${object.kind ?? '?'} is not served`)
    const { resource, kind, namespaced } = definition
    const namespace = object.metadata.namespace ?? 'default'
    const of = client.resource({ group, version, resource, kind })
    created.push(await of.create(object, namespaced ? { namespace } : {}))
  }
  return created
}

/** Twice idle in a row: a write of one controller may be what another waits for. */
async function settle(kube: Kube): Promise<void> {
  for (let idle = 0; idle < 3;) {
    await new Promise((resolve) => setImmediate(resolve))
    idle = kube.isIdle() ? idle + 1 : 0
  }
}
