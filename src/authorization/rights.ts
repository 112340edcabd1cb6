/**
 * What handlers ask about the caller: may they do something else too, and do they hold what they are about to give?
 *
 * Nobody grants more than they hold at the level of the grant. A right to grant in spite of that is a rule that
 * names the verb `bind` on the roles of that level; the verb `*` is not meant to say so, and does not.
 */
import { missingFrom, type PolicyRule, ruleText } from '../apimachinery/rbac/index.js'
import { StatusError } from '../apimachinery/errors/index.js'
import { type UserInfo } from '../apimachinery/meta/types.js'
import { type Grants } from './bindings.js'
import { type Attributes, type Authorizer } from './interface.js'
import { type RoleKind } from './objects.js'
import { NATIVE_RULES_ANNOTATION, REGO_ANNOTATION } from './policy.js'
import { type Places } from './rbac.js'
import { type RoleBook } from './rolebook.js'
import { type RoleSlot } from './roles.js'

/** Where something is done or granted. A namespace counts with the workspace it is labelled with. */
export type Place =
  | { level: 'global' }
  | { level: 'cluster' }
  | { level: 'workspace'; workspace: string }
  | { level: 'namespace'; namespace: string }

export interface Question {
  verb: string
  apiGroup: string
  resource: string
  subresource?: string
  name?: string
}

export interface RightsDeps {
  book: RoleBook
  places: Places
  /** Of the configured mode. */
  authorizer: Authorizer
  /** Nobody is held to anything: the mode AlwaysAllow. */
  unrestricted: boolean
}

/** The parts of a role that grants depend on. */
export interface GrantedRole {
  metadata: { name?: string; annotations?: Readonly<Record<string, string>> }
  rules?: readonly PolicyRule[] | null
}

