/** The places that a query about records can be about, before anybody asks for rights on each. */
import { type UserInfo } from '../../apimachinery/meta/types.js'
import { type RoleBook } from '../../authorization/rolebook.js'
import { type CachedObject } from '../../client/cache/interface.js'
import { WORKSPACE } from '../names.js'
import { type TenancyResources } from '../resources.js'

type Cached = CachedObject<never>

/** As a client has them in comma lists; an empty list is no filter. All that are given must agree. */
export interface PlaceFilters {
  workspaces?: readonly string[]
  /** Parts of names, upper and lower case told apart. */
  workspaceSearch?: readonly string[]
  namespaces?: readonly string[]
  namespaceSearch?: readonly string[]
}

export function isUnfiltered(filters: PlaceFilters): boolean {
  const { workspaces, workspaceSearch, namespaces, namespaceSearch } = filters
  return [workspaces, workspaceSearch, namespaces, namespaceSearch].every((list) => !list?.length)
}

export class Candidates {
  constructor(
    private readonly resources: Pick<TenancyResources, 'namespaces' | 'workspaces'>,
    private readonly book: RoleBook,
  ) {}

  /** @param of whose bindings to start from; undefined: all namespaces */
  namespaces(filters: PlaceFilters, of?: UserInfo): Cached[] {
    const all = of === undefined ? this.#named(filters) : this.#boundNamespaces(of)
    return [...all].filter(
      ({ name, labels }) =>
        passes(name, filters.namespaces, filters.namespaceSearch) &&
        passes(labels[WORKSPACE] ?? '', filters.workspaces, filters.workspaceSearch),
    )
  }

  workspaces({ workspaces, workspaceSearch }: PlaceFilters, of?: UserInfo): Cached[] {
    const { store } = this.resources.workspaces.informer
    const named = workspaces?.length ? new Set(workspaces) : undefined
    const names = of === undefined ? named : this.book.workspacesOf(of)
    const all = names ? [...names].flatMap((name) => store.get('', name) ?? []) : store.byName()
    return [...all].filter(({ name }) => passes(name, workspaces, workspaceSearch))
  }

  /** Through an index where the filters allow it. */
  #named({ namespaces, workspaces }: PlaceFilters): Iterable<Cached> {
    const { store } = this.resources.namespaces.informer
    if (namespaces?.length) return [...new Set(namespaces)].flatMap((name) => store.get('', name) ?? [])
    if (workspaces?.length)
      return [...new Set(workspaces)].flatMap((workspace) =>
        workspace === '' ? [] : [...store.byLabel(WORKSPACE, workspace)],
      )
    return store.byName()
  }

  /** Roles in a namespace, or in its workspace, are the only ones that differ from namespace to namespace. */
  #boundNamespaces(user: UserInfo): Set<Cached> {
    const { store } = this.resources.namespaces.informer
    const bound = [...this.book.namespacesOf(user)].flatMap((name) => store.get('', name) ?? [])
    const inWorkspaces = [...this.book.workspacesOf(user)].flatMap((workspace) => [
      ...store.byLabel(WORKSPACE, workspace),
    ])
    return new Set([...bound, ...inWorkspaces])
  }
}

/** No place has the empty name: what is in no workspace passes no filter of workspaces. */
function passes(name: string, exact: readonly string[] = [], parts: readonly string[] = []): boolean {
  if (exact.length === 0 && parts.length === 0) return true
  if (name === '') return false
  return (
    (exact.length === 0 || exact.includes(name)) &&
    (parts.length === 0 || parts.some((part) => name.includes(part)))
  )
}
