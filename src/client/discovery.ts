/**
 * What an API serves: groups, versions, resources; asked once and kept until something is not found.
 *
 * Two requests where the server knows the aggregated form, else one per group version. A group that cannot
 * be asked is reported and keeps what was last known of it; the others are not held up.
 */
import { StatusError } from '../apimachinery/errors/index.js'
import { type GroupVersion } from '../apimachinery/meta/types.js'
import { pause, systemClock, type Clock } from './clock.js'
import { type RestClient } from './rest.js'

export interface ApiResource extends GroupVersion {
  /** Plural, lower case. */
  resource: string
  kind: string
  singular: string
  namespaced: boolean
  verbs: readonly string[]
  shortNames: readonly string[]
  categories: readonly string[]
  subresources: readonly string[]
}

export interface ApiGroup {
  /** "" for the core group. */
  group: string
  /** In the server's order of preference. */
  versions: readonly string[]
}

export interface DiscoveryFailure extends GroupVersion {
  error: string
}

export interface DiscoveryOptions {
  client: RestClient
  clock?: Clock
  /** Misses do not make the server answer more often than this. */
  intervalMs?: number
}

interface Known {
  groups: ApiGroup[]
  resources: Map<string, readonly ApiResource[]>
  failures: DiscoveryFailure[]
}

const AGGREGATED = ['v2', 'v2beta1']
  .map((version) => `application/json;g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList`)
  .concat('application/json')
  .join(',')
const AT_ONCE = 8
const TRIES = 3

export class Discovery {
  readonly #client: RestClient
  readonly #clock: Clock
  readonly #intervalMs: number
  #known: Known | undefined
  #askedAt = -Infinity
  #asking: Promise<Known> | undefined
  /** Counts invalidations, so that an answer already under way when one came is not taken for fresh. */
  #stale = 0

  constructor({ client, clock = systemClock, intervalMs = 500 }: DiscoveryOptions) {
    this.#client = client
    this.#clock = clock
    this.#intervalMs = intervalMs
  }