const EVERYTHING: readonly PolicyRule[] = [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'] }]

const SCOPES = {
  global: 'Global',
  cluster: 'Cluster',
  workspace: 'Workspace',
  namespace: 'Namespace',
} as const

const ROLES: Record<RoleKind, { apiGroup: string; resource: string }> = {
  GlobalRole: { apiGroup: 'iam.kubesphere.io', resource: 'globalroles' },
  ClusterRole: { apiGroup: 'rbac.authorization.k8s.io', resource: 'clusterroles' },
  WorkspaceRole: { apiGroup: 'iam.kubesphere.io', resource: 'workspaceroles' },
  Role: { apiGroup: 'rbac.authorization.k8s.io', resource: 'roles' },
}

export class Rights {
  constructor(private readonly deps: RightsDeps) {}

  async can(user: UserInfo, question: Question, place: Place): Promise<boolean> {
    return (await this.deps.authorizer.authorize(this.#attributes(user, question, place))).allowed
  }

  /** @throws StatusError 403 */
  async demand(user: UserInfo, question: Question, place: Place): Promise<void> {
    if (await this.can(user, question, place)) return
    const { verb, apiGroup, resource, subresource, name } = question
    const what = subresource === undefined ? resource : `${resource}/${subresource}`
    throw forbidden(
      `${resource}.${apiGroup}${name === undefined ? '' : ` "${name}"`} is forbidden: ` +
        `User "${user.name}" cannot ${verb} resource "${what}" in API group "${apiGroup}"`,
    )
  }

  /** All rules that apply to the user there. Native rules are about one's own things and are not among them. */
  held(user: UserInfo, place: Place): PolicyRule[] {
    return this.#placesOf(place).flatMap((grants) =>
      slotsOf(user, grants).flatMap(({ rules }) => rules?.rules ?? []),
    )
  }

  /** What of the rules the user does not hold there. */
  missing(user: UserInfo, rules: readonly PolicyRule[], place: Place): PolicyRule[] {
    return this.deps.unrestricted ? [] : missingFrom(this.held(user, place), rules)
  }

  /** Whether the user may do everything there. */
  holdsAll(user: UserInfo, place: Place): boolean {
    return this.missing(user, EVERYTHING, place).length === 0
  }

  /** @throws StatusError 403 when the user does not hold what the role grants */
  async demandGrant(user: UserInfo, kind: RoleKind, role: GrantedRole, place: Place): Promise<void> {
    const { name = '', annotations = {} } = role.metadata
    // Policy beyond rules cannot be compared: only who may do everything may hand it out.
    const hasPolicy = REGO_ANNOTATION in annotations || NATIVE_RULES_ANNOTATION in annotations
    const missing = this.missing(user, hasPolicy ? EVERYTHING : (role.rules ?? []), place)
    if (missing.length === 0 || this.#mayBind(user, kind, name, place)) return
    if (await this.#rulesWorkspaces(user, place)) return
    throw forbidden(
      `${kind} "${name}" is forbidden: user "${user.name}" is attempting to grant permissions not currently ` +
        `held: ${missing.map(ruleText).join(', ')}`,
    )
  }

  /**
   * Whoever acts on another account could act as that account.
   * @throws StatusError 403 when the other user has platform or cluster rights that the caller has not
   */
  demandPower(user: UserInfo, other: UserInfo): void {
    if (user.name === other.name) return
    this.#demandPower(user, other, [{ level: 'global' }, { level: 'cluster' }])
  }

  /**
   * The same of everywhere: for credentials of the other, and for whoever becomes a member of a group.
   * @throws StatusError 403
   */
  demandPowerEverywhere(user: UserInfo, other: UserInfo): void {
    const { book } = this.deps
    this.#demandPower(user, other, [
      { level: 'global' },
      { level: 'cluster' },
      ...[...book.workspacesOf(other)].map((workspace) => ({ level: 'workspace', workspace }) as const),
      ...[...book.namespacesOf(other)].map((namespace) => ({ level: 'namespace', namespace }) as const),
    ])
  }

  #demandPower(user: UserInfo, other: UserInfo, places: readonly Place[]): void {
    for (const place of places) {
      const missing = this.missing(user, this.held(other, place), place)
      if (missing.length === 0) continue
      const whom = other.name === '' ? `group "${other.groups.join(', ')}"` : `user "${other.name}"`
      throw forbidden(
        `${whom} is forbidden: user "${user.name}" lacks permissions of it: ${missing.map(ruleText).join(', ')}`,
      )
    }
  }

  #mayBind(user: UserInfo, kind: RoleKind, name: string, place: Place): boolean {
    const { apiGroup, resource } = ROLES[kind]
    return this.held(user, place).some(
      (rule) =>
        rule.verbs?.includes('bind') === true &&
        (rule.apiGroups?.some((group) => group === '*' || group === apiGroup) ?? false) &&
        (rule.resources?.some((named) => named === '*' || named === resource) ?? false) &&
        (!rule.resourceNames?.length || rule.resourceNames.includes(name)),
    )
  }

  /** Who may change every workspace may also name its manager, and so gives away any role in it. */
  #rulesWorkspaces(user: UserInfo, place: Place): Promise<boolean> {
    if (place.level !== 'workspace') return Promise.resolve(false)
    const question = { verb: 'update', apiGroup: 'tenant.kubesphere.io', resource: 'workspaces' }
    return this.can(user, question, { level: 'cluster' })
  }

  #placesOf(place: Place): (Grants | undefined)[] {
    const { book, places } = this.deps
    switch (place.level) {
      case 'global':
        return [book.global]
      case 'cluster':
        return [book.global, book.cluster]
      case 'workspace':
        return [book.global, book.workspace(place.workspace), book.cluster]
      case 'namespace': {
        const workspace = places.workspaceOf(place.namespace)
        return [book.global, book.workspace(workspace), book.namespace(place.namespace), book.cluster]
      }
    }
  }

  #attributes(user: UserInfo, question: Question, place: Place): Attributes {
    return {
      path: '',
      isResourceRequest: true,
      isKubernetesRequest: false,
      apiVersion: '',
      cluster: '',
      devops: '',
      subresource: '',
      name: '',
      ...question,
      workspace: place.level === 'workspace' ? place.workspace : '',
      namespace: place.level === 'namespace' ? place.namespace : '',
      resourceScope: SCOPES[place.level],
      user,
    }
  }
}

function slotsOf(user: UserInfo, grants: Grants | undefined): RoleSlot[] {
  if (grants === undefined) return []
  const held = [
    ...(grants.users.get(user.name) ?? []),
    ...user.groups.flatMap((group) => grants.groups.get(group) ?? []),
  ]
  return held.map(({ role }) => role)
}

function forbidden(message: string): StatusError {
  return new StatusError({ code: 403, reason: 'Forbidden', message })
}
