/**
 * The levels that roles exist at, as data: where their routes are, which objects they are, and where in the platform
 * their rules count. Everything else about roles is the same at all levels.
 */
import { notFound } from '../../../apimachinery/errors/index.js'
import { type RoleKind } from '../../../authorization/objects.js'
import { type Place } from '../../../authorization/rights.js'
import { type CachedResource } from '../../../client/cachedresource.js'
import { WORKSPACE } from '../../../tenancy/names.js'
import { type TenancyResources } from '../../../tenancy/resources.js'
import { type RoleObject } from '../../../tenancy/types.js'

/** One place that roles live in. */
export interface RoleLocation {
  place: Place
  /** "" for cluster-scoped kinds. */
  namespace: string
  /** Of workspace roles alone. */
  workspace?: string
}

export interface RoleLevel {
  kind: RoleKind
  /** How the original calls what it reads, for errors. */
  goType: string
  /** Plural of the objects, by which the list engine knows them. */
  resource: string
  /** What a role is called in messages and what names it in paths. */
  singular: string
  /** Of the collection. */
  path: string
  of(resources: TenancyResources): CachedResource<RoleObject>
  /** @throws StatusError 404 when the place does not exist */
  locate(params: Readonly<Record<string, string>>, resources: TenancyResources): RoleLocation
}

const projectRole = {
  kind: 'Role',
  goType: 'v1.Role',
  resource: 'roles',
  singular: 'role',
  of: ({ roles }: TenancyResources) => roles,
} as const

export const ROLE_LEVELS: readonly RoleLevel[] = [
  {
    kind: 'GlobalRole',
    goType: 'v1alpha2.GlobalRole',
    resource: 'globalroles',
    singular: 'globalrole',
    path: '/globalroles',
    of: ({ globalRoles }) => globalRoles,
    locate: () => ({ place: { level: 'global' }, namespace: '' }),
  },
  {
    kind: 'ClusterRole',
    goType: 'v1.ClusterRole',
    resource: 'clusterroles',
    singular: 'clusterrole',
    path: '/clusterroles',
    of: ({ clusterRoles }) => clusterRoles,
    locate: () => ({ place: { level: 'cluster' }, namespace: '' }),
  },
  {
    kind: 'WorkspaceRole',
    goType: 'v1alpha2.WorkspaceRole',
    resource: 'workspaceroles',
    singular: 'workspacerole',
    path: '/workspaces/{workspace}/workspaceroles',
    of: ({ workspaceRoles }) => workspaceRoles,
    locate: ({ workspace = '' }) => ({ place: { level: 'workspace', workspace }, namespace: '', workspace }),
  },
  {
    ...projectRole,
    path: '/namespaces/{namespace}/roles',
    locate: ({ namespace = '' }) => ({ place: { level: 'namespace', namespace }, namespace }),
  },
  {
    ...projectRole,
    path: '/devops/{devops}/roles',
    locate({ devops = '' }, { devopsProjects }) {
      const namespace = devopsProjects.require(devops).status?.adminNamespace
      if (!namespace) throw devopsProjects.missing(devops)
      return { place: { level: 'namespace', namespace }, namespace }
    },
  },
]

/** Roles of another workspace are not there for this one. */
export function belongs(role: Readonly<RoleObject> | undefined, { workspace }: RoleLocation): boolean {
  return role !== undefined && (workspace === undefined || role.metadata.labels?.[WORKSPACE] === workspace)
}

export function missingRole(level: RoleLevel, resources: TenancyResources, name: string): Error {
  const { group } = level.of(resources).type
  return notFound({ group, resource: level.singular }, name)
}
