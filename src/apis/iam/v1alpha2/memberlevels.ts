/**
 * The levels that users are members at, as data: where their routes are and how the role is called there. Each
 * belongs to the level of the same place that roles are at.
 */
import { CLUSTER_ROLE, ROLE, WORKSPACE_ROLE } from '../../../tenancy/names.js'
import { ROLE_LEVELS, type RoleLevel } from './rolelevels.js'

export interface MemberLevel {
  /** Of the roles that members have here. */
  roles: RoleLevel
  /** Of the collection. */
  path: string
  /** What names a member in paths. */
  singular: string
  /** Shows the role on members in answers. */
  annotation: string
  /** Chooses members by role in lists. */
  roleKey: string
}

const WORDS: Readonly<Record<string, Omit<MemberLevel, 'roles'>>> = {
  '/clusterroles': {
    path: '/clustermembers',
    singular: 'clustermember',
    annotation: CLUSTER_ROLE,
    roleKey: 'clusterrole',
  },
  '/workspaces/{workspace}/workspaceroles': {
    path: '/workspaces/{workspace}/workspacemembers',
    singular: 'workspacemember',
    annotation: WORKSPACE_ROLE,
    roleKey: 'workspacerole',
  },
  '/namespaces/{namespace}/roles': {
    path: '/namespaces/{namespace}/members',
    singular: 'member',
    annotation: ROLE,
    roleKey: 'role',
  },
  '/devops/{devops}/roles': {
    path: '/devops/{devops}/members',
    singular: 'member',
    annotation: ROLE,
    roleKey: 'role',
  },
}

export const MEMBER_LEVELS: readonly MemberLevel[] = ROLE_LEVELS.flatMap((roles) => {
  const words = WORDS[roles.path]
  return words ? [{ roles, ...words }] : []
})
