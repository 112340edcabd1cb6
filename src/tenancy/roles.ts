/**
 * What roles are to the platform: which ones it ships, whom a workspace role is there for, and what the rules of a
 * role are that is composed of others.
 *
 * Shipped roles are told by name and by labels that tenants cannot set, never by the annotation that names a
 * creator: that one comes from clients.
 */
import { createHash } from 'node:crypto'
import { equal, isObject } from '../apimachinery/json/index.js'
import { type RoleKind } from '../authorization/objects.js'
import { type PolicyRule } from '../authorization/rules.js'
import { AGGREGATION, COMPOSED, ROLE_TEMPLATE, WORKSPACE } from './names.js'
import { aggregatedNames, type RoleObject } from './types.js'

type Role = Readonly<RoleObject>

/** Of both supported releases; in a workspace the names follow that of the workspace. */
const SHIPPED: Record<RoleKind, readonly string[]> = {
  GlobalRole: [
    'anonymous',
    'authenticated',
    'platform-admin',
    'platform-regular',
    'platform-self-provisioner',
    'pre-registration',
    'users-manager',
    'workspaces-manager',
  ],
  ClusterRole: ['cluster-admin', 'cluster-viewer'],
  WorkspaceRole: ['admin', 'regular', 'self-provisioner', 'viewer'],
  Role: ['admin', 'operator', 'viewer'],
}

/** Without these nobody could repair anything, or nobody could log in. */
const VITAL: Partial<Record<RoleKind, readonly string[]>> = {
  GlobalRole: ['anonymous', 'authenticated', 'platform-admin', 'pre-registration'],
  ClusterRole: ['cluster-admin'],
}

/** Roles that Kubernetes itself makes and repairs. */
const BOOTSTRAPPING = 'kubernetes.io/bootstrapping'

/** Part of a role picker rather than a role of its own; `"false"` marks those that are not offered any more. */
export function isTemplate(role: Role): boolean {
  return role.metadata.labels?.[ROLE_TEMPLATE] !== undefined
}

/** Comes with the platform, or with Kubernetes. */
export function isShipped(kind: RoleKind, role: Role): boolean {
  const { name = '', labels = {} } = role.metadata
  if (labels[BOOTSTRAPPING] !== undefined) return true
  const workspace = labels[WORKSPACE]
  if (isTemplate(role) && workspace === undefined) return true
  if (kind !== 'WorkspaceRole') return SHIPPED[kind].includes(name)
  return workspace !== undefined && SHIPPED[kind].some((shipped) => name === `${workspace}-${shipped}`)
}

export function isVital(kind: RoleKind, role: Role): boolean {
  return VITAL[kind]?.includes(role.metadata.name ?? '') ?? false
}

/** Whether a workspace may be given the role: its own, and those that carry no workspace because all share them. */
export function servesWorkspace(role: Role, workspace: string): boolean {
  return [undefined, workspace].includes(role.metadata.labels?.[WORKSPACE])
}

/** All rules of the parts, in their order; nothing is left out or merged. */
export function composedRules(parts: Iterable<Role>): PolicyRule[] {
  return [...parts].flatMap((part) => part.rules ?? [])
}

/** To be kept in the annotation COMPOSED, beside rules that come from parts. */
export function composedMark(rules: readonly PolicyRule[]): string {
  return createHash('sha256').update(canonical(rules)).digest('base64url').slice(0, 22)
}

/** Whether the rules are those that were composed last, rather than written by somebody since. */
export function isAsComposed({ metadata, rules }: Role): boolean {
  return metadata.annotations?.[COMPOSED] === composedMark(rules ?? [])
}

/** Servers give the fields of an object back in an order of their own. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) =>
    isObject(part) ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1))) : part,
  )
}

export function sameRules(left: Role['rules'], right: Role['rules']): boolean {
  return equal(left ?? [], right ?? [])
}

/** Whether the role of that name is, through any number of others, a part of one of the named roles. */
export function leadsTo(
  target: string,
  names: readonly string[],
  get: (name: string) => Role | undefined,
): boolean {
  const seen = new Set<string>()
  const waiting = [...names]
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    if (name === target) return true
    if (seen.has(name)) continue
    seen.add(name)
    const role = get(name)
    if (role) waiting.push(...aggregatedNames(role, AGGREGATION))
  }
  return false
}
