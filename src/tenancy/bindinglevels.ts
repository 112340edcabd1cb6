/** The levels that users are bound to roles at, as data: which objects roles and bindings are there. */
import { type BindingKind, type RoleKind } from '../authorization/objects.js'
import { type Place } from '../authorization/rights.js'
import { type CachedResource } from '../client/cachedresource.js'
import { IAM_GROUP, RBAC_GROUP, type TenancyResources } from './resources.js'
import { type BindingObject, type RoleObject } from './types.js'

export interface BindingLevel {
  roleKind: RoleKind
  bindingKind: BindingKind
  /** What new bindings say of the role and of the subject. */
  apiGroup: string
  roles: (resources: TenancyResources) => CachedResource<RoleObject>
  bindings: (resources: TenancyResources) => CachedResource<BindingObject>
}

export const BINDING_LEVELS: Readonly<Record<Place['level'], BindingLevel>> = {
  global: {
    roleKind: 'GlobalRole',
    bindingKind: 'GlobalRoleBinding',
    apiGroup: IAM_GROUP,
    roles: ({ globalRoles }) => globalRoles,
    bindings: ({ globalRoleBindings }) => globalRoleBindings,
  },
  cluster: {
    roleKind: 'ClusterRole',
    bindingKind: 'ClusterRoleBinding',
    apiGroup: RBAC_GROUP,
    roles: ({ clusterRoles }) => clusterRoles,
    bindings: ({ clusterRoleBindings }) => clusterRoleBindings,
  },
  workspace: {
    roleKind: 'WorkspaceRole',
    bindingKind: 'WorkspaceRoleBinding',
    apiGroup: IAM_GROUP,
    roles: ({ workspaceRoles }) => workspaceRoles,
    bindings: ({ workspaceRoleBindings }) => workspaceRoleBindings,
  },
  namespace: {
    roleKind: 'Role',
    bindingKind: 'RoleBinding',
    apiGroup: RBAC_GROUP,
    roles: ({ roles }) => roles,
    bindings: ({ roleBindings }) => roleBindings,
  },
}

/** "" for places whose objects are cluster-scoped. */
export function namespaceOf(place: Place): string {
  return place.level === 'namespace' ? place.namespace : ''
}
