/** Every resource that identity and tenancy read and write, each with its cache. */
import { type InformerSet } from '../client/cache/interface.js'
import { CachedResource, type CachedResourceType } from '../client/cachedresource.js'
import { type RestClient } from '../client/rest.js'
import { type KubeObject } from '../apimachinery/meta/types.js'
import {
  type BindingObject,
  type ClusterObject,
  type DevOpsProjectObject,
  type GroupBindingObject,
  type GroupObject,
  type LoginRecordObject,
  type NamespaceObject,
  type RoleBaseObject,
  type RoleObject,
  type UserObject,
  type WorkspaceObject,
  type WorkspaceQuotaObject,
  type WorkspaceTemplateObject,
} from './types.js'

export const IAM_GROUP = 'iam.kubesphere.io'
export const TENANT_GROUP = 'tenant.kubesphere.io'
export const RBAC_GROUP = 'rbac.authorization.k8s.io'

const iam = (resource: string, kind: string): CachedResourceType => ({
  group: IAM_GROUP,
  version: 'v1alpha2',
  resource,
  kind,
})
const rbac = (resource: string, kind: string): CachedResourceType => ({
  group: RBAC_GROUP,
  version: 'v1',
  resource,
  kind,
})

export const USERS = { ...iam('users', 'User'), singular: 'user' }
export const LOGIN_RECORDS = iam('loginrecords', 'LoginRecord')
export const GLOBAL_ROLES = iam('globalroles', 'GlobalRole')
export const GLOBAL_ROLE_BINDINGS = iam('globalrolebindings', 'GlobalRoleBinding')
export const WORKSPACE_ROLES = iam('workspaceroles', 'WorkspaceRole')
export const WORKSPACE_ROLE_BINDINGS = iam('workspacerolebindings', 'WorkspaceRoleBinding')
export const ROLE_BASES = iam('rolebases', 'RoleBase')
export const GROUPS = { ...iam('groups', 'Group'), singular: 'group' }
export const GROUP_BINDINGS = { ...iam('groupbindings', 'GroupBinding'), singular: 'groupbinding' }
export const CLUSTER_ROLES = rbac('clusterroles', 'ClusterRole')
export const CLUSTER_ROLE_BINDINGS = rbac('clusterrolebindings', 'ClusterRoleBinding')
export const ROLES = rbac('roles', 'Role')
export const ROLE_BINDINGS = rbac('rolebindings', 'RoleBinding')
export const WORKSPACES = {
  group: TENANT_GROUP,
  version: 'v1alpha1',
  resource: 'workspaces',
  kind: 'Workspace',
  singular: 'workspace',
}
export const WORKSPACE_TEMPLATES = {
  group: TENANT_GROUP,
  version: 'v1alpha2',
  resource: 'workspacetemplates',
  kind: 'WorkspaceTemplate',
  singular: 'workspacetemplate',
}
export const NAMESPACES = {
  group: '',
  version: 'v1',
  resource: 'namespaces',
  kind: 'Namespace',
  singular: 'namespace',
}
export const WORKSPACE_QUOTAS = {
  group: 'quota.kubesphere.io',
  version: 'v1alpha2',
  resource: 'resourcequotas',
  kind: 'ResourceQuota',
}
export const CLUSTERS = {
  group: 'cluster.kubesphere.io',
  version: 'v1alpha1',
  resource: 'clusters',
  kind: 'Cluster',
}
export const DEVOPS_PROJECTS = {
  group: 'devops.kubesphere.io',
  version: 'v1alpha3',
  resource: 'devopsprojects',
  kind: 'DevOpsProject',
}

export type TenancyResources = ReturnType<typeof tenancyResources>

export function tenancyResources(informers: InformerSet, client: RestClient) {
  const of = <T extends KubeObject>(type: CachedResourceType): CachedResource<T> =>
    new CachedResource<T>(type, informers, client)
  return {
    users: of<UserObject>(USERS),
    loginRecords: of<LoginRecordObject>(LOGIN_RECORDS),
    globalRoles: of<RoleObject>(GLOBAL_ROLES),
    globalRoleBindings: of<BindingObject>(GLOBAL_ROLE_BINDINGS),
    workspaceRoles: of<RoleObject>(WORKSPACE_ROLES),
    workspaceRoleBindings: of<BindingObject>(WORKSPACE_ROLE_BINDINGS),
    roleBases: of<RoleBaseObject>(ROLE_BASES),
    groups: of<GroupObject>(GROUPS),
    groupBindings: of<GroupBindingObject>(GROUP_BINDINGS),
    clusterRoles: of<RoleObject>(CLUSTER_ROLES),
    clusterRoleBindings: of<BindingObject>(CLUSTER_ROLE_BINDINGS),
    roles: of<RoleObject>(ROLES),
    roleBindings: of<BindingObject>(ROLE_BINDINGS),
    workspaces: of<WorkspaceObject>(WORKSPACES),
    workspaceTemplates: of<WorkspaceTemplateObject>(WORKSPACE_TEMPLATES),
    namespaces: of<NamespaceObject>(NAMESPACES),
    quotas: of<WorkspaceQuotaObject>(WORKSPACE_QUOTAS),
    clusters: of<ClusterObject>(CLUSTERS),
    devopsProjects: of<DevOpsProjectObject>(DEVOPS_PROJECTS),
  }
}
