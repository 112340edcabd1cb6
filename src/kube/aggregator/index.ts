/**
 * API servers of others, registered by an APIService: found, watched over, and put in front of.
 *
 * A registration counts from the moment it is stored. Whether its server answers is looked at every half minute and
 * said in the condition Available; what it serves is part of discovery and of the published schema, as it was when it
 * last answered.
 */
import { type UserInfo } from '../../apimachinery/meta/types.js'
import { type ClientCertificate } from '../../client/http/index.js'
import { type Reconciler, type Request, type Result, type Source } from '../../controller/types.js'
import { type Writer } from '../controllers/writer.js'
import { type Objects } from '../objects.js'
import { type Clock, wireTime } from '../registry/clock.js'
import { type Catalogue } from '../registry/strategy.js'
import { type Exchange } from '../server/exchange.js'
import { Backend, unavailable, URL_ANNOTATION } from './backend.js'
import {
  type APIService,
  type DiscoveredResource,
  type Foreign,
  type ForeignVersion,
  type OpenApi,
} from './types.js'

const GROUP = 'apiregistration.k8s.io'
const RESOURCE = 'apiservices'
const LOOK_MS = 30_000
const SELF: UserInfo = { name: 'system:kube-aggregator', groups: ['system:masters', 'system:authenticated'] }

export interface AggregatorDeps {
  objects: Objects
  writer: () => Writer
  catalogue: Catalogue
  clock: Clock
  /** Proves to other servers that the headers of a front proxy may be believed. Made when first needed. */
  certificate: () => ClientCertificate
}

interface Known {
  generation: string
  backend: Backend | undefined
  why: string
  version: ForeignVersion
}

export class Aggregator implements Reconciler, Foreign {
  readonly #services = new Map<string, Readonly<APIService>>()
  readonly #known = new Map<string, Known>()
  #certificate: ClientCertificate | undefined
  #sorted: readonly ForeignVersion[] | undefined
  revision = 0

  constructor(private readonly deps: AggregatorDeps) {}

  readonly source: Source = (enqueue) => {
    const again = ({ metadata }: { metadata: { name?: string } }): void =>
      enqueue({ namespace: '', name: metadata.name ?? '' })
    const stops = [
      this.deps.objects.follow(GROUP, RESOURCE, ({ object, previous }) => {
        const service = (object ?? previous) as APIService | undefined
        if (!service) return
        const name = service.metadata.name ?? ''
        if (object && isForeign(service)) this.#services.set(name, service)
        else {
          this.#services.delete(name)
          this.#forget(name)
        }
        if (isForeign(service)) again(service)
      }),
      // Where the server is may have changed.
      ...['services', 'endpoints'].map((resource) =>
        this.deps.objects.follow('', resource, ({ object, previous }) => {
          const { name, namespace } = (object ?? previous)?.metadata ?? {}
          for (const service of this.#services.values()) {
            const of = service.spec.service
            if (of?.name !== name || of?.namespace !== namespace) continue
            this.#known.delete(service.metadata.name ?? '')
            again(service)
          }
        }),
      ),
    ]
    return () => stops.forEach((stop) => stop())
  }

  versions(): readonly ForeignVersion[] {
    return (this.#sorted ??= [...this.#known.values()]
      .map(({ version }) => version)
      .sort(
        (a, b) =>
          b.groupPriority - a.groupPriority ||
          (a.group < b.group ? -1 : a.group > b.group ? 1 : b.versionPriority - a.versionPriority),
      ))
  }

