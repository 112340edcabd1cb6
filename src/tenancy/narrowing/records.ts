/**
 * Whose log lines, events and audit records a user may read.
 *
 * Nobody is refused: who may read nothing gets an empty scope, and an empty answer. Records of a place count from its
 * creation on, because a place of the same name may have been somebody else's before.
 *
 * A scope says what may be read, not what was asked for: whoever runs the query still applies its filters.
 */
import { type UserInfo } from '../../apimachinery/meta/types.js'
import { type Place, type Question, type Rights } from '../../authorization/rights.js'
import { type RoleBook } from '../../authorization/rolebook.js'
import { type CachedObject } from '../../client/cache/interface.js'
import { type TenancyResources } from '../resources.js'
import { Candidates, isUnfiltered, type PlaceFilters } from './candidates.js'

/** Name → the time from which records count; undefined: from the beginning. */
export type Since = ReadonlyMap<string, Date | undefined>

export interface RecordScope {
  /** `any`: also namespaces that are not there any more. */
  namespaces: Since | 'any'
  /** Records that carry a workspace, whichever namespace they are of. */
  workspaces: Since
  /** Records that name no place. */
  unscoped: boolean
}

/** Where and when something was recorded. */
export interface Recorded {
  namespace?: string
  workspace?: string
  time: Date
}

export interface RecordNarrowingDeps {
  resources: Pick<TenancyResources, 'namespaces' | 'workspaces'>
  book: RoleBook
  rights: Rights
}

const EVENTS: Question = { verb: 'list', apiGroup: '', resource: 'events' }
const LOGS: Question = { verb: 'get', apiGroup: '', resource: 'pods', subresource: 'log' }
const NOWHERE: Since = new Map()

export class RecordNarrowing {
  readonly #candidates: Candidates

  constructor(private readonly deps: RecordNarrowingDeps) {
    this.#candidates = new Candidates(deps.resources, deps.book)
  }

  /** By the right to list events in each namespace. */
  async events(user: UserInfo, filters: PlaceFilters): Promise<RecordScope> {
    const everywhere = await this.deps.rights.can(user, EVENTS, { level: 'cluster' })
    return {
      namespaces: await this.#namespaces(user, EVENTS, filters, everywhere),
      workspaces: NOWHERE,
      unscoped: everywhere && isUnfiltered(filters),
    }
  }

  /** As events; who may list events in a workspace sees all audit records of it. */
  async auditing(user: UserInfo, filters: PlaceFilters): Promise<RecordScope> {
    const everywhere = await this.deps.rights.can(user, EVENTS, { level: 'cluster' })
    const workspaces = this.#candidates.workspaces(filters, everywhere ? undefined : user)
    const inWorkspace = ({ name }: CachedObject<never>): Place => ({ level: 'workspace', workspace: name })
    return {
      namespaces: await this.#namespaces(user, EVENTS, filters, everywhere),
      workspaces: await this.#allowed(user, EVENTS, workspaces, inWorkspace, everywhere),
      unscoped: everywhere && isUnfiltered(filters),
    }
  }

  /**
   * By the right to read the logs of pods in each namespace. Who has it everywhere is held to no time, and without
   * filters to no namespace.
   */
  async logs(
    user: UserInfo,
    filters: Pick<PlaceFilters, 'namespaces' | 'namespaceSearch'>,
  ): Promise<RecordScope> {
    const everywhere = await this.deps.rights.can(user, LOGS, { level: 'cluster' })
    if (!everywhere) {
      const namespaces = await this.#namespaces(user, LOGS, filters, false)
      return { namespaces, workspaces: NOWHERE, unscoped: false }
    }
    if (isUnfiltered(filters)) return { namespaces: 'any', workspaces: NOWHERE, unscoped: true }
    const named = this.#candidates.namespaces(filters).map(({ name }) => [name, undefined] as const)
    return { namespaces: new Map(named), workspaces: NOWHERE, unscoped: false }
  }

  #namespaces(
    user: UserInfo,
    question: Question,
    filters: PlaceFilters,
    everywhere: boolean,
  ): Promise<Since> {
    const namespaces = this.#candidates.namespaces(filters, everywhere ? undefined : user)
    const inNamespace = ({ name }: CachedObject<never>): Place => ({ level: 'namespace', namespace: name })
    return this.#allowed(user, question, namespaces, inNamespace, everywhere)
  }

  async #allowed(
    user: UserInfo,
    question: Question,
    candidates: readonly CachedObject<never>[],
    placeOf: (candidate: CachedObject<never>) => Place,
    everywhere: boolean,
  ): Promise<Since> {
    const since = new Map<string, Date>()
    for (const candidate of candidates) {
      if (everywhere || (await this.deps.rights.can(user, question, placeOf(candidate))))
        since.set(candidate.name, new Date(candidate.creationTimestamp))
    }
    return since
  }
}

/** Nothing can be read: the query need not be run. */
export function isEmpty({ namespaces, workspaces, unscoped }: RecordScope): boolean {
  return namespaces !== 'any' && namespaces.size === 0 && workspaces.size === 0 && !unscoped
}

/** Whether the scope admits a record; what a query to a store has to say in the words of the store. */
export function admits(
  { namespaces, workspaces, unscoped }: RecordScope,
  { namespace = '', workspace = '', time }: Recorded,
): boolean {
  if (namespace === '' && workspace === '') return unscoped
  if (namespace !== '' && (namespaces === 'any' || reaches(namespaces, namespace, time))) return true
  return workspace !== '' && reaches(workspaces, workspace, time)
}

function reaches(places: Since, name: string, time: Date): boolean {
  if (!places.has(name)) return false
  const since = places.get(name)
  return since === undefined || time.getTime() >= since.getTime()
}
