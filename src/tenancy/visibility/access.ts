/**
 * Who may read one workspace or one project, and what belongs to it.
 *
 * Every logged-in user passes the authorization filter on reads of the tenant API, so its handlers must ask here.
 * A refusal does not tell whether the place exists.
 */
import { forbidden } from '../../apimachinery/errors/index.js'
import { type UserInfo } from '../../apimachinery/meta/types.js'
import { type Rights } from '../../authorization/rights.js'
import { type RoleBook } from '../../authorization/rolebook.js'
import { WORKSPACE } from '../names.js'
import { TENANT_GROUP, type TenancyResources } from '../resources.js'

export interface AccessDeps {
  resources: Pick<TenancyResources, 'namespaces'>
  book: RoleBook
  rights: Rights
}

export class Access {
  constructor(private readonly deps: AccessDeps) {}

  /** Bound in the workspace, or in one of its projects, as a user or through a group. */
  isMember(user: UserInfo, workspace: string): boolean {
    const { book } = this.deps
    if (workspace === '') return false
    if (book.workspacesOf(user).has(workspace)) return true
    for (const namespace of book.namespacesOf(user))
      if (this.#workspaceOf(namespace) === workspace) return true
    return false
  }

  /** @throws StatusError 403 for all but members and those whose roles let them read any workspace */
  async demandWorkspace(user: UserInfo, workspace: string): Promise<void> {
    if (await this.#mayRead(user, workspace)) return
    throw forbidden(
      { group: TENANT_GROUP, resource: 'workspaces' },
      workspace,
      `User "${user.name}" is not a member of the workspace`,
    )
  }

  /**
   * @param workspace as the path says
   * @throws StatusError 403, 404 when the project is not one of the workspace
   */
  async demandNamespace(user: UserInfo, workspace: string, namespace: string): Promise<void> {
    const { book, rights, resources } = this.deps
    const question = { verb: 'get', apiGroup: '', resource: 'namespaces', name: namespace }
    const isAllowed =
      book.namespacesOf(user).has(namespace) ||
      (await this.#mayRead(user, workspace)) ||
      (await rights.can(user, question, { level: 'namespace', namespace }))
    if (!isAllowed)
      throw forbidden(
        { group: '', resource: 'namespaces' },
        namespace,
        `User "${user.name}" is not a member of the project or its workspace`,
      )
    if (this.#workspaceOf(namespace) !== workspace) throw resources.namespaces.missing(namespace)
  }

  /** As in lists of workspaces, only roles that speak of all API groups count. */
  async #mayRead(user: UserInfo, workspace: string): Promise<boolean> {
    const question = { verb: 'get', apiGroup: '*', resource: 'workspaces', name: workspace }
    return (
      this.isMember(user, workspace) ||
      (await this.deps.rights.can(user, question, { level: 'workspace', workspace }))
    )
  }

  #workspaceOf(namespace: string): string {
    return this.deps.resources.namespaces.informer.store.get('', namespace)?.labels[WORKSPACE] ?? ''
  }
}