  /** Answers for the group version of a path, when another server does. @returns false when none */
  async serve(exchange: Exchange): Promise<boolean> {
    if (this.#services.size === 0) return false
    const [, prefix, first = '', second = '', ...rest] = exchange.requestInfo.path.split('/')
    const isSchema = prefix === 'openapi' && first === 'v3' && second === 'apis'
    if (!isSchema && prefix !== 'apis') return false
    const [group = '', version = ''] = isSchema ? rest : [first, second]
    const service = this.#services.get(`${version}.${group}`)
    if (!service) return false
    const { backend } = await this.#open(service)
    if (!backend) throw unavailable()
    await backend.pass(exchange)
    return true
  }

  async reconcile({ name }: Request, signal: AbortSignal): Promise<Result> {
    const service = this.#services.get(name)
    if (!service) return
    const known = await this.#open(service)
    const { group, version } = service.spec
    let [status, reason, message] = ['True', 'Passed', 'all checks passed']
    try {
      if (!known.backend) throw new Error(known.why)
      const found = (await known.backend.ask(`/apis/${group}/${version}`, SELF)) as {
        resources?: DiscoveredResource[]
      }
      const openapi = (await known.backend.ask('/openapi/v2', SELF).catch(() => undefined)) as
        OpenApi | undefined
      this.#learn(name, known, { resources: found.resources ?? [], isCurrent: true, openapi })
    } catch (error) {
      ;[status, reason, message] = [
        'False',
        known.backend ? 'FailedDiscoveryCheck' : 'ServiceNotFound',
        String((error as Error).message),
      ]
      this.#learn(name, known, { ...known.version, isCurrent: false })
    }
    await this.#report(service, { status, reason, message }, signal)
    return { requeueAfter: LOOK_MS }
  }

  close(): void {
    for (const { backend } of this.#known.values()) backend?.close()
  }

  async #open(service: Readonly<APIService>): Promise<Known> {
    const { name = '', annotations } = service.metadata
    const generation = JSON.stringify([service.metadata.uid, service.spec, annotations?.[URL_ANNOTATION]])
    const before = this.#known.get(name)
    if (before?.generation === generation && before.backend) return before
    this.#certificate ??= this.deps.certificate()
    let [backend, why]: [Backend | undefined, string] = [undefined, '']
    try {
      backend = new Backend(this.deps.objects, service, this.#certificate)
    } catch (error) {
      why = (error as Error).message
    }
    before?.backend?.close()
    const { group, version, groupPriorityMinimum, versionPriority } = service.spec
    const known: Known = {
      generation,
      backend,
      why,
      version: {
        ...{ group, version, groupPriority: groupPriorityMinimum, versionPriority },
        ...{ resources: before?.version.resources ?? [], isCurrent: false, openapi: before?.version.openapi },
      },
    }
    this.#known.set(name, known)
    this.#changed()
    return known
  }

  #learn(
    name: string,
    known: Known,
    news: Pick<ForeignVersion, 'resources' | 'isCurrent' | 'openapi'>,
  ): void {
    const before = JSON.stringify(known.version)
    known.version = { ...known.version, ...news }
    if (this.#known.get(name) === known && JSON.stringify(known.version) !== before) this.#changed()
  }

  #forget(name: string): void {
    this.#known.get(name)?.backend?.close()
    if (this.#known.delete(name)) this.#changed()
  }

  #changed(): void {
    this.revision++
    this.#sorted = undefined
  }

  async #report(
    service: Readonly<APIService>,
    news: { status: string; reason: string; message: string },
    signal: AbortSignal,
  ): Promise<void> {
    const before = service.status?.conditions?.find(({ type }) => type === 'Available')
    const same =
      before?.status === news.status && before.reason === news.reason && before.message === news.message
    const definition = this.deps.catalogue.get(GROUP, 'v1', RESOURCE)
    if (same || !definition) return
    const lastTransitionTime =
      before?.status === news.status ? before.lastTransitionTime : wireTime(this.deps.clock.now())
    const condition = { type: 'Available', ...news, lastTransitionTime }
    const change = <T>(current: T): T =>
      Object.assign(current as object, { status: { conditions: [condition] } }) as T
    await this.deps
      .writer()
      .update(definition, '', service.metadata.name ?? '', change, { subresource: 'status', signal })
  }
}

/** Those without a service are answered here, unless they say where they are. */
function isForeign({ metadata, spec }: Readonly<APIService>): boolean {
  return Boolean(spec.service) || metadata.annotations?.[URL_ANNOTATION] !== undefined
}