  async groups(): Promise<readonly ApiGroup[]> {
    return (await this.#get()).groups
  }

  async resources(): Promise<readonly ApiResource[]> {
    return [...(await this.#get()).resources.values()].flat()
  }

  /** Group versions that could not be asked the last time. */
  async failures(): Promise<readonly DiscoveryFailure[]> {
    return (await this.#get()).failures
  }

  /** Something has changed, a definition say: the next question goes to the server. */
  invalidate(): void {
    this.#stale++
    this.#known = undefined
  }

  /** @throws StatusError when not even the list of groups can be had */
  async refresh(): Promise<void> {
    await this.#ask()
  }

  /**
   * The resource of a kind, in the version asked for or the preferred one. Asks the server again before it
   * says that there is none.
   */
  resourceFor(wanted: { group: string; version?: string; kind: string }): Promise<ApiResource | undefined> {
    return this.#find(wanted, ({ kind }) => kind === wanted.kind)
  }

  /** The same by the plural name. */
  resourceNamed(wanted: {
    group: string
    version?: string
    resource: string
  }): Promise<ApiResource | undefined> {
    return this.#find(wanted, ({ resource }) => resource === wanted.resource)
  }

  async #find(
    { group, version }: { group: string; version?: string },
    matches: (resource: ApiResource) => boolean,
  ): Promise<ApiResource | undefined> {
    const search = ({ groups, resources }: Known): ApiResource | undefined => {
      const versions =
        version === undefined ? (groups.find((each) => each.group === group)?.versions ?? []) : [version]
      for (const each of versions) {
        const found = resources.get(`${group}/${each}`)?.find(matches)
        if (found) return found
      }
      return undefined
    }
    const known = await this.#get()
    return search(known) ?? search(await this.#askAgain(known))
  }

  async #get(): Promise<Known> {
    return this.#known ?? this.#ask()
  }

  /** Fresher than `known`, but not more often than allowed. */
  async #askAgain(known: Known): Promise<Known> {
    if (this.#known && this.#known !== known) return this.#known
    const waitMs = this.#askedAt + this.#intervalMs - this.#clock.now()
    if (waitMs > 0) await pause(this.#clock, waitMs, NEVER)
    return this.#known && this.#known !== known ? this.#known : this.#ask()
  }

  #ask(): Promise<Known> {
    this.#asking ??= this.#fetchFresh().finally(() => (this.#asking = undefined))
    return this.#asking
  }

  async #fetchFresh(): Promise<Known> {
    for (let tries = 1; ; tries++) {
      const stale = this.#stale
      this.#askedAt = this.#clock.now()
      const known = await this.#fetch(this.#known)
      if (stale === this.#stale) this.#known = known
      // Where definitions change without end, an answer that may just be old is better than none.
      if (stale === this.#stale || tries === TRIES) return known
    }
  }

  async #fetch(before: Known | undefined): Promise<Known> {
    const headers = { accept: AGGREGATED }
    const [core, named] = await Promise.all([
      this.#client.json<unknown>('GET', '/api', { headers }),
      this.#client.json<unknown>('GET', '/apis', { headers }),
    ])
    const known: Known = { groups: [], resources: new Map(), failures: [] }
    const legacy: GroupVersion[] = []
    for (const answer of [core, named]) {
      if (isAggregated(answer)) readAggregated(answer, known, before)
      else legacy.push(...readGroups(answer, known))
    }
    const queue = [...legacy]
    const worker = async (): Promise<void> => {
      for (let next = queue.shift(); next; next = queue.shift()) await this.#fetchVersion(next, known, before)
    }
    await Promise.all(Array.from({ length: AT_ONCE }, worker))
    return known
  }

  async #fetchVersion(
    { group, version }: GroupVersion,
    known: Known,
    before: Known | undefined,
  ): Promise<void> {
    const key = `${group}/${version}`
    const path = group === '' ? `/api/${version}` : `/apis/${group}/${version}`
    try {
      const list = await this.#client.json<{ resources?: LegacyResource[] | null }>('GET', path)
      known.resources.set(key, readResources({ group, version }, list.resources ?? []))
    } catch (error) {
      // Gone between two answers, as when a definition was just deleted.
      if (error instanceof StatusError && error.code === 404) return
      fail(known, before, { group, version }, (error as Error).message)
    }
  }
}

function fail(known: Known, before: Known | undefined, version: GroupVersion, error: string): void {
  known.failures.push({ ...version, error })
  const key = `${version.group}/${version.version}`
  const last = before?.resources.get(key)
  if (last) known.resources.set(key, last)
}

interface LegacyResource {
  name: string
  singularName?: string
  namespaced?: boolean
  kind: string
  group?: string
  version?: string
  verbs?: string[]
  shortNames?: string[]
  categories?: string[]
}

/** Takes in the names of groups. @returns the versions to ask about */
function readGroups(answer: unknown, known: Known): GroupVersion[] {
  const { versions, groups } = (answer ?? {}) as {
    versions?: string[]
    groups?: {
      name: string
      versions?: { version: string }[]
      preferredVersion?: { version: string }
    }[]
  }
  const all = (groups ?? []).map(({ name, versions: served = [], preferredVersion }) => ({
    group: name,
    versions: preferredFirst(
      served.map(({ version }) => version),
      preferredVersion?.version,
    ),
  }))
  if (versions) all.unshift({ group: '', versions })
  known.groups.push(...all)
  return all.flatMap(({ group, versions: served }) => served.map((version) => ({ group, version })))
}

function preferredFirst(versions: readonly string[], preferred: string | undefined): string[] {
  if (preferred === undefined || !versions.includes(preferred)) return [...versions]
  return [preferred, ...versions.filter((version) => version !== preferred)]
}

function readResources({ group, version }: GroupVersion, listed: readonly LegacyResource[]): ApiResource[] {
  const subresources = new Map<string, string[]>()
  for (const { name } of listed) {
    const slash = name.indexOf('/')
    if (slash < 0) continue
    const parent = name.slice(0, slash)
    subresources.set(parent, [...(subresources.get(parent) ?? []), name.slice(slash + 1)])
  }
  return listed
    .filter(({ name }) => !name.includes('/'))
    .map(({ name, singularName, namespaced, kind, verbs, shortNames, categories }) => ({
      group,
      version,
      resource: name,
      kind,
      singular: singularName || kind.toLowerCase(),
      namespaced: namespaced === true,
      verbs: verbs ?? [],
      shortNames: shortNames ?? [],
      categories: categories ?? [],
      subresources: subresources.get(name) ?? [],
    }))
}

interface Aggregated {
  items?: {
    metadata?: { name?: string }
    versions?: {
      version: string
      freshness?: string
      resources?: {
        resource: string
        responseKind?: { kind?: string } | null
        scope?: string
        singularResource?: string
        verbs?: string[]
        shortNames?: string[]
        categories?: string[]
        subresources?: { subresource: string }[]
      }[]
    }[]
  }[]
}

function isAggregated(answer: unknown): answer is Aggregated {
  return (answer as { kind?: unknown } | null)?.kind === 'APIGroupDiscoveryList'
}

function readAggregated({ items = [] }: Aggregated, known: Known, before: Known | undefined): void {
  for (const { metadata, versions = [] } of items) {
    const group = metadata?.name ?? ''
    known.groups.push({ group, versions: versions.map(({ version }) => version) })
    for (const { version, freshness, resources = [] } of versions) {
      if (freshness === 'Stale') {
        fail(known, before, { group, version }, 'the server has no fresh answer of this group')
        if (resources.length === 0) continue
      }
      known.resources.set(
        `${group}/${version}`,
        resources.map((each) => ({
          group,
          version,
          resource: each.resource,
          kind: each.responseKind?.kind ?? '',
          singular: each.singularResource ?? '',
          namespaced: each.scope === 'Namespaced',
          verbs: each.verbs ?? [],
          shortNames: each.shortNames ?? [],
          categories: each.categories ?? [],
          subresources: (each.subresources ?? []).map(({ subresource }) => subresource),
        })),
      )
    }
  }
}

const NEVER = new AbortController().signal
