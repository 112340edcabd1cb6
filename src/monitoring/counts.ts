/** What is counted from caches, with or without a Prometheus. */
import { type InformerSet } from '../client/cache/interface.js'
import { WORKSPACE } from '../tenancy/names.js'
import { type TenancyResources } from '../tenancy/resources.js'
import { counted, type Metric } from './answer.js'

export interface CountsDeps {
  resources: Pick<
    TenancyResources,
    | 'clusters'
    | 'workspaceTemplates'
    | 'users'
    | 'namespaces'
    | 'devopsProjects'
    | 'workspaceRoleBindings'
    | 'workspaceRoles'
  >
  informers: InformerSet
  now(): Date
}

const USER = 'iam.kubesphere.io/user-ref'
const REPOSITORY = 'application.kubesphere.io/repo-id'
/** The repository that templates made in the platform are in. */
const BUILT_IN = 'repo-helm'

export class Counts {
  readonly #templates

  constructor(private readonly deps: CountsDeps) {
    this.#templates = deps.informers.informer<never>({
      group: 'application.kubesphere.io',
      version: 'v1alpha1',
      resource: 'helmapplications',
    })
  }

  /** A platform that knows of no clusters is one itself. */
  platform(): Metric[] {
    const { clusters, workspaceTemplates, users } = this.deps.resources
    return this.#all({
      kubesphere_cluser_count: Math.max(1, clusters.informer.store.size),
      kubesphere_workspace_count: workspaceTemplates.informer.store.size,
      kubesphere_user_count: users.informer.store.size,
      kubesphere_app_template_count: this.#activeTemplates(),
    })
  }

  workspace(workspace: string): Metric[] {
    const { namespaces, devopsProjects, workspaceRoleBindings, workspaceRoles } = this.deps.resources
    const of = (resource: typeof namespaces | typeof workspaceRoles | typeof devopsProjects): number =>
      [...resource.informer.store.byLabel(WORKSPACE, workspace)].length
    const bindings = [...workspaceRoleBindings.informer.store.byLabel(WORKSPACE, workspace)]
    return this.#all({
      workspace_namespace_count: of(namespaces),
      workspace_devops_project_count: of(devopsProjects),
      workspace_member_count: bindings.filter(({ labels }) => labels[USER] !== undefined).length,
      workspace_role_count: of(workspaceRoles),
    })
  }

  #all(counts: Readonly<Record<string, number>>): Metric[] {
    const now = this.deps.now()
    return Object.entries(counts).map(([name, count]) => counted(name, count, now))
  }

  #activeTemplates(): number {
    const { store } = this.#templates
    let count = 0
    for (const cached of store.byLabel(REPOSITORY, BUILT_IN)) {
      const { status } = store.object<{ status?: { state?: string } }>(cached)
      if (status?.state === 'active') count += 1
    }
    return count
  }
}
