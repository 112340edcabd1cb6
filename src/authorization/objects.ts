/** The parts of role and binding objects that authorization reads. */
import { type ObjectMeta } from '../apimachinery/meta/types.js'
import { type PolicyRule } from './rules.js'

export type RoleKind = 'GlobalRole' | 'ClusterRole' | 'WorkspaceRole' | 'Role'
export type BindingKind = 'GlobalRoleBinding' | 'ClusterRoleBinding' | 'WorkspaceRoleBinding' | 'RoleBinding'

export interface RoleObject {
  metadata: ObjectMeta
  rules?: readonly PolicyRule[] | null
}

/** `apiGroup` is not read: installed data fills it inconsistently. */
export interface Subject {
  kind?: string
  name?: string
  namespace?: string
}

export interface BindingObject {
  metadata: ObjectMeta
  subjects?: readonly Subject[] | null
  roleRef?: { kind?: string; name?: string }
}

export const WORKSPACE_LABEL = 'kubesphere.io/workspace'
