/**
 * Which workspaces, projects and DevOps projects a user gets to see in lists: all that a role lets them list, or
 * else those that bindings name them in.
 *
 * Costs what the user is bound to, or what the asked workspace holds, never what the platform holds. A binding in a
 * place that is gone shows nothing; the original failed on it.
 */
import { type UserInfo } from '../../apimachinery/meta/types.js'
import { type Place, type Rights } from '../../authorization/rights.js'
import { type RoleBook } from '../../authorization/rolebook.js'
import { type CachedObject, type Store } from '../../client/cache/interface.js'
import { DEVOPS_PROJECT, WORKSPACE } from '../names.js'
import { type TenancyResources } from '../resources.js'

type Cached = CachedObject<never>

export interface VisibilityDeps {
  resources: Pick<TenancyResources, 'namespaces' | 'devopsProjects'>
  book: RoleBook
  rights: Rights
}

/** Undefined: everything there is. */
export type Visible = Cached[] | undefined

export class Visibility {
  constructor(private readonly deps: VisibilityDeps) {}

  /**
   * @param store of Workspaces or of WorkspaceTemplates, which share their names
   *
   * Asked for the API group `*`, so that only roles that speak of all groups open the whole list: everybody may read
   * below `/kapis/tenant.kubesphere.io`, and that must not count here.
   */
  async workspaces(user: UserInfo, store: Store<never>): Promise<Visible> {
    const question = { verb: 'list', apiGroup: '*', resource: 'workspaces' }
    if (await this.deps.rights.can(user, question, { level: 'global' })) return undefined
    return [...this.deps.book.workspacesOf(user)].flatMap((name) => store.get('', name) ?? [])
  }

  async namespaces(user: UserInfo, workspace?: string): Promise<Visible> {
    const { store } = this.deps.resources.namespaces.informer
    if (await this.#mayList(user, 'namespaces', workspace)) return all(store, workspace)
    return this.#boundNamespaces(user).filter((namespace) => isIn(namespace, workspace))
  }

  /** Federated namespaces lie in the namespace that they propagate. @param store theirs */
  async federatedNamespaces(user: UserInfo, store: Store<never>, workspace?: string): Promise<Visible> {
    if (await this.#mayList(user, 'federatednamespaces', workspace)) return all(store, workspace)
    return this.#boundNamespaces(user)
      .flatMap(({ name }) => store.get(name, name) ?? [])
      .filter((federated) => isIn(federated, workspace))
  }

  async devopsProjects(user: UserInfo, workspace?: string): Promise<Visible> {
    const { store } = this.deps.resources.devopsProjects.informer
    if (await this.#mayList(user, 'devops', workspace)) return all(store, workspace)
    const named = this.#boundNamespaces(user).map(({ labels }) => labels[DEVOPS_PROJECT] ?? '')
    return [...new Set(named)]
      .flatMap((name) => store.get('', name) ?? [])
      .filter((project) => isIn(project, workspace))
  }

  #boundNamespaces(user: UserInfo): Cached[] {
    const { store } = this.deps.resources.namespaces.informer
    return [...this.deps.book.namespacesOf(user)].flatMap((name) => store.get('', name) ?? [])
  }

  #mayList(user: UserInfo, resource: string, workspace: string | undefined): Promise<boolean> {
    const place: Place = workspace === undefined ? { level: 'cluster' } : { level: 'workspace', workspace }
    return this.deps.rights.can(user, { verb: 'list', apiGroup: '', resource }, place)
  }
}

function all(store: Store<never>, workspace: string | undefined): Visible {
  return workspace === undefined ? undefined : [...store.byLabel(WORKSPACE, workspace)]
}

function isIn({ labels }: Cached, workspace: string | undefined): boolean {
  return workspace === undefined || labels[WORKSPACE] === workspace
}
