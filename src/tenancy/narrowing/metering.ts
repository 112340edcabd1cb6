/**
 * Whose consumption a user may see. The right is to list pods where the consumption is.
 *
 * A question about all workspaces or all projects is not refused but narrowed to those of the caller; the original
 * left projects unnarrowed. The names are to be put into the query together with the filter of the client.
 */
import { badRequest } from '../../apimachinery/errors/index.js'
import { type UserInfo } from '../../apimachinery/meta/types.js'
import { type Place, type Question, type Rights } from '../../authorization/rights.js'
import { type RoleBook } from '../../authorization/rolebook.js'
import { WORKSPACE } from '../names.js'
import { type TenancyResources } from '../resources.js'
import { Candidates } from './candidates.js'

export const METERING_LEVELS = [
  'LevelCluster',
  'LevelNode',
  'LevelWorkspace',
  'LevelNamespace',
  'LevelApplication',
  'LevelWorkload',
  'LevelService',
  'LevelPod',
] as const
export type MeteringLevel = (typeof METERING_LEVELS)[number]

export interface MeteringQuestion {
  level: MeteringLevel
  workspace?: string
  namespace?: string
}

/** What of the answer may be shown. `asked`: all that was asked for. */
export type MeteringScope = 'asked' | { workspaces: readonly string[] } | { namespaces: readonly string[] }

export interface MeteringNarrowingDeps {
  resources: Pick<TenancyResources, 'namespaces' | 'workspaces'>
  book: RoleBook
  rights: Rights
}

const PODS: Question = { verb: 'list', apiGroup: '', resource: 'pods' }

export class MeteringNarrowing {
  readonly #candidates: Candidates

  constructor(private readonly deps: MeteringNarrowingDeps) {
    this.#candidates = new Candidates(deps.resources, deps.book)
  }

  /**
   * @throws StatusError 403, 400 when the level needs a namespace and none is named, 404 for a namespace that is not
   * in the named workspace
   */
  async scope(
    user: UserInfo,
    { level, workspace = '', namespace = '' }: MeteringQuestion,
  ): Promise<MeteringScope> {
    switch (level) {
      case 'LevelCluster':
      case 'LevelNode':
        return this.#demand(user, { level: 'cluster' })
      case 'LevelWorkspace':
        return workspace === ''
          ? this.#workspaces(user)
          : this.#demand(user, { level: 'workspace', workspace })
      case 'LevelNamespace':
        if (namespace !== '') return this.#inNamespace(user, workspace, namespace)
        return this.#namespaces(user, workspace)
      case 'LevelPod':
        if (namespace === '') return this.#demand(user, { level: 'cluster' })
        return this.#inNamespace(user, workspace, namespace)
      default:
        if (namespace === '') throw badRequest(`the level ${level} needs the parameter namespace`)
        return this.#inNamespace(user, workspace, namespace)
    }
  }

  /** A namespace counts where it is, whatever workspace is named beside it. */
  async #inNamespace(user: UserInfo, workspace: string, namespace: string): Promise<MeteringScope> {
    const scope = await this.#demand(user, { level: 'namespace', namespace })
    const { namespaces } = this.deps.resources
    if (workspace !== '' && namespaces.get(namespace)?.metadata.labels?.[WORKSPACE] !== workspace)
      throw namespaces.missing(namespace)
    return scope
  }

  async #workspaces(user: UserInfo): Promise<MeteringScope> {
    if (await this.#may(user, { level: 'cluster' })) return 'asked'
    const workspaces: string[] = []
    for (const { name } of this.#candidates.workspaces({}, user))
      if (await this.#may(user, { level: 'workspace', workspace: name })) workspaces.push(name)
    return { workspaces }
  }

  async #namespaces(user: UserInfo, workspace: string): Promise<MeteringScope> {
    const whole: Place = workspace === '' ? { level: 'cluster' } : { level: 'workspace', workspace }
    if (await this.#may(user, whole)) return 'asked'
    const filters = workspace === '' ? {} : { workspaces: [workspace] }
    const namespaces: string[] = []
    for (const { name } of this.#candidates.namespaces(filters, user))
      if (await this.#may(user, { level: 'namespace', namespace: name })) namespaces.push(name)
    return { namespaces }
  }

  async #demand(user: UserInfo, place: Place): Promise<MeteringScope> {
    await this.deps.rights.demand(user, PODS, place)
    return 'asked'
  }

  #may(user: UserInfo, place: Place): Promise<boolean> {
    return this.deps.rights.can(user, PODS, place)
  }
}
