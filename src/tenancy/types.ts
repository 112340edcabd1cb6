/** The objects of identity and tenancy, as far as the platform reads them (iam-tenant.md §2). */
import { type KubeObject, type ObjectMeta } from '../apimachinery/meta/types.js'
import { type PolicyRule } from '../authorization/rules.js'

export { type UserObject } from '../authentication/users.js'
export { type LoginRecordObject } from '../authentication/loginrecords.js'

/** GlobalRole, ClusterRole, WorkspaceRole and Role. */
export interface RoleObject extends KubeObject {
  metadata: ObjectMeta
  rules?: PolicyRule[] | null
}

export interface Subject {
  kind: string
  apiGroup?: string
  name: string
  namespace?: string
}

/** The bindings of those. */
export interface BindingObject extends KubeObject {
  subjects?: Subject[] | null
  roleRef: { apiGroup?: string; kind: string; name: string }
}

/** `role` is a whole Role or WorkspaceRole. */
export interface RoleBaseObject extends KubeObject {
  role?: RoleObject
}

export type GroupObject = KubeObject

export interface GroupBindingObject extends KubeObject {
  groupRef?: { apiGroup?: string; kind?: string; name?: string }
  users?: string[] | null
}

export interface WorkspaceSpec {
  manager?: string
  networkIsolation?: boolean
}

export interface WorkspaceObject extends KubeObject {
  spec?: WorkspaceSpec
}

export interface LabelSelectorObject {
  matchLabels?: Record<string, string>
  matchExpressions?: { key: string; operator: string; values?: string[] }[]
}

/** `clusters`, when there, wins over the selector; `[]` is nowhere, the selector `{}` everywhere. */
export interface Placement {
  clusters?: { name: string }[]
  clusterSelector?: LabelSelectorObject
}

export interface WorkspaceTemplateObject extends KubeObject {
  spec?: {
    template?: {
      metadata?: { labels?: Record<string, string>; annotations?: Record<string, string> }
      spec?: WorkspaceSpec
    }
    placement?: Placement
    overrides?: unknown[]
  }
}

export interface NamespaceObject extends KubeObject {
  status?: { phase?: string }
}

export interface WorkspaceQuotaObject extends KubeObject {
  spec?: {
    selector?: Record<string, string>
    quota?: { hard?: Record<string, string>; scopes?: string[]; scopeSelector?: unknown }
  }
  status?: {
    total?: { hard?: Record<string, string>; used?: Record<string, string> }
    namespaces?: { namespace: string; hard?: Record<string, string>; used?: Record<string, string> }[] | null
  }
}

export interface ClusterObject extends KubeObject {
  spec?: { connection?: { kubeconfig?: string; [field: string]: unknown }; [field: string]: unknown }
  status?: { conditions?: { type?: string; status?: string }[] }
}

export interface DevOpsProjectObject extends KubeObject {
  status?: { adminNamespace?: string }
}

/** The roles a role is composed of, in the order of its annotation; what cannot be read names none. */
export function aggregatedNames(role: Pick<KubeObject, 'metadata'>, annotation: string): string[] {
  try {
    const value: unknown = JSON.parse(role.metadata.annotations?.[annotation] ?? '[]')
    return Array.isArray(value) ? value.filter((name): name is string => typeof name === 'string') : []
  } catch {
    return []
  }
}

/** Of the User subjects, in their order. */
export function userNamesIn({ subjects }: Pick<BindingObject, 'subjects'>): string[] {
  return (subjects ?? []).filter(({ kind }) => kind === 'User').map(({ name }) => name)
}
