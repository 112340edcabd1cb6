/** Labels, annotations, finalizers and names that the platform's objects are tied together with. */

export const WORKSPACE = 'kubesphere.io/workspace'
export const NAMESPACE = 'kubesphere.io/namespace'
export const DEVOPS_PROJECT = 'kubesphere.io/devopsproject'
export const USERNAME = 'kubesphere.io/username'
export const CREATOR = 'kubesphere.io/creator'
/** Where releases before kept the key that belongs to a signing request. */
export const PRIVATE_KEY = 'kubesphere.io/private-key'
export const USER_REF = 'iam.kubesphere.io/user-ref'
export const GROUP_REF = 'iam.kubesphere.io/group-ref'
export const GROUP_PARENT = 'iam.kubesphere.io/group-parent'
export const SERVICE_ACCOUNT_REF = 'iam.kubesphere.io/serviceaccount-ref'
export const ROLE_TEMPLATE = 'iam.kubesphere.io/role-template'
/** On a Cluster, `public`: any workspace may be placed there. */
export const CLUSTER_VISIBILITY = 'cluster.kubesphere.io/visibility'
/** On the Cluster that the platform itself runs in. */
export const HOST_CLUSTER = 'cluster-role.kubesphere.io/host'
/** `"true"`: federation writes the object, and local controllers keep their hands off. */
export const FEDERATED = 'kubefed.io/managed'

export const AGGREGATION = 'iam.kubesphere.io/aggregation-roles'
/** On a role that is composed of others: a hash of its rules, if they are those of its parts as they were then. */
export const COMPOSED = 'iam.kubesphere.io/composed-rules'
export const GLOBAL_ROLE = 'iam.kubesphere.io/globalrole'
export const CLUSTER_ROLE = 'iam.kubesphere.io/clusterrole'
export const WORKSPACE_ROLE = 'iam.kubesphere.io/workspacerole'
/** Shown on members of a project; asked for on a service account. */
export const ROLE = 'iam.kubesphere.io/role'
export const GRANTED_CLUSTERS = 'iam.kubesphere.io/granted-clusters'
export const LAST_PASSWORD_CHANGE = 'iam.kubesphere.io/last-password-change-time'

/** Where kubeconfigs and terminals of users live. */
export const CONTROLS_NAMESPACE = 'kubesphere-controls-system'
/** The platform lives in them. Kubernetes keeps its own. */
export const PLATFORM_NAMESPACES: ReadonlySet<string> = new Set(['kubesphere-system', CONTROLS_NAMESPACE])
/** Its namespaces are those of the system; it is never deleted. */
export const SYSTEM_WORKSPACE = 'system-workspace'
/** The user that the installation comes with. */
export const ADMIN = 'admin'
/** The role that may do everything. */
export const PLATFORM_ADMIN = 'platform-admin'

export const USER_FINALIZER = 'finalizers.kubesphere.io/users'
export const GROUP_FINALIZER = 'finalizers.kubesphere.io/groups'
export const GROUP_BINDING_FINALIZER = 'finalizers.kubesphere.io/groupsbindings'
export const NAMESPACE_FINALIZER = 'finalizers.kubesphere.io/namespaces'
export const WORKSPACE_FINALIZER = 'finalizers.tenant.kubesphere.io'
export const WORKSPACE_TEMPLATE_FINALIZER = 'finalizers.workspacetemplate.kubesphere.io'
/** The workspace goes, its namespaces stay. */
export const ORPHAN_FINALIZER = 'orphan.finalizers.kubesphere.io'
